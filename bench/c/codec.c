/*
 * Capabilities of CHERI ISAv9 with 64-bit addresses in plain C, for scale: bounds decoded, bounds set, an address set with the
 * fast representability check. After the published description (CHERI ISAv9 section 3.5.4; Woodruff et al., CHERI Concentrate,
 * IEEE ToC 2019). Neither judged nor used for anything but time.
 *
 *   codec FILE COUNT ROUNDS
 *
 * FILE holds COUNT granules of 16 bytes (address, metadata), then COUNT lengths and COUNT addresses of 8 bytes, in the byte
 * order of the machine. Prints a line for each operation: its name, nanoseconds of each round, and the checksum of its results.
 */
#define _POSIX_C_SOURCE 200809L
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

typedef unsigned __int128 wide;

enum { MANTISSA = 14, MAX_EXPONENT = 52 };

static const uint64_t null_mask = 0x1ffffc018004;
static const uint64_t bounds_mask = 0x7ffffff;

struct capability {
  uint64_t address, metadata;
};

struct bounds {
  uint64_t base;
  wide top;
};

struct mantissas {
  uint64_t b, t;
  unsigned exponent;
};

static struct mantissas unpack(uint64_t metadata) {
  uint64_t raw = metadata ^ null_mask;
  uint64_t b = raw & 0x3fff, t = raw >> 14 & 0xfff, length = 0;
  unsigned exponent = 0;
  if (raw >> 26 & 1) {
    exponent = (unsigned)((t & 7) << 3 | (b & 7));
    b &= ~(uint64_t)7;
    t &= ~(uint64_t)7;
    length = 1;
  }
  uint64_t carry = t < (b & 0xfff);
  t |= (((b >> 12) + length + carry) & 3) << 12;
  return (struct mantissas){b, t, exponent};
}

static struct bounds decode(struct capability c) {
  struct mantissas m = unpack(c.metadata);
  unsigned e = m.exponent < MAX_EXPONENT ? m.exponent : MAX_EXPONENT;
  unsigned edge = (unsigned)((m.b >> 11) - 1) & 7;
  int a_high = (c.address >> e >> 11 & 7) < edge;
  int b_high = (m.b >> 11) < edge;
  int t_high = (m.t >> 11) < edge;
  wide upper = (wide)c.address >> (e + MANTISSA);
  wide base = (((upper + (wide)(b_high - a_high)) << MANTISSA) + m.b) << e;
  wide top = (((upper + (wide)(t_high - a_high)) << MANTISSA) + m.t) << e;
  const wide mask = ((wide)1 << 65) - 1;
  base = (uint64_t)base;
  top &= mask;
  unsigned apart = ((unsigned)(top >> 63) - (unsigned)(base >> 63)) & 3;
  if (e < MAX_EXPONENT - 1 && apart > 1) top ^= (wide)1 << 64;
  return (struct bounds){(uint64_t)base, top};
}

/* Bit 0: exact; bit 1: within the bounds of the parent. */
static unsigned set_bounds(struct capability c, uint64_t length, struct capability *out) {
  struct bounds old = decode(c);
  uint64_t base = c.address;
  wide top = (wide)base + length;
  unsigned answer = base >= old.base && top <= old.top ? 2 : 0;
  uint64_t raw;
  if (length < 0x1000) {
    raw = (base & 0x3fff) | ((uint64_t)top & 0xfff) << 14;
    answer |= 1;
  } else {
    unsigned position = 63 - (unsigned)__builtin_clzll(length);
    unsigned e = position > 12 ? position - 12 : 0;
    uint64_t low = ((uint64_t)1 << (e + 3)) - 1;
    wide units = ((top + low) >> (e + 3)) - (base >> (e + 3));
    if (units >> 10) {
      e += 1;
      low = low << 1 | 1;
    }
    uint64_t b = (base >> (e + 3)) & 0x7ff, t = (uint64_t)((top + low) >> (e + 3)) & 0x1ff;
    raw = b << 3 | (e & 7) | (t << 3 | e >> 3) << 14 | (uint64_t)1 << 26;
    if (((base | (uint64_t)top) & low) == 0) answer |= 1;
  }
  out->address = c.address;
  out->metadata = (c.metadata & ~bounds_mask) | ((raw ^ null_mask) & bounds_mask);
  return answer;
}

static int fast_check(struct capability c, uint64_t to) {
  struct mantissas m = unpack(c.metadata);
  if (m.exponent >= MAX_EXPONENT - 2) return 1;
  struct bounds old = decode(c);
  if (to >= old.base && to < old.top) return 1;
  int64_t increment = (int64_t)(to - c.address);
  int64_t upper = increment >> m.exponent >> MANTISSA;
  uint64_t middle = (uint64_t)(increment >> m.exponent) & 0x3fff;
  uint64_t position = c.address >> m.exponent & 0x3fff;
  uint64_t edge = ((m.b >> 11) - 1) << 11 & 0x3fff;
  uint64_t room = (edge - position) & 0x3fff;
  if (upper == 0) return middle < ((room - 1) & 0x3fff);
  if (upper == -1) return middle >= room && position != edge;
  return 0;
}

static uint32_t fold(uint64_t value) { return (uint32_t)value ^ (uint32_t)(value >> 32); }

static struct capability *words;
static uint64_t *lengths, *addresses;
static long count;

static uint32_t decode_all(void) {
  uint32_t sum = 0;
  for (long i = 0; i < count; i++) {
    struct bounds b = decode(words[i]);
    sum = sum * 31 + (fold(b.base) ^ fold((uint64_t)b.top) ^ (uint32_t)(b.top >> 64));
  }
  return sum;
}

static uint32_t set_bounds_all(void) {
  uint32_t sum = 0;
  for (long i = 0; i < count; i++) {
    struct capability c;
    unsigned answer = set_bounds(words[i], lengths[i], &c);
    sum = sum * 31 + (fold(c.metadata) ^ answer);
  }
  return sum;
}

static uint32_t set_address_all(void) {
  uint32_t sum = 0;
  for (long i = 0; i < count; i++) {
    struct capability c = {addresses[i], words[i].metadata};
    unsigned keeps = (unsigned)fast_check(words[i], addresses[i]);
    sum = sum * 31 + (fold(c.address) ^ keeps);
  }
  return sum;
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void measure(const char *name, uint32_t (*all)(void), int rounds) {
  uint32_t sum = all();
  printf("%s", name);
  for (int round = 0; round < rounds; round++) {
    double started = now();
    sum = all();
    printf(" %.0f", now() - started);
  }
  printf(" %u\n", sum);
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  FILE *file = fopen(argv[1], "rb");
  count = strtol(argv[2], NULL, 10);
  size_t n = (size_t)count;
  words = malloc(n * sizeof *words);
  lengths = malloc(n * sizeof *lengths);
  addresses = malloc(n * sizeof *addresses);
  if (file == NULL || words == NULL || lengths == NULL || addresses == NULL) return 3;
  if (fread(words, sizeof *words, n, file) != n || fread(lengths, sizeof *lengths, n, file) != n ||
      fread(addresses, sizeof *addresses, n, file) != n)
    return 3;
  int rounds = atoi(argv[3]);
  measure("decode", decode_all, rounds);
  measure("set-bounds", set_bounds_all, rounds);
  measure("set-address", set_address_all, rounds);
  return 0;
}
