/*
 * Real fork() on the running kernel, one step at a time: executes programs of the `posix` profile with real processes, and
 * says what each step observed. impl/linux/README.md says how, and what the lines look like.
 *
 * Who is who:
 *   guardian    the process that was started; it outlives the controller only to clean up after it
 *   controller  reads programs, tells workers which step to take, waits for its end, and prints what it observed
 *   worker      a process of the program; process 0 is the controller's child, the others come from real forks
 *
 * One step is under way at a time, and everything runs on one CPU. A worker's threads sleep on a word of shared memory
 * between steps, with every signal blocked that would do something: what is pending is let in one by one before a step.
 *
 * C11; Linux 5.3 or later, x86-64 or arm64.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#if !defined(__x86_64__) && !defined(__aarch64__)
#error "x86-64 or arm64 only"
#endif

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif
#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#define MADV_KEEPONFORK 19
#endif

enum {
  REGISTERS = 16,
  DESCRIPTORS = 16,   /* of a process of the program */
  MOST_FILE = 4096,   /* bytes of a file */
  LAST_SIGNAL = 31,
  MOST_THREADS = 512, /* of one program, from its start to its end */
  MOST_BYTES = 1 << 14,
  CONTROL_FD = 100,   /* shared memory, above every descriptor of a program */
  REPLY_FD = 101,
  IMAGE_FD = 102,     /* this program, for exec */
  STACK_BYTES = 1 << 16,
  STEP_MILLISECONDS = 4000,
  /* CPU time that `burn` takes, and from which on a process has used some; steps themselves take less. */
  BURN_MICROSECONDS = 24000,
  SOME_MICROSECONDS = 16000,
};

/* Where things lie in every process; nothing else is mapped there. */
static char *const REGION = (char *)UINT64_C(0x100000000000);
static char *const SEGMENTS = (char *)UINT64_C(0x110000000000);
static char *const CONTROL = (char *)UINT64_C(0x120000000000);

typedef struct {
  uint64_t page, pages, shared, xlen;
  uint64_t processes;
} Config;

typedef enum {
  NOTHING, INTEGER, ADDRESS, BYTES, DESCRIPTOR, PIPE_ENDS, SIGNALS, WORDS, CHILD, REAPED, PID, TRAP, FAILED, WOULD_BLOCK,
} Kind;

typedef enum { TAKING_SIGNALS, ACTING } Phase;

/* A thread's mailbox. */
typedef struct {
  int command;            /* futex: number of the command that it is to execute */
  int abandoned;          /* the last command that is not waited for any longer */
  Phase phase;
  int current;            /* the signal that is being let in */
  int taken[LAST_SIGNAL + 1], count;
  int ready;              /* futex: the thread has begun */
  int tid;                /* cleared by the kernel when the thread is gone */
  char line[512];         /* the step */
  int64_t argument[4];    /* pids that operands name; ordinals of what it is to make */
  Kind kind;
  uint64_t value, second;
  int error;
  char word[16];          /* not a pointer: another image lies elsewhere */
  uint32_t length;
  unsigned char bytes[MOST_BYTES];
} Mail;

typedef struct {
  Config config;
  char root[PATH_MAX];
  /* Limits on processes are counted by user: those of a program that are not to bite are so far above what it says. */
  uint64_t roomy;
  Mail mail[MOST_THREADS];
} Control;

static Control *control;

/* ---------------------------------------------------------------- workers */

/* A thread's own state: in private memory, so that a fork copies it. */
typedef struct {
  int ordinal;
  uint64_t registers[REGISTERS];
  sigset_t mask;
} Self;

/* What handlers count with, and the thread that is running; private, too. */
static uint64_t counter_of[LAST_SIGNAL + 1];
static Mail *running;
static sigjmp_buf after_fault;
static volatile sig_atomic_t may_fault;
static volatile int fault_code;

static long futex(int *word, int operation, int value, const struct timespec *timeout) {
  return syscall(SYS_futex, word, operation, value, timeout, NULL, 0);
}

static const int fault_signals[] = {SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV};

static void without_faults(sigset_t *set) {
  for (size_t i = 0; i < sizeof fault_signals / sizeof *fault_signals; i++) sigdelset(set, fault_signals[i]);
}

static bool is_ignored(int signal) {
  struct sigaction action;
  if (sigaction(signal, NULL, &action) != 0) return false;
  if (action.sa_flags & SA_SIGINFO) return false;
  if (action.sa_handler == SIG_IGN) return true;
  return action.sa_handler == SIG_DFL && (signal == SIGCHLD || signal == SIGCONT || signal == SIGURG || signal == SIGWINCH);
}

/* What the kernel says of each, as long as nobody changes it. */
static bool ignored[LAST_SIGNAL + 1];

static void note_ignored(void) {
  for (int signal = 1; signal <= LAST_SIGNAL; signal++) ignored[signal] = is_ignored(signal);
}

/*
 * Between steps: blocked is what would do something. What is ignored, and not masked, stays open, for the kernel drops it
 * only where the first thread does not block it.
 */
static void park(const Self *self) {
  sigset_t blocked;
  sigfillset(&blocked);
  without_faults(&blocked);
  if (gettid() == getpid())
    for (int signal = 1; signal <= LAST_SIGNAL; signal++)
      if (sigismember(&self->mask, signal) == 0 && ignored[signal]) sigdelset(&blocked, signal);
  sigprocmask(SIG_SETMASK, &blocked, NULL);
}

static void on_fault(int signal, siginfo_t *info, void *context) {
  (void)context;
  if (!may_fault) {
    struct sigaction usual = {.sa_handler = SIG_DFL};
    sigaction(signal, &usual, NULL);
    return; /* and fault again, for good */
  }
  fault_code = signal == SIGSEGV ? info->si_code : 0;
  siglongjmp(after_fault, 1);
}

static void add(uint64_t address, uint64_t bytes) {
  if (bytes == 8) *(volatile uint64_t *)address += 1;
  else *(volatile uint32_t *)address += 1;
}

/* A handler: it counts. Where it may not, the process ends by that fault. */
static void on_signal(int signal, siginfo_t *info, void *context) {
  (void)info, (void)context;
  add(counter_of[signal], control->config.xlen / 8);
  if (running->count < LAST_SIGNAL) running->taken[running->count++] = signal;
}

static void catch_faults(void) {
  for (size_t i = 0; i < sizeof fault_signals / sizeof *fault_signals; i++) {
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER};
    sigfillset(&action.sa_mask);
    without_faults(&action.sa_mask);
    sigaction(fault_signals[i], &action, NULL);
  }
}

static bool is_abandoned(Mail *mail, int command) { return __atomic_load_n(&mail->abandoned, __ATOMIC_ACQUIRE) == command; }

/*
 * Everything that is pending and not masked, lowest number first; each is let in by itself. Where one has stopped the process,
 * nobody waits for this step when it goes on: the others stay pending.
 */
static void take_signals(const Self *self, Mail *mail, int command) {
  sigset_t pending;
  mail->phase = TAKING_SIGNALS;
  mail->count = 0;
  mail->current = 0;
  running = mail;
  sigpending(&pending);
  for (int signal = 1; signal <= LAST_SIGNAL; signal++) {
    if (sigismember(&pending, signal) != 1 || sigismember(&self->mask, signal) == 1) continue;
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, signal);
    mail->current = signal;
    sigprocmask(SIG_UNBLOCK, &one, NULL);
    sigprocmask(SIG_BLOCK, &one, NULL);
    mail->current = 0;
    if (is_abandoned(mail, command)) break;
  }
  park(self);
  mail->phase = ACTING;
}

/* A step's words, one after the other. */
typedef struct {
  char *rest;
} Words;

static char *word(Words *words) {
  char *next = strtok_r(NULL, " ", &words->rest);
  return next == NULL ? (char *)"" : next;
}

static int number(Words *words) { return atoi(word(words)); }

static uint64_t integer(const Self *self, Words *words) {
  const char *text = word(words);
  return *text == 'r' ? self->registers[atoi(text + 1) % REGISTERS] : strtoull(text, NULL, 10);
}

