/* The operations by name, and the protocol: bytes in and out, and what the machine shows of itself. */
#define SFORK_OUTPUT 16384
#define SFORK_IMPLEMENTATION
#include "machine.h"

#include <stdlib.h>
#include <unistd.h>

struct machine machine;

/* ---- What a step observes ---------------------------------------------------------------------------------------- */

bool see_failure(struct call *call, sfork_saw saw) {
  call->seen->saw = saw;
  return false;
}

bool see_nothing(struct call *call) {
  call->seen->saw = SFORK_SAW_NONE;
  return true;
}

bool see_capability(struct call *call, unsigned cd, struct capability c) {
  call->thread->registers[cd] = c;
  call->seen->saw = SFORK_SAW_CAPABILITY;
  call->seen->capability = shown(c);
  return true;
}

bool see_integer(struct call *call, unsigned cd, uint64_t value) {
  call->thread->registers[cd] = null_capability(value);
  call->seen->saw = SFORK_SAW_INTEGER;
  call->seen->integer = value;
  return true;
}

bool see_trap(struct call *call, sfork_trap cause, const char *operand) {
  call->seen->trap = cause;
  call->seen->operand = operand;
  return see_failure(call, SFORK_SAW_TRAP);
}

bool see_error(struct call *call, sfork_error error) {
  call->seen->error = error;
  return see_failure(call, SFORK_SAW_ERROR);
}

uint64_t integer(const struct call *call, sfork_integer operand) {
  return operand.is_register ? call->thread->registers[operand.number].address : operand.immediate;
}

/* ---- Operations -------------------------------------------------------------------------------------------------- */

static const struct {
  sfork_operation op;
  operation *does;
} operations[] = {
    {SFORK_OP_LI, capability_operation},
    {SFORK_OP_CMOVE, capability_operation},
    {SFORK_OP_CSETBOUNDS, capability_operation},
    {SFORK_OP_CSETBOUNDSEXACT, capability_operation},
    {SFORK_OP_CSETADDR, capability_operation},
    {SFORK_OP_CINCOFFSET, capability_operation},
    {SFORK_OP_CSETOFFSET, capability_operation},
    {SFORK_OP_CFROMPTR, capability_operation},
    {SFORK_OP_CSETFLAGS, capability_operation},
    {SFORK_OP_CSETHIGH, capability_operation},
    {SFORK_OP_CANDPERM, capability_operation},
    {SFORK_OP_CCLEARTAG, capability_operation},
    {SFORK_OP_CSEAL, capability_operation},
    {SFORK_OP_CUNSEAL, capability_operation},
    {SFORK_OP_CCSEAL, capability_operation},
    {SFORK_OP_CCOPYTYPE, capability_operation},
    {SFORK_OP_CBUILDCAP, capability_operation},
    {SFORK_OP_CSEALENTRY, capability_operation},
    {SFORK_OP_CTESTSUBSET, capability_operation},
    {SFORK_OP_CSETEQUALEXACT, capability_operation},
    {SFORK_OP_CSUB, capability_operation},
    {SFORK_OP_CTOPTR, capability_operation},
    {SFORK_OP_CRRL, capability_operation},
    {SFORK_OP_CRAM, capability_operation},
    {SFORK_OP_CGETPERM, capability_operation},
    {SFORK_OP_CGETTYPE, capability_operation},
    {SFORK_OP_CGETBASE, capability_operation},
    {SFORK_OP_CGETLEN, capability_operation},
    {SFORK_OP_CGETTOP, capability_operation},
    {SFORK_OP_CGETTAG, capability_operation},
    {SFORK_OP_CGETSEALED, capability_operation},
    {SFORK_OP_CGETOFFSET, capability_operation},
    {SFORK_OP_CGETFLAGS, capability_operation},
    {SFORK_OP_CGETADDR, capability_operation},
    {SFORK_OP_CGETHIGH, capability_operation},
    {SFORK_OP_CGETPCC, capability_operation},
    {SFORK_OP_CJALR, capability_operation},
    {SFORK_OP_CINVOKE, capability_operation},
    {SFORK_OP_LOADCAP, memory_operation},
    {SFORK_OP_STORECAP, memory_operation},
    {SFORK_OP_LOAD_B, memory_operation},
    {SFORK_OP_LOAD_BU, memory_operation},
    {SFORK_OP_LOAD_H, memory_operation},
    {SFORK_OP_LOAD_HU, memory_operation},
    {SFORK_OP_LOAD_W, memory_operation},
    {SFORK_OP_LOAD_WU, memory_operation},
    {SFORK_OP_LOAD_D, memory_operation},
    {SFORK_OP_STORE_B, memory_operation},
    {SFORK_OP_STORE_H, memory_operation},
    {SFORK_OP_STORE_W, memory_operation},
    {SFORK_OP_STORE_D, memory_operation},
    {SFORK_OP_MEMSET, memory_operation},
    {SFORK_OP_CMEMCPY, memory_operation},
    {SFORK_OP_CLOADTAGS, memory_operation},
    {SFORK_OP_MMAP, mapping_operation},
    {SFORK_OP_MUNMAP, mapping_operation},
    {SFORK_OP_MPROTECT, mapping_operation},
    {SFORK_OP_SHM, mapping_operation},
    {SFORK_OP_FORK, fork_operation},
    {SFORK_OP_EXIT, process_operation},
    {SFORK_OP_WAIT, process_operation},
    {SFORK_OP_GETPID, process_operation},
    {SFORK_OP_GETPPID, process_operation},
    {SFORK_OP_YIELD, process_operation},
    {SFORK_OP_EXEC, process_operation},
    {SFORK_OP_THREAD, process_operation},
    {SFORK_OP_THREAD_EXIT, process_operation},
    {SFORK_OP_SIGALTSTACK, process_operation},
    {SFORK_OP_GETALTSTACK, process_operation},
    {SFORK_OP_CHANNEL, channel_operation},
    {SFORK_OP_SENDCAP, channel_operation},
    {SFORK_OP_RECVCAP, channel_operation},
};

