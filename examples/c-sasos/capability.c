/*
 * Capabilities in two formats: cheri128-v9, whose bounds are compressed (CHERI Concentrate), and uncompressed256, whose
 * bounds are words of their own. Nothing here knows of processes.
 */
#include "machine.h"

size_t granule = 16;
static bool compressed = true;

void set_format(sfork_format format) {
  compressed = format == SFORK_FORMAT_CHERI128_V9;
  granule = compressed ? 16 : 32;
}

/* ---- Bits -------------------------------------------------------------------------------------------------------- */

static uint64_t ones(unsigned width) { return width >= 64 ? UINT64_MAX : ((uint64_t)1 << width) - 1; }

static uint64_t get(uint64_t word, unsigned low, unsigned width) { return word >> low & ones(width); }

static uint64_t put(uint64_t word, unsigned low, unsigned width, uint64_t value) {
  return (word & ~(ones(width) << low)) | (value & ones(width)) << low;
}

/* ---- CHERI Concentrate ------------------------------------------------------------------------------------------- */

/*
 * The metadata word of cheri128-v9: software permissions 63:60, permissions 59:48, flag 45, object type 44:27, internal
 * exponent 26, T 25:14 (without its top two bits), B 13:0. In memory it is XORed with the metadata of null, so that
 * null is all zeros.
 */
enum { MANTISSA = 14, EXPONENT_BITS = 3, LARGEST_EXPONENT = 52 };
#define NULL_METADATA UINT64_C(0x00001ffffc018004)
#define ALMIGHTY_METADATA UINT64_C(0xffff000000000000) /* as it lies in memory */

struct mantissas {
  uint64_t b, t;
  unsigned exponent;
  bool is_internal;
};

static struct mantissas unpack(uint64_t raw) {
  struct mantissas m = {.b = get(raw, 0, 14), .t = get(raw, 14, 12), .is_internal = get(raw, 26, 1) != 0};
  if (m.is_internal) {
    m.exponent = (unsigned)(get(m.t, 0, 3) << 3 | get(m.b, 0, 3));
    m.b = put(m.b, 0, 3, 0);
    m.t = put(m.t, 0, 3, 0);
  }
  /* T's top bits are those of B, and of a length whose own top bit is known, and a carry out of the bits below. */
  uint64_t carry = m.t < get(m.b, 0, 12);
  m.t |= get((m.b >> 12) + m.is_internal + carry, 0, 2) << 12;
  return m;
}

static uint64_t pack(uint64_t raw, struct mantissas m) {
  if (m.is_internal) {
    m.b = put(m.b, 0, 3, m.exponent);
    m.t = put(m.t, 0, 3, m.exponent >> 3);
  }
  return put(put(put(raw, 0, 14, m.b), 14, 12, m.t), 26, 1, m.is_internal);
}

static uint64_t shifted_right(uint64_t value, unsigned by) { return by >= 64 ? 0 : value >> by; }

static struct bounds decode_bounds(uint64_t raw, uint64_t address) {
  struct mantissas m = unpack(raw);
  unsigned e = m.exponent < LARGEST_EXPONENT ? m.exponent : LARGEST_EXPONENT;
  /* The window in which the bounds stay the same begins an eighth of it below B, cut to its top three bits. */
  uint64_t edge = get((m.b >> 11) - 1, 0, 3);
  int address_above = get(shifted_right(address, e + 11), 0, 3) < edge;
  int base_above = m.b >> 11 < edge, top_above = m.t >> 11 < edge;
  wide upper = shifted_right(address, e + MANTISSA);
  wide base = (((upper + (wide)(base_above - address_above)) << MANTISSA) + m.b) << e;
  wide top = (((upper + (wide)(top_above - address_above)) << MANTISSA) + m.t) << e;
  struct bounds bounds = {(uint64_t)base, top & (((wide)1 << 65) - 1)};
  /* Bit 64 of the top is wrong where the window wraps around the address space. */
  uint64_t apart = ((uint64_t)(bounds.top >> 63) - (bounds.base >> 63)) & 3;
  if (e < LARGEST_EXPONENT - 1 && apart > 1) bounds.top ^= (wide)1 << 64;
  return bounds;
}

