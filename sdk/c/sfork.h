/*
 * sfork.h: an implementation in C, checked by sfork over a pair of byte streams.
 *
 * This header speaks version 1 of the line protocol (docs/protocol.md): it reads requests, calls the functions of the
 * implementation, and prints what they observed. It is C11, needs nothing but three freestanding headers, allocates
 * nothing, keeps nothing between two calls of sfork_serve, and is as good for a process with two pipes as for a kernel
 * with a serial line. README.md beside it shows how it is used; examples/c-sasos is a complete implementation.
 *
 * In one source file:
 *
 *     #define SFORK_IMPLEMENTATION
 *     #include "sfork.h"
 *
 * and in all others the #include alone. A compiler may turn loops of this file into calls of memcpy, memmove and
 * memset, as freestanding C compilers do everywhere.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef SFORK_H
#define SFORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SFORK_PROTOCOL 1

/* ---- Words of the protocol ------------------------------------------------------------------------------------------
 *
 * Each list is written once, as X(NAME, "word"), and becomes an enumeration here and a table of words below.
 */

#define SFORK_FORMAT_WORDS(X) \
  X(CHERI128_V9, "cheri128-v9") \
  X(CHERI64_V9, "cheri64-v9") \
  X(MORELLO, "morello") \
  X(RVY128, "rvy128") \
  X(RVY64, "rvy64") \
  X(UNCOMPRESSED256, "uncompressed256")

#define SFORK_STRATEGY_WORDS(X) \
  X(POSIX, "posix") \
  X(EAGER, "eager") \
  X(COA, "coa") \
  X(COPA, "copa") \
  X(MULTI_AS_COW, "multi-as-cow") \
  X(VM_CLONE, "vm-clone") \
  X(SHARED_SEGMENTS, "shared-segments") \
  X(NAIVE_COW, "naive-cow")

#define SFORK_PERMISSION_WORDS(X) \
  X(LOAD, "load") \
  X(STORE, "store") \
  X(EXECUTE, "execute") \
  X(LOAD_CAP, "load-cap") \
  X(STORE_CAP, "store-cap") \
  X(STORE_LOCAL, "store-local") \
  X(GLOBAL, "global") \
  X(SEAL, "seal") \
  X(UNSEAL, "unseal") \
  X(INVOKE, "invoke") \
  X(SYSTEM, "system") \
  X(MUTABLE_LOAD, "mutable-load") \
  X(ELEVATE_LEVEL, "elevate-level") \
  X(SET_CID, "set-cid") \
  X(EXECUTIVE, "executive") \
  X(USER0, "user0") \
  X(USER1, "user1") \
  X(USER2, "user2") \
  X(USER3, "user3")

#define SFORK_TRAP_WORDS(X) \
  X(TAG, "tag") \
  X(SEAL, "seal") \
  X(TYPE, "type") \
  X(PERM_LOAD, "perm-load") \
  X(PERM_STORE, "perm-store") \
  X(PERM_EXECUTE, "perm-execute") \
  X(PERM_LOAD_CAP, "perm-load-cap") \
  X(PERM_STORE_CAP, "perm-store-cap") \
  X(PERM_STORE_LOCAL, "perm-store-local") \
  X(PERM_CINVOKE, "perm-cinvoke") \
  X(BOUNDS, "bounds") \
  X(ALIGN, "align") \
  X(PAGE_UNMAPPED, "page-unmapped") \
  X(PAGE_READ, "page-read") \
  X(PAGE_WRITE, "page-write") \
  X(PAGE_EXEC, "page-exec") \
  X(PAGE_STORE_CAP, "page-store-cap")

/* Without their E, which <errno.h> defines. */
#define SFORK_ERROR_WORDS(X) \
  X(ACCES, "EACCES") \
  X(AGAIN, "EAGAIN") \
  X(BADF, "EBADF") \
  X(CHILD, "ECHILD") \
  X(EXIST, "EEXIST") \
  X(FAULT, "EFAULT") \
  X(FBIG, "EFBIG") \
  X(INVAL, "EINVAL") \
  X(ISDIR, "EISDIR") \
  X(MFILE, "EMFILE") \
  X(NOENT, "ENOENT") \
  X(NOMEM, "ENOMEM") \
  X(NOTDIR, "ENOTDIR") \
  X(PERM, "EPERM") \
  X(PIPE, "EPIPE") \
  X(SPIPE, "ESPIPE") \
  X(SRCH, "ESRCH")

#define SFORK_OPEN_WORDS(X) \
  X(READ, "read") \
  X(WRITE, "write") \
  X(APPEND, "append") \
  X(CREATE, "create") \
  X(EXCLUSIVE, "exclusive") \
  X(TRUNCATE, "truncate") \
  X(NONBLOCK, "nonblock") \
  X(CLOEXEC, "cloexec")

#define SFORK_ADVICE_WORDS(X) \
  X(DONTFORK, "dontfork") \
  X(DOFORK, "dofork") \
  X(WIPEONFORK, "wipeonfork") \
  X(KEEPONFORK, "keeponfork")

#define SFORK_WHENCE_WORDS(X) \
  X(SET, "set") \
  X(CUR, "cur") \
  X(END, "end")

#define SFORK_RESOURCE_WORDS(X) \
  X(NOFILE, "nofile") \
  X(NPROC, "nproc")

#define SFORK_WHOSE_WORDS(X) \
  X(SELF, "self") \
  X(CHILDREN, "children")

#define SFORK_DIRECTION_WORDS(X) \
  X(READ, "r") \
  X(WRITE, "w")

#define SFORK_CHOICE_WORDS(X) \
  X(SLOT, "slot") \
  X(PID, "pid") \
  X(REAP, "reap")

/* Names of operands. Each name always has operands of the same kind. */
#define SFORK_OPERAND_WORDS(X) \
  X(CD, "cd") \
  X(CS1, "cs1") \
  X(CS2, "cs2") \
  X(N, "n") \
  X(N2, "n2") \
  X(VALUE, "value") \
  X(START, "start") \
  X(LENGTH, "length") \
  X(SIGNAL, "signal") \
  X(WORDS, "words") \
  X(PROTECTION, "protection") \
  X(CHANNEL, "channel") \
  X(SEGMENT, "segment") \
  X(WHOM, "whom") \
  X(GROUP, "group") \
  X(D, "d") \
  X(D2, "d2") \
  X(PATH, "path") \
  X(FLAGS, "flags") \
  X(SIGNALS, "signals") \
  X(ACTION, "action") \
  X(TARGET, "target") \
  X(CALL, "call") \
  X(ADVICE, "advice") \
  X(WHENCE, "whence") \
  X(RESOURCE, "resource") \
  X(WHOSE, "whose") \
  X(DIRECTION, "direction")

