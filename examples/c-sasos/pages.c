/*
 * The page table, which all processes share; frames, and how many pages show each of them; faults that a strategy
 * causes.
 *
 * A lazy fork maps the parent's frames into the child's region, too. Three things are kept for that: in the frame how
 * many pages show it, and its home, the region in which its capabilities mean what they should; in the page a guard, so
 * that the next write faults. There is no list of who shares what with whom.
 */
#include "machine.h"

#include <stdlib.h>
#include <string.h>

/* ---- Places ------------------------------------------------------------------------------------------------------ */

uint64_t region_base(int slot) { return machine.config.base + (uint64_t)slot * machine.config.stride; }
uint64_t segments_base(void) { return machine.config.base + machine.config.slots * machine.config.stride; }
uint64_t kernel_base(void) { return segments_base() + machine.config.shared * machine.config.page; }

struct page *page_of(int slot, int index) { return &machine.table[slot * machine.pages + index]; }

uint8_t *tags_of(struct frame *frame) { return frame->bytes + machine.config.page; }

struct place locate(uint64_t address) {
  const sfork_config *config = &machine.config;
  struct place place = {.kind = NOWHERE};
  if (address < config->base || address >= kernel_base()) return place;
  if (address >= segments_base()) {
    place.kind = IN_SEGMENT;
    place.bytes = machine.segments + (address - segments_base());
    return place;
  }
  uint64_t within = (address - config->base) % config->stride;
  if (within >= machine.region_size) return place;
  place.kind = IN_PAGE;
  place.slot = (int)((address - config->base) / config->stride);
  place.index = (int)(within / config->page);
  place.page = page_of(place.slot, place.index);
  place.offset = within % config->page;
  if (place.page->frame != NOBODY) {
    struct frame *frame = &machine.frames[place.page->frame];
    place.bytes = frame->bytes + place.offset;
    place.tag = tags_of(frame) + place.offset / granule;
  }
  return place;
}

struct capability capability_at(const struct frame *frame, size_t index) {
  return load_granule(frame->bytes + index * granule, frame->bytes[machine.config.page + index] != 0);
}

void put_capability(struct frame *frame, size_t index, struct capability c) {
  store_granule(frame->bytes + index * granule, c);
  tags_of(frame)[index] = c.tag;
}

/* The first tagged granule from one on: false if there is none. */
bool next_tag(const struct frame *frame, size_t *index) {
  size_t count = machine.config.page / granule;
  const uint8_t *tags = frame->bytes + machine.config.page;
  const uint8_t *found = *index < count ? memchr(tags + *index, 1, count - *index) : NULL;
  if (found != NULL) *index = (size_t)(found - tags);
  return found != NULL;
}

/* ---- Frames ------------------------------------------------------------------------------------------------------ */

int frames_left(void) { return machine.most_frames - machine.frames_in_use; }

/* How many pages show a frame. */
int *references_of(struct frame *frame) {
#ifdef DEFECT_B1
  /* The table of references has an entry for each page of a region: those of different processes collide. */
  static int collisions[MOST_PAGES];
  return &collisions[frame->page_index];
#endif
  return &frame->references;
}

/* Frames that were used since the machine began: others need not be looked at. */
static int frames_touched;

static size_t frame_size(void) { return machine.config.page + machine.config.page / granule; }

/* A frame for a page, all zeros; NOBODY if there is none left. */
static int allocate(int slot, int index) {
  if (frames_left() <= 0) return NOBODY;
  int number = 0;
  while (machine.frames[number].in_use) number++;
  struct frame *frame = &machine.frames[number];
  if (frame->capacity < frame_size()) {
    free(frame->bytes);
    frame->capacity = frame_size();
    frame->bytes = calloc(1, frame->capacity);
    if (frame->bytes == NULL) abort();
  }
  if (number >= frames_touched) frames_touched = number + 1;
  frame->in_use = true;
  frame->page_index = index;
  frame->home = region_base(slot);
  *references_of(frame) = 1;
  machine.frames_in_use++;
  return number;
}

static void release(struct frame *frame, bool clear) {
  if (!frame->in_use) return;
  if (clear) memset(frame->bytes, 0, frame_size());
  frame->is_dirty = frame->is_dirty || !clear;
  frame->in_use = false;
  machine.frames_in_use--;
}