static bool encode_bounds(uint64_t *raw, uint64_t base, wide top) {
  wide length = top - base;
  struct mantissas m = {.b = base & ones(MANTISSA), .t = (uint64_t)top & ones(MANTISSA)};
  unsigned e = 0, unit;
  if (length < 1U << 12) {
    *raw = pack(*raw, m);
    return true;
  }
  /* The length's highest bit becomes the second highest of the mantissa; rounding outward may need one more. */
  while (length >> (e + MANTISSA - 1) != 0) e++;
  unit = e + EXPONENT_BITS;
  if (((top + ((wide)1 << unit) - 1) >> unit) - (base >> unit) >= 1U << (MANTISSA - EXPONENT_BITS - 1)) e++;
  unit = e + EXPONENT_BITS;
  m.is_internal = true;
  m.exponent = e;
  m.b = (base >> unit << EXPONENT_BITS) & ones(MANTISSA);
  m.t = (uint64_t)((top + ((wide)1 << unit) - 1) >> unit << EXPONENT_BITS) & ones(MANTISSA);
  *raw = pack(*raw, m);
  return (((wide)base | top) & (((wide)1 << unit) - 1)) == 0;
}

/* What hardware asks before it adds to an address. It refuses a few that would decode to the same bounds. */
static bool is_fast_representable(uint64_t raw, uint64_t from, uint64_t to) {
  struct mantissas m = unpack(raw);
  if (m.exponent >= LARGEST_EXPONENT - 2) return true;
  int64_t distance = (int64_t)(to - from);
  int64_t upper = distance >> (m.exponent + MANTISSA);
  uint64_t middle = (uint64_t)(distance >> m.exponent) & ones(MANTISSA);
  uint64_t position = from >> m.exponent & ones(MANTISSA);
  uint64_t edge = ((m.b >> 11) - 1) << 11 & ones(MANTISSA);
  uint64_t room = (edge - position) & ones(MANTISSA);
  if (upper == 0) return middle < ((room - 1) & ones(MANTISSA));
  return upper == -1 && middle >= room && position != edge;
}

/* ---- Fields ------------------------------------------------------------------------------------------------------ */

/* The metadata as documents have it, without what memory XORs. */
static uint64_t raw_of(struct capability c) { return compressed ? c.metadata ^ NULL_METADATA : c.metadata; }

static struct capability with_raw(struct capability c, uint64_t raw) {
  c.metadata = compressed ? raw ^ NULL_METADATA : raw;
  return c;
}

struct capability null_capability(uint64_t address) { return (struct capability){.address = address}; }

/* The capability to everything. */
struct capability almighty(void) {
  if (compressed) return (struct capability){.tag = true, .metadata = ALMIGHTY_METADATA};
  return (struct capability){.tag = true, .metadata = 0x78fff, .length = UINT64_MAX};
}

static uint64_t word_at(const uint8_t *bytes) {
  uint64_t word = 0;
  for (unsigned k = 0; k < 8; k++) word |= (uint64_t)bytes[k] << (8 * k);
  return word;
}

static void put_word(uint8_t *bytes, uint64_t word) {
  for (unsigned k = 0; k < 8; k++) bytes[k] = (uint8_t)(word >> (8 * k));
}

struct capability load_granule(const uint8_t *bytes, bool tag) {
  struct capability c = {.tag = tag};
  c.address = word_at(compressed ? bytes : bytes + 8);
  c.metadata = word_at(compressed ? bytes + 8 : bytes);
  if (!compressed) {
    c.base = word_at(bytes + 16);
    c.length = word_at(bytes + 24);
  }
  return c;
}

void store_granule(uint8_t *bytes, struct capability c) {
  put_word(compressed ? bytes : bytes + 8, c.address);
  put_word(compressed ? bytes + 8 : bytes, c.metadata);
  if (!compressed) {
    put_word(bytes + 16, c.base);
    put_word(bytes + 24, c.length);
  }
}

struct bounds bounds_of(struct capability c) {
  if (compressed) return decode_bounds(raw_of(c), c.address);
  /* The largest length word stands for the whole address space. */
  return (struct bounds){c.base, c.base + (c.length == UINT64_MAX ? (wide)1 << 64 : c.length)};
}

bool set_bounds_field(struct capability *c, uint64_t base, wide top) {
  if (compressed) {
    uint64_t raw = raw_of(*c);
    bool exact = encode_bounds(&raw, base, top);
    *c = with_raw(*c, raw);
    return exact;
  }
  bool exact = top - base != UINT64_MAX;
  c->base = exact ? base : 0;
  c->length = top - base < UINT64_MAX ? (uint64_t)(top - base) : UINT64_MAX;
  return exact;
}