/* Operations and their operands: what operations.json says. */
#define SFORK_OPERATION_WORDS(X) \
  X(CSETBOUNDS, "csetbounds", SFORK_HAS_CD | SFORK_HAS_CS1 | SFORK_HAS_N) \
  X(CSETBOUNDSEXACT, "csetboundsexact", SFORK_HAS_CD | SFORK_HAS_CS1 | SFORK_HAS_N) \
  X(CSETADDR, "csetaddr", SFORK_HAS_CD | SFORK_HAS_CS1 | SFORK_HAS_N) \
  X(CINCOFFSET, "cincoffset", SFORK_HAS_CD | SFORK_HAS_CS1 | SFORK_HAS_N) \
  X(CSETOFFSET, "csetoffset", SFORK_HAS_CD | SFORK_HAS_CS1 | SFORK_HAS_N) \
  X(CFROMPTR, "cfromptr", SFORK_HAS_CD | SFORK_HAS_CS1 | SFORK_HAS_N) \
  X(CSETFLAGS, "csetflags", SFORK_HAS_CD | SFORK_HAS_CS1 | SFORK_HAS_N) \
  X(CSETHIGH, "csethigh", SFORK_HAS_CD | SFORK_HAS_CS1 | SFORK_HAS_N) \
  X(CANDPERM, "candperm", SFORK_HAS_CD | SFORK_HAS_CS1 | SFORK_HAS_WORDS) \
  X(CSEAL, "cseal", SFORK_HAS_CD | SFORK_HAS_CS1 | SFORK_HAS_CS2) \
  X(CUNSEAL, "cunseal", SFORK_HAS_CD | SFORK_HAS_CS1 | SFORK_HAS_CS2) \
  X(CCSEAL, "ccseal", SFORK_HAS_CD | SFORK_HAS_CS1 | SFORK_HAS_CS2) \
  X(CCOPYTYPE, "ccopytype", SFORK_HAS_CD | SFORK_HAS_CS1 | SFORK_HAS_CS2) \
  X(CBUILDCAP, "cbuildcap", SFORK_HAS_CD | SFORK_HAS_CS1 | SFORK_HAS_CS2) \
  X(CSEALENTRY, "csealentry", SFORK_HAS_CD | SFORK_HAS_CS1) \
  X(CCLEARTAG, "ccleartag", SFORK_HAS_CD | SFORK_HAS_CS1) \
  X(CMOVE, "cmove", SFORK_HAS_CD | SFORK_HAS_CS1) \
  X(CTESTSUBSET, "ctestsubset", SFORK_HAS_CD | SFORK_HAS_CS1 | SFORK_HAS_CS2) \
  X(CSETEQUALEXACT, "csetequalexact", SFORK_HAS_CD | SFORK_HAS_CS1 | SFORK_HAS_CS2) \
  X(CSUB, "csub", SFORK_HAS_CD | SFORK_HAS_CS1 | SFORK_HAS_CS2) \
  X(CTOPTR, "ctoptr", SFORK_HAS_CD | SFORK_HAS_CS1 | SFORK_HAS_CS2) \
  X(CRRL, "crrl", SFORK_HAS_CD | SFORK_HAS_N) \
  X(CRAM, "cram", SFORK_HAS_CD | SFORK_HAS_N) \
  X(CGETPERM, "cgetperm", SFORK_HAS_CD | SFORK_HAS_CS1) \
  X(CGETTYPE, "cgettype", SFORK_HAS_CD | SFORK_HAS_CS1) \
  X(CGETBASE, "cgetbase", SFORK_HAS_CD | SFORK_HAS_CS1) \
  X(CGETLEN, "cgetlen", SFORK_HAS_CD | SFORK_HAS_CS1) \
  X(CGETTOP, "cgettop", SFORK_HAS_CD | SFORK_HAS_CS1) \
  X(CGETTAG, "cgettag", SFORK_HAS_CD | SFORK_HAS_CS1) \
  X(CGETSEALED, "cgetsealed", SFORK_HAS_CD | SFORK_HAS_CS1) \
  X(CGETOFFSET, "cgetoffset", SFORK_HAS_CD | SFORK_HAS_CS1) \
  X(CGETFLAGS, "cgetflags", SFORK_HAS_CD | SFORK_HAS_CS1) \
  X(CGETADDR, "cgetaddr", SFORK_HAS_CD | SFORK_HAS_CS1) \
  X(CGETHIGH, "cgethigh", SFORK_HAS_CD | SFORK_HAS_CS1) \
  X(CJALR, "cjalr", SFORK_HAS_CD | SFORK_HAS_CS1) \
  X(CINVOKE, "cinvoke", SFORK_HAS_CS1 | SFORK_HAS_CS2) \
  X(LI, "li", SFORK_HAS_CD | SFORK_HAS_N) \
  X(CGETPCC, "cgetpcc", SFORK_HAS_CD) \
  X(LOADCAP, "loadcap", SFORK_HAS_CD | SFORK_HAS_N | SFORK_HAS_CS1) \
  X(STORECAP, "storecap", SFORK_HAS_CS2 | SFORK_HAS_N | SFORK_HAS_CS1) \
  X(LOAD_B, "load.b", SFORK_HAS_CD | SFORK_HAS_N | SFORK_HAS_CS1) \
  X(LOAD_BU, "load.bu", SFORK_HAS_CD | SFORK_HAS_N | SFORK_HAS_CS1) \
  X(LOAD_H, "load.h", SFORK_HAS_CD | SFORK_HAS_N | SFORK_HAS_CS1) \
  X(LOAD_HU, "load.hu", SFORK_HAS_CD | SFORK_HAS_N | SFORK_HAS_CS1) \
  X(LOAD_W, "load.w", SFORK_HAS_CD | SFORK_HAS_N | SFORK_HAS_CS1) \
  X(LOAD_WU, "load.wu", SFORK_HAS_CD | SFORK_HAS_N | SFORK_HAS_CS1) \
  X(LOAD_D, "load.d", SFORK_HAS_CD | SFORK_HAS_N | SFORK_HAS_CS1) \
  X(STORE_B, "store.b", SFORK_HAS_VALUE | SFORK_HAS_N | SFORK_HAS_CS1) \
  X(STORE_H, "store.h", SFORK_HAS_VALUE | SFORK_HAS_N | SFORK_HAS_CS1) \
  X(STORE_W, "store.w", SFORK_HAS_VALUE | SFORK_HAS_N | SFORK_HAS_CS1) \
  X(STORE_D, "store.d", SFORK_HAS_VALUE | SFORK_HAS_N | SFORK_HAS_CS1) \
  X(CMEMCPY, "cmemcpy", SFORK_HAS_CS1 | SFORK_HAS_CS2 | SFORK_HAS_N) \
  X(MEMSET, "memset", SFORK_HAS_CS1 | SFORK_HAS_VALUE | SFORK_HAS_N) \
  X(CLOADTAGS, "cloadtags", SFORK_HAS_CD | SFORK_HAS_CS1) \
  X(MMAP, "mmap", SFORK_HAS_CD | SFORK_HAS_N | SFORK_HAS_PROTECTION) \
  X(MUNMAP, "munmap", SFORK_HAS_CS1 | SFORK_HAS_N) \
  X(MPROTECT, "mprotect", SFORK_HAS_CS1 | SFORK_HAS_N | SFORK_HAS_PROTECTION) \
  X(MADVISE, "madvise", SFORK_HAS_CS1 | SFORK_HAS_N | SFORK_HAS_ADVICE) \
  X(SHM, "shm", SFORK_HAS_CD | SFORK_HAS_SEGMENT) \
  X(FORK, "fork", SFORK_HAS_CD) \
  X(EXIT, "exit", SFORK_HAS_N) \
  X(WAIT, "wait", SFORK_HAS_CD | SFORK_HAS_WHOM) \
  X(GETPID, "getpid", SFORK_HAS_CD) \
  X(GETPPID, "getppid", SFORK_HAS_CD) \
  X(THREAD, "thread", 0) \
  X(THREAD_EXIT, "thread_exit", 0) \
  X(YIELD, "yield", 0) \
  X(EXEC, "exec", 0) \
  X(BURN, "burn", 0) \
  X(TIMES, "times", SFORK_HAS_WHOSE) \
  X(ALARM, "alarm", SFORK_HAS_N) \
  X(PIPE, "pipe", 0) \
  X(OPEN, "open", SFORK_HAS_PATH | SFORK_HAS_FLAGS) \
  X(CLOSE, "close", SFORK_HAS_D) \
  X(DUP, "dup", SFORK_HAS_D) \
  X(DUP2, "dup2", SFORK_HAS_D | SFORK_HAS_D2) \
  X(READ, "read", SFORK_HAS_D | SFORK_HAS_CS1 | SFORK_HAS_N) \
  X(READV, "readv", SFORK_HAS_D | SFORK_HAS_CS1 | SFORK_HAS_N | SFORK_HAS_CS2 | SFORK_HAS_N2) \
  X(WRITE, "write", SFORK_HAS_D | SFORK_HAS_CS1 | SFORK_HAS_N) \
  X(WRITEV, "writev", SFORK_HAS_D | SFORK_HAS_CS1 | SFORK_HAS_N | SFORK_HAS_CS2 | SFORK_HAS_N2) \
  X(LSEEK, "lseek", SFORK_HAS_D | SFORK_HAS_N | SFORK_HAS_WHENCE) \
  X(FCNTL_CLOEXEC, "fcntl_cloexec", SFORK_HAS_D | SFORK_HAS_N) \
  X(FCNTL_APPEND, "fcntl_append", SFORK_HAS_D | SFORK_HAS_N) \
  X(FCNTL_NONBLOCK, "fcntl_nonblock", SFORK_HAS_D | SFORK_HAS_N) \
  X(FCNTL_GETFD, "fcntl_getfd", SFORK_HAS_D) \
  X(FCNTL_GETFL, "fcntl_getfl", SFORK_HAS_D) \
  X(LOCK, "lock", SFORK_HAS_D | SFORK_HAS_START | SFORK_HAS_LENGTH) \
  X(UNLOCK, "unlock", SFORK_HAS_D | SFORK_HAS_START | SFORK_HAS_LENGTH) \
  X(GETLK, "getlk", SFORK_HAS_D | SFORK_HAS_START | SFORK_HAS_LENGTH) \
  X(CALL_ENTER, "call_enter", SFORK_HAS_CALL) \
  X(CALL_FINISH, "call_finish", 0) \
  X(UMASK, "umask", SFORK_HAS_N) \
  X(CHDIR, "chdir", SFORK_HAS_PATH) \
  X(GETRLIMIT, "getrlimit", SFORK_HAS_RESOURCE) \
  X(SETRLIMIT, "setrlimit", SFORK_HAS_RESOURCE | SFORK_HAS_N) \
  X(SETPGID, "setpgid", SFORK_HAS_WHOM | SFORK_HAS_GROUP) \
  X(GETPGID, "getpgid", SFORK_HAS_WHOM) \
  X(SETSID, "setsid", 0) \
  X(GETSID, "getsid", SFORK_HAS_WHOM) \
  X(SIGACTION, "sigaction", SFORK_HAS_SIGNAL | SFORK_HAS_ACTION) \
  X(GETACTION, "getaction", SFORK_HAS_SIGNAL) \
  X(SIGMASK, "sigmask", SFORK_HAS_SIGNALS) \
  X(SIGPENDING, "sigpending", 0) \
  X(KILL, "kill", SFORK_HAS_TARGET | SFORK_HAS_SIGNAL) \
  X(SIGALTSTACK, "sigaltstack", SFORK_HAS_CS1) \
  X(GETALTSTACK, "getaltstack", SFORK_HAS_CD) \
  X(VIRTQ_SUBMIT, "virtq_submit", SFORK_HAS_CS1 | SFORK_HAS_N | SFORK_HAS_DIRECTION) \
  X(VIRTQ_COMPLETE, "virtq_complete", 0) \
  X(CHANNEL, "channel", 0) \
  X(SENDCAP, "sendcap", SFORK_HAS_CHANNEL | SFORK_HAS_CS1) \
  X(RECVCAP, "recvcap", SFORK_HAS_CD | SFORK_HAS_CHANNEL)

enum {
#define SFORK_X(name, word) SFORK_OPERAND_##name,
  SFORK_OPERAND_WORDS(SFORK_X)
#undef SFORK_X
    SFORK_OPERANDS
};

enum {
#define SFORK_X(name, word) SFORK_HAS_##name = 1 << SFORK_OPERAND_##name,
  SFORK_OPERAND_WORDS(SFORK_X)
#undef SFORK_X
};

typedef enum sfork_operation {
#define SFORK_X(name, word, operands) SFORK_OP_##name,
  SFORK_OPERATION_WORDS(SFORK_X)
#undef SFORK_X
    SFORK_OPERATIONS
} sfork_operation;

typedef enum sfork_format {
#define SFORK_X(name, word) SFORK_FORMAT_##name,
  SFORK_FORMAT_WORDS(SFORK_X)
#undef SFORK_X
    SFORK_FORMATS
} sfork_format;

typedef enum sfork_strategy {
#define SFORK_X(name, word) SFORK_STRATEGY_##name,
  SFORK_STRATEGY_WORDS(SFORK_X)
#undef SFORK_X
    SFORK_STRATEGIES
} sfork_strategy;

typedef enum sfork_trap {
#define SFORK_X(name, word) SFORK_TRAP_##name,
  SFORK_TRAP_WORDS(SFORK_X)
#undef SFORK_X
    SFORK_TRAPS
} sfork_trap;

typedef enum sfork_error {
#define SFORK_X(name, word) SFORK_E##name,
  SFORK_ERROR_WORDS(SFORK_X)
#undef SFORK_X
    SFORK_ERRORS
} sfork_error;

/* Permissions, flags of open and choices come in sets, of one bit each. */
enum {
#define SFORK_X(name, word) SFORK_PERMISSION_##name,
  SFORK_PERMISSION_WORDS(SFORK_X)
#undef SFORK_X
    SFORK_PERMISSIONS
};

enum {
#define SFORK_X(name, word) SFORK_PERM_##name = 1 << SFORK_PERMISSION_##name,
  SFORK_PERMISSION_WORDS(SFORK_X)
#undef SFORK_X
};

enum {
#define SFORK_X(name, word) SFORK_FLAG_##name,
  SFORK_OPEN_WORDS(SFORK_X)
#undef SFORK_X
    SFORK_FLAGS
};

enum {
#define SFORK_X(name, word) SFORK_OPEN_##name = 1 << SFORK_FLAG_##name,
  SFORK_OPEN_WORDS(SFORK_X)
#undef SFORK_X
};

enum {
#define SFORK_X(name, word) SFORK_CHOICE_BIT_##name,
  SFORK_CHOICE_WORDS(SFORK_X)
#undef SFORK_X
    SFORK_CHOICES
};

enum {
#define SFORK_X(name, word) SFORK_CHOICE_##name = 1 << SFORK_CHOICE_BIT_##name,
  SFORK_CHOICE_WORDS(SFORK_X)
#undef SFORK_X
};

typedef enum sfork_advice {
#define SFORK_X(name, word) SFORK_ADVICE_##name,
  SFORK_ADVICE_WORDS(SFORK_X)
#undef SFORK_X
    SFORK_ADVICES
} sfork_advice;

typedef enum sfork_whence {
#define SFORK_X(name, word) SFORK_WHENCE_##name,
  SFORK_WHENCE_WORDS(SFORK_X)
#undef SFORK_X
    SFORK_WHENCES
} sfork_whence;

typedef enum sfork_resource {
#define SFORK_X(name, word) SFORK_RESOURCE_##name,
  SFORK_RESOURCE_WORDS(SFORK_X)
#undef SFORK_X
    SFORK_RESOURCES
} sfork_resource;

typedef enum sfork_whose {
#define SFORK_X(name, word) SFORK_WHOSE_##name,
  SFORK_WHOSE_WORDS(SFORK_X)
#undef SFORK_X
    SFORK_WHOSES
} sfork_whose;

