/*
 * A small single-address-space operating system with fork, as an example of an implementation that sfork checks.
 *
 * There is one machine at a time (`machine`). Its parts, and who works on them:
 *
 *   capability.c  capabilities in two formats, and the instructions that change and read them
 *   pages.c       frames, the page table that all processes share, faults and their resolution
 *   relocate.c    what a fork makes of a capability
 *   memory.c      loads, stores, copies
 *   mapping.c     mmap, munmap, mprotect, shared segments
 *   fork.c        fork
 *   process.c     the rest of a process's life: exit, wait, exec, threads, the alternate stack
 *   sweep.c       revocation: no capability outlives the memory that it is for
 *   channel.c     capabilities that are handed from process to process
 *   main.c        the operations by name, and the protocol, which sfork.h speaks
 *
 * `DEFECT_...` marks the place of a mistake that the tests of sfork build in on purpose (README.md lists them). None is
 * defined in the program itself.
 */
#ifndef MACHINE_H
#define MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sfork.h"

/* Numbers that may need more than 64 bits: the top of a capability, sums of addresses and lengths. */
__extension__ typedef unsigned __int128 wide;

enum {
  MOST_PAGES = 64, /* of a region */
  MOST_PAGE = 65536,
  MOST_PROCESSES = 64, /* at once */
  MOST_SLOTS = 256,
  MOST_CHANNELS = 8,
  MOST_THREADS = 8, /* of one process */
  MOST_FRAMES = MOST_SLOTS * MOST_PAGES,
  REGISTERS = SFORK_REGISTERS,
  NOBODY = -1
};

/* ---- Capabilities ------------------------------------------------------------------------------------------------ */

/* A tag and the bits of a granule. What they mean is found out when it is asked for. */
struct capability {
  bool tag;
  uint64_t address;
  uint64_t metadata; /* permissions, flag, object type; in cheri128-v9 also the bounds */
  uint64_t base;     /* of uncompressed256 only: two words more */
  uint64_t length;
};

struct bounds {
  uint64_t base;
  wide top;
};

/* Permissions, as cgetperm numbers them: those of CHERI ISAv9. */
enum {
  PERM_GLOBAL = 1 << 0,
  PERM_EXECUTE = 1 << 1,
  PERM_LOAD = 1 << 2,
  PERM_STORE = 1 << 3,
  PERM_LOAD_CAP = 1 << 4,
  PERM_STORE_CAP = 1 << 5,
  PERM_STORE_LOCAL = 1 << 6,
  PERM_SEAL = 1 << 7,
  PERM_INVOKE = 1 << 8,
  PERM_UNSEAL = 1 << 9,
  PERM_SYSTEM = 1 << 10,
  PERM_SET_CID = 1 << 11,
  PERM_USER0 = 1 << 15,
  PERM_USER1 = 1 << 16,
  PERM_USER2 = 1 << 17,
  PERM_USER3 = 1 << 18
};

/* Bytes of a capability in memory. */
extern size_t granule;

void set_format(sfork_format format);

struct capability null_capability(uint64_t address);
struct capability almighty(void);
struct capability load_granule(const uint8_t *bytes, bool tag);
void store_granule(uint8_t *bytes, struct capability c);

struct bounds bounds_of(struct capability c);
uint32_t permissions_of(struct capability c);
uint32_t otype_of(struct capability c);
bool is_sealed(struct capability c);
bool is_sentry(struct capability c);
bool is_memory(struct capability c); /* not authority to seal or unseal, whose bounds are object types */
bool is_in_bounds(struct capability c, uint64_t address, wide size);
bool can_be_exact(uint64_t base, uint64_t length);

/* The same capability with other bounds, rounded outward where they cannot be had; true if they could. */
bool set_bounds_field(struct capability *c, uint64_t base, wide top);
struct capability with_permissions(struct capability c, uint32_t permissions);
struct capability with_otype_of(struct capability c, struct capability other);

/* Instructions, by their names. */
struct capability csetbounds(struct capability c, uint64_t length, bool exact);
struct capability csetaddr(struct capability c, uint64_t address);
struct capability candperm(struct capability c, uint32_t mask);
struct capability csealentry(struct capability c);
struct capability unsealed(struct capability c);
uint64_t crrl(uint64_t length);
uint64_t cram(uint64_t length);

/* ---- The machine ------------------------------------------------------------------------------------------------- */

/* Storage of a page. */
struct frame {
  uint8_t *bytes; /* behind them one byte for the tag of each granule */
  size_t capacity;
  uint64_t home;  /* the base of the region in which its capabilities mean what they should */
  int references; /* how many pages show it */
  int page_index; /* of the page that it was made for: only the mistake B1 wants to know */
  int leaving;    /* pages that would leave it, while an access counts the frames that it needs */
  bool in_use, is_dirty;
};

/* An entry of the page table. */
struct page {
  int frame; /* NOBODY where nothing is mapped */
  uint8_t protection;
  bool guard; /* the next write faults, because the frame was shared by a fork */
  bool foreign; /* the frame's home is another region: its capabilities have yet to be relocated */
};

struct counters {
  uint64_t faults, copies, relocations;
};

