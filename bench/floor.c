/*
 * The floor: a C program that makes the calls of a plan itself, with a clone of its own, and waits. Nothing in between could be quicker.
 * The calls are in PLAN, which to-c.ts writes. For each line "N" on standard input it does so N times and prints the time of each, in nanoseconds, on one line.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long made(long result) { return result == -1 ? -errno : result; }

static void failed(int step, long result) {
  dprintf(2, "floor: step %d failed: %s\n", step + 1, strerror((int)-result));
  _exit(125);
}

static int enter(void *from);
#include PLAN
static int enter(void *from) { return (int)steps((int)(long)from); }

static unsigned char stack[65536] __attribute__((aligned(16)));

static long now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000L + time.tv_nsec;
}

static void end_of(long pid) {
  int status;
  while (waitpid((pid_t)pid, &status, __WALL) < 0)
    if (errno != EINTR) failed(-1, -errno);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
  dprintf(2, "floor: the process ended with status 0x%x\n", status);
  exit(1);
}

static long once(void) {
  long start = now();
  reset();
  if (CLONES_AT_ONCE) steps(0);
  else end_of(made(clone(enter, stack + sizeof stack, CLONE_VM | SIGCHLD, (void *)0L)));
  end_of(started());
  clean();
  return now() - start;
}

int main(void) {
  char line[32];
  while (fgets(line, sizeof line, stdin)) {
    for (int left = atoi(line); left > 0; left--) printf("%ld%c", once(), left > 1 ? ' ' : '\n');
    fflush(stdout);
  }
  return 0;
}
