/*
 * Builds the filter of a profile with libseccomp, and writes out its instructions. What it is told on standard input:
 * "default ACTION", "arch TOKEN" for each further architecture, "rule ACTION NAME COUNT" and COUNT times "INDEX OP A B". Calls that it does not know are left out.
 */
#include <seccomp.h>
#include <stdio.h>
#include <string.h>

int main(void) {
  scmp_filter_ctx filter = NULL;
  char word[16], name[64];
  unsigned value, count;
  while (scanf("%15s %x", word, &value) == 2) {
    if (!strcmp(word, "default")) {
      if (!(filter = seccomp_init(value)) || seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2)) return 2;
    } else if (!strcmp(word, "arch")) {
      if (value != seccomp_arch_native() && seccomp_arch_add(filter, value)) return 3;
    } else {
      struct scmp_arg_cmp args[6];
      if (scanf("%63s %u", name, &count) != 2 || count > 6) return 4;
      for (unsigned i = 0; i < count; i++) {
        unsigned op;
        unsigned long long a, b;
        if (scanf("%u %u %llu %llu", &args[i].arg, &op, &a, &b) != 4) return 4;
        args[i].op = op;
        args[i].datum_a = a;
        args[i].datum_b = b;
      }
      int number = seccomp_syscall_resolve_name(name);
      if (number != __NR_SCMP_ERROR && seccomp_rule_add_array(filter, value, number, count, args)) fprintf(stderr, "libseccomp: %s is left out\n", name);
    }
  }
  return !filter || seccomp_export_bpf(filter, 1);
}
