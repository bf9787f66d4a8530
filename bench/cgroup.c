/*
 * What it costs to make a control group, limit it, move a process into it, take that out again and remove it, by nothing but the calls that it takes.
 * Each argument is an operation: "mkdir PATH", "rmdir PATH", or "write PATH VALUE".
 * For each line "N" on standard input it does all of them N times and prints the time of each, in nanoseconds, on one line.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static void failed(const char *what) {
  dprintf(2, "cgroup: %s: %s\n", what, strerror(errno));
  exit(1);
}

static void operate(const char *operation) {
  char path[4096], value[256];
  if (sscanf(operation, "mkdir %4095s", path) == 1) {
    if (mkdir(path, 0755) && errno != EEXIST) failed(operation);
  } else if (sscanf(operation, "rmdir %4095s", path) == 1) {
    if (rmdir(path)) failed(operation);
  } else if (sscanf(operation, "write %4095s %255[^\n]", path, value) == 2) {
    int file = open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0 || write(file, value, strlen(value)) < 0 || close(file)) failed(operation);
  } else {
    errno = EINVAL;
    failed(operation);
  }
}

static long now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000L + time.tv_nsec;
}

int main(int count, char **arguments) {
  char line[32];
  while (fgets(line, sizeof line, stdin)) {
    for (int left = atoi(line); left > 0; left--) {
      long start = now();
      for (int i = 1; i < count; i++) operate(arguments[i]);
      printf("%ld%c", now() - start, left > 1 ? ' ' : '\n');
    }
    fflush(stdout);
  }
  return 0;
}