uint32_t permissions_of(struct capability c) {
  uint64_t raw = raw_of(c);
  if (!compressed) return (uint32_t)(raw & 0x78fff);
  return (uint32_t)(get(raw, 48, 12) | get(raw, 60, 4) << 15);
}

struct capability with_permissions(struct capability c, uint32_t permissions) {
  uint64_t raw = raw_of(c);
  if (!compressed) return with_raw(c, (raw & ~UINT64_C(0x78fff)) | (permissions & 0x78fff));
  return with_raw(c, put(put(raw, 48, 12, permissions), 60, 4, permissions >> 15));
}

/* Object types: unsealed, sentry and two more that are reserved, from all ones down (v9), or from 0 up. */
static unsigned otype_width(void) { return compressed ? 18 : 24; }
static uint32_t unsealed_type(void) { return compressed ? 0x3ffff : 0; }
static uint32_t sentry_type(void) { return compressed ? 0x3fffe : 1; }
static bool is_reserved(uint64_t type) { return compressed ? type >= 0x3fffc && type <= 0x3ffff : type <= 3; }

uint32_t otype_of(struct capability c) { return (uint32_t)get(raw_of(c), compressed ? 27 : 40, otype_width()); }

static struct capability with_otype(struct capability c, uint64_t type) {
  return with_raw(c, put(raw_of(c), compressed ? 27 : 40, otype_width(), type));
}

struct capability with_otype_of(struct capability c, struct capability other) { return with_otype(c, otype_of(other)); }

static unsigned flag_bit(void) { return compressed ? 45 : 19; }
static uint64_t flag_of(struct capability c) { return get(raw_of(c), flag_bit(), 1); }

bool is_sealed(struct capability c) { return otype_of(c) != unsealed_type(); }
bool is_sentry(struct capability c) { return otype_of(c) == sentry_type(); }
bool is_memory(struct capability c) { return (permissions_of(c) & (PERM_SEAL | PERM_UNSEAL)) == 0; }

bool is_in_bounds(struct capability c, uint64_t address, wide size) {
  struct bounds bounds = bounds_of(c);
  return bounds.base <= address && address + size <= bounds.top;
}

static bool permits(struct capability c, uint32_t permission) { return (permissions_of(c) & permission) != 0; }

static struct capability keep_tag_if(struct capability c, bool keep) {
  c.tag = c.tag && keep;
  return c;
}

/* ---- Bounds and addresses ---------------------------------------------------------------------------------------- */

/* The request decides the bounds, the parent whether the tag stays. */
struct capability csetbounds(struct capability c, uint64_t length, bool exact) {
  bool allowed = !is_sealed(c) && is_in_bounds(c, c.address, length);
  bool fits = set_bounds_field(&c, c.address, (wide)c.address + length);
  return keep_tag_if(c, allowed && (fits || !exact));
}

/* The bits of an address that a base must leave zero for exact bounds of this length, as a mask of ones. */
uint64_t cram(uint64_t length) {
  if (!compressed) return length == UINT64_MAX ? 0 : UINT64_MAX;
  uint64_t raw = 0;
  encode_bounds(&raw, 0, length);
  struct mantissas m = unpack(raw);
  return m.is_internal ? ~ones(m.exponent + EXPONENT_BITS) : UINT64_MAX;
}

/* The least length, from this one on, that bounds can have exactly. */
uint64_t crrl(uint64_t length) { return (length + ~cram(length)) & cram(length); }

bool can_be_exact(uint64_t base, uint64_t length) { return crrl(length) == length && (base & ~cram(length)) == 0; }

static bool is_same_bounds(struct capability c, uint64_t address) {
  struct capability moved = c;
  moved.address = address;
  struct bounds before = bounds_of(c), after = bounds_of(moved);
  return before.base == after.base && before.top == after.top;
}

/* A new address is checked precisely, */
struct capability csetaddr(struct capability c, uint64_t address) {
  bool keep = !is_sealed(c) && is_same_bounds(c, address);
  c.address = address;
  return keep_tag_if(c, keep);
}

/* an addition as hardware does it. */
static struct capability add(struct capability c, uint64_t address) {
  bool keep = !is_sealed(c) && (!compressed || is_fast_representable(raw_of(c), c.address, address));
  c.address = address;
  return keep_tag_if(c, keep);
}

