// Gives up the tie that a process has of its own to the one that made it, says so, and waits. By prctl: the attribute itself. By ids: the kernel drops it at a change of credentials.
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(int argc, char **argv) {
  const char *how = argc > 1 ? argv[1] : "";
  int signal = -1;
  if (strcmp(how, "prctl") == 0) prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);
  if (strcmp(how, "ids") == 0 && setresuid(1, 1, 1) != 0) perror("setresuid");
  prctl(PR_GET_PDEATHSIG, &signal, 0, 0, 0);
  printf("%s %d\n", how, signal);
  fflush(stdout);
  for (;;) pause();
}