struct process {
  enum { LIVE, ZOMBIE, REAPED } state;
  int pid;
  int slot;   /* kept when the process has ended: addresses are told by it */
  int parent; /* whose child it is; of an orphan, process 0 */
  int forker; /* who forked it: only the mistakes L3 and R9 want to know */
  uint32_t status;
  uint64_t ended; /* how many had ended before it */
  struct capability alternate_stack;
  struct counters counters;
};

struct thread {
  int process;
  bool live;
  struct capability registers[REGISTERS];
  struct capability pcc;
};

struct channel {
  struct capability *messages;
  uint64_t count, room;
};

struct machine {
  sfork_config config;
  uint64_t region_size;
  int pages; /* of a region */
  struct page table[MOST_SLOTS * MOST_PAGES]; /* by slot and page */
  struct frame frames[MOST_FRAMES];
  int most_frames, frames_in_use;
  int committed; /* pages that are mapped: what may need a frame of its own one day */
  uint8_t *segments;
  struct process *processes; /* in the order in which they were made */
  int process_count;
  struct thread *threads;
  int thread_count;
  struct channel channels[MOST_CHANNELS];
  unsigned channel_count;
  bool used_slots[MOST_SLOTS];
  uint64_t endings;
};

extern struct machine machine;

/* A step that is being taken. */
struct call {
  const sfork_step *step;
  struct thread *thread;
  struct process *process;
  int process_number, thread_number;
  sfork_observation *seen;
};

/*
 * What a step observes, and whether it succeeded: the first three give true, the others false. The first two write the
 * register that they show.
 */
bool see_capability(struct call *call, unsigned cd, struct capability c);
bool see_integer(struct call *call, unsigned cd, uint64_t value);
bool see_nothing(struct call *call);
bool see_trap(struct call *call, sfork_trap cause, const char *operand);
bool see_error(struct call *call, sfork_error error);
bool see_failure(struct call *call, sfork_saw saw); /* it would block, or there is no frame */
uint64_t integer(const struct call *call, sfork_integer operand);
sfork_capability shown(struct capability c);

/* ---- Pages ------------------------------------------------------------------------------------------------------- */

/* What an access does to a page: the second of each pair reads, or writes, the tag of a tagged granule, too. */
enum touch { TOUCH_READ, TOUCH_READ_TAGGED, TOUCH_WRITE, TOUCH_WRITE_TAGGED };

/* Where an address lies. */
struct place {
  enum { NOWHERE, IN_PAGE, IN_SEGMENT } kind;
  int slot, index; /* of the page */
  struct page *page;
  size_t offset;
  uint8_t *bytes; /* of the address, where something is mapped */
  uint8_t *tag;   /* of its granule; null in segments, which hold none */
};

uint64_t region_base(int slot);
uint64_t segments_base(void);
uint64_t kernel_base(void);
struct page *page_of(int slot, int index);
struct place locate(uint64_t address);
uint8_t *tags_of(struct frame *frame);
int *references_of(struct frame *frame);

int frames_left(void);
void release_all_frames(void);
bool map_fresh(int slot, int index, uint8_t protection);
void share(int slot, int index, struct page of);
/* The page ends. The frame's bytes are cleared when nobody maps it any more, unless they are to be left lying about. */
void unmap(int slot, int index, bool clear);

/* Must the page be resolved before it is touched so? */
bool faults_on(const struct page *page, enum touch touch);
/* Gives the page a frame of its own, while who lives in `running_slot` runs. False if there is none left. */
bool resolve(int slot, int index, int running_slot);

/* Granules of a frame, by their numbers. */
bool next_tag(const struct frame *frame, size_t *index);
struct capability capability_at(const struct frame *frame, size_t index);
void put_capability(struct frame *frame, size_t index, struct capability c);

/* ---- Relocation, sweeps, lives of processes ---------------------------------------------------------------------- */

/* The image of a capability of the region at `from` in the one at `to`: in a register, and in memory. */
struct capability relocated(struct capability c, uint64_t from, uint64_t to);
struct capability image_in_memory(struct capability c, uint64_t from, uint64_t to);
/* The region in which the capabilities of a page's frame mean what they should. */
uint64_t source_of(int slot, const struct frame *frame);

void sweep(uint64_t start, uint64_t end);
bool sweep_own_pages(int slot, uint64_t start, uint64_t end, int frames_free, bool act);

/* What a process may do with its data, and with its code. */
enum {
  DATA_RIGHTS = PERM_LOAD | PERM_STORE | PERM_LOAD_CAP | PERM_STORE_CAP | PERM_GLOBAL,
  CODE_RIGHTS = PERM_EXECUTE | PERM_LOAD | PERM_GLOBAL
};

struct capability memory_root(uint64_t base, uint64_t length, uint32_t permissions);
struct capability segment_root(unsigned segment);

bool start_machine(const sfork_config *config);
/* Is there room for more pages, of which some need their frames at once? */
bool has_commit(int pages, int at_once);
/* One more at the end of its table, which may move. */
struct process *new_process(void);
struct thread *new_thread(void);

/* ---- Operations -------------------------------------------------------------------------------------------------- */

/* Takes the step of a call. False if it failed: what it observed says how, and nothing has changed. */
typedef bool operation(struct call *call);

operation capability_operation, memory_operation, mapping_operation;
operation fork_operation, process_operation, channel_operation;

#endif
