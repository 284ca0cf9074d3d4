/*
 * What a fork makes of a capability (rule FORK-3): one for memory whose bounds lie in the parent's region moves to the
 * child's, base, top and address by the same distance; every other one stays what it is. Where the address lies, what
 * is permitted and whether it is sealed decide nothing.
 */
#include "machine.h"

/* Does the capability belong to the region that begins at `from`? */
static bool belongs(struct capability c, uint64_t from) {
  struct bounds bounds = bounds_of(c);
#if defined DEFECT_R7
  /* The address decides: a pointer past the end of its object stays behind, a foreign one may be taken along. */
  return c.address >= from && c.address < from + machine.region_size;
#elif defined DEFECT_R7b
  /* What begins at the very first byte of the region is not counted in. */
  return bounds.base > from && bounds.top <= from + machine.region_size && bounds.base <= bounds.top;
#else
  return bounds.base >= from && bounds.top <= from + machine.region_size && bounds.base <= bounds.top;
#endif
}

static uint64_t distance(uint64_t from, uint64_t to) {
#ifdef DEFECT_R10
  if (to < from) return from - to; /* always added, as if every child lay behind its parent */
#endif
  return to - from;
}

/* All three numbers moved. They are encoded anew: adding to the address would refuse a few that can be encoded. */
static struct capability moved(struct capability c, uint64_t by, uint64_t to) {
  struct bounds before = bounds_of(c);
  uint64_t base = before.base + by;
  wide top = base + (before.top - before.base);
  struct capability image = c;
  image.address = c.address + by;
#if defined DEFECT_R1
  /* The pointer is made anew from the root of the process: its own bounds are lost. */
  base = to;
  top = (wide)to + machine.region_size;
#elif defined DEFECT_R5
  /* New bounds begin at the address. */
  base = image.address;
  top = base + (before.top - before.base);
#elif defined DEFECT_R6
  /* What would reach the end of the region gets no bounds of its own. */
  if (image.address + (before.top - before.base) >= to + machine.region_size) {
    base = to;
    top = (wide)to + machine.region_size;
  }
#endif
  (void)to;
  set_bounds_field(&image, base, top);
  struct bounds after = bounds_of(image);
  image.tag = after.base == base && after.top == top;
#ifdef DEFECT_R2
  image = with_permissions(image, DATA_RIGHTS); /* those of the root from which it is made */
#endif
#ifdef DEFECT_R3
  image = unsealed(image);
#endif
  return image;
}

struct capability relocated(struct capability c, uint64_t from, uint64_t to) {
  if (from == to || !c.tag || !is_memory(c) || !belongs(c, from)) return c;
  return moved(c, distance(from, to), to);
}

/* The same of a capability in memory, where a page is copied or resolved. */
struct capability image_in_memory(struct capability c, uint64_t from, uint64_t to) {
#ifdef DEFECT_R4
  /* The table of kernel entries is taken for pointers of the process. */
  if (from != to && c.tag && is_sentry(c) && bounds_of(c).base == kernel_base()) {
    return memory_root(to, machine.region_size, DATA_RIGHTS);
  }
#endif
  return relocated(c, from, to);
}

uint64_t source_of(int slot, const struct frame *frame) {
#ifdef DEFECT_R9
  /* That of the parent, which may itself have left the page unresolved: it is a grandparent's then. */
  for (int k = 0; k < machine.process_count; k++) {
    const struct process *process = &machine.processes[k];
    if (process->state == LIVE && process->slot == slot) return region_base(machine.processes[process->forker].slot);
  }
#endif
  (void)slot;
  return frame->home;
}