typedef enum sfork_direction {
#define SFORK_X(name, word) SFORK_DIRECTION_##name,
  SFORK_DIRECTION_WORDS(SFORK_X)
#undef SFORK_X
    SFORK_DIRECTIONS
} sfork_direction;

enum { SFORK_PROT_NONE = 0, SFORK_PROT_READ = 1, SFORK_PROT_WRITE = 2, SFORK_PROT_EXECUTE = 4 };

/* ---- What is asked ----------------------------------------------------------------------------------------------- */

enum { SFORK_REGISTERS = 16, SFORK_DESCRIPTORS = 16, SFORK_SIGNALS = 31 };

/* The machine of a run (docs/programs.md, "Configuration"). */
typedef struct sfork_config {
  sfork_format format;
  sfork_strategy strategy;
  uint64_t page, pages, stride, guard, slots, processes, frames;
  bool overcommit; /* commit=overcommit; otherwise reserve */
  bool reuse;      /* reuse=revoke; otherwise never */
  uint64_t base, shared, pipe, channel;
} sfork_config;

/* An immediate, or the address of a register. Both are taken modulo 2^XLEN by who uses them. */
typedef struct sfork_integer {
  bool is_register;
  uint8_t number;     /* of the register */
  uint64_t immediate; /* modulo 2^64: -8 is 0xfffffffffffffff8 */
} sfork_integer;

typedef enum sfork_action_kind { SFORK_ACTION_DEFAULT, SFORK_ACTION_IGNORE, SFORK_ACTION_HANDLER } sfork_action_kind;

typedef struct sfork_action {
  sfork_action_kind kind;
  uint8_t code, data; /* registers of a handler */
} sfork_action;

typedef enum sfork_target_kind { SFORK_TARGET_PROCESS, SFORK_TARGET_GROUP, SFORK_TARGET_OWN_GROUP } sfork_target_kind;

typedef struct sfork_target {
  sfork_target_kind kind;
  uint32_t process; /* the process, or the one that leads the group */
} sfork_target;

/*
 * A step: who takes it, and an operation with its operands, under their names in docs/operations.md. Operands that the
 * operation does not have are zero. All numbers are in range: registers and descriptors below 16.
 */
typedef struct sfork_step {
  uint32_t process, thread;
  sfork_operation op;
  uint8_t cd, cs1, cs2;
  sfork_integer n, n2, value, start, length, signal;
  uint32_t words;     /* SFORK_PERM_... */
  uint8_t protection; /* SFORK_PROT_... */
  uint32_t channel, segment;
  bool has_whom, has_group; /* optional operands that are there */
  uint32_t whom, group;
  uint8_t d, d2;
  const char *path; /* not ended by a zero; it lies in the line, which is gone after the step */
  size_t path_length;
  uint32_t flags;   /* SFORK_OPEN_... */
  uint32_t signals; /* signal s is bit s; numbers that are no signals are left out */
  sfork_action action;
  sfork_target target;
  sfork_operation call; /* of call_enter: read, readv, write, writev or open, whose operands stand beside it here */
  sfork_advice advice;
  sfork_whence whence;
  sfork_resource resource;
  sfork_whose whose;
  sfork_direction direction;
} sfork_step;

/* ---- What is answered -------------------------------------------------------------------------------------------- */

typedef enum sfork_sealing { SFORK_UNSEALED, SFORK_SENTRY, SFORK_SEALED } sfork_sealing;

/* A capability, with absolute addresses. */
typedef struct sfork_capability {
  bool tag;
  bool top_carry; /* bit 64 of the top */
  uint64_t address, base, top;
  uint32_t permissions; /* SFORK_PERM_... */
  sfork_sealing sealing;
  uint64_t otype; /* where sealing is SFORK_SEALED */
  uint64_t flags;
} sfork_capability;

typedef enum sfork_saw {
  SFORK_SAW_NONE, /* done, and nothing to show */
  SFORK_SAW_CAPABILITY,
  SFORK_SAW_INTEGER,
  SFORK_SAW_BYTES,
  SFORK_SAW_DESCRIPTOR,
  SFORK_SAW_DESCRIPTORS,
  SFORK_SAW_SET,
  SFORK_SAW_CHILD,
  SFORK_SAW_PROCESS,
  SFORK_SAW_TRAP,
  SFORK_SAW_ERROR,
  SFORK_SAW_WOULD_BLOCK,
  SFORK_SAW_UNSUPPORTED,
  SFORK_SAW_NO_ACTOR, /* a signal ended the process before its step */
  SFORK_SAW_HALTED,   /* the same of process 0 */
  SFORK_SAW_OUT_OF_FRAMES
} sfork_saw;

typedef enum sfork_disposition {
  SFORK_DISPOSITION_NOT_SHOWN,
  SFORK_DISPOSITION_DEFAULT,
  SFORK_DISPOSITION_IGNORE,
  SFORK_DISPOSITION_HANDLER
} sfork_disposition;

/* What a step observed. It is all zeros before the step: SFORK_SAW_NONE. */
typedef struct sfork_observation {
  sfork_saw saw;
  sfork_capability capability;
  uint64_t integer; /* already modulo 2^XLEN */
  const uint8_t *bytes;
  size_t byte_count;
  uint32_t descriptor, second_descriptor;
  uint32_t set_signals; /* of a set: signals, signal s in bit s, */
  uint32_t set_flags;   /* SFORK_OPEN_..., */
  sfork_disposition set_disposition; /* and what a signal does */
  uint32_t child;       /* of a fork: its ordinal, */
  bool tells_pid, tells_slot; /* and what was chosen for it, if "pid" and "slot" are among the choices */
  uint64_t pid, slot;
  uint32_t process; /* who was reaped, */
  bool signalled;   /* and how it had ended: by a signal, otherwise by exit, */
  uint32_t status;  /* with this number or status */
  sfork_trap trap;
  const char *operand; /* the operand that the trap is about: "cs1" */
  sfork_error error;
  uint8_t signal_count; /* signals that the thread took before the step, in this order */
  uint8_t signals[SFORK_SIGNALS];
} sfork_observation;

typedef enum sfork_region_kind { SFORK_REGION_PROCESS, SFORK_REGION_SEGMENT, SFORK_REGION_KERNEL } sfork_region_kind;

/*
 * Where something lies that addresses are told by. List all processes that were made, those that ended as dead, or at
 * least those whose region nobody has taken since: of several that lie at the same place the one that lives counts, or
 * else the one that was made last.
 */
typedef struct sfork_region {
  sfork_region_kind kind;
  bool dead;
  uint32_t number; /* of the process, or the segment */
  uint64_t base, size;
} sfork_region;

/* ---- The implementation ------------------------------------------------------------------------------------------ */

typedef struct sfork_view sfork_view;
typedef struct sfork_counters sfork_counters;

typedef struct sfork_implementation {
  /* What every function below is given. */
  void *context;
  /* Waits until at least one byte is there, and gives up to size of them. Returns how many; 0 at the end of the input;
     less than 0 if reading failed. */
  ptrdiff_t (*read)(void *context, void *buffer, size_t size);
  /* Writes all of the bytes. Returns 0; anything else if writing failed. */
  int (*write)(void *context, const void *bytes, size_t size);

  /* What it is, and has: the answer to hello. */
  const char *name;
  uint32_t formats;    /* a bit for each: 1 << SFORK_FORMAT_... */
  uint32_t strategies; /* 1 << SFORK_STRATEGY_... */
  const sfork_operation *operations;
  size_t operation_count;
  const uint32_t *page_sizes; /* limits; none where it is null or 0 */
  size_t page_size_count;
  uint32_t most_pages, most_processes;
  uint32_t choices;  /* SFORK_CHOICE_... */
  bool is_configured; /* regions lie where the configuration says */

  /* Makes a machine at its start; of the run before nothing is left. Returns 0; anything else if it cannot be made,
     which is answered as an error with code "limit". */
  int (*start)(void *context, const sfork_config *config);
  /* Takes a step, and fills in what it observed. */
  void (*step)(void *context, const sfork_step *step, sfork_observation *observation);
  /* Where regions, segments and the kernel lie now: gives a list and returns its length. If the function is null, all
     addresses are told as they are. */
  size_t (*regions)(void *context, const sfork_region **list);
  /* Optional: calls sfork_see_granule and sfork_see_register for every tagged capability that there is, in any order.
     It is called twice for one answer, and must do the same both times. */
  void (*view)(void *context, sfork_view *view);
  /* Optional: calls sfork_count for each counter that is to be reported. */
  void (*counters)(void *context, sfork_counters *counters);
} sfork_implementation;

/* The register pcc, where general ones are 0 to 15. */
enum { SFORK_PCC = 16 };

/* A tagged granule of a live process, at an absolute address, as the process would see it. */
void sfork_see_granule(sfork_view *view, uint32_t process, uint64_t address, const sfork_capability *capability);
/* A tagged register of a live thread. */
void sfork_see_register(sfork_view *view, uint32_t process, uint32_t thread, uint32_t number,
                        const sfork_capability *capability);
void sfork_count(sfork_counters *counters, const char *name, uint64_t value);

/* What sfork_serve returns: of a process, the exit status. */
enum {
  SFORK_ENDED = 0,        /* the input has ended */
  SFORK_FAILED = 1,       /* reading or writing failed */
  SFORK_OTHER_VERSION = 3 /* another version of the protocol was asked for */
};

/*
 * Answers requests until the input ends. `buffer` holds the lines that are read: one of more than `size` bytes, its end
 * included, is answered by an error with code "too-long". A program of fifty steps has 3 KiB, seldom 4.
 */
int sfork_serve(const sfork_implementation *implementation, void *buffer, size_t size);

/* The word of an operation: "csetbounds". */
const char *sfork_operation_word(sfork_operation op);

#ifdef __cplusplus
}
#endif
#endif /* SFORK_H */

#if defined(SFORK_IMPLEMENTATION) && !defined(SFORK_IMPLEMENTED)
#define SFORK_IMPLEMENTED

/* Bytes that are collected before the write function is called. */
#ifndef SFORK_OUTPUT
#define SFORK_OUTPUT 512
#endif

/* Most bytes of a line, without its end. */
#define SFORK_LONGEST_LINE ((size_t)8 << 20)

/* Objects and lists within each other: messages have six at most. */
#define SFORK_DEEPEST 64

/* The largest whole number that every reader of JSON has exactly. */
#define SFORK_LARGEST_WHOLE (((uint64_t)1 << 53) - 1)

/* ---- Tables of words --------------------------------------------------------------------------------------------- */

#define SFORK_X(name, word) word,
static const char *const sfork__formats[] = {SFORK_FORMAT_WORDS(SFORK_X)};
static const char *const sfork__strategies[] = {SFORK_STRATEGY_WORDS(SFORK_X)};
static const char *const sfork__permissions[] = {SFORK_PERMISSION_WORDS(SFORK_X)};
static const char *const sfork__traps[] = {SFORK_TRAP_WORDS(SFORK_X)};
static const char *const sfork__errors[] = {SFORK_ERROR_WORDS(SFORK_X)};
static const char *const sfork__flags[] = {SFORK_OPEN_WORDS(SFORK_X)};
static const char *const sfork__choices[] = {SFORK_CHOICE_WORDS(SFORK_X)};
static const char *const sfork__advices[] = {SFORK_ADVICE_WORDS(SFORK_X)};
static const char *const sfork__whences[] = {SFORK_WHENCE_WORDS(SFORK_X)};
static const char *const sfork__resources[] = {SFORK_RESOURCE_WORDS(SFORK_X)};
static const char *const sfork__whoses[] = {SFORK_WHOSE_WORDS(SFORK_X)};
static const char *const sfork__directions[] = {SFORK_DIRECTION_WORDS(SFORK_X)};
static const char *const sfork__operand_words[] = {SFORK_OPERAND_WORDS(SFORK_X)};
#undef SFORK_X

