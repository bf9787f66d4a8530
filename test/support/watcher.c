// Tries every process that is being set up, which is to say whose name is still the number of a file, until there is /stop: to read and to follow its files, to open its memory,
// to trace it. What it finds counts if the process is still being set up afterwards.
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#define PIDS 100000

static char seen[PIDS];
static long looked, opened;

static int is_set_up(int pid) {
  char path[64], name[32];
  snprintf(path, sizeof path, "/proc/%d/comm", pid);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  long length = read(fd, name, sizeof name);
  close(fd);
  return length > 0 && isdigit((unsigned char)name[0]);
}

static void found(int pid, const char *what, const char *content) {
  if (!is_set_up(pid)) return;
  opened++;
  if (opened <= 20) printf("%s %s\n", what, content);
}

static void look(int pid) {
  static const char *const links[] = { "exe", "cwd", "root", "fd/3", "fd/4", "fd/5", "fd/8", "fd/12", "ns/mnt" };
  static const char *const files[] = { "environ", "maps", "auxv", "mem" };
  char path[64], content[512];
  if (!is_set_up(pid)) return;
  if (pid < PIDS && !seen[pid]) seen[pid] = 1, looked++;
  for (unsigned i = 0; i < sizeof links / sizeof *links; i++) {
    snprintf(path, sizeof path, "/proc/%d/%s", pid, links[i]);
    long length = readlink(path, content, sizeof content - 1);
    if (length > 0) content[length] = 0, found(pid, links[i], content);
  }
  for (unsigned i = 0; i < sizeof files / sizeof *files; i++) {
    snprintf(path, sizeof path, "/proc/%d/%s", pid, files[i]);
    int fd = open(path, (i == 3 ? O_RDWR : O_RDONLY) | O_CLOEXEC);
    if (fd < 0) continue;
    if (i == 3 || read(fd, content, 1) == 1) found(pid, files[i], "");
    close(fd);
  }
  if (ptrace(PTRACE_SEIZE, pid, 0, 0) == 0) {
    found(pid, "ptrace", "");
    /* It may be the program by now, which is traced as it may be: only one that is stopped is let go, and one that has ended is waited for. */
    int status;
    ptrace(PTRACE_INTERRUPT, pid, 0, 0);
    if (waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status)) ptrace(PTRACE_DETACH, pid, 0, 0);
  }
}

int main(void) {
  puts("ready");
  fflush(stdout);
  while (access("/stop", F_OK) != 0) {
    DIR *proc = opendir("/proc");
    for (struct dirent *entry; proc && (entry = readdir(proc));) {
      int pid = atoi(entry->d_name);
      if (pid > 1) look(pid);
    }
    if (proc) closedir(proc);
  }
  printf("looked %ld\nopened %ld\n", looked, opened);
  return 0;
}