enum { OPERATIONS = sizeof operations / sizeof *operations };

static int start(void *context, const sfork_config *config) {
  (void)context;
  return start_machine(config) ? 0 : -1;
}

static void step(void *context, const sfork_step *step, sfork_observation *seen) {
  struct call call = {.step = step, .seen = seen};
  (void)context;
  if (step->thread >= (uint32_t)machine.thread_count || !machine.threads[step->thread].live) {
    see_failure(&call, SFORK_SAW_NO_ACTOR);
    return;
  }
  call.thread_number = (int)step->thread;
  call.thread = &machine.threads[call.thread_number];
  call.process_number = call.thread->process;
  call.process = &machine.processes[call.process_number];
  for (unsigned k = 0; k < OPERATIONS; k++) {
    if (operations[k].op == step->op) operations[k].does(&call);
  }
}

/* ---- What is to be seen of the machine --------------------------------------------------------------------------- */

static size_t regions(void *context, const sfork_region **list) {
  static sfork_region *regions;
  static size_t room;
  size_t count = 0, needed = (size_t)machine.process_count + machine.config.shared + 1;
  (void)context;
  if (room < needed) {
    room = 2 * needed;
    regions = realloc(regions, room * sizeof *regions);
    if (regions == NULL) abort();
  }
  for (int k = 0; k < machine.process_count; k++) {
    const struct process *process = &machine.processes[k];
    regions[count++] = (sfork_region){.kind = SFORK_REGION_PROCESS,
                                      .dead = process->state != LIVE,
                                      .number = (uint32_t)k,
                                      .base = region_base(process->slot),
                                      .size = machine.region_size};
  }
  for (uint64_t k = 0; k <= machine.config.shared; k++) {
    regions[count++] = (sfork_region){.kind = k < machine.config.shared ? SFORK_REGION_SEGMENT : SFORK_REGION_KERNEL,
                                      .number = (uint32_t)k,
                                      .base = segments_base() + k * machine.config.page,
                                      .size = machine.config.page};
  }
  *list = regions;
  return count;
}