struct capability candperm(struct capability c, uint32_t mask) {
  return keep_tag_if(with_permissions(c, permissions_of(c) & mask), !is_sealed(c));
}

static struct capability csetflags(struct capability c, uint64_t flags) {
  return keep_tag_if(with_raw(c, put(raw_of(c), flag_bit(), 1, flags)), !is_sealed(c));
}

static struct capability csethigh(struct capability c, uint64_t high) {
  c.tag = false;
  c.metadata = high;
  return c;
}

/* ---- Sealing ----------------------------------------------------------------------------------------------------- */

struct capability unsealed(struct capability c) { return with_otype(c, unsealed_type()); }

struct capability csealentry(struct capability c) {
  return keep_tag_if(with_otype(c, sentry_type()), !is_sealed(c));
}

static bool may_use(struct capability authority, uint32_t permission) {
  return authority.tag && !is_sealed(authority) && permits(authority, permission) &&
         is_in_bounds(authority, authority.address, 1);
}

static bool is_ordinary(uint64_t type) { return type <= ones(otype_width()) && !is_reserved(type); }

static struct capability cseal(struct capability c, struct capability authority) {
  bool keep = may_use(authority, PERM_SEAL) && is_ordinary(authority.address) && !is_sealed(c);
  return keep_tag_if(with_otype(c, authority.address), keep);
}

static struct capability cunseal(struct capability c, struct capability authority) {
  bool keep = may_use(authority, PERM_UNSEAL) && !is_reserved(otype_of(c)) && authority.address == otype_of(c);
  uint32_t lost = permits(authority, PERM_GLOBAL) ? 0 : PERM_GLOBAL;
  return keep_tag_if(with_permissions(unsealed(c), permissions_of(c) & ~lost), keep);
}

/* Passes through what the authority is not meant for. */
static struct capability ccseal(struct capability c, struct capability authority) {
  bool is_meant = authority.tag && !is_sealed(c) && is_in_bounds(authority, authority.address, 1) &&
                  authority.address != UINT64_MAX;
  return is_meant ? cseal(c, authority) : c;
}

static uint64_t cgettype(struct capability c) {
  uint64_t type = otype_of(c);
  return compressed && is_reserved(type) ? type | ~ones(otype_width()) : type;
}

static struct capability ccopytype(struct capability key, struct capability typed) {
  struct capability c = csetaddr(key, is_sealed(typed) ? cgettype(typed) : UINT64_MAX);
  return keep_tag_if(c, !is_reserved(otype_of(typed)));
}

static bool is_within(struct capability outer, struct capability inner) {
  struct bounds out = bounds_of(outer), in = bounds_of(inner);
  return in.base >= out.base && in.top <= out.top && (permissions_of(inner) & ~permissions_of(outer)) == 0;
}

static bool is_same(struct capability a, struct capability b) {
  return a.address == b.address && a.metadata == b.metadata && a.base == b.base && a.length == b.length;
}

/* Tags bits that the authority could have derived: within it, and as instructions would have written them. */
static struct capability cbuildcap(struct capability authority, struct capability wanted) {
  if (!is_sentry(wanted)) wanted = unsealed(wanted);
  struct bounds bounds = bounds_of(wanted);
  struct capability again = almighty();
  again.address = wanted.address;
  bool exact = bounds.base <= bounds.top && set_bounds_field(&again, bounds.base, bounds.top);
  again = with_raw(again, put(raw_of(again), flag_bit(), 1, flag_of(wanted)));
  again = with_otype_of(with_permissions(again, permissions_of(wanted)), wanted);
  bool derivable = exact && is_same(again, wanted) && is_within(authority, wanted);
  wanted.tag = authority.tag && !is_sealed(authority) && derivable;
  return wanted;
}

/* ---- Jumps ------------------------------------------------------------------------------------------------------- */

/* The new pcc goes to a page that may be executed, or the jump traps. */
static bool jump(struct call *call, struct capability target) {
  uint64_t address = target.address & ~(uint64_t)1;
  if (address % 4 != 0) return see_trap(call, SFORK_TRAP_ALIGN, "cs1");
  if (!is_in_bounds(target, address, 4)) return see_trap(call, SFORK_TRAP_BOUNDS, "cs1");
  struct place place = locate(address);
  bool may = place.kind == IN_PAGE && place.bytes != NULL && (place.page->protection & SFORK_PROT_EXECUTE) != 0;
  if (!may) return see_trap(call, SFORK_TRAP_PAGE_EXEC, "cs1");
  target = unsealed(target);
  target.address = address;
  call->thread->pcc = target;
  return true;
}