#define SFORK_X(name, word, operands) {word, (uint32_t)(operands)},
static const struct {
  const char *word;
  uint32_t operands;
} sfork__operations[] = {SFORK_OPERATION_WORDS(SFORK_X)};
#undef SFORK_X

static const char *const sfork__commits[] = {"reserve", "overcommit"};
static const char *const sfork__reuses[] = {"never", "revoke"};
static const char *const sfork__actions[] = {"default", "ignore"};
static const char *const sfork__dispositions[] = {"default", "ignore", "handler"};

const char *sfork_operation_word(sfork_operation op) {
  return (unsigned)op < SFORK_OPERATIONS ? sfork__operations[op].word : "";
}

/* ---- JSON -----------------------------------------------------------------------------------------------------------
 *
 * A line is first looked at as a whole (sfork__check_json): behind that everything may rely on it being JSON, and on it
 * not being deep. Its strings are mended in place, so that a word is that word's bytes between two quotation marks.
 * What then stands in a message is found by walking over it, as often as it is needed: no tree is built.
 */

/* A part of the line. */
typedef struct sfork__text {
  const char *at, *end;
} sfork__text;

static bool sfork__is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
static bool sfork__is_digit(char c) { return c >= '0' && c <= '9'; }

/* The value of a hexadecimal digit, or -1. */
static int sfork__hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

static sfork__text sfork__skip_space(sfork__text in) {
  while (in.at < in.end && sfork__is_space(*in.at)) in.at++;
  return in;
}

/*
 * The string that begins at text[at], of which nothing is known yet. Escaped letters that need no escape become those
 * letters; the string becomes shorter by that, and spaces behind it, which JSON allows there, fill the gap. Gives the
 * place behind it, or 0 if it is no string.
 */
static size_t sfork__check_string(char *text, size_t size, size_t at) {
  size_t from = at + 1, to = at + 1;
  while (from < size && text[from] != '"') {
    if ((unsigned char)text[from] < 0x20) return 0;
    if (text[from] != '\\') {
      text[to++] = text[from++];
      continue;
    }
    if (size - from < 2) return 0;
    char escaped = text[from + 1];
    if (escaped == 'u') {
      if (size - from < 6) return 0;
      int code = 0;
      for (size_t k = 2; k < 6; k++) {
        int digit = sfork__hex_digit(text[from + k]);
        if (digit < 0) return 0;
        code = code * 16 + digit;
      }
      if (code >= 0x20 && code < 0x7f && code != '"' && code != '\\') {
        text[to++] = (char)code;
        from += 6;
      } else {
        for (size_t k = 0; k < 6; k++) text[to++] = text[from++];
      }
    } else if (escaped == '/') {
      text[to++] = '/';
      from += 2;
    } else if (escaped == '"' || escaped == '\\' || escaped == 'b' || escaped == 'f' || escaped == 'n' ||
               escaped == 'r' || escaped == 't') {
      text[to++] = text[from++];
      text[to++] = text[from++];
    } else {
      return 0;
    }
  }
  if (from >= size) return 0;
  text[to++] = '"';
  while (to <= from) text[to++] = ' ';
  return from + 1;
}

static size_t sfork__check_digits(const char *text, size_t size, size_t at) {
  while (at < size && sfork__is_digit(text[at])) at++;
  return at;
}

/* The number that begins at text[at]: the place behind it, or 0. */
static size_t sfork__check_number(const char *text, size_t size, size_t at) {
  size_t from;
  if (text[at] == '-') at++;
  from = at;
  at = sfork__check_digits(text, size, at);
  if (at == from || (text[from] == '0' && at - from > 1)) return 0;
  if (at < size && text[at] == '.') {
    from = at + 1;
    at = sfork__check_digits(text, size, from);
    if (at == from) return 0;
  }
  if (at < size && (text[at] == 'e' || text[at] == 'E')) {
    at++;
    if (at < size && (text[at] == '+' || text[at] == '-')) at++;
    from = at;
    at = sfork__check_digits(text, size, from);
    if (at == from) return 0;
  }
  return at;
}

/* One of the three words that are values: the place behind it, or 0. */
static size_t sfork__check_literal(const char *text, size_t size, size_t at) {
  static const char *const literals[] = {"true", "false", "null"};
  for (size_t k = 0; k < 3; k++) {
    size_t n = 0;
    while (literals[k][n] != 0 && n < size - at && text[at + n] == literals[k][n]) n++;
    if (literals[k][n] == 0) return at + n;
  }
  return 0;
}

typedef enum sfork__json { SFORK__JSON, SFORK__NO_JSON, SFORK__TOO_DEEP } sfork__json;

/* Is the line one JSON value? What is open is kept as one bit a level, an object or a list: nothing calls itself. */
static sfork__json sfork__check_json(char *text, size_t size) {
  enum { VALUE, VALUE_OR_END, KEY, KEY_OR_END, DONE } next = VALUE;
  uint64_t objects = 0;
  unsigned depth = 0;
  size_t at = 0;
  for (;;) {
    while (at < size && sfork__is_space(text[at])) at++;
    if (at == size) return depth == 0 && next == DONE ? SFORK__JSON : SFORK__NO_JSON;
    bool in_object = depth > 0 && (objects & 1) != 0;
    char c = text[at];
    if (next == DONE) {
      if (depth == 0) return SFORK__NO_JSON;
      if (c == ',') {
        next = in_object ? KEY : VALUE;
      } else if (c == (in_object ? '}' : ']')) {
        objects >>= 1;
        depth--;
      } else {
        return SFORK__NO_JSON;
      }
      at++;
    } else if ((next == KEY_OR_END && c == '}') || (next == VALUE_OR_END && c == ']')) {
      objects >>= 1;
      depth--;
      next = DONE;
      at++;
    } else if (next == KEY || next == KEY_OR_END) {
      if (c != '"') return SFORK__NO_JSON;
      at = sfork__check_string(text, size, at);
      if (at == 0) return SFORK__NO_JSON;
      while (at < size && sfork__is_space(text[at])) at++;
      if (at == size || text[at] != ':') return SFORK__NO_JSON;
      at++;
      next = VALUE;
    } else if (c == '{' || c == '[') {
      if (depth == SFORK_DEEPEST) return SFORK__TOO_DEEP;
      objects = (objects << 1) | (c == '{');
      depth++;
      next = c == '{' ? KEY_OR_END : VALUE_OR_END;
      at++;
    } else {
      at = c == '"'                           ? sfork__check_string(text, size, at)
           : c == '-' || sfork__is_digit(c) ? sfork__check_number(text, size, at)
                                              : sfork__check_literal(text, size, at);
      if (at == 0) return SFORK__NO_JSON;
      next = DONE;
    }
  }
}

/* Behind the string that begins here. */
static const char *sfork__behind_string(sfork__text in) {
  for (in.at++; in.at < in.end && *in.at != '"'; in.at++) {
    if (*in.at == '\\' && in.end - in.at > 1) in.at++;
  }
  return in.at < in.end ? in.at + 1 : in.end;
}

/* Behind the value that begins here. */
static const char *sfork__behind_value(sfork__text in) {
  unsigned depth = 0;
  while (in.at < in.end) {
    char c = *in.at;
    if (c == '"') {
      in.at = sfork__behind_string(in);
    } else if (c == '{' || c == '[') {
      depth++;
      in.at++;
    } else if (c == '}' || c == ']') {
      depth--;
      in.at++;
    } else if (depth > 0) {
      in.at++;
      continue;
    } else {
      while (in.at < in.end && *in.at != ',' && *in.at != '}' && *in.at != ']' && !sfork__is_space(*in.at)) in.at++;
    }
    if (depth == 0) break;
  }
  return in.at;
}

static bool sfork__is_object(sfork__text value) { return value.at < value.end && *value.at == '{'; }
static bool sfork__is_list(sfork__text value) { return value.at < value.end && *value.at == '['; }
static bool sfork__is_string(sfork__text value) { return value.at < value.end && *value.at == '"'; }

/*
 * The next element of a list; false at its end. `in` stands at the opening bracket first, and behind an element, at a
 * comma or the closing bracket, later.
 */
static bool sfork__element(sfork__text *in, sfork__text *value) {
  sfork__text rest = *in;
  if (rest.at >= rest.end || *rest.at == ']') return false;
  rest.at++;
  rest = sfork__skip_space(rest);
  if (rest.at >= rest.end || *rest.at == ']') return false;
  value->at = rest.at;
  value->end = rest.at = sfork__behind_value(rest);
  *in = sfork__skip_space(rest);
  return true;
}

/* The next member of an object in the same way: the key without its quotation marks, and the value. */
static bool sfork__member(sfork__text *in, sfork__text *key, sfork__text *value) {
  sfork__text rest = *in;
  if (rest.at >= rest.end || *rest.at == '}') return false;
  rest.at++;
  rest = sfork__skip_space(rest);
  if (rest.at >= rest.end || *rest.at == '}') return false;
  key->at = rest.at + 1;
  rest.at = sfork__behind_string(rest);
  key->end = rest.at - 1;
  rest = sfork__skip_space(rest);
  rest.at++; /* the colon */
  rest = sfork__skip_space(rest);
  value->at = rest.at;
  value->end = rest.at = sfork__behind_value(rest);
  *in = sfork__skip_space(rest);
  return true;
}

/* What stands between the quotation marks of a string; nothing of any other value. */
static sfork__text sfork__inside(sfork__text value) {
  if (sfork__is_string(value)) {
    value.at++;
    value.end--;
  } else {
    value.end = value.at;
  }
  return value;
}

static bool sfork__is(sfork__text text, const char *word) {
  while (text.at < text.end && *word != 0 && *text.at == *word) {
    text.at++;
    word++;
  }
  return text.at == text.end && *word == 0;
}

/* Which word of a list a string is; -1 if it is none. */
static int sfork__word(sfork__text value, const char *const *list, int count) {
  if (!sfork__is_string(value)) return -1;
  for (int k = 0; k < count; k++) {
    if (sfork__is(sfork__inside(value), list[k])) return k;
  }
  return -1;
}

/* A whole number, as a number. */
static bool sfork__whole(sfork__text value, uint64_t most, uint64_t *number) {
  uint64_t sum = 0;
  if (value.at == value.end) return false;
  for (; value.at < value.end; value.at++) {
    if (!sfork__is_digit(*value.at)) return false;
    sum = sum * 10 + (uint64_t)(*value.at - '0');
    if (sum > most) return false;
  }
  *number = sum;
  return true;
}