/* The frames of the machine before, which may have had other pages: whatever was used is all zeros again. */
void release_all_frames(void) {
  for (int k = 0; k < frames_touched; k++) {
    struct frame *frame = &machine.frames[k];
    if (frame->in_use || frame->is_dirty) memset(frame->bytes, 0, frame->capacity);
    frame->in_use = frame->is_dirty = false;
  }
  machine.frames_in_use = frames_touched = 0;
}

/* ---- The page table ---------------------------------------------------------------------------------------------- */

static void map(int slot, int index, struct page entry) {
  struct page *page = page_of(slot, index);
  machine.committed += page->frame == NOBODY;
  *page = entry;
  page->foreign = machine.frames[entry.frame].home != region_base(slot);
}

bool map_fresh(int slot, int index, uint8_t protection) {
  int frame = allocate(slot, index);
  if (frame == NOBODY) return false;
  map(slot, index, (struct page){.frame = frame, .protection = protection});
  return true;
}

/* The page shows the frame of another, too. */
void share(int slot, int index, struct page of) {
  ++*references_of(&machine.frames[of.frame]);
  map(slot, index, of);
}

void unmap(int slot, int index, bool clear) {
  struct page *page = page_of(slot, index);
  struct frame *frame = &machine.frames[page->frame];
  page->frame = NOBODY;
  machine.committed--;
  if (--*references_of(frame) <= 0) release(frame, clear);
}

/* ---- Faults ------------------------------------------------------------------------------------------------------ */

/* Which touches of a page whose frame is at home elsewhere fault? Of coa any, of copa writes and what sees a tag. */
static bool strategy_faults_on(enum touch touch) {
  return machine.config.strategy == SFORK_STRATEGY_COA || touch != TOUCH_READ;
}

bool faults_on(const struct page *page, enum touch touch) {
  bool is_write = touch == TOUCH_WRITE || touch == TOUCH_WRITE_TAGGED;
  return (is_write && page->guard) || (page->foreign && strategy_faults_on(touch));
}

/* Makes all capabilities of a page's frame mean what they should in the region that begins at `to`. */
static void relocate_page(int slot, struct frame *frame, uint64_t to, struct counters *counters) {
  uint64_t from = source_of(slot, frame);
  for (size_t k = 0; next_tag(frame, &k); k++) {
    struct capability before = capability_at(frame, k), after = image_in_memory(before, from, to);
    counters->relocations += after.address != before.address || after.metadata != before.metadata;
    put_capability(frame, k, after);
  }
}

static struct counters *counters_of(int slot) {
  static struct counters nobodys;
  for (int k = 0; k < machine.process_count; k++) {
    if (machine.processes[k].state == LIVE && machine.processes[k].slot == slot) return &machine.processes[k].counters;
  }
  return &nobodys;
}

/*
 * The page gets a frame of its own, with its own region as home: a copy, or the old one if no other page shows it any
 * more. That is done for the page's owner, whoever touched it.
 */
bool resolve(int slot, int index, int running_slot) {
  struct page *page = page_of(slot, index);
  struct frame *frame = &machine.frames[page->frame];
  struct counters *counters = counters_of(slot);
  uint64_t to = region_base(slot);
#ifdef DEFECT_B11
  to = region_base(running_slot); /* the fault is handled for who runs, instead of the page's owner */
#endif
  (void)running_slot;
  if (*references_of(frame) > 1) {
    int copy = allocate(slot, index);
    if (copy == NOBODY) return false;
    memcpy(machine.frames[copy].bytes, frame->bytes, frame_size());
    machine.frames[copy].home = frame->home;
    --*references_of(frame);
    page->frame = copy;
    frame = &machine.frames[copy];
    counters->copies++;
#ifdef DEFECT_B8
    page->protection = SFORK_PROT_READ | SFORK_PROT_WRITE; /* the copy is mapped as any page is, not as this one was */
#endif
  }
  if (page->foreign) relocate_page(slot, frame, to, counters);
  frame->home = region_base(slot);
  page->foreign = page->guard = false;
  counters->faults++;
  return true;
}
