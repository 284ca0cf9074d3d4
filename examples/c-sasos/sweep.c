/*
 * Revocation: when memory ends, every capability whose bounds meet it loses its tag, in the same step, wherever it is
 * held (rules REUSE-1 and REUSE-3).
 */
#include "machine.h"

static bool points_into(struct capability c, uint64_t start, uint64_t end) {
  if (!c.tag || !is_memory(c)) return false;
  struct bounds bounds = bounds_of(c);
  /* One of no bytes counts where it stands, both ends of the range included. */
  if (bounds.base == bounds.top) return start <= bounds.base && bounds.base <= end;
  return bounds.base < end && bounds.top > start;
}

static void revoke(struct capability *c, uint64_t start, uint64_t end) {
  if (points_into(*c, start, end)) c->tag = false;
}

/* Capabilities inside a frame's home mean the memory of whoever maps the frame, not what their numbers say. */
static void sweep_frame(struct frame *frame, uint64_t start, uint64_t end) {
  for (size_t k = 0; next_tag(frame, &k); k++) {
    struct capability c = capability_at(frame, k);
    struct bounds bounds = bounds_of(c);
    bool is_mappers = bounds.base >= frame->home && bounds.top <= frame->home + machine.region_size;
    if (!is_mappers && points_into(c, start, end)) tags_of(frame)[k] = 0;
  }
}

/* Everything but the pages of the process that unmaps. */
void sweep(uint64_t start, uint64_t end) {
  for (int k = 0, left = machine.frames_in_use; left > 0; k++) {
    if (!machine.frames[k].in_use) continue;
    sweep_frame(&machine.frames[k], start, end);
    left--;
  }
  for (int k = 0; k < machine.thread_count; k++) {
    struct thread *thread = &machine.threads[k];
    if (!thread->live) continue;
    for (int r = 0; r < REGISTERS; r++) revoke(&thread->registers[r], start, end);
    revoke(&thread->pcc, start, end);
  }
  for (int k = 0; k < machine.process_count; k++) {
    if (machine.processes[k].state == LIVE) revoke(&machine.processes[k].alternate_stack, start, end);
  }
  for (unsigned k = 0; k < machine.channel_count; k++) {
    for (uint64_t m = 0; m < machine.channels[k].count; m++) revoke(&machine.channels[k].messages[m], start, end);
  }
}

static bool shows_one(int slot, const struct frame *frame, uint64_t start, uint64_t end) {
  for (size_t k = 0; next_tag(frame, &k); k++) {
    struct capability seen = image_in_memory(capability_at(frame, k), source_of(slot, frame), region_base(slot));
    if (points_into(seen, start, end)) return true;
  }
  return false;
}

/*
 * Pages of the process that unmaps: what a page shows counts, not what lies in its frame. A page where a tag has to go
 * becomes the process's own first, as by a write. Without `act` it is only found out whether there are enough frames
 * for that.
 */
bool sweep_own_pages(int slot, uint64_t start, uint64_t end, int frames_free, bool act) {
  for (int index = 0; index < machine.pages; index++) {
    struct page *page = page_of(slot, index);
    if (page->frame == NOBODY || !shows_one(slot, &machine.frames[page->frame], start, end)) continue;
    bool faults = faults_on(page, TOUCH_WRITE);
    if (faults && *references_of(&machine.frames[page->frame]) > 1 && --frames_free < 0) return false;
    if (!act) continue;
    if (faults && !resolve(slot, index, slot)) return false;
    struct frame *frame = &machine.frames[page->frame];
    for (size_t k = 0; next_tag(frame, &k); k++) {
      if (points_into(capability_at(frame, k), start, end)) tags_of(frame)[k] = 0;
    }
  }
  return true;
}