/* What no int holds is no signal: a call's own conversion would make one of it. */
static int signal_number(const Self *self, Words *words) {
  uint64_t value = integer(self, words);
  return value > INT_MAX ? -1 : (int)value;
}

static uint64_t *at(Self *self, Words *words) { return &self->registers[number(words) % REGISTERS]; }

static void give(Mail *mail, Kind kind, uint64_t value) {
  mail->kind = kind;
  mail->value = value;
}

static void say(Mail *mail, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  mail->kind = WORDS;
  vsnprintf((char *)mail->bytes, sizeof mail->bytes, format, arguments);
  va_end(arguments);
}

/* What a call returned, as `kind`; or its error. */
static bool returned(Mail *mail, Kind kind, int64_t result) {
  if (result >= 0) {
    give(mail, kind, (uint64_t)result);
    return true;
  }
  mail->kind = FAILED;
  mail->error = errno;
  return false;
}

typedef void Operation(Self *, Mail *, Words *);

/* An access, and the fault that it may come to. */
#define ACCESS(is_store, ...)                                                                       \
  do {                                                                                              \
    if (sigsetjmp(after_fault, 1) == 0) {                                                           \
      may_fault = 1;                                                                                \
      __VA_ARGS__;                                                                                  \
      may_fault = 0;                                                                                \
    } else {                                                                                        \
      may_fault = 0;                                                                                \
      mail->kind = TRAP;                                                                            \
      strcpy(mail->word, fault_code == SEGV_MAPERR ? "page-unmapped" : (is_store) ? "page-write" : "page-read"); \
      return;                                                                                       \
    }                                                                                               \
  } while (0)

static void do_li(Self *self, Mail *mail, Words *words) {
  uint64_t *to = at(self, words);
  give(mail, INTEGER, *to = integer(self, words));
}

static void do_cmove(Self *self, Mail *mail, Words *words) {
  uint64_t *to = at(self, words);
  give(mail, ADDRESS, *to = *at(self, words));
}

static void do_cincoffset(Self *self, Mail *mail, Words *words) {
  uint64_t *to = at(self, words), from = *at(self, words);
  give(mail, ADDRESS, *to = from + integer(self, words));
}

/* `cd n cs1` and `n2 n cs1`: the address, and the register or value before it. */
static void do_loadcap(Self *self, Mail *mail, Words *words) {
  uint64_t *to = at(self, words), offset = integer(self, words), address = *at(self, words) + offset;
  volatile uint64_t value = 0;
  ACCESS(false, value = *(volatile uint64_t *)address);
  give(mail, ADDRESS, *to = value);
}

static void do_storecap(Self *self, Mail *mail, Words *words) {
  uint64_t value = *at(self, words), offset = integer(self, words), address = *at(self, words) + offset;
  ACCESS(true, *(volatile uint64_t *)address = value);
  give(mail, NOTHING, 0);
}

#define LOAD(name, type)                                                                                \
  static void do_load_##name(Self *self, Mail *mail, Words *words) {                                    \
    uint64_t *to = at(self, words), offset = integer(self, words), address = *at(self, words) + offset; \
    volatile type value = 0;                                                                            \
    ACCESS(false, value = *(volatile type *)address);                                                   \
    give(mail, INTEGER, *to = (uint64_t)(int64_t)value);                                                \
  }
LOAD(b, int8_t)
LOAD(bu, uint8_t)
LOAD(h, int16_t)
LOAD(hu, uint16_t)
LOAD(w, int32_t)
LOAD(wu, uint32_t)
LOAD(d, uint64_t)

#define STORE(name, type)                                                                                \
  static void do_store_##name(Self *self, Mail *mail, Words *words) {                                    \
    uint64_t value = integer(self, words), offset = integer(self, words), address = *at(self, words) + offset; \
    ACCESS(true, *(volatile type *)address = (type)value);                                               \
    give(mail, NOTHING, 0);                                                                              \
  }
STORE(b, uint8_t)
STORE(h, uint16_t)
STORE(w, uint32_t)
STORE(d, uint64_t)

static void do_memset(Self *self, Mail *mail, Words *words) {
  uint64_t address = *at(self, words);
  uint64_t value = integer(self, words), size = integer(self, words);
  ACCESS(true, for (uint64_t i = 0; i < size; i++) ((volatile char *)address)[i] = (char)value);
  give(mail, NOTHING, 0);
}

static int protection(Words *words) {
  const char *text = word(words);
  return (strchr(text, 'r') ? PROT_READ : 0) | (strchr(text, 'w') ? PROT_WRITE : 0) | (strchr(text, 'x') ? PROT_EXEC : 0);
}

static uint64_t whole(uint64_t bytes) {
  const uint64_t page = control->config.page;
  return (bytes + page - 1) / page * page;
}

