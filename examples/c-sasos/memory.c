/*
 * Loads, stores and copies. An access goes three strokes: check (the capability, then every page), resolve the pages
 * that fault, act. Nothing happens halfway.
 */
#include "machine.h"

#include <stdlib.h>
#include <string.h>

/* ---- Pages of an access ------------------------------------------------------------------------------------------ */

struct touched {
  int slot, index;
  struct page *page;
  enum touch touch;
};

/* What is mapped in one piece is a region or all segments; a copy has two of them. */
struct access {
  struct touched list[2 * MOST_PAGES];
  int count;
};

static bool is_write(enum touch touch) { return touch == TOUCH_WRITE || touch == TOUCH_WRITE_TAGGED; }

/* One page of an access may be touched so, or the step traps. */
static bool touch_page(struct call *call, struct access *access, uint64_t address, enum touch touch,
                       const char *operand) {
  struct place place = locate(address);
  if (place.kind == IN_SEGMENT) {
    /* Segments can be read and written by all, and hold no tags. */
    return touch != TOUCH_WRITE_TAGGED || see_trap(call, SFORK_TRAP_PAGE_STORE_CAP, operand);
  }
  if (place.kind == NOWHERE || place.bytes == NULL) return see_trap(call, SFORK_TRAP_PAGE_UNMAPPED, operand);
#ifdef DEFECT_B7
  if (is_write(touch)) place.page->protection |= SFORK_PROT_WRITE; /* whatever faults is made writable */
#endif
  uint8_t right = is_write(touch) ? SFORK_PROT_WRITE : SFORK_PROT_READ;
  if ((place.page->protection & right) == 0) {
    return see_trap(call, is_write(touch) ? SFORK_TRAP_PAGE_WRITE : SFORK_TRAP_PAGE_READ, operand);
  }
  if (access->count < 2 * MOST_PAGES) {
    access->list[access->count++] = (struct touched){place.slot, place.index, place.page, touch};
  }
  return true;
}

/* The bytes from here to the end of the page, at most `size`. */
static uint64_t to_page_end(uint64_t address, uint64_t size) {
  uint64_t left = machine.config.page - address % machine.config.page;
  return size < left ? size : left;
}

/* All pages that `size` bytes lie in. */
static bool touch_bytes(struct call *call, struct access *access, uint64_t address, uint64_t size, enum touch touch,
                        const char *operand) {
  for (uint64_t done = 0, part; done < size; done += part) {
    part = to_page_end(address + done, size - done);
    if (!touch_page(call, access, address + done, touch, operand)) return false;
  }
  return true;
}

/* Resolves what faults, each page once. If there are not enough frames for all of them, nothing is resolved. */
static bool resolve_touched(struct call *call, struct access *access) {
  int needed = 0;
  for (int k = 0; k < access->count; k++) {
    struct touched *one = &access->list[k];
    bool again = false;
    for (int before = 0; before < k; before++) {
      again = again || (access->list[before].page == one->page && faults_on(one->page, access->list[before].touch));
    }
    if (again || !faults_on(one->page, one->touch)) continue;
    struct frame *frame = &machine.frames[one->page->frame];
    if (*references_of(frame) - frame->leaving > 1) {
      frame->leaving++;
      needed++;
    }
  }
  for (int k = 0; k < access->count; k++) machine.frames[access->list[k].page->frame].leaving = 0;
  if (needed > frames_left()) return see_failure(call, SFORK_SAW_OUT_OF_FRAMES);
  for (int k = 0; k < access->count; k++) {
    struct touched *one = &access->list[k];
    if (!faults_on(one->page, one->touch)) continue;
    if (!resolve(one->slot, one->index, call->process->slot)) return see_failure(call, SFORK_SAW_OUT_OF_FRAMES);
  }
  return true;
}

/* ---- Checks of the capability ------------------------------------------------------------------------------------ */

static bool permits(struct capability c, uint32_t permission) { return (permissions_of(c) & permission) != 0; }

