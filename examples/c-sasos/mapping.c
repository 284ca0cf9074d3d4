/* mmap, munmap, mprotect and shared segments; the roots of all memory capabilities. */
#include "machine.h"

static uint64_t page_size(void) { return machine.config.page; }

/* A new capability for memory. Only the start of an image, mmap and shm make one. */
struct capability memory_root(uint64_t base, uint64_t length, uint32_t permissions) {
#ifdef DEFECT_R11
  /* Rounded out to what a stride of a power of two would allow: it overlaps the neighbour. */
  uint64_t unit = page_size(), end = base + length;
  while (unit * 2 <= machine.config.stride) unit *= 2;
  base -= base % unit;
  length = end + (unit - end % unit) % unit - base;
#endif
  return candperm(csetbounds(csetaddr(almighty(), base), length, false), permissions);
}

struct capability segment_root(unsigned segment) {
  return memory_root(segments_base() + segment * page_size(), page_size(), DATA_RIGHTS | PERM_INVOKE);
}

/* Is there room for more pages? Each that is mapped counts as a frame, unless promises may be broken. */
bool has_commit(int pages, int at_once) {
  if (machine.config.overcommit) return at_once <= frames_left();
  return machine.committed + pages <= machine.most_frames;
}

static bool is_forbidden(uint8_t protection) {
  return (protection & SFORK_PROT_WRITE) != 0 && (protection & SFORK_PROT_EXECUTE) != 0;
}

/* Bytes, rounded up to whole pages. */
static wide whole_pages(uint64_t bytes) { return ((wide)bytes + page_size() - 1) / page_size() * page_size(); }

/* The lowest free pages between data and stack of which the first is aligned so; NOBODY if there are none. */
static int free_run(int slot, int count, uint64_t alignment) {
  int free = 0;
  for (int index = machine.pages / 2; index < machine.pages - 2; index++) {
    bool begins = free > 0 || (region_base(slot) + (uint64_t)index * page_size()) % alignment == 0;
    free = page_of(slot, index)->frame == NOBODY && begins ? free + 1 : 0;
    if (free == count) return index - count + 1;
  }
  return NOBODY;
}

static bool mmap(struct call *call) {
  uint8_t protection = call->step->protection;
  int slot = call->process->slot;
  wide asked = whole_pages(integer(call, call->step->n));
  if (asked == 0 || is_forbidden(protection)) return see_error(call, SFORK_EINVAL);
  if (asked > machine.region_size) return see_error(call, SFORK_ENOMEM);
  uint64_t length = crrl((uint64_t)asked), alignment = ~cram(length) + 1;
  int count = length / page_size() > MOST_PAGES ? MOST_PAGES + 1 : (int)(length / page_size());
  int first = free_run(slot, count, alignment);
  if (first == NOBODY || !has_commit(count, count)) return see_error(call, SFORK_ENOMEM);
  for (int k = 0; k < count; k++) {
    if (!map_fresh(slot, first + k, protection)) return see_failure(call, SFORK_SAW_OUT_OF_FRAMES);
  }
  uint32_t rights = protection & SFORK_PROT_EXECUTE ? CODE_RIGHTS : DATA_RIGHTS;
  return see_capability(call, call->step->cd, memory_root(region_base(slot) + first * page_size(), length, rights));
}

/* What munmap and mprotect act on: pages of the caller from the address of a capability on, all of them mapped. */
static bool named_pages(struct call *call, int *first, int *count) {
  struct capability authority = call->thread->registers[call->step->cs1];
  uint64_t start = authority.address, base = region_base(call->process->slot);
  wide bytes = whole_pages(integer(call, call->step->n));
  bool may = authority.tag && !is_sealed(authority) && is_in_bounds(authority, start, bytes);
  bool own = start >= base && start % page_size() == 0 && start - base + bytes <= machine.region_size;
  if (bytes == 0 || !may || !own) return see_error(call, SFORK_EINVAL);
  *first = (int)((start - base) / page_size());
  *count = (int)(bytes / page_size());
  for (int k = 0; k < *count; k++) {
    if (page_of(call->process->slot, *first + k)->frame == NOBODY) return see_error(call, SFORK_ENOMEM);
  }
  return true;
}

static bool mprotect(struct call *call) {
  int first, count;
  if (is_forbidden(call->step->protection)) return see_error(call, SFORK_EINVAL);
  if (!named_pages(call, &first, &count)) return false;
  for (int k = 0; k < count; k++) page_of(call->process->slot, first + k)->protection = call->step->protection;
  return see_nothing(call);
}

static bool munmap(struct call *call) {
  int first, count, slot = call->process->slot;
  if (!named_pages(call, &first, &count)) return false;
  uint64_t start = region_base(slot) + first * page_size(), end = start + count * page_size();
  /* Pages that remain may have to become the process's own. Before anything is done it must be certain that there are
     frames for that, among them those of the pages that go. */
  int frames_free = frames_left();
  struct page gone[MOST_PAGES];
  for (int k = 0; k < count; k++) {
    struct page *page = page_of(slot, first + k);
    frames_free += *references_of(&machine.frames[page->frame]) == 1;
    gone[k] = *page;
    page->frame = NOBODY;
  }
  bool enough = sweep_own_pages(slot, start, end, frames_free, false);
  for (int k = 0; k < count; k++) page_of(slot, first + k)->frame = gone[k].frame;
  if (!enough) return see_failure(call, SFORK_SAW_OUT_OF_FRAMES);
  for (int k = 0; k < count; k++) unmap(slot, first + k, true);
  sweep_own_pages(slot, start, end, frames_free, true);
  sweep(start, end);
  return see_nothing(call);
}

bool mapping_operation(struct call *call) {
  switch (call->step->op) {
    case SFORK_OP_MMAP: return mmap(call);
    case SFORK_OP_MUNMAP: return munmap(call);
    case SFORK_OP_MPROTECT: return mprotect(call);
    default: return see_capability(call, call->step->cd, segment_root(call->step->segment)); /* shm */
  }
}