/* The lowest free run of the area for mappings: the kernel says which pages are free. */
static void do_mmap(Self *self, Mail *mail, Words *words) {
  const Config *config = &control->config;
  uint64_t *to = at(self, words), size = integer(self, words);
  int allowed = protection(words);
  char *first = REGION + config->pages / 2 * config->page, *end = REGION + (config->pages - 2) * config->page;
  if (size == 0) {
    returned(mail, NOTHING, mmap(first, 0, allowed, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED ? -1 : 0);
    return;
  }
  for (char *start = first; start + whole(size) <= end; start += config->page) {
    char *got = mmap(start, size, allowed, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (got == MAP_FAILED) continue;
    if (got == start) {
      give(mail, ADDRESS, *to = (uint64_t)start);
      return;
    }
    munmap(got, size);
  }
  errno = ENOMEM;
  returned(mail, NOTHING, -1);
}

static void do_munmap(Self *self, Mail *mail, Words *words) {
  char *address = (char *)*at(self, words);
  returned(mail, NOTHING, munmap(address, integer(self, words)));
}

static void do_mprotect(Self *self, Mail *mail, Words *words) {
  char *address = (char *)*at(self, words);
  uint64_t size = integer(self, words);
  returned(mail, NOTHING, mprotect(address, size, protection(words)));
}

static void do_madvise(Self *self, Mail *mail, Words *words) {
  char *address = (char *)*at(self, words);
  uint64_t size = integer(self, words);
  const char *text = word(words);
  int advice = strcmp(text, "dontfork") == 0   ? MADV_DONTFORK
               : strcmp(text, "dofork") == 0   ? MADV_DOFORK
               : strcmp(text, "wipeonfork") == 0 ? MADV_WIPEONFORK
                                               : MADV_KEEPONFORK;
  returned(mail, NOTHING, madvise(address, size, advice));
}

static void do_shm(Self *self, Mail *mail, Words *words) {
  uint64_t *to = at(self, words), segment = (uint64_t)number(words) % control->config.shared;
  give(mail, ADDRESS, *to = (uint64_t)SEGMENTS + segment * control->config.page);
}

static void worker_loop(Self *self) __attribute__((noreturn));

/* The mask that the program believes in is in force while the kernel copies it. */
static void with_own_mask(const Self *self) { sigprocmask(SIG_SETMASK, &self->mask, NULL); }

/* What the kernel has handed on is what is believed in from here on. */
static void begin(Self *self, int ordinal) {
  self->ordinal = ordinal;
  sigprocmask(SIG_SETMASK, NULL, &self->mask);
  park(self);
  syscall(SYS_set_tid_address, &control->mail[ordinal].tid);
  __atomic_store_n(&control->mail[ordinal].ready, 1, __ATOMIC_RELEASE);
  futex(&control->mail[ordinal].ready, FUTEX_WAKE, 1, NULL);
}

/* Until a new thread has its signals blocked, nobody may send it one. */
static void await_begin(int ordinal) {
  int *ready = &control->mail[ordinal].ready;
  const struct timespec second = {1, 0};
  for (int tries = 0; tries < 5 && __atomic_load_n(ready, __ATOMIC_ACQUIRE) == 0; tries++) futex(ready, FUTEX_WAIT, 0, &second);
}

static void do_fork(Self *self, Mail *mail, Words *words) {
  uint64_t *to = at(self, words);
  /* The child may come to read it when the parent's next step is there already. */
  const int ordinal = (int)mail->argument[0];
  with_own_mask(self);
  long pid = syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
  int error = errno;
  if (pid == 0) {
    *to = 0;
    begin(self, ordinal);
    worker_loop(self);
  }
  park(self);
  errno = error;
  if (!returned(mail, CHILD, pid)) return;
  await_begin(ordinal);
  *to = (uint64_t)pid;
}

static void do_exit(Self *self, Mail *mail, Words *words) {
  (void)mail;
  syscall(SYS_exit_group, (int)(integer(self, words) & 0xff));
}

static void do_wait(Self *self, Mail *mail, Words *words) {
  uint64_t *to = at(self, words);
  bool any = strcmp(word(words), "any") == 0;
  int status = 0;
  pid_t pid = waitpid(any ? -1 : (pid_t)mail->argument[0], &status, WNOHANG);
  if (pid == 0) {
    mail->kind = WOULD_BLOCK;
    return;
  }
  if (!returned(mail, REAPED, pid)) return;
  *to = (uint64_t)pid;
  mail->second = (uint64_t)status;
}

static void do_exec(Self *self, Mail *mail, Words *words) {
  (void)words;
  char ordinal[16];
  snprintf(ordinal, sizeof ordinal, "%d", self->ordinal);
  char *arguments[] = {(char *)"sfork-linux", (char *)"--worker", ordinal, NULL};
  char *environment[] = {NULL};
  with_own_mask(self);
  /* Not by the name of /proc, which ends with a process's first thread. */
  syscall(SYS_execveat, IMAGE_FD, "", arguments, environment, AT_EMPTY_PATH);
  int error = errno;
  park(self);
  errno = error;
  returned(mail, NOTHING, -1);
}

static void do_getpid(Self *self, Mail *mail, Words *words) {
  uint64_t *to = at(self, words);
  give(mail, PID, *to = (uint64_t)getpid());
}

static void do_getppid(Self *self, Mail *mail, Words *words) {
  uint64_t *to = at(self, words);
  give(mail, PID, *to = (uint64_t)getppid());
}

static int run_thread(void *argument) {
  Self self = *(Self *)argument;
  begin(&self, self.ordinal);
  worker_loop(&self);
}

static void do_thread(Self *self, Mail *mail, Words *words) {
  (void)words;
  char *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (stack == MAP_FAILED) {
    returned(mail, NOTHING, -1);
    return;
  }
  const int ordinal = (int)mail->argument[0];
  Self *copy = (Self *)stack;
  *copy = *self;
  copy->ordinal = ordinal;
  int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
  with_own_mask(self);
  /* Tids are told by the threads themselves: no thread-local storage, for only one runs at a time. */
  int tid = clone(run_thread, stack + STACK_BYTES, flags, copy);
  int error = errno;
  park(self);
  errno = error;
  if (!returned(mail, NOTHING, tid)) return;
  control->mail[ordinal].tid = tid;
  await_begin(ordinal);
}

static void do_thread_exit(Self *self, Mail *mail, Words *words) {
  (void)self, (void)mail, (void)words;
  syscall(SYS_exit, 0);
}

static void do_yield(Self *self, Mail *mail, Words *words) {
  (void)self, (void)words;
  give(mail, NOTHING, 0);
}

static uint64_t microseconds(int who) {
  struct rusage used;
  getrusage(who, &used);
  return (uint64_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000u + (uint64_t)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
}

static void do_burn(Self *self, Mail *mail, Words *words) {
  (void)self, (void)words;
  uint64_t until = microseconds(RUSAGE_SELF) + BURN_MICROSECONDS;
  while (microseconds(RUSAGE_SELF) < until) continue;
  give(mail, NOTHING, 0);
}

static void do_times(Self *self, Mail *mail, Words *words) {
  (void)self;
  int who = strcmp(word(words), "self") == 0 ? RUSAGE_SELF : RUSAGE_CHILDREN;
  give(mail, INTEGER, microseconds(who) >= SOME_MICROSECONDS);
}

/* Time stands still for programs: an alarm is far away, or there is none. */
static void do_alarm(Self *self, Mail *mail, Words *words) { give(mail, INTEGER, alarm(integer(self, words) == 0 ? 0 : 86400) != 0); }

static void do_pipe(Self *self, Mail *mail, Words *words) {
  (void)self, (void)words;
  int ends[2];
  if (!returned(mail, PIPE_ENDS, pipe(ends))) return;
  mail->value = (uint64_t)ends[0];
  mail->second = (uint64_t)ends[1];
}

/* From the root of the program's files, which is a folder, or from the working directory. */
static const char *located(const char *path) {
  static char full[PATH_MAX + 512];
  if (*path != '/') return path;
  snprintf(full, sizeof full, "%s%s", control->root, path);
  return full;
}

static void do_open(Self *self, Mail *mail, Words *words) {
  (void)self;
  const char *path = located(word(words)), *flags = word(words);
  bool reads = strstr(flags, "read") != NULL, writes = strstr(flags, "write") != NULL;
  int how = reads && writes ? O_RDWR : writes ? O_WRONLY : O_RDONLY;
  if (!reads && !writes) how = O_WRONLY | O_RDWR;
  if (strstr(flags, "append")) how |= O_APPEND;
  if (strstr(flags, "create")) how |= O_CREAT;
  if (strstr(flags, "exclusive")) how |= O_EXCL;
  if (strstr(flags, "truncate")) how |= O_TRUNC;
  if (strstr(flags, "nonblock")) how |= O_NONBLOCK;
  if (strstr(flags, "cloexec")) how |= O_CLOEXEC;
  returned(mail, DESCRIPTOR, open(path, how, 0666));
}

static int descriptor(Words *words) { return number(words) % DESCRIPTORS; }

static void do_close(Self *self, Mail *mail, Words *words) { (void)self, returned(mail, NOTHING, close(descriptor(words))); }
static void do_dup(Self *self, Mail *mail, Words *words) { (void)self, returned(mail, DESCRIPTOR, dup(descriptor(words))); }

static void do_dup2(Self *self, Mail *mail, Words *words) {
  (void)self;
  int from = descriptor(words);
  returned(mail, DESCRIPTOR, dup2(from, descriptor(words)));
}

/* Would a transfer block? A pipe that is not ready, open in the right direction, and not told to fail instead. */
static bool blocks(int d, short event, size_t size) {
  struct stat what;
  int flags = fcntl(d, F_GETFL);
  if (size == 0 || flags == -1 || (flags & O_NONBLOCK) || fstat(d, &what) != 0 || !S_ISFIFO(what.st_mode)) return false;
  if ((flags & O_ACCMODE) != (event == POLLIN ? O_RDONLY : O_WRONLY)) return false;
  /* Not poll(2), which fails where a process may have no descriptors. */
  struct timeval now = {0, 0};
  fd_set one;
  FD_ZERO(&one);
  FD_SET(d, &one);
  return select(d + 1, event == POLLIN ? &one : NULL, event == POLLIN ? NULL : &one, NULL, &now) == 0;
}

static int buffers(Self *self, Words *words, struct iovec *parts) {
  int count = 0;
  while (count < 2 && words->rest != NULL && *words->rest != '\0') {
    parts[count].iov_base = (char *)*at(self, words);
    parts[count].iov_len = integer(self, words);
    count++;
  }
  return count;
}

static size_t total(const struct iovec *parts, int count) {
  size_t sum = 0;
  for (int i = 0; i < count; i++) sum += parts[i].iov_len;
  return sum;
}

static void do_read(Self *self, Mail *mail, Words *words) {
  int d = descriptor(words);
  struct iovec parts[2];
  int count = buffers(self, words, parts);
  if (blocks(d, POLLIN, total(parts, count))) {
    mail->kind = WOULD_BLOCK;
    return;
  }
  ssize_t got = count == 1 ? read(d, parts[0].iov_base, parts[0].iov_len) : readv(d, parts, count);
  if (!returned(mail, BYTES, got)) return;
  mail->length = (uint32_t)got;
  /* The last buffer first: where it overlaps the first, that one's bytes are not there any more, and are told as such. */
  size_t start = 0;
  for (int i = 0; i < count; i++) {
    size_t size = start >= (size_t)got ? 0 : parts[i].iov_len < (size_t)got - start ? parts[i].iov_len : (size_t)got - start;
    memcpy(mail->bytes + start, parts[i].iov_base, size);
    start += size;
  }
}

static void do_write(Self *self, Mail *mail, Words *words) {
  int d = descriptor(words);
  struct iovec parts[2];
  int count = buffers(self, words, parts);
  if (blocks(d, POLLOUT, total(parts, count))) {
    mail->kind = WOULD_BLOCK;
    return;
  }
  struct stat what;
  int flags = fcntl(d, F_GETFL);
  /* Files end early: a limit of the kernel's would come with a signal of its own. */
  if (flags != -1 && (flags & O_ACCMODE) != O_RDONLY && fstat(d, &what) == 0 && S_ISREG(what.st_mode) && total(parts, count) > 0) {
    off_t from = flags & O_APPEND ? what.st_size : lseek(d, 0, SEEK_CUR);
    size_t left = from >= MOST_FILE ? 0 : (size_t)(MOST_FILE - from);
    if (left == 0) {
      errno = EFBIG;
      returned(mail, NOTHING, -1);
      return;
    }
    for (int i = 0; i < count; i++) {
      if (parts[i].iov_len > left) parts[i].iov_len = left;
      left -= parts[i].iov_len;
    }
  }
  returned(mail, INTEGER, count == 1 ? write(d, parts[0].iov_base, parts[0].iov_len) : writev(d, parts, count));
}

static void do_lseek(Self *self, Mail *mail, Words *words) {
  int d = descriptor(words);
  off_t by = (off_t)integer(self, words);
  const char *whence = word(words);
  returned(mail, INTEGER, lseek(d, by, strcmp(whence, "set") == 0 ? SEEK_SET : strcmp(whence, "cur") == 0 ? SEEK_CUR : SEEK_END));
}

static void do_fcntl_cloexec(Self *self, Mail *mail, Words *words) {
  int d = descriptor(words);
  returned(mail, NOTHING, fcntl(d, F_SETFD, integer(self, words) != 0 ? FD_CLOEXEC : 0));
}

static void change_flag(Self *self, Mail *mail, Words *words, int flag) {
  int d = descriptor(words), flags = fcntl(d, F_GETFL);
  if (!returned(mail, NOTHING, flags)) return;
  returned(mail, NOTHING, fcntl(d, F_SETFL, integer(self, words) != 0 ? flags | flag : flags & ~flag));
}

static void do_fcntl_append(Self *self, Mail *mail, Words *words) { change_flag(self, mail, words, O_APPEND); }
static void do_fcntl_nonblock(Self *self, Mail *mail, Words *words) { change_flag(self, mail, words, O_NONBLOCK); }

static void do_fcntl_getfd(Self *self, Mail *mail, Words *words) {
  (void)self;
  int flags = fcntl(descriptor(words), F_GETFD);
  if (returned(mail, WORDS, flags)) say(mail, "%s", flags & FD_CLOEXEC ? "cloexec" : "");
}

static void do_fcntl_getfl(Self *self, Mail *mail, Words *words) {
  (void)self;
  int flags = fcntl(descriptor(words), F_GETFL);
  if (!returned(mail, WORDS, flags)) return;
  int mode = flags & O_ACCMODE;
  say(mail, "%s%s%s%s", mode == O_WRONLY ? "" : "read,", mode == O_RDONLY ? "" : "write,", flags & O_APPEND ? "append," : "",
      flags & O_NONBLOCK ? "nonblock," : "");
}

static int record_lock(Self *self, Words *words, int command, short type, struct flock *lock) {
  int d = descriptor(words);
  off_t start = (off_t)integer(self, words), length = (off_t)integer(self, words);
  *lock = (struct flock){.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
  return fcntl(d, command, lock);
}

static void do_lock(Self *self, Mail *mail, Words *words) {
  struct flock lock;
  returned(mail, NOTHING, record_lock(self, words, F_SETLK, F_WRLCK, &lock));
}

static void do_unlock(Self *self, Mail *mail, Words *words) {
  struct flock lock;
  returned(mail, NOTHING, record_lock(self, words, F_SETLK, F_UNLCK, &lock));
}

static void do_getlk(Self *self, Mail *mail, Words *words) {
  struct flock lock;
  if (!returned(mail, PID, record_lock(self, words, F_GETLK, F_WRLCK, &lock))) return;
  if (lock.l_type == F_UNLCK) give(mail, INTEGER, 0);
  else give(mail, PID, (uint64_t)lock.l_pid);
}

static void do_umask(Self *self, Mail *mail, Words *words) { give(mail, INTEGER, umask((mode_t)(integer(self, words) & 0777))); }
static void do_chdir(Self *self, Mail *mail, Words *words) { (void)self, returned(mail, NOTHING, chdir(located(word(words)))); }

static void do_getrlimit(Self *self, Mail *mail, Words *words) {
  (void)self;
  bool files = strcmp(word(words), "nofile") == 0;
  struct rlimit limit;
  if (!returned(mail, INTEGER, getrlimit(files ? RLIMIT_NOFILE : RLIMIT_NPROC, &limit))) return;
  give(mail, INTEGER, limit.rlim_cur >= control->roomy ? limit.rlim_cur - control->roomy : limit.rlim_cur);
}

static void do_setrlimit(Self *self, Mail *mail, Words *words) {
  bool files = strcmp(word(words), "nofile") == 0;
  struct rlimit limit;
  getrlimit(files ? RLIMIT_NOFILE : RLIMIT_NPROC, &limit);
  uint64_t n = integer(self, words);
  /* What is too much stays too much. */
  limit.rlim_cur = files || n <= 1 || n > UINT64_MAX - control->roomy ? n : n + control->roomy;
  returned(mail, NOTHING, setrlimit(files ? RLIMIT_NOFILE : RLIMIT_NPROC, &limit));
}

/* `self`, or a process by the pid that the controller has found for it. */
static pid_t named(const Mail *mail, Words *words, int which) { return strcmp(word(words), "self") == 0 ? 0 : (pid_t)mail->argument[which]; }

static void do_setpgid(Self *self, Mail *mail, Words *words) {
  (void)self;
  pid_t pid = named(mail, words, 0);
  returned(mail, NOTHING, setpgid(pid, named(mail, words, 1)));
}

static void do_getpgid(Self *self, Mail *mail, Words *words) { (void)self, returned(mail, PID, getpgid(named(mail, words, 0))); }
static void do_getsid(Self *self, Mail *mail, Words *words) { (void)self, returned(mail, PID, getsid(named(mail, words, 0))); }
static void do_setsid(Self *self, Mail *mail, Words *words) { (void)self, (void)words, returned(mail, PID, setsid()); }

static void do_sigaction(Self *self, Mail *mail, Words *words) {
  int signal = signal_number(self, words);
  const char *what = word(words);
  struct sigaction action = {.sa_flags = SA_NOCLDSTOP};
  sigfillset(&action.sa_mask);
  without_faults(&action.sa_mask);
  if (strcmp(what, "handler") == 0) {
    (void)word(words); /* code */
    if (signal >= 1 && signal <= LAST_SIGNAL) counter_of[signal] = *at(self, words);
    action.sa_sigaction = on_signal;
    action.sa_flags |= SA_SIGINFO;
  } else action.sa_handler = strcmp(what, "ignore") == 0 ? SIG_IGN : SIG_DFL;
  returned(mail, NOTHING, sigaction(signal, &action, NULL));
  note_ignored();
  park(self);
}

static void do_getaction(Self *self, Mail *mail, Words *words) {
  struct sigaction action;
  if (!returned(mail, WORDS, sigaction(signal_number(self, words), NULL, &action))) return;
  bool handled = (action.sa_flags & SA_SIGINFO) != 0;
  say(mail, "%s", handled ? "handler" : action.sa_handler == SIG_IGN ? "ignore" : "default");
}

static void list(Mail *mail, const sigset_t *set) {
  mail->kind = SIGNALS;
  mail->value = 0;
  for (int signal = 1; signal <= LAST_SIGNAL; signal++)
    if (sigismember(set, signal) == 1) mail->value |= UINT64_C(1) << signal;
}

static void do_sigmask(Self *self, Mail *mail, Words *words) {
  const sigset_t old = self->mask;
  sigemptyset(&self->mask);
  char *rest = NULL;
  for (char *one = strtok_r(word(words), ",", &rest); one != NULL; one = strtok_r(NULL, ",", &rest)) {
    int signal = atoi(one);
    if (signal >= 1 && signal <= LAST_SIGNAL && signal != SIGKILL && signal != SIGSTOP) sigaddset(&self->mask, signal);
  }
  park(self);
  list(mail, &old);
}

static void do_sigpending(Self *self, Mail *mail, Words *words) {
  (void)self, (void)words;
  sigset_t pending;
  sigpending(&pending);
  list(mail, &pending);
}

static void do_kill(Self *self, Mail *mail, Words *words) {
  const char *whom = word(words);
  pid_t pid = strcmp(whom, "own-group") == 0 ? 0 : (pid_t)mail->argument[0];
  returned(mail, NOTHING, kill(pid, signal_number(self, words)));
}

static void do_sigaltstack(Self *self, Mail *mail, Words *words) {
  stack_t stack = {.ss_sp = (void *)*at(self, words), .ss_size = 1 << 16};
  returned(mail, NOTHING, sigaltstack(&stack, NULL));
}

static void do_getaltstack(Self *self, Mail *mail, Words *words) {
  uint64_t *to = at(self, words);
  stack_t stack;
  if (returned(mail, ADDRESS, sigaltstack(NULL, &stack))) give(mail, ADDRESS, *to = (uint64_t)stack.ss_sp);
}

static const struct {
  const char *name;
  Operation *act;
} operations[] = {
    {"li", do_li}, {"cmove", do_cmove}, {"cincoffset", do_cincoffset}, {"loadcap", do_loadcap}, {"storecap", do_storecap},
    {"load.b", do_load_b}, {"load.bu", do_load_bu}, {"load.h", do_load_h}, {"load.hu", do_load_hu}, {"load.w", do_load_w},
    {"load.wu", do_load_wu}, {"load.d", do_load_d}, {"store.b", do_store_b}, {"store.h", do_store_h}, {"store.w", do_store_w},
    {"store.d", do_store_d}, {"memset", do_memset}, {"mmap", do_mmap}, {"munmap", do_munmap}, {"mprotect", do_mprotect},
    {"madvise", do_madvise}, {"shm", do_shm}, {"fork", do_fork}, {"exit", do_exit}, {"wait", do_wait}, {"exec", do_exec},
    {"getpid", do_getpid}, {"getppid", do_getppid}, {"thread", do_thread}, {"thread_exit", do_thread_exit},
    {"yield", do_yield}, {"burn", do_burn}, {"times", do_times}, {"alarm", do_alarm}, {"pipe", do_pipe}, {"open", do_open},
    {"close", do_close}, {"dup", do_dup}, {"dup2", do_dup2}, {"read", do_read}, {"readv", do_read}, {"write", do_write},
    {"writev", do_write}, {"lseek", do_lseek}, {"fcntl_cloexec", do_fcntl_cloexec}, {"fcntl_append", do_fcntl_append},
    {"fcntl_nonblock", do_fcntl_nonblock}, {"fcntl_getfd", do_fcntl_getfd}, {"fcntl_getfl", do_fcntl_getfl},
    {"lock", do_lock}, {"unlock", do_unlock}, {"getlk", do_getlk}, {"umask", do_umask}, {"chdir", do_chdir},
    {"getrlimit", do_getrlimit}, {"setrlimit", do_setrlimit}, {"setpgid", do_setpgid}, {"getpgid", do_getpgid},
    {"setsid", do_setsid}, {"getsid", do_getsid}, {"sigaction", do_sigaction}, {"getaction", do_getaction},
    {"sigmask", do_sigmask}, {"sigpending", do_sigpending}, {"kill", do_kill}, {"sigaltstack", do_sigaltstack},
    {"getaltstack", do_getaltstack},
};

static Operation *operation_called(const char *name) {
  for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
    if (strcmp(operations[i].name, name) == 0) return operations[i].act;
  return NULL;
}

static void reply(void) {
  uint64_t one = 1;
  if (write(REPLY_FD, &one, sizeof one) != sizeof one) _exit(1);
}

/* Wait for a command, take signals, take the step, tell what it came to. */
static void worker_loop(Self *self) {
  Mail *mail = &control->mail[self->ordinal];
  int last = 0;
  for (;;) {
    int command;
    while ((command = __atomic_load_n(&mail->command, __ATOMIC_ACQUIRE)) == last) futex(&mail->command, FUTEX_WAIT, last, NULL);
    last = command;
    /* Another thread has changed what signals do. */
    if (strcmp(mail->line, "park") == 0) {
      park(self);
      reply();
      continue;
    }
    take_signals(self, mail, command);
    if (is_abandoned(mail, command)) continue;
    Words words;
    char *name = strtok_r(mail->line, " ", &words.rest);
    Operation *act = name == NULL ? NULL : operation_called(name);
    if (act == NULL) _exit(1);
    act(self, mail, &words);
    reply();
  }
}

static bool map_at(char *where, size_t size, int allowed, int flags, int fd, off_t offset) {
  return mmap(where, size, allowed, flags | MAP_FIXED, fd, offset) == where;
}

static size_t control_bytes(void) { return (sizeof(Control) + 65535) / 65536 * 65536; }

/*
 * Parents are told of the ends of children, and of nothing else; another image has forgotten that. Saying so drops a signal that
 * waits, blocked, and would be ignored: it is sent again.
 */
static void told_of_ends_alone(void) {
  struct sigaction action;
  sigset_t pending;
  bool waits = sigpending(&pending) == 0 && sigismember(&pending, SIGCHLD) == 1;
  sigaction(SIGCHLD, NULL, &action);
  action.sa_flags |= SA_NOCLDSTOP;
  sigaction(SIGCHLD, &action, NULL);
  if (waits) kill(getpid(), SIGCHLD);
}

/* The memory of a process that begins, and the registers of its thread. */
static bool map_image(Self *self) {
  const Config *config = &control->config;
  const uint64_t page = config->page, half = config->pages / 2;
  char *stack = REGION + (config->pages - 2) * page, *code = REGION + (config->pages - 1) * page;
  const int own = MAP_PRIVATE | MAP_ANONYMOUS;
  bool done = map_at(REGION, half * page, PROT_READ | PROT_WRITE, own, -1, 0) &&
              map_at(stack, page, PROT_READ | PROT_WRITE, own, -1, 0) && map_at(code, page, PROT_READ | PROT_EXEC, own, -1, 0) &&
              map_at(SEGMENTS, config->shared * page, PROT_READ | PROT_WRITE, MAP_SHARED, CONTROL_FD, (off_t)control_bytes());
  memset(self->registers, 0, sizeof self->registers);
  self->registers[1] = (uint64_t)REGION;
  self->registers[2] = (uint64_t)stack;
  self->registers[3] = (uint64_t)code;
  self->registers[6] = (uint64_t)SEGMENTS;
  catch_faults();
  told_of_ends_alone();
  note_ignored();
  return done;
}

/* Another image has taken the place of a worker's. */
static int worker_again(int ordinal) {
  Self self;
  if (!map_at(CONTROL, control_bytes(), PROT_READ | PROT_WRITE, MAP_SHARED, CONTROL_FD, 0)) return 1;
  control = (Control *)CONTROL;
  if (!map_image(&self)) return 1;
  begin(&self, ordinal);
  Mail *mail = &control->mail[ordinal];
  give(mail, NOTHING, 0);
  mail->command = 0;
  reply();
  worker_loop(&self);
}

static void close_range_of(unsigned first, unsigned last) {
  if (syscall(SYS_close_range, first, last, 0) == 0) return;
  for (unsigned d = first; d <= last && d < 1024; d++) close((int)d);
}

static void close_all_but_ours(void) {
  close_range_of(0, CONTROL_FD - 1);
  close_range_of(IMAGE_FD + 1, ~0U);
}

/* Process 0, as a program finds it. */
static void begin_program(void) {
  Self self;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  setsid();
  /* Those that the controller, or the guardian, does otherwise. */
  signal(SIGTERM, SIG_DFL), signal(SIGINT, SIG_DFL), signal(SIGPIPE, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  close_all_but_ours();
  struct rlimit files = {DESCRIPTORS, DESCRIPTORS};
  struct rlimit processes;
  getrlimit(RLIMIT_NPROC, &processes);
  const uint64_t most = control->config.processes, far = UINT64_C(1) << 20;
  control->roomy = processes.rlim_max - most < far ? processes.rlim_max - most : far;
  processes.rlim_cur = processes.rlim_max = control->roomy + most;
  umask(022);
  if (chdir(control->root) != 0 || setrlimit(RLIMIT_NOFILE, &files) != 0 || setrlimit(RLIMIT_NPROC, &processes) != 0) _exit(1);
  if (!map_image(&self)) _exit(1);
  sigset_t all;
  sigfillset(&all);
  without_faults(&all);
  sigprocmask(SIG_SETMASK, &none, NULL);
  begin(&self, 0);
  reply();
  worker_loop(&self);
}

/* ------------------------------------------------------------- controller */

typedef enum { LIVE, ZOMBIE, GONE } State;

typedef struct {
  pid_t pid;
  int pidfd;
  State state;
} Process;

typedef struct {
  int process;
  bool live;
} Thread;

static Process processes[MOST_THREADS];
static Thread threads[MOST_THREADS];
static int process_count, thread_count;
static int used; /* mailboxes, by the program before */
static char folder[PATH_MAX];
static volatile sig_atomic_t told_to_end;

static int pidfd_open(pid_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }

static bool has_ended(const Process *process) {
  struct pollfd one = {.fd = process->pidfd, .events = POLLIN};
  return poll(&one, 1, 0) > 0;
}

static char state_of(pid_t pid, int tid) {
  char path[64], line[512];
  snprintf(path, sizeof path, "/proc/%d/task/%d/stat", pid, tid);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 'X';
  ssize_t got = read(fd, line, sizeof line - 1);
  close(fd);
  if (got <= 0) return 'X';
  line[got] = '\0';
  char *end = strrchr(line, ')');
  return end == NULL || end[1] == '\0' ? 'X' : end[2];
}

static bool is_stopped(int process) {
  for (int i = 0; i < thread_count; i++)
    if (threads[i].live && threads[i].process == process) return state_of(processes[process].pid, control->mail[i].tid) == 'T';
  return false;
}

/* A thread is gone where its process is, or where the kernel has cleared its word. */
static void note_ends(void) {
  for (int i = 0; i < process_count; i++)
    if (processes[i].state == LIVE && has_ended(&processes[i])) processes[i].state = ZOMBIE;
  for (int i = 0; i < thread_count; i++)
    if (threads[i].live && processes[threads[i].process].state != LIVE) threads[i].live = false;
}

/* A process of this program that is there: `kill` of a number that has become a stranger's must not reach him. */
static bool is_there(int process) {
  if (process < 0 || process >= process_count || processes[process].state == GONE) return false;
  if (processes[process].state == LIVE && !has_ended(&processes[process])) return true;
  /* A zombie is still somebody's child; one that was reaped at once is not there any longer. */
  return syscall(SYS_pidfd_send_signal, processes[process].pidfd, 0, NULL, 0) == 0 || errno != ESRCH;
}

static const pid_t NOBODY = 0x7ffffff0; /* above every pid */

static pid_t pid_of(int process) { return is_there(process) ? processes[process].pid : NOBODY; }

/* A group that one of ours is in. */
static pid_t group_of(int leader) {
  if (leader < 0 || leader >= process_count) return NOBODY;
  for (int i = 0; i < process_count; i++)
    if (is_there(i) && getpgid(processes[i].pid) == processes[leader].pid) return processes[leader].pid;
  return NOBODY;
}

static int ordinal_of(pid_t pid) {
  for (int i = process_count - 1; i >= 0; i--)
    if (processes[i].pid == pid) return i;
  return -1;
}

static void pause_briefly(void) {
  struct timespec time = {0, 50000};
  nanosleep(&time, NULL);
}

/* Wait until the process has ended, or has stopped, or goes on. */
static void settle(int process, char wanted) {
  for (int tries = 0; tries < 20000; tries++) {
    if (has_ended(&processes[process])) return;
    if (wanted == 'T' && is_stopped(process)) return;
    if (wanted == 'C' && !is_stopped(process)) return;
    pause_briefly();
  }
}

typedef enum { REPLIED, ENDED, THREAD_ENDED, STOPPED, SILENT } Outcome;

static bool drain(void) {
  uint64_t count;
  return read(REPLY_FD, &count, sizeof count) == sizeof count;
}

/* `leaves`: the step ends its thread, and perhaps nothing else. */
static Outcome await(int thread, int process, bool leaves) {
  for (int waited = 0; waited < STEP_MILLISECONDS;) {
    struct pollfd both[2] = {{.fd = REPLY_FD, .events = POLLIN}, {.fd = processes[process].pidfd, .events = POLLIN}};
    int ready = poll(both, 2, 2);
    if (ready > 0 && (both[0].revents & POLLIN) && drain()) return REPLIED;
    if (ready > 0 && (both[1].revents & POLLIN)) return ENDED;
    if (leaves && __atomic_load_n(&control->mail[thread].tid, __ATOMIC_ACQUIRE) == 0) {
      /* The last thread of a process ends it: that is waited for. */
      for (int i = 0; i < thread_count; i++)
        if (i != thread && threads[i].live && threads[i].process == process) return THREAD_ENDED;
    }
    if (ready == 0) {
      if (is_stopped(process)) return STOPPED;
      waited += 2;
    }
  }
  return SILENT;
}

static int print_signals(const Mail *mail, bool interrupted) {
  int printed = 0;
  for (int i = 0; i < mail->count; i++) printed += printf(printed ? ",%d" : "%d", mail->taken[i]);
  if (interrupted && mail->current != 0) printed += printf(printed ? ",%d" : "%d", mail->current);
  if (printed == 0) printf("-");
  return printed;
}

static const char *error_name(int error) {
  switch (error) {
#define NAME(name) case name: return #name
    NAME(EACCES); NAME(EAGAIN); NAME(EBADF); NAME(ECHILD); NAME(EEXIST); NAME(EFAULT); NAME(EFBIG); NAME(EINVAL);
    NAME(EISDIR); NAME(EMFILE); NAME(ENOENT); NAME(ENOMEM); NAME(ENOTDIR); NAME(EPERM); NAME(EPIPE); NAME(ESPIPE);
    NAME(ESRCH);
#undef NAME
    default: return "EUNKNOWN";
  }
}

static void print_pid(uint64_t pid) { printf("pid %d", ordinal_of((pid_t)pid)); }

static void print_result(const Mail *mail) {
  switch (mail->kind) {
    case NOTHING: printf("none"); break;
    case INTEGER: printf("int %llu", (unsigned long long)mail->value); break;
    case ADDRESS: {
      uint64_t region = mail->value - (uint64_t)REGION, segment = mail->value - (uint64_t)SEGMENTS;
      if (region <= control->config.pages * control->config.page) printf("own %llu", (unsigned long long)region);
      else if (segment <= control->config.shared * control->config.page) printf("segment %llu", (unsigned long long)segment);
      else printf("int %llu", (unsigned long long)mail->value);
      break;
    }
    case BYTES:
      printf("bytes ");
      for (uint32_t i = 0; i < mail->length; i++) printf("%02x", mail->bytes[i]);
      break;
    case DESCRIPTOR: printf("fd %llu", (unsigned long long)mail->value); break;
    case PIPE_ENDS: printf("fds %llu %llu", (unsigned long long)mail->value, (unsigned long long)mail->second); break;
    case SIGNALS: printf("signals %llu", (unsigned long long)mail->value); break;
    case WORDS: printf("words %s", (const char *)mail->bytes); break;
    case CHILD: printf("child %d", ordinal_of((pid_t)mail->value)); break;
    case PID: print_pid(mail->value); break;
    case REAPED: {
      int status = (int)mail->second;
      printf("reaped %d ", ordinal_of((pid_t)mail->value));
      if (WIFEXITED(status)) printf("exited %d", WEXITSTATUS(status));
      else printf("signalled %d", WTERMSIG(status));
      break;
    }
    case TRAP: printf("trap %s", mail->word); break;
    case FAILED: printf("error %s", error_name(mail->error)); break;
    case WOULD_BLOCK: printf("would-block"); break;
  }
}

static int resolve(int actor) {
  if (actor < thread_count && threads[actor].live) return actor;
  int live = 0;
  for (int i = 0; i < thread_count; i++) live += threads[i].live;
  if (live == 0) return -1;
  int nth = actor % live;
  for (int i = 0; i < thread_count; i++)
    if (threads[i].live && nth-- == 0) return i;
  return -1;
}

/* Ordinals among the operands become pids; what a step is to make gets its ordinal. Signals that act at once are noted. */
static int prepare(Mail *mail, const char *line, int *targets, int *signal) {
  char copy[512], *rest = NULL;
  int count = 0;
  snprintf(copy, sizeof copy, "%s", line);
  char *name = strtok_r(copy, " ", &rest), *first = strtok_r(NULL, " ", &rest), *second = strtok_r(NULL, " ", &rest);
  *signal = 0;
  if (name == NULL) return 0;
  if (strcmp(name, "fork") == 0 || strcmp(name, "thread") == 0) mail->argument[0] = thread_count;
  if (strcmp(name, "wait") == 0 && second != NULL) mail->argument[0] = pid_of(atoi(second) % process_count);
  if (strcmp(name, "getpgid") == 0 || strcmp(name, "getsid") == 0 || strcmp(name, "setpgid") == 0) {
    if (first != NULL) mail->argument[0] = pid_of(atoi(first) % process_count);
    /* A group outlives its leader. */
    if (second != NULL) {
      int leader = atoi(second) % process_count;
      pid_t group = group_of(leader);
      mail->argument[1] = group == NOBODY ? pid_of(leader) : group;
    }
  }
  if (strcmp(name, "kill") == 0 && first != NULL) {
    bool own = strcmp(first, "own-group") == 0, group = *first == '-';
    int ordinal = own ? 0 : atoi(group ? first + 1 : first) % process_count;
    mail->argument[0] = group ? -group_of(ordinal) : pid_of(ordinal);
    char *last = second;
    *signal = last == NULL ? 0 : atoi(last);
    pid_t pgid = own ? getpgid(processes[threads[mail - control->mail].process].pid) : group ? (pid_t)-mail->argument[0] : 0;
    for (int i = 0; i < process_count; i++)
      if (processes[i].state == LIVE && (own || group ? getpgid(processes[i].pid) == pgid : i == ordinal)) targets[count++] = i;
  }
  return count;
}

static void command(int thread) {
  Mail *mail = &control->mail[thread];
  __atomic_add_fetch(&mail->command, 1, __ATOMIC_RELEASE);
  futex(&mail->command, FUTEX_WAKE, 1, NULL);
}

/*
 * The kernel tells a parent of the end of a child while it holds a lock that this call waits for. A child that nobody waits
 * for is gone a little later.
 */
static void await_notice(int process) {
  kill(-NOBODY, 0);
  for (int tries = 0; tries < 20000 && state_of(processes[process].pid, processes[process].pid) == 'X' && is_there(process); tries++)
    pause_briefly();
}

/* The first thread of a process, whose mask decides what the kernel drops, follows what another has made of signals. */
static void refresh_first(int thread, int process) {
  for (int i = 0; i < thread_count; i++) {
    Mail *mail = &control->mail[i];
    if (i == thread || !threads[i].live || threads[i].process != process || mail->tid != processes[process].pid) continue;
    strcpy(mail->line, "park");
    command(i);
    await(i, process, false);
  }
}

static bool begins(const char *line, const char *name) {
  size_t length = strlen(name);
  return strncmp(line, name, length) == 0 && (line[length] == '\0' || line[length] == ' ');
}

static bool step(int actor, const char *line) {
  note_ends();
  if (processes[0].state != LIVE) {
    printf("- - - halted\n");
    return true;
  }
  int thread = resolve(actor);
  if (thread < 0) {
    printf("- - - no-actor\n");
    return true;
  }
  int process = threads[thread].process, targets[MOST_THREADS], signal;
  Mail *mail = &control->mail[thread];
  printf("%d %d ", thread, process);
  if (is_stopped(process)) {
    printf("- would-block\n");
    return true;
  }
  int count = prepare(mail, line, targets, &signal);
  snprintf(mail->line, sizeof mail->line, "%s", line);
  mail->kind = NOTHING;
  mail->phase = TAKING_SIGNALS;
  mail->count = mail->current = 0;
  command(thread);
  Outcome outcome = await(thread, process, begins(line, "thread_exit"));
  if (outcome == SILENT) {
    printf("- silent\n");
    return false;
  }
  bool interrupted = mail->phase == TAKING_SIGNALS;
  print_signals(mail, outcome != REPLIED && interrupted);
  printf(" ");
  if (outcome == STOPPED) {
    __atomic_store_n(&mail->abandoned, mail->command, __ATOMIC_RELEASE);
    printf("would-block\n");
    return true;
  }
  if (outcome == ENDED || outcome == THREAD_ENDED) {
    if (outcome == THREAD_ENDED) threads[thread].live = false;
    else await_notice(process);
    note_ends();
    printf("%s\n", !interrupted ? "none" : process == 0 ? "halted" : "no-actor");
    return true;
  }
  if (mail->kind == CHILD) {
    pid_t pid = (pid_t)mail->value;
    processes[process_count] = (Process){.pid = pid, .pidfd = pidfd_open(pid), .state = LIVE};
    control->mail[thread_count].tid = pid;
    threads[thread_count++] = (Thread){.process = process_count++, .live = true};
  }
  if (mail->kind == NOTHING && begins(line, "thread")) threads[thread_count++] = (Thread){.process = process, .live = true};
  if (mail->kind == NOTHING && begins(line, "exec"))
    for (int i = 0; i < thread_count; i++)
      if (threads[i].process == process && i != thread) threads[i].live = false;
  if (begins(line, "exec")) mail->tid = processes[process].pid;
  for (int i = 0; i < count; i++) {
    if (signal == SIGKILL) {
      settle(targets[i], 'E');
      await_notice(targets[i]);
    }
    if (signal == SIGSTOP) settle(targets[i], 'T');
    if (signal == SIGCONT) settle(targets[i], 'C');
  }
  if (begins(line, "sigaction")) refresh_first(thread, process);
  print_result(mail);
  printf("\n");
  if (mail->kind == REAPED) {
    int reaped = ordinal_of((pid_t)mail->value);
    if (reaped >= 0) processes[reaped].state = GONE;
  }
  return true;
}

/* ------------------------------------------------------------- cleaning up */

/* Everything in a folder, and not the folder itself. */
static void empty_folder(const char *path) {
  DIR *list = opendir(path);
  if (list == NULL) return;
  for (struct dirent *entry; (entry = readdir(list)) != NULL;) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    char inner[PATH_MAX];
    snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
    if (unlink(inner) == 0) continue;
    empty_folder(inner);
    rmdir(inner);
  }
  closedir(list);
}

/* Children that are there, and those that become ours when their parents are gone. */
static void kill_children(void) {
  char path[64];
  snprintf(path, sizeof path, "/proc/self/task/%d/children", gettid());
  for (int rounds = 0; rounds < 10000; rounds++) {
    FILE *list = fopen(path, "re");
    int pid, killed = 0;
    while (list != NULL && fscanf(list, "%d", &pid) == 1) killed += kill(pid, SIGKILL) == 0;
    if (list != NULL) fclose(list);
    int got = 0;
    /* Nobody outlives SIGKILL: they are waited for. Then there may be others. */
    for (; killed > 0 && (got = waitpid(-1, NULL, __WALL)) > 0; killed--) continue;
    while (got >= 0 && (got = waitpid(-1, NULL, WNOHANG | __WALL)) > 0) continue;
    if (got < 0 && errno == ECHILD) return;
    if (killed == 0 && got == 0 && rounds > 0) pause_briefly();
  }
}

static void end_program(void) {
  for (int i = 0; i < process_count; i++)
    if (processes[i].state == LIVE && !has_ended(&processes[i])) syscall(SYS_pidfd_send_signal, processes[i].pidfd, SIGKILL, NULL, 0);
  kill_children();
  for (int i = 0; i < process_count; i++) close(processes[i].pidfd);
  used = thread_count;
  process_count = thread_count = 0;
  while (poll(&(struct pollfd){.fd = REPLY_FD, .events = POLLIN}, 1, 0) > 0) drain();
}

static bool start_program(void) {
  char path[PATH_MAX + 8];
  empty_folder(control->root);
  snprintf(path, sizeof path, "%s/d", control->root);
  mkdir(path, 0700);
  snprintf(path, sizeof path, "%s/e", control->root);
  mkdir(path, 0700);
  for (int i = 0; i < used; i++) {
    Mail *mail = &control->mail[i];
    mail->command = mail->abandoned = mail->ready = mail->tid = 0;
  }
  /* Segments begin with zeros. */
  if (ftruncate(CONTROL_FD, (off_t)control_bytes()) != 0) return false;
  if (ftruncate(CONTROL_FD, (off_t)(control_bytes() + control->config.shared * control->config.page)) != 0) return false;
  pid_t pid = fork();
  if (pid < 0) return false;
  if (pid == 0) begin_program();
  processes[0] = (Process){.pid = pid, .pidfd = pidfd_open(pid), .state = LIVE};
  threads[0] = (Thread){.process = 0, .live = true};
  control->mail[0].tid = pid;
  process_count = thread_count = 1;
  return await(0, 0, false) == REPLIED;
}

static bool read_line(char *line, size_t size) {
  if (fgets(line, (int)size, stdin) == NULL) return false;
  line[strcspn(line, "\n")] = '\0';
  return true;
}

static void on_end(int signal) {
  (void)signal;
  told_to_end = 1;
}

static cpu_set_t all_cpus;

/*
 * A program runs on one CPU: its processes take turns, and need not wake each other across. Which one, the scheduler says anew
 * for each program, when there is one to run: whoever sent it may be busy on the last one.
 */
static void on_any_cpu(void) { sched_setaffinity(0, sizeof all_cpus, &all_cpus); }

static void on_this_cpu(void) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET((unsigned)sched_getcpu(), &one);
  sched_setaffinity(0, sizeof one, &one);
}

/* Programs until the input ends: `program page pages shared xlen processes steps`, then so many lines of steps. */
static int serve(void) {
  char line[600];
  while (!told_to_end && read_line(line, sizeof line)) {
    Config *config = &control->config;
    unsigned long long page, pages, shared, xlen, most, steps;
    if (sscanf(line, "program %llu %llu %llu %llu %llu %llu", &page, &pages, &shared, &xlen, &most, &steps) != 6) return 2;
    *config = (Config){page, pages, shared, xlen, most};
    on_this_cpu();
    bool fine = start_program();
    printf(fine ? "ready\n" : "unable\n");
    for (unsigned long long i = 0; i < steps && read_line(line, sizeof line); i++) {
      char *rest = NULL, *actor = strtok_r(line, " ", &rest);
      if (actor == NULL || told_to_end) return 2;
      if (!fine) printf("- - - silent\n");
      else fine = thread_count < MOST_THREADS - 2 && step(atoi(actor), rest);
    }
    end_program();
    on_any_cpu();
    if (fflush(stdout) != 0) return 1;
  }
  return 0;
}

static bool make_control(void) {
  int memory = memfd_create("sfork", 0), event = eventfd(0, 0);
  if (memory < 0 || event < 0 || dup2(memory, CONTROL_FD) < 0 || dup2(event, REPLY_FD) < 0) return false;
  close(memory);
  close(event);
  if (ftruncate(CONTROL_FD, (off_t)control_bytes()) != 0) return false;
  if (!map_at(CONTROL, control_bytes(), PROT_READ | PROT_WRITE, MAP_SHARED, CONTROL_FD, 0)) return false;
  control = (Control *)CONTROL;
  snprintf(control->root, sizeof control->root, "%s", folder);
  return true;
}

/* As nobody in particular: limits on processes do not bind the superuser, and a mistake here could reach everybody. */
static bool drop_privileges(void) {
  const uid_t nobody = 65534;
  if (geteuid() != 0) return true;
  return setgroups(0, NULL) == 0 && setresgid(nobody, nobody, nobody) == 0 && setresuid(nobody, nobody, nobody) == 0 &&
         prctl(PR_SET_DUMPABLE, 1) == 0;
}

static int fail(const char *what) {
  fprintf(stderr, "sfork-linux: %s: %s\n", what, strerror(errno));
  return 1;
}

static void remove_folder(void) {
  empty_folder(folder);
  rmdir(folder);
}

/* The controller, in a process of its own. */
static int controller(void) {
  struct sigaction end = {.sa_handler = on_end};
  sigaction(SIGTERM, &end, NULL);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  if (getppid() == 1) return 1;
  sched_getaffinity(0, sizeof all_cpus, &all_cpus);
  if (!make_control()) return fail("cannot set up shared memory");
  int code = serve();
  end_program();
  remove_folder();
  return code;
}

/* In memory, where there is such a place: files are made and removed all the time. */
static bool make_folder(void) {
  const char *places[] = {getenv("TMPDIR"), "/dev/shm", "/tmp"};
  for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
    if (places[i] == NULL) continue;
    snprintf(folder, sizeof folder, "%s/sfork-linux-XXXXXX", places[i]);
    if (mkdtemp(folder) != NULL) return true;
  }
  return false;
}

int main(int argc, char **argv) {
  if (argc == 3 && strcmp(argv[1], "--worker") == 0) return worker_again(atoi(argv[2]));
  if (argc != 3) {
    fprintf(stderr, "usage: sfork-linux INPUT OUTPUT\n");
    return 2;
  }
  /* Whoever starts it opens the other ends. */
  int input = open(argv[1], O_RDONLY), output = open(argv[2], O_WRONLY);
  if (input < 0 || output < 0 || dup2(input, 0) < 0 || dup2(output, 1) < 0) return fail("cannot open the pipes");
  close(input);
  close(output);
  int image = open("/proc/self/exe", O_RDONLY);
  if (image < 0 || dup2(image, IMAGE_FD) < 0) return fail("cannot open this program");
  close(image);
  if (!drop_privileges()) return fail("cannot drop privileges");
  if (!make_folder()) return fail("cannot make a temporary folder");
  signal(SIGPIPE, SIG_IGN);
  signal(SIGINT, SIG_IGN);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  pid_t pid = fork();
  if (pid < 0) return fail("cannot fork");
  if (pid == 0) _exit(controller());
  close(0);
  close(1);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
  kill_children();
  remove_folder();
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