/* Tag, seal, the permission of the access. */
static bool check_authority(struct call *call, struct capability authority, uint32_t permission, const char *operand) {
  if (!authority.tag) return see_trap(call, SFORK_TRAP_TAG, operand);
  if (is_sealed(authority)) return see_trap(call, SFORK_TRAP_SEAL, operand);
  if (permits(authority, permission)) return true;
  return see_trap(call, permission == PERM_LOAD ? SFORK_TRAP_PERM_LOAD : SFORK_TRAP_PERM_STORE, operand);
}

/* Storing a tagged capability asks for a right of its own, and for another if it is local. */
static bool check_stored(struct call *call, struct capability authority, struct capability value) {
  if (!value.tag) return true;
  if (!permits(authority, PERM_STORE_CAP)) return see_trap(call, SFORK_TRAP_PERM_STORE_CAP, "cs1");
  if (permits(value, PERM_GLOBAL) || permits(authority, PERM_STORE_LOCAL)) return true;
  return see_trap(call, SFORK_TRAP_PERM_STORE_LOCAL, "cs1");
}

/* Where there are no bytes, bounds are not asked. */
static bool check_bounds(struct call *call, struct capability authority, uint64_t address, uint64_t size,
                         const char *operand) {
  return size == 0 || is_in_bounds(authority, address, size) || see_trap(call, SFORK_TRAP_BOUNDS, operand);
}

static bool check_aligned(struct call *call, uint64_t address, uint64_t to) {
  return address % to == 0 || see_trap(call, SFORK_TRAP_ALIGN, "cs1");
}

/* ---- Bytes ------------------------------------------------------------------------------------------------------- */

static void read_bytes(uint64_t address, uint8_t *into, uint64_t size) {
  for (uint64_t done = 0, part; done < size; done += part) {
    part = to_page_end(address + done, size - done);
    memcpy(into + done, locate(address + done).bytes, part);
  }
}

/* Data clears the tags of all granules that it touches. */
static void write_bytes(uint64_t address, const uint8_t *from, uint64_t size) {
  for (uint64_t done = 0, part; done < size; done += part) {
    part = to_page_end(address + done, size - done);
    struct place place = locate(address + done);
    memcpy(place.bytes, from + done, part);
    if (place.tag != NULL) memset(place.tag, 0, ((address + done) % granule + part + granule - 1) / granule);
  }
}

static bool is_tagged(uint64_t address) {
  struct place place = locate(address);
  return place.kind == IN_PAGE && place.bytes != NULL && *place.tag != 0;
}

/* ---- Operations -------------------------------------------------------------------------------------------------- */

/* A capability load sees a tagged granule as such only through the right for it; else the bytes are raw. */
static bool loadcap(struct call *call, struct capability authority, uint64_t address) {
  struct access access = {.count = 0};
  bool may = check_authority(call, authority, PERM_LOAD, "cs1") &&
             check_bounds(call, authority, address, granule, "cs1") && check_aligned(call, address, granule);
  if (!may) return false;
  enum touch touch = is_tagged(address) && permits(authority, PERM_LOAD_CAP) ? TOUCH_READ_TAGGED : TOUCH_READ;
  if (!touch_page(call, &access, address, touch, "cs1") || !resolve_touched(call, &access)) return false;
  bool tag = is_tagged(address) && permits(authority, PERM_LOAD_CAP);
  return see_capability(call, call->step->cd, load_granule(locate(address).bytes, tag));
}

static bool storecap(struct call *call, struct capability authority, uint64_t address, struct capability value) {
  struct access access = {.count = 0};
  bool may = check_authority(call, authority, PERM_STORE, "cs1") && check_stored(call, authority, value) &&
             check_bounds(call, authority, address, granule, "cs1") && check_aligned(call, address, granule) &&
             touch_page(call, &access, address, value.tag ? TOUCH_WRITE_TAGGED : TOUCH_WRITE, "cs1") &&
             resolve_touched(call, &access);
  if (!may) return false;
  struct place place = locate(address);
  store_granule(place.bytes, value);
  if (place.tag != NULL) *place.tag = value.tag;
  return see_nothing(call);
}

