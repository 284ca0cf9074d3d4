/* The rest of a process's life: its start, exit and wait, exec, threads, the alternate stack. */
#include "machine.h"

#include <stdlib.h>
#include <string.h>

/* ---- Tables ------------------------------------------------------------------------------------------------------ */

/* Room for one more in a table that grows. */
static void *grown(void *table, int count, int *room, size_t size) {
  if (count < *room) return table;
  *room = *room == 0 ? 16 : 2 * *room;
  table = realloc(table, (size_t)*room * size);
  if (table == NULL) abort();
  return table;
}

struct process *new_process(void) {
  static int room;
  machine.processes = grown(machine.processes, machine.process_count, &room, sizeof *machine.processes);
  return &machine.processes[machine.process_count++];
}

struct thread *new_thread(void) {
  static int room;
  machine.threads = grown(machine.threads, machine.thread_count, &room, sizeof *machine.threads);
  return &machine.threads[machine.thread_count++];
}

/* ---- Images ------------------------------------------------------------------------------------------------------ */

/* The kernel's own code may use the system registers. What it derives for a process may not. */
static uint32_t without_system(uint32_t permissions) {
#ifdef DEFECT_G6
  return permissions & ~(uint32_t)PERM_SET_CID; /* the neighbouring bit */
#endif
  return permissions & ~(uint32_t)PERM_SYSTEM;
}

/* Pages of an image: data first, a hole for mmap, one page of stack, one of code. */
static uint8_t start_protection(int index) {
  if (index < machine.pages / 2 || index == machine.pages - 2) return SFORK_PROT_READ | SFORK_PROT_WRITE;
  return index == machine.pages - 1 ? SFORK_PROT_READ | SFORK_PROT_EXECUTE : SFORK_PROT_NONE;
}

static int start_pages(void) { return machine.pages / 2 + 2; }

/* Maps the pages of a new image in an empty region, and gives a thread the registers that it begins with. */
static bool start_image(int slot, struct thread *thread) {
  uint64_t page = machine.config.page, base = region_base(slot);
  uint64_t stack = base + machine.region_size - 2 * page, code = stack + page;
  uint32_t code_rights = without_system(CODE_RIGHTS | PERM_SYSTEM);
  for (int index = 0; index < machine.pages; index++) {
    uint8_t protection = start_protection(index);
    if (protection != SFORK_PROT_NONE && !map_fresh(slot, index, protection)) return false;
  }
  for (int r = 0; r < REGISTERS; r++) thread->registers[r] = null_capability(0);
  thread->pcc = memory_root(code, page, code_rights);
  thread->registers[1] = memory_root(base, machine.pages / 2 * page, DATA_RIGHTS);
  thread->registers[2] = memory_root(stack, page, DATA_RIGHTS);
  thread->registers[3] = csealentry(memory_root(code, page, code_rights | PERM_INVOKE));
  /* Authority to seal with the object types 4 to 7. */
  thread->registers[4] = candperm(csetbounds(csetaddr(almighty(), 4), 4, true), PERM_SEAL | PERM_UNSEAL | PERM_GLOBAL);
  thread->registers[5] = csealentry(memory_root(kernel_base(), page, CODE_RIGHTS));
  thread->registers[6] = segment_root(0);
  return true;
}

/* The memory of a process ends: its pages, and everything that points to them. */
static void end_image(int slot) {
  bool revoke = true;
#ifdef DEFECT_L4
  revoke = false; /* neither cleared nor revoked before others have it */
#endif
  for (int index = 0; index < machine.pages; index++) {
    struct page *page = page_of(slot, index);
    if (page->frame == NOBODY) continue;
#ifdef DEFECT_L2
    ++*references_of(&machine.frames[page->frame]); /* references survive the process */
#endif
    unmap(slot, index, revoke);
  }
  if (revoke) sweep(region_base(slot), region_base(slot) + machine.region_size);
}

/* A region and its data must be told exactly by a capability, wherever the region lies. */
static bool is_representable(const sfork_config *config) {
  uint64_t size = config->page * config->pages, data = config->pages / 2 * config->page;
  uint64_t alignment = ~cram(size) + 1 > config->page ? ~cram(size) + 1 : config->page;
  return can_be_exact(0, size) && can_be_exact(0, data) && config->stride % alignment == 0 &&
         config->base % alignment == 0;
}

/* The segments, all zeros. */
static bool start_segments(uint64_t size) {
  static uint64_t room;
  if (size > 64 << 20) return false;
  if (room < size) {
    free(machine.segments);
    machine.segments = malloc(size);
    room = size;
    if (machine.segments == NULL) abort();
  }
  memset(machine.segments, 0, size);
  return true;
}

/* A machine at its start. What the one before has used, and nothing else, is put in order. */
bool start_machine(const sfork_config *config) {
  release_all_frames();
  machine.process_count = machine.thread_count = 0;
  machine.channel_count = 0;
  machine.committed = 0;
  machine.endings = 0;
  set_format(config->format);
  if (config->page > MOST_PAGE || config->pages > MOST_PAGES || config->slots > MOST_SLOTS) return false;
  if (!is_representable(config) || !start_segments(config->shared * config->page)) return false;
  machine.config = *config;
  machine.pages = (int)config->pages;
  machine.region_size = config->page * config->pages;
  machine.most_frames = config->frames < MOST_FRAMES ? (int)config->frames : MOST_FRAMES;
  for (int k = 0; k < (int)config->slots * machine.pages; k++) machine.table[k].frame = NOBODY;
  for (uint64_t slot = 0; slot < config->slots; slot++) machine.used_slots[slot] = slot == 0;
  struct process *process = new_process();
  struct thread *thread = new_thread();
  *process = (struct process){.state = LIVE, .pid = 1};
  *thread = (struct thread){.live = true};
  return start_image(0, thread);
}