/* 0x40, -0x8, 64, as a text; modulo 2^64. `fits` says that nothing was lost. */
static bool sfork__numeral(sfork__text text, uint64_t *number, bool *negative, bool *fits) {
  uint64_t sum = 0;
  *negative = text.at < text.end && *text.at == '-';
  *fits = true;
  if (*negative) text.at++;
  bool hexadecimal = text.end - text.at > 2 && text.at[0] == '0' && (text.at[1] == 'x' || text.at[1] == 'X');
  if (hexadecimal) text.at += 2;
  if (text.at == text.end) return false;
  uint64_t radix = hexadecimal ? 16 : 10;
  for (; text.at < text.end; text.at++) {
    int digit = sfork__hex_digit(*text.at);
    if (digit < 0 || (uint64_t)digit >= radix) return false;
    if (sum > (UINT64_MAX - (uint64_t)digit) / radix) *fits = false;
    sum = sum * radix + (uint64_t)digit;
  }
  *number = *negative ? 0 - sum : sum;
  return true;
}

/* ---- Mistakes ---------------------------------------------------------------------------------------------------- */

/* What is wrong with a message, and where: "steps[0].cd: 77 is not a register; registers are 0 to 15". */
typedef struct sfork__mistake {
  const char *code;
  const char *text;
  const char *place; /* "config", "steps" */
  bool has_index;
  uint64_t index;
  const char *outer; /* "call", of an operand of the call within the step */
  const char *member;
  bool has_number;
  uint64_t number; /* the number that is wrong */
} sfork__mistake;

static bool sfork__wrong(sfork__mistake *mistake, const char *code, const char *member, const char *text) {
  mistake->code = code;
  mistake->member = member;
  mistake->text = text;
  return false;
}

/* ---- Configurations ---------------------------------------------------------------------------------------------- */

static bool sfork__address(sfork__text value, uint64_t *address) {
  bool negative = false, fits = false;
  if (!sfork__is_string(value)) return sfork__whole(value, SFORK_LARGEST_WHOLE, address);
  return sfork__numeral(sfork__inside(value), address, &negative, &fits) && fits && !negative;
}

/* Sizes that can be, and places that can be told by 64 bits. What a format can represent is not known here (CFG-1). */
static const char *sfork__illegal(const sfork_config *config) {
  bool narrow = config->format == SFORK_FORMAT_CHERI64_V9 || config->format == SFORK_FORMAT_RVY64;
  uint64_t limit = config->format == SFORK_FORMAT_MORELLO ? (uint64_t)1 << 55 : (uint64_t)1 << (narrow ? 31 : 63);
  if (config->page < 256 || (config->page & (config->page - 1)) != 0) return "page is a power of two, at least 256";
  if (config->pages < 4) return "a region has at least 4 pages";
  if (config->processes < 1) return "there is at least one process";
  if (config->slots < config->processes) return "there are at least as many slots as processes";
  if (config->frames < config->pages / 2 + 2) return "the frames suffice for the pages of process 0";
  if (config->shared < 1 || config->pipe < 1 || config->channel < 1) return "shared, pipe and channel are at least 1";
  if (config->guard < config->page) return "the guard is at least one page";
  /* Divisions, where a product might not fit. */
  if (config->guard > limit || config->pages > (limit - config->guard) / config->page ||
      config->stride < config->page * config->pages + config->guard) {
    return "the stride is at least a region and its guard";
  }
  if (config->base > limit || config->shared >= limit / config->page ||
      (config->shared + 1) * config->page > limit - config->base ||
      config->slots > (limit - config->base - (config->shared + 1) * config->page) / config->stride) {
    return "everything ends in the lower half of the address space";
  }
  return 0;
}

static bool sfork__read_config(sfork__text object, sfork_config *config, sfork__mistake *mistake) {
  enum { FORMAT, STRATEGY, STRIDE, BASE, COMMIT, REUSE, NUMBERS };
  static const char *const keys[] = {"format", "strategy", "stride",    "base",   "commit", "reuse", "page",   "pages",
                                     "guard",  "slots",    "processes", "frames", "shared", "pipe",  "channel"};
  uint64_t *const numbers[] = {&config->page,   &config->pages,  &config->guard, &config->slots,  &config->processes,
                               &config->frames, &config->shared, &config->pipe,  &config->channel};
  const int count = (int)(sizeof keys / sizeof *keys);
  sfork__text key, value;
  unsigned found = 0;
  mistake->place = "config";
  if (!sfork__is_object(object)) return sfork__wrong(mistake, "program", 0, "is not a configuration; write an object");
  while (sfork__member(&object, &key, &value)) {
    int which = 0, word = 0;
    bool read = true;
    while (which < count && !sfork__is(key, keys[which])) which++;
    if (which == count) return sfork__wrong(mistake, "program", 0, "it has a key that is not known");
    switch (which) {
      case FORMAT:
        word = sfork__word(value, sfork__formats, SFORK_FORMATS);
        if (word >= 0) config->format = (sfork_format)word;
        break;
      case STRATEGY:
        word = sfork__word(value, sfork__strategies, SFORK_STRATEGIES);
        if (word >= 0) config->strategy = (sfork_strategy)word;
        break;
      case COMMIT:
        word = sfork__word(value, sfork__commits, 2);
        config->overcommit = word == 1;
        break;
      case REUSE:
        word = sfork__word(value, sfork__reuses, 2);
        config->reuse = word == 1;
        break;
      case STRIDE:
        read = sfork__address(value, &config->stride);
        break;
      case BASE:
        read = sfork__address(value, &config->base);
        break;
      default:
        read = sfork__whole(value, SFORK_LARGEST_WHOLE, numbers[which - NUMBERS]);
    }
    if (word < 0) return sfork__wrong(mistake, "program", keys[which], "is not a word that is known here");
    if (!read) {
      const char *problem = which < NUMBERS ? "is not an address; write 0x4000" : "is not a whole number";
      return sfork__wrong(mistake, "program", keys[which], problem);
    }
    found |= 1U << which;
  }
  for (int which = 0; which < count; which++) {
    if ((found >> which & 1) != 0) continue;
    return sfork__wrong(mistake, "program", keys[which], "is missing; a configuration has all its keys");
  }
  const char *illegal = sfork__illegal(config);
  return illegal == 0 || sfork__wrong(mistake, "program", 0, illegal);
}

/* Is it within what was declared? */
static bool sfork__allows_config(const sfork_implementation *use, const sfork_config *config, sfork__mistake *mistake) {
  const char *beyond = 0;
  bool has_page = use->page_size_count == 0;
  for (size_t k = 0; k < use->page_size_count; k++) has_page = has_page || use->page_sizes[k] == config->page;
  if (use->most_processes != 0 && config->processes > use->most_processes) beyond = "processes";
  if (use->most_pages != 0 && config->pages > use->most_pages) beyond = "pages";
  if (!has_page) beyond = "page";
  if ((use->strategies >> config->strategy & 1) == 0) beyond = "strategy";
  if ((use->formats >> config->format & 1) == 0) beyond = "format";
  mistake->place = "config";
  return beyond == 0 || sfork__wrong(mistake, "limit", beyond, "is not within what was declared");
}

/* ---- Steps ------------------------------------------------------------------------------------------------------- */

static bool sfork__register(sfork__text value, uint8_t *number, sfork__mistake *mistake, const char *member) {
  uint64_t found = 0;
  if (!sfork__whole(value, SFORK_LARGEST_WHOLE, &found)) {
    return sfork__wrong(mistake, "program", member, "is not a register; write its number");
  }
  if (found >= SFORK_REGISTERS) {
    mistake->has_number = true;
    mistake->number = found;
    return sfork__wrong(mistake, "program", member, "is not a register; registers are 0 to 15");
  }
  *number = (uint8_t)found;
  return true;
}

/* "0x40", "-0x8", "c5"; for readers also 64 and -8, as numbers. */
static bool sfork__read_integer(sfork__text value, sfork_integer *integer) {
  sfork__text text = sfork__inside(value);
  bool negative = false, fits = false;
  if (!sfork__is_string(value)) {
    uint64_t number = 0;
    negative = value.at < value.end && *value.at == '-';
    if (negative) value.at++;
    if (!sfork__whole(value, SFORK_LARGEST_WHOLE, &number)) return false;
    integer->immediate = negative ? 0 - number : number;
    return true;
  }
  if (sfork__is(text, "csp")) {
    integer->is_register = true;
    integer->number = 2;
    return true;
  }
  if (text.at < text.end && *text.at == 'c') {
    uint64_t number = 0;
    text.at++;
    if (!sfork__whole(text, SFORK_REGISTERS - 1, &number)) return false;
    integer->is_register = true;
    integer->number = (uint8_t)number;
    return true;
  }
  return sfork__numeral(text, &integer->immediate, &negative, &fits);
}

/* A list of words, as a set of bits. */
static bool sfork__read_words(sfork__text value, const char *const *list, int count, uint32_t *set) {
  sfork__text one;
  if (!sfork__is_list(value)) return false;
  *set = 0;
  while (sfork__element(&value, &one)) {
    int word = sfork__word(one, list, count);
    if (word < 0) return false;
    *set |= (uint32_t)1 << word;
  }
  return true;
}

static bool sfork__read_signals(sfork__text value, uint32_t *set) {
  sfork__text one;
  uint64_t signal = 0;
  if (!sfork__is_list(value)) return false;
  *set = 0;
  while (sfork__element(&value, &one)) {
    if (!sfork__whole(one, SFORK_LARGEST_WHOLE, &signal)) return false;
    if (signal >= 1 && signal <= SFORK_SIGNALS) *set |= (uint32_t)1 << signal;
  }
  return true;
}

/* Letters of rwx in this order, or none. */
static bool sfork__read_protection(sfork__text value, uint8_t *protection) {
  sfork__text text = sfork__inside(value);
  uint8_t rights = 0;
  if (sfork__is(text, "none")) {
    *protection = SFORK_PROT_NONE;
    return true;
  }
  for (int k = 0; k < 3; k++) {
    if (text.at < text.end && *text.at == "rwx"[k]) {
      rights = (uint8_t)(rights | 1U << k);
      text.at++;
    }
  }
  *protection = rights;
  return rights != 0 && text.at == text.end;
}

/* Names of lower-case letters behind slashes, or the root. */
static bool sfork__is_path(sfork__text text) {
  if (sfork__is(text, "/")) return true;
  if (text.at < text.end && *text.at == '/') text.at++;
  if (text.at == text.end) return false;
  while (text.at < text.end) {
    const char *start = text.at;
    while (text.at < text.end && *text.at >= 'a' && *text.at <= 'z') text.at++;
    if (text.at == start) return false;
    if (text.at == text.end) return true;
    if (*text.at++ != '/') return false;
  }
  return false;
}

static bool sfork__read_action(sfork__text value, sfork_action *action) {
  sfork__text key, list, one;
  int word = sfork__word(value, sfork__actions, 2);
  sfork__mistake ignored = {0};
  if (word >= 0) {
    action->kind = word == 0 ? SFORK_ACTION_DEFAULT : SFORK_ACTION_IGNORE;
    return true;
  }
  if (!sfork__is_object(value) || !sfork__member(&value, &key, &list) || !sfork__is(key, "handler")) return false;
  if (!sfork__is_list(list)) return false;
  if (!sfork__element(&list, &one) || !sfork__register(one, &action->code, &ignored, 0)) return false;
  if (!sfork__element(&list, &one) || !sfork__register(one, &action->data, &ignored, 0)) return false;
  if (sfork__element(&list, &one) || sfork__member(&value, &key, &list)) return false;
  action->kind = SFORK_ACTION_HANDLER;
  return true;
}