/* All strokes but the last, for bytes. */
static bool access_bytes(struct call *call, struct capability authority, uint64_t address, uint64_t size, bool writes) {
  struct access access = {.count = 0};
  return check_authority(call, authority, writes ? PERM_STORE : PERM_LOAD, "cs1") &&
         check_bounds(call, authority, address, size, "cs1") &&
         touch_bytes(call, &access, address, size, writes ? TOUCH_WRITE : TOUCH_READ, "cs1") &&
         resolve_touched(call, &access);
}

static bool load(struct call *call, struct capability authority, uint64_t address, unsigned size, bool is_signed) {
  uint8_t bytes[8];
  if (!access_bytes(call, authority, address, size, false)) return false;
  read_bytes(address, bytes, size);
  uint64_t value = 0;
  for (unsigned k = 0; k < size; k++) value |= (uint64_t)bytes[k] << (8 * k);
  if (is_signed && size < 8 && bytes[size - 1] >= 0x80) value |= UINT64_MAX << (8 * size);
  return see_integer(call, call->step->cd, value);
}

static bool store(struct call *call, struct capability authority, uint64_t address, unsigned size, uint64_t value) {
  uint8_t bytes[8];
  if (!access_bytes(call, authority, address, size, true)) return false;
  for (unsigned k = 0; k < size; k++) bytes[k] = (uint8_t)(value >> (8 * k));
  write_bytes(address, bytes, size);
  return see_nothing(call);
}

static bool set_memory(struct call *call, struct capability authority, uint8_t value, uint64_t size) {
  uint64_t address = authority.address;
  uint8_t bytes[256];
  if (!access_bytes(call, authority, address, size, true)) return false;
  memset(bytes, value, sizeof bytes);
  for (uint64_t done = 0, part; done < size; done += part) {
    part = size - done < sizeof bytes ? size - done : sizeof bytes;
    write_bytes(address + done, bytes, part);
  }
  return see_nothing(call);
}

/* A copy, and which of its granules move as capabilities: those wholly inside, if both sides lie alike in a granule. */
struct copy {
  uint64_t from, to, size;
  uint64_t first, granules; /* how far from the start the first begins, and how many there are */
};

static struct copy plan_copy(uint64_t from, uint64_t to, uint64_t size) {
  struct copy copy = {.from = from, .to = to, .size = size, .first = (granule - from % granule) % granule};
  if (from % granule == to % granule && size >= copy.first) copy.granules = (size - copy.first) / granule;
  return copy;
}

/* Does a capability move among the bytes from `done` to `done + part`? A page ends where a granule does. */
static bool moves_capability(const struct copy *copy, uint64_t done, uint64_t part) {
  uint64_t k = done <= copy->first ? 0 : (done - copy->first + granule - 1) / granule;
  for (; k < copy->granules && copy->first + k * granule < done + part; k++) {
    if (is_tagged(copy->from + copy->first + k * granule)) return true;
  }
  return false;
}

/* The pages of either side. Capabilities move as such if the authority over the source carries them. */
static bool touch_source(struct call *call, struct access *access, const struct copy *copy, bool carries) {
  for (uint64_t done = 0, part; done < copy->size; done += part) {
    part = to_page_end(copy->from + done, copy->size - done);
    enum touch touch = carries && moves_capability(copy, done, part) ? TOUCH_READ_TAGGED : TOUCH_READ;
    if (!touch_page(call, access, copy->from + done, touch, "cs2")) return false;
  }
  return true;
}

static bool touch_destination(struct call *call, struct access *access, const struct copy *copy, bool carries) {
  for (uint64_t done = 0, part; done < copy->size; done += part) {
    part = to_page_end(copy->to + done, copy->size - done);
    enum touch touch = carries && moves_capability(copy, done, part) ? TOUCH_WRITE_TAGGED : TOUCH_WRITE;
    if (!touch_page(call, access, copy->to + done, touch, "cs1")) return false;
  }
  return true;
}