/* ---- Exit and wait ----------------------------------------------------------------------------------------------- */

/* The process becomes a zombie; its children, zombies among them, become those of process 0. */
static void end_process(int number, uint32_t status) {
  struct process *process = &machine.processes[number];
  for (int k = 0; k < machine.thread_count; k++) {
    if (machine.threads[k].process == number) machine.threads[k].live = false;
  }
  end_image(process->slot);
  process->state = ZOMBIE;
  process->status = status;
  process->ended = machine.endings++;
  process->alternate_stack = null_capability(0);
  for (int k = 1; k < machine.process_count; k++) {
    if (machine.processes[k].parent == number) machine.processes[k].parent = 0;
  }
}

static bool is_child(const struct process *child, const struct call *call) {
#ifdef DEFECT_L3
  /* The list of children stays with the slot, for who comes next. */
  const struct process *forker = &machine.processes[child->forker];
  if (forker->state != LIVE && forker->slot == call->process->slot) return true;
#endif
  return child->parent == call->process_number;
}

static bool wait(struct call *call) {
  struct process *first = NULL;
  bool any = false;
  for (int k = 1; k < machine.process_count; k++) {
    struct process *child = &machine.processes[k];
    if (child->state == REAPED || !is_child(child, call)) continue;
    if (call->step->has_whom && call->step->whom != (uint32_t)k) continue;
    any = true;
    if (child->state == ZOMBIE && (first == NULL || child->ended < first->ended)) first = child;
  }
  if (!any) return see_error(call, SFORK_ECHILD);
  if (first == NULL) return see_failure(call, SFORK_SAW_WOULD_BLOCK);
  first->state = REAPED;
  call->thread->registers[call->step->cd] = null_capability((uint64_t)first->pid);
  call->seen->saw = SFORK_SAW_PROCESS;
  call->seen->process = (uint32_t)(first - machine.processes);
  call->seen->status = first->status;
  return true;
}

/* ---- Threads and exec -------------------------------------------------------------------------------------------- */

static int live_threads(int process) {
  int count = 0;
  for (int k = 0; k < machine.thread_count; k++) {
    count += machine.threads[k].live && machine.threads[k].process == process;
  }
  return count;
}

/* A second thread, which goes on where the first one is. */
static bool start_thread(struct call *call) {
  if (live_threads(call->process_number) >= MOST_THREADS) return see_error(call, SFORK_EAGAIN);
  struct thread *thread = new_thread(); /* which may move the others */
  *thread = machine.threads[call->thread_number];
  return see_nothing(call);
}

static bool end_thread(struct call *call) {
  if (live_threads(call->process_number) == 1) {
    end_process(call->process_number, 0);
  } else {
    call->thread->live = false;
  }
  return see_nothing(call);
}

/* Another image in the same process. Whether there is room for it is found out before the old one goes. */
static bool exec(struct call *call) {
  int slot = call->process->slot, pages = 0, frames = 0;
  for (int index = 0; index < machine.pages; index++) {
    struct page *page = page_of(slot, index);
    if (page->frame == NOBODY) continue;
    pages++;
    frames += *references_of(&machine.frames[page->frame]) == 1;
  }
  if (!has_commit(start_pages() - pages, start_pages() - frames)) return see_error(call, SFORK_ENOMEM);
  for (int k = 0; k < machine.thread_count; k++) {
    if (machine.threads[k].process == call->process_number) machine.threads[k].live = k == call->thread_number;
  }
  end_image(slot);
  call->process->alternate_stack = null_capability(0);
  return start_image(slot, call->thread) ? see_nothing(call) : see_failure(call, SFORK_SAW_OUT_OF_FRAMES);
}

/* An unsealed capability for memory that may be written to. */
static bool sigaltstack(struct call *call) {
  struct capability stack = call->thread->registers[call->step->cs1];
  if (!stack.tag || is_sealed(stack) || !is_memory(stack) || (permissions_of(stack) & PERM_STORE) == 0) {
    return see_error(call, SFORK_EFAULT);
  }
  call->process->alternate_stack = stack;
  return see_nothing(call);
}

bool process_operation(struct call *call) {
  struct process *process = call->process;
  int parent = call->process_number == 0 ? 0 : machine.processes[process->parent].pid;
  switch (call->step->op) {
    case SFORK_OP_EXIT:
      end_process(call->process_number, integer(call, call->step->n) & 0xff);
      return see_nothing(call);
    case SFORK_OP_WAIT: return wait(call);
    case SFORK_OP_GETPID: return see_integer(call, call->step->cd, (uint64_t)process->pid);
    case SFORK_OP_GETPPID: return see_integer(call, call->step->cd, (uint64_t)parent);
    case SFORK_OP_THREAD: return start_thread(call);
    case SFORK_OP_THREAD_EXIT: return end_thread(call);
    case SFORK_OP_EXEC: return exec(call);
    case SFORK_OP_SIGALTSTACK: return sigaltstack(call);
    case SFORK_OP_GETALTSTACK: return see_capability(call, call->step->cd, process->alternate_stack);
    default: return see_nothing(call); /* yield */
  }
}