/* "P1", "-P1", "0"; for readers also "1" and "-1". */
static bool sfork__read_target(sfork__text value, sfork_target *target) {
  sfork__text text = sfork__inside(value);
  uint64_t number = 0;
  bool named = false;
  if (sfork__is(text, "0")) {
    target->kind = SFORK_TARGET_OWN_GROUP;
    return true;
  }
  target->kind = SFORK_TARGET_PROCESS;
  if (text.at < text.end && *text.at == '-') {
    target->kind = SFORK_TARGET_GROUP;
    text.at++;
  }
  if (text.at < text.end && *text.at == 'P') {
    named = true;
    text.at++;
  }
  if (!sfork__whole(text, UINT32_MAX, &number) || (!named && number == 0)) return false;
  target->process = (uint32_t)number;
  return true;
}

static bool sfork__ordinal(sfork__text value, uint32_t *ordinal) {
  uint64_t number = 0;
  if (!sfork__whole(value, UINT32_MAX, &number)) return false;
  *ordinal = (uint32_t)number;
  return true;
}

static int sfork__operation(sfork__text value) {
  sfork__text text = sfork__inside(value);
  for (int op = 0; op < SFORK_OPERATIONS; op++) {
    if (sfork__is(text, sfork__operations[op].word)) return op;
  }
  return -1;
}

static bool sfork__find(sfork__text object, const char *name, sfork__text *value) {
  sfork__text key, one;
  bool found = false;
  while (sfork__member(&object, &key, &one)) {
    if (!sfork__is(key, name)) continue;
    *value = one;
    found = true;
  }
  return found;
}

static bool sfork__can_be_split(sfork_operation op) {
  return op == SFORK_OP_READ || op == SFORK_OP_READV || op == SFORK_OP_WRITE || op == SFORK_OP_WRITEV ||
         op == SFORK_OP_OPEN;
}

static bool sfork__read_operands(sfork__text object, sfork_operation op, sfork_step *step, bool is_call,
                                 sfork__mistake *mistake);

/* An operation within call_enter, which has none within it. */
static bool sfork__read_call(sfork__text value, sfork_step *step, sfork__mistake *mistake) {
  sfork__text named = value;
  int op = sfork__is_object(value) && sfork__find(value, "op", &named) ? sfork__operation(named) : -1;
  if (op < 0 || !sfork__can_be_split((sfork_operation)op)) {
    return sfork__wrong(mistake, "program", "call", "is not one that can be split: read, readv, write, writev, open");
  }
  step->call = (sfork_operation)op;
  mistake->outer = "call";
  if (!sfork__read_operands(value, step->call, step, true, mistake)) return false;
  mistake->outer = 0;
  return true;
}

static bool sfork__read_operand(int operand, sfork__text value, sfork_step *step, sfork__mistake *mistake) {
  const char *name = sfork__operand_words[operand];
  const char *problem = 0;
  uint64_t number = 0;
  int word = 0;
  switch (operand) {
    case SFORK_OPERAND_CD:
      return sfork__register(value, &step->cd, mistake, name);
    case SFORK_OPERAND_CS1:
      return sfork__register(value, &step->cs1, mistake, name);
    case SFORK_OPERAND_CS2:
      return sfork__register(value, &step->cs2, mistake, name);
    case SFORK_OPERAND_N:
    case SFORK_OPERAND_N2:
    case SFORK_OPERAND_VALUE:
    case SFORK_OPERAND_START:
    case SFORK_OPERAND_LENGTH:
    case SFORK_OPERAND_SIGNAL: {
      sfork_integer *integer = operand == SFORK_OPERAND_N        ? &step->n
                               : operand == SFORK_OPERAND_N2     ? &step->n2
                               : operand == SFORK_OPERAND_VALUE  ? &step->value
                               : operand == SFORK_OPERAND_START  ? &step->start
                               : operand == SFORK_OPERAND_LENGTH ? &step->length
                                                                 : &step->signal;
      if (!sfork__read_integer(value, integer)) problem = "is not an integer; write \"0x40\", \"-0x8\" or \"c5\"";
      break;
    }
    case SFORK_OPERAND_WORDS:
      if (!sfork__read_words(value, sfork__permissions, SFORK_PERMISSIONS, &step->words)) {
        problem = "is not a list of permissions";
      }
      break;
    case SFORK_OPERAND_FLAGS:
      if (!sfork__read_words(value, sfork__flags, SFORK_FLAGS, &step->flags)) problem = "is not a list of flags";
      break;
    case SFORK_OPERAND_SIGNALS:
      if (!sfork__read_signals(value, &step->signals)) problem = "is not a list of signals";
      break;
    case SFORK_OPERAND_PROTECTION:
      if (!sfork__read_protection(value, &step->protection)) {
        problem = "is not a protection; write letters of rwx in this order, or none";
      }
      break;
    case SFORK_OPERAND_CHANNEL:
    case SFORK_OPERAND_SEGMENT:
    case SFORK_OPERAND_WHOM:
    case SFORK_OPERAND_GROUP: {
      uint32_t *ordinal = operand == SFORK_OPERAND_CHANNEL   ? &step->channel
                          : operand == SFORK_OPERAND_SEGMENT ? &step->segment
                          : operand == SFORK_OPERAND_WHOM ? &step->whom
                                                             : &step->group;
      if (!sfork__ordinal(value, ordinal)) problem = "is not an ordinal; write a whole number";
      step->has_whom = step->has_whom || operand == SFORK_OPERAND_WHOM;
      step->has_group = step->has_group || operand == SFORK_OPERAND_GROUP;
      break;
    }
    case SFORK_OPERAND_D:
    case SFORK_OPERAND_D2:
      if (!sfork__whole(value, SFORK_DESCRIPTORS - 1, &number)) {
        problem = "is not a descriptor; descriptors are 0 to 15";
      }
      *(operand == SFORK_OPERAND_D ? &step->d : &step->d2) = (uint8_t)number;
      break;
    case SFORK_OPERAND_PATH:
      if (!sfork__is_path(sfork__inside(value))) {
        problem = "is not a path; write names of lower-case letters: a, /d/a, or / alone";
      }
      step->path = sfork__inside(value).at;
      step->path_length = (size_t)(sfork__inside(value).end - step->path);
      break;
    case SFORK_OPERAND_ACTION:
      if (!sfork__read_action(value, &step->action)) {
        problem = "is not an action; write \"default\", \"ignore\" or {\"handler\":[3,1]}";
      }
      break;
    case SFORK_OPERAND_TARGET:
      if (!sfork__read_target(value, &step->target)) {
        problem = "is not a target; write P1, for its group -P1, for the own group 0";
      }
      break;
    case SFORK_OPERAND_CALL:
      return sfork__read_call(value, step, mistake);
    case SFORK_OPERAND_ADVICE:
      word = sfork__word(value, sfork__advices, SFORK_ADVICES);
      if (word >= 0) step->advice = (sfork_advice)word;
      break;
    case SFORK_OPERAND_WHENCE:
      word = sfork__word(value, sfork__whences, SFORK_WHENCES);
      if (word >= 0) step->whence = (sfork_whence)word;
      break;
    case SFORK_OPERAND_RESOURCE:
      word = sfork__word(value, sfork__resources, SFORK_RESOURCES);
      if (word >= 0) step->resource = (sfork_resource)word;
      break;
    case SFORK_OPERAND_WHOSE:
      word = sfork__word(value, sfork__whoses, SFORK_WHOSES);
      if (word >= 0) step->whose = (sfork_whose)word;
      break;
    default: /* SFORK_OPERAND_DIRECTION */
      word = sfork__word(value, sfork__directions, SFORK_DIRECTIONS);
      if (word >= 0) step->direction = (sfork_direction)word;
  }
  if (word < 0) problem = "is not a word that is known here";
  return problem == 0 || sfork__wrong(mistake, "program", name, problem);
}

/* The members of a step, or of the call within one. */
static bool sfork__read_operands(sfork__text object, sfork_operation op, sfork_step *step, bool is_call,
                                 sfork__mistake *mistake) {
  const uint32_t wanted = sfork__operations[op].operands;
  const uint32_t optional = SFORK_HAS_WHOM | SFORK_HAS_GROUP;
  uint32_t found = 0;
  sfork__text key, value;
  while (sfork__member(&object, &key, &value)) {
    int operand = 0;
    while (operand < SFORK_OPERANDS &&
           ((wanted >> operand & 1) == 0 || !sfork__is(key, sfork__operand_words[operand]))) {
      operand++;
    }
    if (operand < SFORK_OPERANDS) {
      if (!sfork__read_operand(operand, value, step, mistake)) return false;
      found |= (uint32_t)1 << operand;
    } else if (!sfork__is(key, "op") && (is_call || (!sfork__is(key, "process") && !sfork__is(key, "thread")))) {
      return sfork__wrong(mistake, "program", 0, "it has a key that its operation has not");
    }
  }
  for (int operand = 0; operand < SFORK_OPERANDS; operand++) {
    if (((wanted & ~optional & ~found) >> operand & 1) == 0) continue;
    return sfork__wrong(mistake, "program", sfork__operand_words[operand], "is missing");
  }
  return true;
}

static bool sfork__read_step(sfork__text value, sfork_step *step, sfork__mistake *mistake) {
  sfork__text member = value;
  int op;
  *step = (sfork_step){0};
  if (!sfork__is_object(value)) return sfork__wrong(mistake, "program", 0, "is not a step; write an object");
  op = sfork__find(value, "op", &member) ? sfork__operation(member) : -1;
  if (op < 0) return sfork__wrong(mistake, "program", "op", "is not an operation; docs/operations.md lists them");
  step->op = (sfork_operation)op;
  if (!sfork__find(value, "process", &member) || !sfork__ordinal(member, &step->process)) {
    return sfork__wrong(mistake, "program", "process", "is not a process; write a whole number");
  }
  if (!sfork__find(value, "thread", &member) || !sfork__ordinal(member, &step->thread)) {
    return sfork__wrong(mistake, "program", "thread", "is not a thread; write a whole number");
  }
  return sfork__read_operands(value, step->op, step, false, mistake);
}

static bool sfork__has_operation(const sfork_implementation *use, sfork_operation op) {
  for (size_t k = 0; k < use->operation_count; k++) {
    if (use->operations[k] == op) return true;
  }
  return false;
}

/* ---- Output ------------------------------------------------------------------------------------------------------ */

typedef struct sfork__session {
  const sfork_implementation *use;
  uint64_t line; /* the number of the line that is answered */
  sfork_config config;
  const sfork_region *regions;
  size_t region_count;
  bool failed;
  size_t used;
  char out[SFORK_OUTPUT];
} sfork__session;

static void sfork__flush(sfork__session *s) {
  if (s->used > 0 && !s->failed) s->failed = s->use->write(s->use->context, s->out, s->used) != 0;
  s->used = 0;
}

static void sfork__put_char(sfork__session *s, char c) {
  if (s->used == sizeof s->out) sfork__flush(s);
  s->out[s->used++] = c;
}

static void sfork__put(sfork__session *s, const char *text) {
  while (*text != 0) sfork__put_char(s, *text++);
}

static void sfork__put_number(sfork__session *s, uint64_t number) {
  char digits[20];
  size_t count = 0;
  do {
    digits[count++] = (char)('0' + number % 10);
    number /= 10;
  } while (number > 0);
  while (count > 0) sfork__put_char(s, digits[--count]);
}