/* As if the whole source were read before anything is written. */
static bool copy_memory(struct call *call, struct capability destination, struct capability source, uint64_t size) {
  struct access access = {.count = 0};
  struct copy copy = plan_copy(source.address, destination.address, size);
  bool carries = permits(source, PERM_LOAD_CAP); /* tags come along */
  if (!check_authority(call, source, PERM_LOAD, "cs2") || !check_bounds(call, source, copy.from, size, "cs2") ||
      !touch_source(call, &access, &copy, carries) || !check_authority(call, destination, PERM_STORE, "cs1")) {
    return false;
  }
  for (uint64_t k = 0; carries && k < copy.granules; k++) {
    uint64_t address = copy.from + copy.first + k * granule;
    if (!check_stored(call, destination, load_granule(locate(address).bytes, is_tagged(address)))) return false;
  }
  if (!check_bounds(call, destination, copy.to, size, "cs1") || !touch_destination(call, &access, &copy, carries) ||
      !resolve_touched(call, &access)) {
    return false;
  }
  uint8_t *bytes = malloc(size + copy.granules + 1), *tags = bytes + size;
  if (bytes == NULL) abort();
  read_bytes(copy.from, bytes, size);
  for (uint64_t k = 0; k < copy.granules; k++) tags[k] = carries && is_tagged(copy.from + copy.first + k * granule);
  write_bytes(copy.to, bytes, size);
  for (uint64_t k = 0; k < copy.granules; k++) {
    if (tags[k]) *locate(copy.to + copy.first + k * granule).tag = 1;
  }
  free(bytes);
  return see_nothing(call);
}

/* The tags of four granules at once. */
static bool load_tags(struct call *call, struct capability authority) {
  struct access access = {.count = 0};
  uint64_t address = authority.address, tags = 0;
  if (!check_authority(call, authority, PERM_LOAD, "cs1")) return false;
  if (!permits(authority, PERM_LOAD_CAP)) return see_trap(call, SFORK_TRAP_PERM_LOAD_CAP, "cs1");
  if (!check_bounds(call, authority, address, 4 * granule, "cs1")) return false;
  if (!check_aligned(call, address, 4 * granule)) return false;
  bool any = false;
  for (unsigned k = 0; k < 4; k++) any = any || is_tagged(address + k * granule);
  enum touch touch = any ? TOUCH_READ_TAGGED : TOUCH_READ;
  if (!touch_page(call, &access, address, touch, "cs1") || !resolve_touched(call, &access)) return false;
  for (unsigned k = 0; k < 4; k++) tags |= (uint64_t)is_tagged(address + k * granule) << k;
  return see_integer(call, call->step->cd, tags);
}

bool memory_operation(struct call *call) {
  const sfork_step *step = call->step;
  struct capability cs1 = call->thread->registers[step->cs1], cs2 = call->thread->registers[step->cs2];
  uint64_t n = integer(call, step->n), value = integer(call, step->value), address = cs1.address + n;
  switch (step->op) {
    case SFORK_OP_LOADCAP: return loadcap(call, cs1, address);
    case SFORK_OP_STORECAP: return storecap(call, cs1, address, cs2);
    case SFORK_OP_LOAD_B: return load(call, cs1, address, 1, true);
    case SFORK_OP_LOAD_BU: return load(call, cs1, address, 1, false);
    case SFORK_OP_LOAD_H: return load(call, cs1, address, 2, true);
    case SFORK_OP_LOAD_HU: return load(call, cs1, address, 2, false);
    case SFORK_OP_LOAD_W: return load(call, cs1, address, 4, true);
    case SFORK_OP_LOAD_WU: return load(call, cs1, address, 4, false);
    case SFORK_OP_LOAD_D: return load(call, cs1, address, 8, false);
    case SFORK_OP_STORE_B: return store(call, cs1, address, 1, value);
    case SFORK_OP_STORE_H: return store(call, cs1, address, 2, value);
    case SFORK_OP_STORE_W: return store(call, cs1, address, 4, value);
    case SFORK_OP_STORE_D: return store(call, cs1, address, 8, value);
    case SFORK_OP_MEMSET: return set_memory(call, cs1, (uint8_t)value, n);
    case SFORK_OP_CMEMCPY: return copy_memory(call, cs1, cs2, n);
    default: return load_tags(call, cs1);
  }
}