/* Every tagged capability, those in memory as their process would see them: relocated, if they still have to be. */
static void view(void *context, sfork_view *view) {
  (void)context;
  for (int number = 0; number < machine.process_count; number++) {
    const struct process *process = &machine.processes[number];
    for (int index = 0; process->state == LIVE && index < machine.pages; index++) {
      const struct page *page = page_of(process->slot, index);
      if (page->frame == NOBODY) continue;
      const struct frame *frame = &machine.frames[page->frame];
      for (size_t k = 0; next_tag(frame, &k); k++) {
        struct capability c = capability_at(frame, k);
        if (page->foreign) c = image_in_memory(c, source_of(process->slot, frame), region_base(process->slot));
        sfork_capability seen = shown(c);
        uint64_t address = region_base(process->slot) + (uint64_t)index * machine.config.page + k * granule;
        if (c.tag) sfork_see_granule(view, (uint32_t)number, address, &seen);
      }
    }
  }
  for (int number = 0; number < machine.thread_count; number++) {
    const struct thread *thread = &machine.threads[number];
    for (int r = 0; thread->live && r <= REGISTERS; r++) {
      struct capability c = r < REGISTERS ? thread->registers[r] : thread->pcc;
      sfork_capability seen = shown(c);
      uint32_t name = r < REGISTERS ? (uint32_t)r : SFORK_PCC;
      if (c.tag) sfork_see_register(view, (uint32_t)thread->process, (uint32_t)number, name, &seen);
    }
  }
}

static void count(void *context, sfork_counters *counters) {
  struct counters all = {0, 0, 0};
  (void)context;
  for (int k = 0; k < machine.process_count; k++) {
    all.faults += machine.processes[k].counters.faults;
    all.copies += machine.processes[k].counters.copies;
    all.relocations += machine.processes[k].counters.relocations;
  }
  sfork_count(counters, "faults", all.faults);
  sfork_count(counters, "copies", all.copies);
  sfork_count(counters, "relocations", all.relocations);
}

/* ---- The protocol ------------------------------------------------------------------------------------------------ */

static ptrdiff_t read_bytes_in(void *context, void *buffer, size_t size) {
  (void)context;
  return read(STDIN_FILENO, buffer, size);
}

static int write_bytes_out(void *context, const void *bytes, size_t size) {
  (void)context;
  for (size_t done = 0; done < size;) {
    ssize_t written = write(STDOUT_FILENO, (const char *)bytes + done, size - done);
    if (written < 0) return -1;
    done += (size_t)written;
  }
  return 0;
}

int main(void) {
  static char line[1 << 20];
  static sfork_operation names[OPERATIONS];
  for (unsigned k = 0; k < OPERATIONS; k++) names[k] = operations[k].op;
  const sfork_implementation implementation = {
      .read = read_bytes_in,
      .write = write_bytes_out,
      .name = "c-sasos",
      .formats = 1U << SFORK_FORMAT_CHERI128_V9 | 1U << SFORK_FORMAT_UNCOMPRESSED256,
      .strategies = 1U << SFORK_STRATEGY_EAGER | 1U << SFORK_STRATEGY_COA | 1U << SFORK_STRATEGY_COPA,
      .operations = names,
      .operation_count = OPERATIONS,
      .most_pages = MOST_PAGES,
      .most_processes = MOST_PROCESSES,
      .is_configured = true,
      .start = start,
      .step = step,
      .regions = regions,
      .view = view,
      .counters = count,
  };
  return sfork_serve(&implementation, line, sizeof line);
}
