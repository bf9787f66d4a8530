// A dynamic loader of an image: says which file the process executes, which its program's file is, and ends. Without a C library, which would take the program for itself.
static long call(long number, long a, long b, long c) {
  long result;
  __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
  return result;
}

void _start(void) {
  static const char exe[] = "/proc/self/exe";
  char path[256];
  long length = call(89 /* readlink */, (long)exe, (long)path, sizeof path);
  call(1 /* write */, 1, (long)path, length);
  call(60 /* exit */, 0, 0, 0);
}
