/* fork: a child in another region, whose memory and registers are the image of its parent's. */
#include "machine.h"

#include <string.h>

static int lowest_free_slot(void) {
  for (int slot = 0; slot < (int)machine.config.slots; slot++) {
    bool is_free = machine.config.reuse || !machine.used_slots[slot];
    for (int k = 0; k < machine.process_count; k++) {
      is_free = is_free && !(machine.processes[k].state == LIVE && machine.processes[k].slot == slot);
    }
    if (is_free) return slot;
  }
  return NOBODY;
}

/* The lowest number that no process and no zombie has. */
static int lowest_free_pid(void) {
  for (int pid = 1;; pid++) {
    bool is_free = true;
    for (int k = 0; k < machine.process_count; k++) {
      is_free = is_free && !(machine.processes[k].state != REAPED && machine.processes[k].pid == pid);
    }
    if (is_free) return pid;
  }
}

/* Zombies count. */
static bool has_room_for_process(void) {
#ifdef DEFECT_L1
  return true; /* the table of processes overflows */
#endif
  uint64_t present = 0;
  for (int k = 0; k < machine.process_count; k++) present += machine.processes[k].state != REAPED;
  return present < machine.config.processes;
}

/* Copied now, every capability relocated. */
static bool copy_page(int parent_slot, int child_slot, int index, struct counters *counters) {
  struct page *page = page_of(parent_slot, index);
  struct frame *frame = &machine.frames[page->frame];
  if (!map_fresh(child_slot, index, page->protection)) return false;
  struct frame *copy = &machine.frames[page_of(child_slot, index)->frame];
  memcpy(copy->bytes, frame->bytes, machine.config.page);
  for (size_t k = 0; next_tag(frame, &k); k++) {
    struct capability c = capability_at(frame, k);
#ifdef DEFECT_R8
    /* Copied tables are gone through with another lower limit than pages that fault later. */
    if (bounds_of(c).base < region_base(parent_slot) + machine.config.page) {
      put_capability(copy, k, c);
      continue;
    }
#endif
    struct capability image = image_in_memory(c, frame->home, region_base(child_slot));
    counters->relocations += image.address != c.address || image.metadata != c.metadata;
    put_capability(copy, k, image);
  }
  counters->copies++;
  return true;
}

/* Copied later: the frame is mapped a second time, and the first write of either side faults. */
static void share_page(int parent_slot, int child_slot, int index) {
  struct page *page = page_of(parent_slot, index);
  page->guard = true;
#ifdef DEFECT_B5
  /* Of a page that the parent has not resolved either, the child is entered with the parent, not with the frame. */
  if (page->foreign) --*references_of(&machine.frames[page->frame]);
#endif
  share(child_slot, index, *page);
#ifdef DEFECT_B4
  page->foreign = false; /* a parent that is itself a child may load pointers from what it still shares */
#endif
}

static bool fork_page(int parent_slot, int child_slot, int index, struct counters *counters) {
  struct page *page = page_of(parent_slot, index);
  if (page->frame == NOBODY) return true;
#ifdef DEFECT_B9
  /* Pages of code are the same for parent and child, and writable. */
  if ((page->protection & SFORK_PROT_EXECUTE) != 0) {
    share(child_slot, index, *page);
    page_of(child_slot, index)->protection |= SFORK_PROT_WRITE;
    page_of(child_slot, index)->guard = page_of(child_slot, index)->foreign = false;
    return true;
  }
#endif
  if (machine.config.strategy == SFORK_STRATEGY_EAGER) return copy_page(parent_slot, child_slot, index, counters);
  share_page(parent_slot, child_slot, index);
  return true;
}

/* The registers of the caller, relocated; 0 in the one in which the parent finds the child's pid. */
static void fork_registers(const struct thread *from, struct thread *to, uint64_t base, uint64_t child_base,
                           unsigned cd) {
  int count = REGISTERS;
  *to = *from;
#ifdef DEFECT_G2
  count--; /* the last one is left out */
#endif
  for (int r = 0; r < count; r++) to->registers[r] = relocated(from->registers[r], base, child_base);
  to->pcc = relocated(from->pcc, base, child_base);
#ifdef DEFECT_G1
  /* The child's stack comes from the kernel's own authority. */
  to->registers[2] = csetaddr(almighty(), child_base + (machine.region_size - 2 * machine.config.page));
#endif
  to->registers[cd] = null_capability(0);
}

bool fork_operation(struct call *call) {
  int slot = lowest_free_slot(), parent = call->process_number, parent_slot = call->process->slot, mapped = 0;
  if (slot == NOBODY || !has_room_for_process()) return see_error(call, SFORK_EAGAIN);
  for (int index = 0; index < machine.pages; index++) mapped += page_of(parent_slot, index)->frame != NOBODY;
  if (!has_commit(mapped, machine.config.strategy == SFORK_STRATEGY_EAGER ? mapped : 0)) {
    return see_error(call, SFORK_ENOMEM);
  }
  int pid = lowest_free_pid();
  struct process *child = new_process(); /* which may move the others */
  struct thread *thread = new_thread();
  call->process = &machine.processes[parent];
  call->thread = &machine.threads[call->thread_number];
  *child = (struct process){.state = LIVE, .pid = pid, .slot = slot, .parent = parent, .forker = parent};
  child->alternate_stack = relocated(call->process->alternate_stack, region_base(parent_slot), region_base(slot));
  fork_registers(call->thread, thread, region_base(parent_slot), region_base(slot), call->step->cd);
  thread->process = machine.process_count - 1;
  machine.used_slots[slot] = true;
  for (int index = 0; index < machine.pages; index++) {
    if (!fork_page(parent_slot, slot, index, &child->counters)) return see_failure(call, SFORK_SAW_OUT_OF_FRAMES);
  }
  call->thread->registers[call->step->cd] = null_capability((uint64_t)pid);
  call->seen->saw = SFORK_SAW_CHILD;
  call->seen->child = (uint32_t)(machine.process_count - 1);
  return true;
}