static bool cjalr(struct call *call, struct capability target) {
  struct capability pcc = call->thread->pcc;
  if (!target.tag) return see_trap(call, SFORK_TRAP_TAG, "cs1");
  if (is_sealed(target) && !is_sentry(target)) return see_trap(call, SFORK_TRAP_SEAL, "cs1");
  if (!permits(target, PERM_EXECUTE)) return see_trap(call, SFORK_TRAP_PERM_EXECUTE, "cs1");
  return jump(call, target) && see_capability(call, call->step->cd, csealentry(csetaddr(pcc, pcc.address + 4)));
}

/* A sealed pair of code and data opens. */
static bool cinvoke(struct call *call, struct capability code, struct capability data) {
  if (!code.tag) return see_trap(call, SFORK_TRAP_TAG, "cs1");
  if (!data.tag) return see_trap(call, SFORK_TRAP_TAG, "cs2");
  if (is_reserved(otype_of(code))) return see_trap(call, SFORK_TRAP_SEAL, "cs1");
  if (is_reserved(otype_of(data))) return see_trap(call, SFORK_TRAP_SEAL, "cs2");
  if (otype_of(code) != otype_of(data)) return see_trap(call, SFORK_TRAP_TYPE, "cs1");
  if (!permits(code, PERM_INVOKE)) return see_trap(call, SFORK_TRAP_PERM_CINVOKE, "cs1");
  if (!permits(data, PERM_INVOKE)) return see_trap(call, SFORK_TRAP_PERM_CINVOKE, "cs2");
  if (!permits(code, PERM_EXECUTE)) return see_trap(call, SFORK_TRAP_PERM_EXECUTE, "cs1");
  if (permits(data, PERM_EXECUTE)) return see_trap(call, SFORK_TRAP_PERM_EXECUTE, "cs2");
  return jump(call, code) && see_capability(call, 15, unsealed(data));
}

/* ---- Instructions ------------------------------------------------------------------------------------------------ */

/* The protocol's words, and the bits that they are here. */
static const struct {
  uint32_t word, bit;
} permission_words[] = {
    {SFORK_PERM_LOAD, PERM_LOAD},           {SFORK_PERM_STORE, PERM_STORE},
    {SFORK_PERM_EXECUTE, PERM_EXECUTE},     {SFORK_PERM_LOAD_CAP, PERM_LOAD_CAP},
    {SFORK_PERM_STORE_CAP, PERM_STORE_CAP}, {SFORK_PERM_STORE_LOCAL, PERM_STORE_LOCAL},
    {SFORK_PERM_GLOBAL, PERM_GLOBAL},       {SFORK_PERM_SEAL, PERM_SEAL},
    {SFORK_PERM_UNSEAL, PERM_UNSEAL},       {SFORK_PERM_INVOKE, PERM_INVOKE},
    {SFORK_PERM_SYSTEM, PERM_SYSTEM},       {SFORK_PERM_SET_CID, PERM_SET_CID},
    {SFORK_PERM_USER0, PERM_USER0},         {SFORK_PERM_USER1, PERM_USER1},
    {SFORK_PERM_USER2, PERM_USER2},         {SFORK_PERM_USER3, PERM_USER3},
};

enum { PERMISSION_WORDS = sizeof permission_words / sizeof *permission_words };

static uint32_t permissions_from_words(uint32_t words) {
  uint32_t permissions = 0;
  for (unsigned k = 0; k < PERMISSION_WORDS; k++) {
    if (words & permission_words[k].word) permissions |= permission_words[k].bit;
  }
  return permissions;
}

/* A capability as the protocol has it. */
sfork_capability shown(struct capability c) {
  struct bounds bounds = bounds_of(c);
  uint32_t permissions = permissions_of(c);
  sfork_capability seen = {.tag = c.tag,
                           .address = c.address,
                           .base = bounds.base,
                           .top = (uint64_t)bounds.top,
                           .top_carry = bounds.top >> 64 != 0,
                           .sealing = !is_sealed(c) ? SFORK_UNSEALED : is_sentry(c) ? SFORK_SENTRY : SFORK_SEALED,
                           .otype = otype_of(c),
                           .flags = flag_of(c)};
  for (unsigned k = 0; k < PERMISSION_WORDS; k++) {
    if (permissions & permission_words[k].bit) seen.permissions |= permission_words[k].word;
  }
  return seen;
}

