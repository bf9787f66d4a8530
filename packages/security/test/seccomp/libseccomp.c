/*
 * Builds the filter of a profile with libseccomp, and writes out its instructions. It is told what to do on standard input, in hexadecimal but for names and conditions:
 * default ACTION BADARCH OPTIMIZE | arch TOKEN | alone TOKEN | rule ACTION NAME COUNT {INDEX OP A B} | name NAME {TOKEN}
 */
#define _GNU_SOURCE
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>

int main(void) {
  scmp_filter_ctx filter = NULL;
  char word[16], name[64];
  while (scanf("%15s", word) == 1) {
    if (!strcmp(word, "default")) {
      unsigned action, bad, optimize;
      if (scanf("%x %x %u", &action, &bad, &optimize) != 3 || !(filter = seccomp_init(action))) return 2;
      seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, bad);
      if (optimize) seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, optimize);
    } else if (!strcmp(word, "arch")) {
      unsigned arch;
      if (scanf("%x", &arch) != 1) return 2;
      int rc = seccomp_arch_add(filter, arch);
      if (rc && rc != -EEXIST) return 3;
    } else if (!strcmp(word, "alone")) {
      unsigned arch;
      if (scanf("%x", &arch) != 1) return 2;
      if (arch != seccomp_arch_native() && seccomp_arch_remove(filter, SCMP_ARCH_NATIVE)) return 3;
    } else if (!strcmp(word, "name")) {
      unsigned arch;
      if (scanf("%63s", name) != 1) return 2;
      while (scanf("%x", &arch) == 1) printf("%d ", seccomp_syscall_resolve_name_arch(arch, name));
      putchar('\n');
    } else {
      unsigned action, count;
      struct scmp_arg_cmp args[6];
      if (scanf("%x %63s %u", &action, name, &count) != 3) return 2;
      for (unsigned i = 0; i < count; i++) {
        unsigned op;
        unsigned long long a, b;
        if (scanf("%u %u %llu %llu", &args[i].arg, &op, &a, &b) != 4) return 2;
        args[i].op = op;
        args[i].datum_a = a;
        args[i].datum_b = b;
      }
      int number = seccomp_syscall_resolve_name(name);
      if (number == __NR_SCMP_ERROR) continue;
      int rc = seccomp_rule_add_array(filter, action, number, count, args);
      if (rc) {
        fprintf(stderr, "%s: %s", name, strerror(-rc));
        return 4;
      }
    }
  }
  return filter ? seccomp_export_bpf(filter, 1) != 0 : 0;
}
