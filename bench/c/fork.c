/*
 * What fork() of this machine takes for a region of anonymous memory: all of it touched, a pointer in every eighth granule of
 * 16 bytes, huge pages off.
 *
 *   fork MIB SAMPLES
 *
 * Prints a line for each sample: nanoseconds of the call in the parent, and of a child that writes a byte of every page; and
 * before them one line: nanoseconds of touching as much fresh memory.
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static unsigned char *region(size_t size) {
  void *found = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (found == MAP_FAILED) exit(3);
  /* Refused by a kernel that has no huge pages: then there is nothing to switch off. */
  madvise(found, size, MADV_NOHUGEPAGE);
  return found;
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  const size_t page = 4096, size = (size_t)strtol(argv[1], NULL, 10) << 20;
  const int samples = atoi(argv[2]);
  double *took = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (took == MAP_FAILED) return 3;

  unsigned char *memory = region(size);
  double started = now();
  for (size_t at = 0; at < size; at += page) memory[at] = 1;
  printf("%.0f\n", now() - started);
  for (size_t at = 0; at < size; at += 8 * 16) *(uintptr_t *)(memory + at) = (uintptr_t)(memory + at);
  fflush(stdout);

  for (int sample = 0; sample < samples; sample++) {
    started = now();
    pid_t child = fork();
    double forked = now() - started;
    if (child < 0) return 3;
    if (child == 0) {
      double begun = now();
      for (size_t at = 0; at < size; at += page) ((volatile unsigned char *)memory)[at + 8] = 7;
      *took = now() - begun;
      _exit(0);
    }
    int status;
    if (waitpid(child, &status, 0) != child || status != 0) return 3;
    printf("%.0f %.0f\n", forked, *took);
    fflush(stdout);
  }
  return 0;
}
