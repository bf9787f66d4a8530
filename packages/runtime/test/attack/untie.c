// Gives up the tie that a process has of its own to the one that made it, says so, and waits. By prctl: the attribute itself. By ids: the kernel drops it at a change of credentials.
// By trace: a child of it stops it at its end, where no SIGKILL reaches it.
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__x86_64__)
#define PTRACE_OLDSETOPTIONS 21
#endif

/* Has a child that traces this process. Whether it may. */
static int trace(void) {
  int ends[2];
  pid_t self = getpid();
  long answer = -1;
  if (pipe(ends) != 0) return -1;
  prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
  if (fork() == 0) {
    answer = ptrace(PTRACE_SEIZE, self, 0, PTRACE_O_TRACEEXIT);
#ifdef PTRACE_OLDSETOPTIONS
    if (answer != 0 && ptrace(PTRACE_SEIZE, self, 0, 0) == 0 && ptrace(PTRACE_INTERRUPT, self, 0, 0) == 0 && waitpid(self, NULL, __WALL) == self) {
      answer = ptrace(PTRACE_OLDSETOPTIONS, self, 0, PTRACE_O_TRACEEXIT);
      ptrace(PTRACE_CONT, self, 0, 0);
    }
#endif
    if (write(ends[1], &answer, sizeof answer) < 0) return 1;
    for (;;) pause();
  }
  return read(ends[0], &answer, sizeof answer) == sizeof answer ? (int)answer : -1;
}

int main(int argc, char **argv) {
  const char *how = argc > 1 ? argv[1] : "";
  int signal = -1;
  if (strcmp(how, "prctl") == 0) prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);
  if (strcmp(how, "ids") == 0 && setresuid(1, 1, 1) != 0) perror("setresuid");
  prctl(PR_GET_PDEATHSIG, &signal, 0, 0, 0);
  if (strcmp(how, "trace") == 0) signal = trace();
  printf("%s %d\n", how, signal);
  fflush(stdout);
  for (;;) pause();
}