static void sfork__put_digits(sfork__session *s, uint64_t number, int least) {
  int count = 16;
  while (count > least && number >> (4 * (count - 1)) == 0) count--;
  while (count-- > 0) sfork__put_char(s, "0123456789abcdef"[number >> (4 * count) & 15]);
}

/* 0x40; bit 64 stands beside the other bits. */
static void sfork__put_hex(sfork__session *s, bool carry, uint64_t number) {
  sfork__put(s, carry ? "0x1" : "0x");
  sfork__put_digits(s, number, carry ? 16 : 1);
}

/* A text in quotation marks; what would need more than a backslash becomes a question mark. */
static void sfork__put_text(sfork__session *s, const char *text) {
  sfork__put_char(s, '"');
  for (; text != 0 && *text != 0; text++) {
    if (*text == '"' || *text == '\\') sfork__put_char(s, '\\');
    sfork__put_char(s, (unsigned char)*text < 0x20 ? '?' : *text);
  }
  sfork__put_char(s, '"');
}

/* What separates an element or member from the one before it. */
static void sfork__put_comma(sfork__session *s, bool *first) {
  if (!*first) sfork__put_char(s, ',');
  *first = false;
}

static void sfork__put_words(sfork__session *s, const char *const *list, int count, uint32_t set, bool *first) {
  for (int k = 0; k < count; k++) {
    if ((set >> k & 1) == 0) continue;
    sfork__put_comma(s, first);
    sfork__put_text(s, list[k]);
  }
}

static void sfork__end_line(sfork__session *s) {
  sfork__put_char(s, '\n');
  sfork__flush(s);
}

static void sfork__put_error(sfork__session *s, const uint64_t *id, const sfork__mistake *mistake) {
  const char *separator = "";
  sfork__put(s, "{\"type\":\"error\",\"line\":");
  sfork__put_number(s, s->line);
  if (id != 0) {
    sfork__put(s, ",\"id\":");
    sfork__put_number(s, *id);
  }
  sfork__put(s, ",\"code\":\"");
  sfork__put(s, mistake->code);
  sfork__put(s, "\",\"message\":\"");
  if (mistake->place != 0) {
    sfork__put(s, mistake->place);
    if (mistake->has_index) {
      sfork__put_char(s, '[');
      sfork__put_number(s, mistake->index);
      sfork__put_char(s, ']');
    }
    separator = ".";
  }
  if (mistake->outer != 0) {
    sfork__put(s, separator);
    sfork__put(s, mistake->outer);
    separator = ".";
  }
  if (mistake->member != 0) {
    sfork__put(s, separator);
    sfork__put(s, mistake->member);
    separator = ".";
  }
  if (*separator != 0) sfork__put(s, ": ");
  if (mistake->has_number) {
    sfork__put_number(s, mistake->number);
    sfork__put_char(s, ' ');
  }
  /* Texts of mistakes are this file's own; some hold quotation marks. */
  for (const char *text = mistake->text; *text != 0; text++) {
    if (*text == '"') sfork__put_char(s, '\\');
    sfork__put_char(s, *text);
  }
  sfork__put(s, "\"}");
  sfork__end_line(s);
}

/* ---- Addresses --------------------------------------------------------------------------------------------------- */

/*
 * The region, segment or kernel that the bounds of a capability lie in; null where its numbers are told as they are:
 * without a tag, of authority over object types, and where bounds lie elsewhere.
 */
static const sfork_region *sfork__home(const sfork__session *s, const sfork_capability *c) {
  const sfork_region *home = 0;
  if (!c->tag || (c->permissions & (SFORK_PERM_SEAL | SFORK_PERM_UNSEAL)) != 0) return 0;
  if (c->top_carry || c->base > c->top) return 0;
  for (size_t k = 0; k < s->region_count; k++) {
    const sfork_region *one = &s->regions[k];
    if (c->base < one->base || c->top < one->base || c->top - one->base > one->size) continue;
    /* An empty capability between two segments lies in both, and is told by the lower one. */
    bool is_better = home == 0 || one->base < home->base;
    if (home != 0 && one->base == home->base) {
      is_better = one->dead == home->dead ? one->number > home->number : home->dead;
    }
    if (is_better) home = one;
  }
  return home;
}

/* P1+0x40; the distance is modulo the width of an address, with the sign that makes it smaller. */
static void sfork__put_place(sfork__session *s, const sfork_region *home, uint64_t address) {
  bool narrow = s->config.format == SFORK_FORMAT_CHERI64_V9 || s->config.format == SFORK_FORMAT_RVY64;
  uint64_t mask = narrow ? 0xffffffffU : UINT64_MAX;
  uint64_t half = mask / 2 + 1;
  uint64_t distance = (address - home->base) & mask;
  if (home->kind == SFORK_REGION_KERNEL) {
    sfork__put_char(s, 'K');
  } else {
    sfork__put_char(s, home->kind == SFORK_REGION_PROCESS ? 'P' : 'S');
    sfork__put_number(s, home->number);
  }
  sfork__put_char(s, distance > half ? '-' : '+');
  sfork__put_hex(s, false, distance > half ? (0 - distance) & mask : distance);
  if (home->dead) sfork__put(s, ",dead");
}

static void sfork__put_address(sfork__session *s, const char *name, const sfork_region *home, bool carry,
                               uint64_t address) {
  sfork__put(s, ",\"");
  sfork__put(s, name);
  sfork__put(s, "\":\"");
  if (home == 0) {
    sfork__put_hex(s, carry, address);
  } else {
    sfork__put_place(s, home, address);
  }
  sfork__put_char(s, '"');
}

static void sfork__put_capability(sfork__session *s, const sfork_capability *c) {
  const sfork_region *home = sfork__home(s, c);
  bool first = true;
  sfork__put(s, c->tag ? "{\"tag\":true" : "{\"tag\":false");
  sfork__put_address(s, "address", home, false, c->address);
  sfork__put_address(s, "base", home, false, c->base);
  sfork__put_address(s, "top", home, c->top_carry, c->top);
  sfork__put(s, ",\"permissions\":[");
  sfork__put_words(s, sfork__permissions, SFORK_PERMISSIONS, c->permissions, &first);
  sfork__put(s, "],\"otype\":\"");
  if (c->sealing == SFORK_SEALED) {
    sfork__put_hex(s, false, c->otype);
  } else {
    sfork__put(s, c->sealing == SFORK_SENTRY ? "sentry" : "unsealed");
  }
  sfork__put(s, "\",\"flags\":\"");
  sfork__put_hex(s, false, c->flags);
  sfork__put(s, "\"}");
}

static void sfork__look(sfork__session *s) {
  s->regions = 0;
  s->region_count = s->use->regions == 0 ? 0 : s->use->regions(s->use->context, &s->regions);
}

/* ---- Observations ------------------------------------------------------------------------------------------------ */

static void sfork__put_member(sfork__session *s, const char *before, uint64_t number) {
  sfork__put(s, before);
  sfork__put_number(s, number);
}

static void sfork__put_set(sfork__session *s, const sfork_observation *o) {
  bool first = true;
  sfork__put(s, "\"set\":[");
  for (unsigned signal = 1; signal <= SFORK_SIGNALS; signal++) {
    if ((o->set_signals >> signal & 1) == 0) continue;
    sfork__put_comma(s, &first);
    sfork__put_number(s, signal);
  }
  sfork__put_words(s, sfork__flags, SFORK_FLAGS, o->set_flags, &first);
  sfork__put_words(s, sfork__dispositions, 3, 1U << o->set_disposition >> 1, &first);
  sfork__put_char(s, ']');
}

static void sfork__put_observation(sfork__session *s, const sfork_observation *o) {
  sfork__put_char(s, '{');
  switch (o->saw) {
    case SFORK_SAW_CAPABILITY:
      sfork__put(s, "\"cap\":");
      sfork__put_capability(s, &o->capability);
      break;
    case SFORK_SAW_INTEGER:
      sfork__put(s, "\"int\":\"");
      sfork__put_hex(s, false, o->integer);
      sfork__put_char(s, '"');
      break;
    case SFORK_SAW_BYTES:
      sfork__put(s, "\"bytes\":\"");
      for (size_t k = 0; k < o->byte_count; k++) sfork__put_digits(s, o->bytes[k], 2);
      sfork__put_char(s, '"');
      break;
    case SFORK_SAW_DESCRIPTOR:
      sfork__put_member(s, "\"fd\":", o->descriptor);
      break;
    case SFORK_SAW_DESCRIPTORS:
      sfork__put_member(s, "\"fds\":[", o->descriptor);
      sfork__put_member(s, ",", o->second_descriptor);
      sfork__put_char(s, ']');
      break;
    case SFORK_SAW_SET:
      sfork__put_set(s, o);
      break;
    case SFORK_SAW_CHILD:
      sfork__put_member(s, "\"child\":", o->child);
      if (o->tells_pid) sfork__put_member(s, ",\"pid\":", o->pid);
      if (o->tells_slot) sfork__put_member(s, ",\"slot\":", o->slot);
      break;
    case SFORK_SAW_PROCESS:
      sfork__put_member(s, "\"process\":", o->process);
      sfork__put(s, o->signalled ? ",\"status\":{\"signalled\":" : ",\"status\":{\"exited\":");
      sfork__put_number(s, o->status);
      sfork__put_char(s, '}');
      break;
    case SFORK_SAW_TRAP:
      sfork__put(s, "\"trap\":{\"cause\":");
      sfork__put_text(s, (unsigned)o->trap < SFORK_TRAPS ? sfork__traps[o->trap] : "");
      sfork__put(s, ",\"operand\":");
      sfork__put_text(s, o->operand);
      sfork__put_char(s, '}');
      break;
    case SFORK_SAW_ERROR:
      sfork__put(s, "\"error\":");
      sfork__put_text(s, (unsigned)o->error < SFORK_ERRORS ? sfork__errors[o->error] : "");
      break;
    case SFORK_SAW_WOULD_BLOCK:
      sfork__put(s, "\"wouldBlock\":true");
      break;
    case SFORK_SAW_UNSUPPORTED:
      sfork__put(s, "\"unsupported\":true");
      break;
    case SFORK_SAW_NO_ACTOR:
      sfork__put(s, "\"noActor\":true");
      break;
    case SFORK_SAW_HALTED:
      sfork__put(s, "\"halted\":true");
      break;
    case SFORK_SAW_OUT_OF_FRAMES:
      sfork__put(s, "\"outOfFrames\":true");
      break;
    case SFORK_SAW_NONE:
    default:
      sfork__put(s, "\"none\":true");
  }
  for (unsigned k = 0; k < o->signal_count && k < SFORK_SIGNALS; k++) {
    sfork__put_member(s, k == 0 ? ",\"signals\":[" : ",", o->signals[k]);
  }
  if (o->signal_count > 0) sfork__put_char(s, ']');
  sfork__put_char(s, '}');
}

/* ---- Views and counters ------------------------------------------------------------------------------------------ */

/* The lists stand one behind the other in an answer, and the implementation tells both in one: it is asked twice. */
struct sfork_view {
  sfork__session *session;
  bool of_registers, first;
};

struct sfork_counters {
  sfork__session *session;
  bool first;
};

