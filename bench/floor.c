/*
 * The floor: a C program that makes the calls of a plan itself, with a clone of its own, and waits. Nothing in between could be quicker.
 * The calls are in PLAN, which to-c.ts writes. For each line "N" on standard input it does so N times and prints the time of each, in nanoseconds, on one line.
 * With OUTPUT the program's standard output and error are pipes, which are read to their end. With ONCE it does so once, and ends.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
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

static unsigned char stack[65536] __attribute__((aligned(16)));
static int output[2][2];

static int enter(void *from) {
#ifdef OUTPUT
  if (!from) {
    dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), 0);
    for (int i = 0; i < 2; i++) dup2(output[i][1], i + 1);
  }
#endif
  return (int)steps((int)(long)from);
}

static void end_of(long pid) {
  int status;
  while (waitpid((pid_t)pid, &status, __WALL) < 0)
    if (errno != EINTR) failed(-1, -errno);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
  dprintf(2, "floor: the process ended with status 0x%x\n", status);
  exit(1);
}

static void read_output(void) {
  char buffer[65536];
  for (int i = 0; i < 2; i++) close(output[i][1]);
  for (int i = 0; i < 2; i++) {
    while (read(output[i][0], buffer, sizeof buffer) > 0);
    close(output[i][0]);
  }
}

static long now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000L + time.tv_nsec;
}

static long once(void) {
  long start = now();
  reset();
#ifdef OUTPUT
  for (int i = 0; i < 2; i++)
    if (pipe2(output[i], O_CLOEXEC)) failed(-1, -errno);
#endif
  if (CLONES_AT_ONCE) steps(0);
  else end_of(made(clone(enter, stack + sizeof stack, CLONE_VM | SIGCHLD, (void *)0L)));
#ifdef OUTPUT
  read_output();
#endif
  end_of(started());
  clean();
  return now() - start;
}

/* Where a plan reports. */
static void have_host(void) {
  if (dup3(open("/dev/null", O_RDWR | O_CLOEXEC), 3, O_CLOEXEC) < 0 && errno != EINVAL) failed(-1, -errno);
}

#ifdef ONCE
int main(void) {
  have_host();
  once();
  return 0;
}
#else
int main(void) {
  char line[32];
  have_host();
  while (fgets(line, sizeof line, stdin)) {
    for (int left = atoi(line); left > 0; left--) printf("%ld%c", once(), left > 1 ? ' ' : '\n');
    fflush(stdout);
  }
  return 0;
}
#endif
