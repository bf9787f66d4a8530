// How long system calls take under a seccomp filter: loads one from a file (an array of struct sock_filter), unless the name is -, and makes each call of a list
// many times. Prints the least of several rounds for each, in nanoseconds per call.
// usage: syscall-loop FILTER|- [COUNT]
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 15, MAX_INSTRUCTIONS = 4096 };

struct one {
  const char *name;
  long number;
  unsigned long arguments[3];
};

// What is allowed in any case comes first, then what depends on arguments, then what is refused.
static const struct one calls[] = {
    {"getppid", SYS_getppid, {0}},
    {"read of nothing", SYS_read, {0, 0, 0}},
    {"close_range of nothing", SYS_close_range, {1000, 1000, 0}},
    {"ioctl TIOCGPGRP", SYS_ioctl, {0, 0x540f, 0}},
    {"personality query", SYS_personality, {0xffffffff}},
    {"socket of no family", SYS_socket, {99, 1, 0}},
    {"add_key", SYS_add_key, {0}},
    {"io_uring_setup", SYS_io_uring_setup, {0}},
};

static void load(const char *path) {
  static struct sock_filter instructions[MAX_INSTRUCTIONS];
  int file = open(path, O_RDONLY);
  ssize_t bytes = file < 0 ? -1 : read(file, instructions, sizeof instructions);
  struct sock_fprog filter = {.len = bytes / sizeof *instructions, .filter = instructions};
  if (bytes <= 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter)) {
    perror(path);
    exit(1);
  }
  close(file);
}

static double round_of(const struct one *one, long count) {
  struct timespec start, end;
  clock_gettime(CLOCK_MONOTONIC, &start);
  for (long i = 0; i < count; i++) syscall(one->number, one->arguments[0], one->arguments[1], one->arguments[2]);
  clock_gettime(CLOCK_MONOTONIC, &end);
  return ((end.tv_sec - start.tv_sec) * 1e9 + (end.tv_nsec - start.tv_nsec)) / count;
}

int main(int count, char **arguments) {
  if (count < 2) {
    fprintf(stderr, "usage: %s FILTER|- [COUNT]\n", arguments[0]);
    return 2;
  }
  long each = count > 2 ? atol(arguments[2]) : 200000;
  if (arguments[1][0] != '-') load(arguments[1]);
  dup2(open("/dev/null", O_RDWR), 0);
  for (unsigned i = 0; i < sizeof calls / sizeof *calls; i++) {
    double least = 1e9;
    for (int round = 0; round < ROUNDS; round++) {
      double now = round_of(&calls[i], each);
      if (now < least) least = now;
    }
    printf("%-24s %8.1f\n", calls[i].name, least);
  }
}