static void sfork__put_granule_address(sfork__session *s, uint32_t process, uint64_t address) {
  const sfork_region *own = 0;
  for (size_t k = 0; k < s->region_count; k++) {
    const sfork_region *one = &s->regions[k];
    if (one->kind == SFORK_REGION_PROCESS && one->number == process && !one->dead) own = one;
  }
  if (own == 0) {
    sfork__put_hex(s, false, address);
  } else {
    sfork__put_place(s, own, address);
  }
}

void sfork_see_granule(sfork_view *view, uint32_t process, uint64_t address, const sfork_capability *capability) {
  sfork__session *s = view->session;
  if (view->of_registers) return;
  sfork__put_comma(s, &view->first);
  sfork__put_member(s, "{\"process\":", process);
  sfork__put(s, ",\"address\":\"");
  sfork__put_granule_address(s, process, address);
  sfork__put(s, "\",\"cap\":");
  sfork__put_capability(s, capability);
  sfork__put_char(s, '}');
}

void sfork_see_register(sfork_view *view, uint32_t process, uint32_t thread, uint32_t number,
                        const sfork_capability *capability) {
  sfork__session *s = view->session;
  if (!view->of_registers) return;
  sfork__put_comma(s, &view->first);
  sfork__put_member(s, "{\"process\":", process);
  sfork__put_member(s, ",\"thread\":", thread);
  if (number < SFORK_REGISTERS) {
    sfork__put_member(s, ",\"register\":\"c", number);
  } else {
    sfork__put(s, ",\"register\":\"pcc");
  }
  sfork__put(s, "\",\"cap\":");
  sfork__put_capability(s, capability);
  sfork__put_char(s, '}');
}

void sfork_count(sfork_counters *counters, const char *name, uint64_t value) {
  sfork__session *s = counters->session;
  sfork__put_comma(s, &counters->first);
  sfork__put_text(s, name);
  sfork__put_member(s, ":", value);
}

static void sfork__put_view(sfork__session *s) {
  sfork_view view = {s, false, true};
  sfork__put(s, ",\"view\":{\"granules\":[");
  s->use->view(s->use->context, &view);
  view.of_registers = view.first = true;
  sfork__put(s, "],\"registers\":[");
  s->use->view(s->use->context, &view);
  sfork__put(s, "]}");
}

static void sfork__put_counters(sfork__session *s) {
  sfork_counters counters = {s, true};
  sfork__put(s, ",\"counters\":{");
  s->use->counters(s->use->context, &counters);
  sfork__put_char(s, '}');
}

/* ---- Messages ---------------------------------------------------------------------------------------------------- */

static void sfork__hello(sfork__session *s) {
  const sfork_implementation *use = s->use;
  bool first = true;
  sfork__put(s, "{\"type\":\"hello\",\"protocol\":1,\"name\":");
  sfork__put_text(s, use->name);
  sfork__put(s, ",\"formats\":[");
  sfork__put_words(s, sfork__formats, SFORK_FORMATS, use->formats, &first);
  first = true;
  sfork__put(s, "],\"strategies\":[");
  sfork__put_words(s, sfork__strategies, SFORK_STRATEGIES, use->strategies, &first);
  first = true;
  sfork__put(s, "],\"operations\":[");
  for (size_t k = 0; k < use->operation_count; k++) {
    sfork__put_comma(s, &first);
    sfork__put_text(s, sfork_operation_word(use->operations[k]));
  }
  sfork__put_char(s, ']');
  if (use->page_size_count > 0 || use->most_pages != 0 || use->most_processes != 0) {
    const char *before = "";
    sfork__put(s, ",\"limits\":{");
    if (use->page_size_count > 0) {
      for (size_t k = 0; k < use->page_size_count; k++) {
        sfork__put_member(s, k == 0 ? "\"page\":[" : ",", use->page_sizes[k]);
      }
      sfork__put_char(s, ']');
      before = ",";
    }
    if (use->most_pages != 0) {
      sfork__put(s, before);
      sfork__put_member(s, "\"pages\":", use->most_pages);
      before = ",";
    }
    if (use->most_processes != 0) {
      sfork__put(s, before);
      sfork__put_member(s, "\"processes\":", use->most_processes);
    }
    sfork__put_char(s, '}');
  }
  if (use->choices != 0) {
    first = true;
    sfork__put(s, ",\"choices\":[");
    sfork__put_words(s, sfork__choices, SFORK_CHOICES, use->choices, &first);
    sfork__put_char(s, ']');
  }
  sfork__put(s, use->is_configured ? ",\"addresses\":\"configured\"}" : ",\"addresses\":\"own\"}");
  sfork__end_line(s);
}

/* Everything is read before anything is done: a run with a mistake in its last step has not begun. */
static bool sfork__check_run(sfork__session *s, sfork__text config, sfork__text steps, sfork__mistake *mistake) {
  sfork__text one;
  sfork_step step;
  if (!sfork__read_config(config, &s->config, mistake)) return false;
  if (!sfork__allows_config(s->use, &s->config, mistake)) return false;
  mistake->place = "steps";
  if (!sfork__is_list(steps)) return sfork__wrong(mistake, "program", 0, "is not a list of steps");
  mistake->has_index = true;
  for (mistake->index = 0; sfork__element(&steps, &one); mistake->index++) {
    if (!sfork__read_step(one, &step, mistake)) return false;
    if (!sfork__has_operation(s->use, step.op)) {
      return sfork__wrong(mistake, "limit", "op", "is not within what was declared");
    }
  }
  mistake->has_index = false;
  return mistake->index > 0 || sfork__wrong(mistake, "program", 0, "there is at least one step");
}

static void sfork__run(sfork__session *s, sfork__text steps, uint64_t id, bool view) {
  sfork__mistake ignored = {0};
  sfork__text one;
  bool first = true;
  sfork__put_member(s, "{\"type\":\"result\",\"id\":", id);
  sfork__put(s, ",\"observations\":[");
  while (!s->failed && sfork__element(&steps, &one)) {
    sfork_step step;
    sfork_observation observation = {0};
    if (!sfork__read_step(one, &step, &ignored)) break;
    s->use->step(s->use->context, &step, &observation);
    if (observation.saw == SFORK_SAW_CAPABILITY) sfork__look(s);
    sfork__put_comma(s, &first);
    sfork__put_observation(s, &observation);
  }
  sfork__put_char(s, ']');
  if (view && s->use->view != 0) {
    sfork__look(s);
    sfork__put_view(s);
  }
  if (s->use->counters != 0) sfork__put_counters(s);
  sfork__put_char(s, '}');
  sfork__end_line(s);
}

/* Answers one line. False if there will be no other. */
static bool sfork__answer(sfork__session *s, char *text, size_t size) {
  sfork__text line = {text, text + size}, key, value;
  sfork__text type = {0}, protocol = {0}, identity = {0}, config = {0}, steps = {0}, view = {0};
  sfork__mistake mistake = {0};
  uint64_t id = 0, version = 0;
  const uint64_t *named = 0;
  sfork__json json = sfork__check_json(text, size);

  if (json != SFORK__JSON) {
    if (json == SFORK__NO_JSON) {
      sfork__wrong(&mistake, "json", 0, "this is not JSON; write an object on a line of its own");
    } else {
      sfork__wrong(&mistake, "limit", 0, "the message is nested too deeply");
    }
    sfork__put_error(s, 0, &mistake);
    return true;
  }
  line = sfork__skip_space(line);
  if (!sfork__is_object(line)) {
    sfork__wrong(&mistake, "message", 0, "this is no message; write an object");
    sfork__put_error(s, 0, &mistake);
    return true;
  }
  while (sfork__member(&line, &key, &value)) {
    if (sfork__is(key, "type")) type = value;
    if (sfork__is(key, "protocol")) protocol = value;
    if (sfork__is(key, "id")) identity = value;
    if (sfork__is(key, "config")) config = value;
    if (sfork__is(key, "steps")) steps = value;
    if (sfork__is(key, "view")) view = value;
  }
  if (sfork__whole(identity, SFORK_LARGEST_WHOLE, &id)) named = &id;

  if (sfork__is(sfork__inside(type), "hello")) {
    if (sfork__whole(protocol, SFORK_LARGEST_WHOLE, &version) && version == SFORK_PROTOCOL) {
      sfork__hello(s);
      return true;
    }
    sfork__wrong(&mistake, "protocol", 0, "this is version 1 of the protocol; ask for that");
    sfork__put_error(s, named, &mistake);
    return false;
  }
  if (!sfork__is(sfork__inside(type), "run")) {
    sfork__wrong(&mistake, "message", "type", "is not known; it is \"hello\" or \"run\"");
  } else if (named == 0) {
    sfork__wrong(&mistake, "program", "id", "is not a whole number");
  } else if (view.at != 0 && !sfork__is(view, "true") && !sfork__is(view, "false")) {
    sfork__wrong(&mistake, "program", "view", "is not true or false");
  } else if (sfork__check_run(s, config, steps, &mistake)) {
    if (s->use->start(s->use->context, &s->config) == 0) {
      sfork__run(s, steps, id, sfork__is(view, "true"));
      return true;
    }
    mistake.place = "config";
    sfork__wrong(&mistake, "limit", 0, "this implementation cannot have such a machine");
  }
  sfork__put_error(s, named, &mistake);
  return true;
}

static void sfork__too_long(sfork__session *s) {
  sfork__mistake mistake = {0};
  sfork__wrong(&mistake, "too-long", 0, "the line is longer than can be read; send fewer steps");
  sfork__put_error(s, 0, &mistake);
}

int sfork_serve(const sfork_implementation *implementation, void *buffer, size_t size) {
  sfork__session session = {0};
  char *text = (char *)buffer;
  size_t begin = 0, scanned = 0, filled = 0; /* where the line begins; up to where it has no end; what was read */
  bool skipping = false;                     /* the line was too long already */
  session.use = implementation;
  for (;;) {
    ptrdiff_t count;
    while (scanned < filled && text[scanned] != '\n') scanned++;
    if (scanned < filled) {
      session.line++;
      if (skipping || scanned - begin > SFORK_LONGEST_LINE) {
        sfork__too_long(&session);
      } else if (!sfork__answer(&session, text + begin, scanned - begin)) {
        return session.failed ? SFORK_FAILED : SFORK_OTHER_VERSION;
      }
      if (session.failed) return SFORK_FAILED;
      skipping = false;
      begin = ++scanned;
      continue;
    }
    /* More is needed: what there is of the line goes to the front, or away if it fills everything already. */
    if (skipping || (begin == 0 && filled == size)) {
      skipping = skipping || filled > 0;
      begin = scanned = filled = 0;
    } else if (begin > 0) {
      for (size_t k = begin; k < filled; k++) text[k - begin] = text[k];
      filled -= begin;
      scanned -= begin;
      begin = 0;
    }
    count = implementation->read(implementation->context, text + filled, size - filled);
    if (count < 0 || (size_t)count > size - filled) return SFORK_FAILED;
    if (count > 0) {
      filled += (size_t)count;
      continue;
    }
    /* The end of the input may be the end of a line, too. */
    if (filled == 0 && !skipping) return SFORK_ENDED;
    session.line++;
    if (skipping || filled > SFORK_LONGEST_LINE) {
      sfork__too_long(&session);
    } else if (!sfork__answer(&session, text, filled)) {
      return session.failed ? SFORK_FAILED : SFORK_OTHER_VERSION;
    }
    return session.failed ? SFORK_FAILED : SFORK_ENDED;
  }
}

#endif /* SFORK_IMPLEMENTATION */