static uint64_t saturated(wide value) { return value > UINT64_MAX ? UINT64_MAX : (uint64_t)value; }

bool capability_operation(struct call *call) {
  const sfork_step *step = call->step;
  const unsigned cd = step->cd;
  struct capability c = call->thread->registers[step->cs1], other = call->thread->registers[step->cs2];
  struct bounds bounds = bounds_of(c);
  uint64_t n = integer(call, step->n);
  switch (step->op) {
    case SFORK_OP_CSETBOUNDS: return see_capability(call, cd, csetbounds(c, n, false));
    case SFORK_OP_CSETBOUNDSEXACT: return see_capability(call, cd, csetbounds(c, n, true));
    case SFORK_OP_CSETADDR: return see_capability(call, cd, csetaddr(c, n));
    case SFORK_OP_CINCOFFSET: return see_capability(call, cd, add(c, c.address + n));
    case SFORK_OP_CSETOFFSET: return see_capability(call, cd, add(c, bounds.base + n));
    case SFORK_OP_CFROMPTR: return see_capability(call, cd, n == 0 ? null_capability(0) : add(c, bounds.base + n));
    case SFORK_OP_CSETFLAGS: return see_capability(call, cd, csetflags(c, n));
    case SFORK_OP_CSETHIGH: return see_capability(call, cd, csethigh(c, n));
    case SFORK_OP_CANDPERM: return see_capability(call, cd, candperm(c, permissions_from_words(step->words)));
    case SFORK_OP_CSEAL: return see_capability(call, cd, cseal(c, other));
    case SFORK_OP_CUNSEAL: return see_capability(call, cd, cunseal(c, other));
    case SFORK_OP_CCSEAL: return see_capability(call, cd, ccseal(c, other));
    case SFORK_OP_CCOPYTYPE: return see_capability(call, cd, ccopytype(c, other));
    case SFORK_OP_CBUILDCAP: return see_capability(call, cd, cbuildcap(c, other));
    case SFORK_OP_CSEALENTRY: return see_capability(call, cd, csealentry(c));
    case SFORK_OP_CCLEARTAG: return see_capability(call, cd, keep_tag_if(c, false));
    case SFORK_OP_CMOVE: return see_capability(call, cd, c);
    case SFORK_OP_CTESTSUBSET: return see_integer(call, cd, c.tag == other.tag && is_within(c, other));
    case SFORK_OP_CSETEQUALEXACT: return see_integer(call, cd, c.tag == other.tag && is_same(c, other));
    case SFORK_OP_CSUB: return see_integer(call, cd, c.address - other.address);
    case SFORK_OP_CTOPTR: return see_integer(call, cd, c.tag ? c.address - bounds_of(other).base : 0);
    case SFORK_OP_CRRL: return see_integer(call, cd, crrl(n));
    case SFORK_OP_CRAM: return see_integer(call, cd, cram(n));
    case SFORK_OP_CGETPERM: return see_integer(call, cd, permissions_of(c));
    case SFORK_OP_CGETTYPE: return see_integer(call, cd, cgettype(c));
    case SFORK_OP_CGETBASE: return see_integer(call, cd, bounds.base);
    /* In an untagged word the base may lie above the top: the difference is taken in 65 bits. */
    case SFORK_OP_CGETLEN: return see_integer(call, cd, saturated((bounds.top - bounds.base) & (((wide)1 << 65) - 1)));
    case SFORK_OP_CGETTOP: return see_integer(call, cd, saturated(bounds.top));
    case SFORK_OP_CGETTAG: return see_integer(call, cd, c.tag);
    case SFORK_OP_CGETSEALED: return see_integer(call, cd, is_sealed(c));
    case SFORK_OP_CGETOFFSET: return see_integer(call, cd, c.address - bounds.base);
    case SFORK_OP_CGETFLAGS: return see_integer(call, cd, flag_of(c));
    case SFORK_OP_CGETADDR: return see_integer(call, cd, c.address);
    case SFORK_OP_CGETHIGH: return see_integer(call, cd, c.metadata);
    case SFORK_OP_CJALR: return cjalr(call, c);
    case SFORK_OP_CINVOKE: return cinvoke(call, c, other);
    case SFORK_OP_CGETPCC: return see_capability(call, cd, call->thread->pcc);
    default: return see_integer(call, cd, n); /* li */
  }
}
