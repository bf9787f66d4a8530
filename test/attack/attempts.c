// What a hostile program tries in a container: each attempt by its name, with what the kernel answered. `got` is an attempt that had an effect that it must not have.
// Arguments: the attempts to make. Environment: MARKER, a path of the host that no container has; ABSTRACT, a socket of the host; CANARY, a text that the caller keeps to itself.
// Nothing here changes a host, should a defence be missing: files are opened and closed, modes are set to what they are.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *name;
static int got_any;

static void tell(int got, const char *detail) {
  printf("%s\t%s\t%s\n", name, got ? "got" : "held", detail);
  fflush(stdout);
  got_any |= got;
}

static const char *answer(long result) { return result >= 0 ? "ok" : strerrorname_np(errno); }

/** One of several ways to the same: the first that works is told, or else what the last answered. */
static int works(const char *way, long result, char *detail) {
  snprintf(detail, 200, "%s: %s", way, answer(result));
  return result >= 0;
}

#define CALL(way, ...) (got = works(way, syscall(__VA_ARGS__), detail))
#define TRY(...) if (!got) CALL(__VA_ARGS__)

static void do_mount(void) {
  int got = 0; char detail[200];
  mkdir("/tmp/m", 0700);
  TRY("mount tmpfs", SYS_mount, "tmpfs", "/tmp", "tmpfs", 0, 0);
  TRY("bind", SYS_mount, "/etc", "/tmp", 0, MS_BIND, 0);
  TRY("remount /proc/sys", SYS_mount, 0, "/proc/sys", 0, MS_REMOUNT | MS_BIND, 0);
  TRY("remount /", SYS_mount, 0, "/", 0, MS_REMOUNT | MS_BIND, 0);
  TRY("move /dev", SYS_mount, "/dev", "/tmp", 0, MS_MOVE, 0);
  TRY("mount proc", SYS_mount, "proc", "/tmp", "proc", 0, 0);
  TRY("umount /proc/sys", SYS_umount2, "/proc/sys", MNT_DETACH);
  TRY("umount /proc/keys", SYS_umount2, "/proc/keys", MNT_DETACH);
  tell(got, detail);
}

static void do_new_mount_api(void) {
  int got = 0; char detail[200]; struct { unsigned long a[4]; } attr = { { 0 } };
  TRY("fsopen", SYS_fsopen, "tmpfs", 0);
  TRY("fspick", SYS_fspick, AT_FDCWD, "/", 0);
  TRY("open_tree", SYS_open_tree, AT_FDCWD, "/etc", 1);
  TRY("mount_setattr", SYS_mount_setattr, AT_FDCWD, "/", 0, &attr, sizeof attr);
  TRY("pivot_root", SYS_pivot_root, ".", ".");
  tell(got, detail);
}

static long forked(unsigned long flags) {
  long pid = syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
  if (pid == 0) _exit(0);
  if (pid > 0) waitpid((pid_t)pid, 0, __WALL);
  return pid;
}

static void do_namespaces(void) {
  static const struct { const char *kind; int flag; } kinds[] = { { "user", CLONE_NEWUSER }, { "mount", CLONE_NEWNS }, { "pid", CLONE_NEWPID }, { "net", CLONE_NEWNET }, { "cgroup", CLONE_NEWCGROUP }, { "time", 0x80 } };
  int got = 0; char detail[200], way[40];
  for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    snprintf(way, sizeof way, "unshare %s", kinds[i].kind);
    TRY(way, SYS_unshare, kinds[i].flag);
  }
  if (!got) got = works("clone user", forked(CLONE_NEWUSER), detail);
  if (!got) {
    struct { unsigned long flags, rest[10]; } args = { CLONE_NEWUSER, { 0, 0, 0, SIGCHLD } };
    long pid = syscall(SYS_clone3, &args, sizeof args);
    if (pid == 0) _exit(0);
    got = works("clone3 user", pid, detail);
  }
  if (!got) {
    int fd = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
    got = works("setns", syscall(SYS_setns, fd, 0), detail);
  }
  tell(got, detail);
}

static void do_cgroup_v1(void) {
  static const char *const kinds[] = { "rdma", "memory", "cpu", "pids", "misc", "net_cls", "devices" };
  int got = 0; char detail[200];
  for (unsigned i = 0; i < 7; i++) TRY(kinds[i], SYS_mount, "cgroup", "/tmp", "cgroup", 0, kinds[i]);
  TRY("cgroup2", SYS_mount, "cgroup2", "/tmp", "cgroup2", 0, 0);
  tell(got, detail);
}

/** Opens for writing, without writing, all below a directory. */
static int writable_below(const char *directory, int depth, char *detail) {
  DIR *dir = opendir(directory);
  int found = 0;
  char path[600];
  for (struct dirent *entry; dir && !found && (entry = readdir(dir));) {
    if (entry->d_name[0] == '.') continue;
    snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
    struct stat stat;
    if (lstat(path, &stat) != 0) continue;
    if (S_ISDIR(stat.st_mode)) { if (depth > 0) found = writable_below(path, depth - 1, detail); continue; }
    if (!S_ISREG(stat.st_mode)) continue;
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd >= 0) { snprintf(detail, 200, "%.150s opens", path); found = 1; close(fd); }
  }
  if (dir) closedir(dir);
  return found;
}

static void do_cgroup_files(void) {
  char detail[200] = "nothing opens for writing";
  int got = writable_below("/sys/fs/cgroup", 3, detail);
  if (!got && mkdir("/sys/fs/cgroup/attack", 0700) == 0) { rmdir("/sys/fs/cgroup/attack"); got = 1; strcpy(detail, "mkdir: ok"); }
  tell(got, detail);
}

static void do_configure_host(void) {
  static const char *const paths[] = { "/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe", "/proc/sysrq-trigger", "/proc/sys/fs/binfmt_misc/register", "/proc/sys/vm/panic_on_oom",
    "/proc/irq/default_smp_affinity", "/proc/bus/pci/00/00.0", "/sys/kernel/uevent_helper", "/sys/kernel/mm/ksm/run", "/sys/power/state", "/sys/kernel/security/apparmor/.load", "/proc/acpi/wakeup", "/proc/scsi/scsi" };
  char detail[200] = "";
  for (unsigned i = 0; i < sizeof paths / sizeof *paths; i++) {
    int fd = open(paths[i], O_WRONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd >= 0) { snprintf(detail, sizeof detail, "%s opens for writing", paths[i]); tell(1, detail); close(fd); return; }
    if (i == 0) strcpy(detail, strerrorname_np(errno));
  }
  tell(0, detail);
}

static void do_masked(void) {
  static const char *const paths[] = { "/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/interrupts", "/proc/sched_debug", "/sys/firmware", "/proc/scsi", "/proc/acpi", "/sys/devices/virtual/powercap" };
  char detail[200], byte;
  for (unsigned i = 0; i < sizeof paths / sizeof *paths; i++) {
    int fd = open(paths[i], O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) continue;
    int shown = read(fd, &byte, 1) > 0;
    DIR *dir = shown ? 0 : opendir(paths[i]);
    for (struct dirent *entry; dir && (entry = readdir(dir));) if (entry->d_name[0] != '.') shown = 1;
    if (dir) closedir(dir);
    close(fd);
    if (shown) { snprintf(detail, sizeof detail, "%s shows something", paths[i]); tell(1, detail); return; }
  }
  tell(0, "empty, or not there");
}

static void do_file_handle(void) {
  int got = 0; char detail[200];
  struct { unsigned bytes; int type; unsigned char content[128]; } handle = { 128, 0, { 0 } }, guess = { 8, 1, { 2 } };
  int mount_id, root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (syscall(SYS_name_to_handle_at, AT_FDCWD, "/etc", &handle, &mount_id, 0) == 0) TRY("own handle", SYS_open_by_handle_at, root, &handle, O_RDONLY);
  TRY("guess", SYS_open_by_handle_at, root, &guess, O_RDONLY);
  tell(got || errno == ESTALE, detail);
}

static void do_keys(void) {
  int got = 0; char detail[200];
  TRY("add_key", SYS_add_key, "user", "attack", "x", 1, -3);
  TRY("keyctl", SYS_keyctl, 0, -3, 0);
  TRY("request_key", SYS_request_key, "user", "attack", 0, -3);
  tell(got, detail);
}

/** The first process, where it is ctr's own. */
static void do_init(void) {
  int got = 0; char detail[200];
  TRY("ptrace", SYS_ptrace, PTRACE_SEIZE, 1, 0, 0);
  if (!got) got = works("its memory", open("/proc/1/mem", O_RDWR | O_CLOEXEC), detail);
  char link[100];
  if (!got) got = works("its executable", readlink("/proc/1/exe", link, sizeof link), detail);
  if (!got) got = works("its files", open("/proc/1/fd/3", O_RDONLY | O_CLOEXEC), detail);
  tell(got, detail);
}

static void do_devices(void) {
  int got = 0; char detail[200];
  TRY("mknod of the kernel's log", SYS_mknodat, AT_FDCWD, "/dev/attack", S_IFCHR | 0600, makedev(1, 11));
  if (got) {
    got = works("a device that was made", open("/dev/attack", O_WRONLY | O_NONBLOCK | O_CLOEXEC), detail);
    unlink("/dev/attack");
  }
  static const char *const paths[] = { "/dev/mem", "/dev/kmsg", "/dev/sda", "/dev/vda", "/dev/fuse", "/dev/kvm", "/dev/net/tun", "/dev/loop-control" };
  for (unsigned i = 0; i < 8 && !got; i++) got = works(paths[i], open(paths[i], O_RDONLY | O_NONBLOCK | O_CLOEXEC), detail);
  tell(got, detail);
}

/** The mode of a device is set to what it is: on a file of the host that is refused. */
static void do_device_modes(void) {
  static const char *const paths[] = { "/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty" };
  char detail[200] = "EROFS, or its own";
  struct stat dev, stat;
  if (lstat("/dev", &dev) != 0) dev.st_dev = 0;
  for (unsigned i = 0; i < 6; i++) {
    int fd = open(paths[i], O_PATH | O_CLOEXEC);
    char link[40];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    if (fstat(fd, &stat) == 0 && S_ISCHR(stat.st_mode) && stat.st_dev != dev.st_dev && chmod(link, stat.st_mode & 07777) == 0) {
      snprintf(detail, sizeof detail, "the mode of the host's %s can be set", paths[i]);
      tell(1, detail);
      return;
    }
    close(fd);
  }
  tell(0, detail);
}

static void do_foreign_calls(void) {
#ifdef __x86_64__
  static const struct { const char *way; long nr; } calls[] = { { "x32 unshare", 0x40000000L | 272 }, { "int80 unshare", 310 }, { "int80 keyctl", 288 }, { "int80 io_uring_setup", 425 }, { "int80 bpf", 357 }, { "int80 mount", 21 } };
  char detail[200] = "";
  for (unsigned i = 0; i < 6; i++) {
    pid_t pid = fork();
    if (pid == 0) {
      long result = -1;
      if (i == 0) result = syscall(calls[i].nr, CLONE_NEWUSER);
      else __asm__ volatile("int $0x80" : "=a"(result) : "a"(calls[i].nr), "b"(i == 1 ? CLONE_NEWUSER : 0L), "c"(0L), "d"(0L), "S"(0L), "D"(0L) : "memory", "r8", "r9", "r10", "r11");
      // EFAULT and EINVAL come from behind the filter.
      _exit(i == 0 ? result >= 0 : (int)result >= 0 || (int)result == -EFAULT || (int)result == -EINVAL);
    }
    int status;
    waitpid(pid, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 1) { tell(1, calls[i].way); return; }
    snprintf(detail, sizeof detail, WIFSIGNALED(status) ? "killed" : "refused");
  }
  tell(0, detail);
#else
  tell(0, "of x86 only");
#endif
}

static void do_kernel_doors(void) {
  int got = 0; char detail[200], params[128] = { 0 }, attr[128] = { 1, 0, 0, 0, 4, 0, 0, 0, 4, 0, 0, 0, 1 };
  TRY("io_uring_setup", SYS_io_uring_setup, 1, params);
  TRY("bpf", SYS_bpf, 0, attr, 72);
  char event[128] = { 1, 0, 0, 0, 120 };
  TRY("perf_event_open", SYS_perf_event_open, event, 0, -1, -1, 0);
  TRY("userfaultfd", SYS_userfaultfd, 0);
  TRY("AF_ALG", SYS_socket, 38, SOCK_SEQPACKET, 0);
  TRY("AF_VSOCK", SYS_socket, 40, SOCK_STREAM, 0);
  TRY("AF_PACKET", SYS_socket, AF_PACKET, SOCK_RAW, 0);
  TRY("syslog", SYS_syslog, 10, 0, 0);
  TRY("sethostname", SYS_sethostname, "attack", 6);
  TRY("iopl", SYS_iopl, 3);
  if (!got && syscall(SYS_init_module, 0, 0, "") < 0 && errno != EPERM && errno != ENOSYS) got = 1, strcpy(detail, "init_module");
  if (!got && syscall(SYS_swapon, "/nowhere", 0) < 0 && errno != EPERM && errno != ENOSYS) got = 1, strcpy(detail, "swapon");
  tell(got, detail);
}

static void do_abstract_socket(void) {
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  const char *socket_name = getenv("ABSTRACT") ? getenv("ABSTRACT") : "none";
  strncpy(address.sun_path + 1, socket_name, sizeof address.sun_path - 2);
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  long result = connect(fd, (struct sockaddr *)&address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(socket_name)));
  // Some name their sockets with all the NULs that follow.
  if (result != 0) result = connect(fd, (struct sockaddr *)&address, sizeof address);
  tell(result == 0, answer(result));
}

/** Its own environment was given: what the caller keeps to itself is looked for in all that can be read. */
static void do_secrets(void) {
  const char *canary = getenv("CANARY_HALF");
  static const char *const files[] = { "/proc/self/environ", "/proc/1/environ", "/proc/1/cmdline", "/proc/self/cmdline" };
  char secret[100], content[65536], detail[200] = "not found";
  snprintf(secret, sizeof secret, "secret-of-the-caller-%s", canary ? canary : "");
  for (unsigned i = 0; i < 4; i++) {
    int fd = open(files[i], O_RDONLY | O_CLOEXEC);
    long length = read(fd, content, sizeof content);
    if (length > 0 && memmem(content, (size_t)length, secret, strlen(secret))) { snprintf(detail, sizeof detail, "in %s", files[i]); tell(1, detail); return; }
    close(fd);
  }
  if (getenv("NODE_OPTIONS") || getenv("LD_PRELOAD") || getenv("BASH_ENV")) { tell(1, "a variable of the caller"); return; }
  tell(0, detail);
}

static void do_open_files(void) {
  char detail[200] = "0, 1, 2", path[64], target[150];
  for (int fd = 3; fd < 1024; fd++) {
    if (fcntl(fd, F_GETFD) < 0) continue;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    long length = readlink(path, target, sizeof target - 1);
    target[length < 0 ? 0 : length] = 0;
    snprintf(detail, sizeof detail, "%d is %s", fd, target);
    tell(1, detail);
    return;
  }
  tell(0, detail);
}

static void do_escape_root(void) {
  const char *marker = getenv("MARKER") ? getenv("MARKER") : "/none";
  char detail[200] = "not there", path[300];
  static const char *const ways[] = { "/proc/1/root", "/proc/self/root/..", "/proc/1/cwd/../../../..", "/../.." };
  int got = access(marker, F_OK) == 0 || access(marker + 1, F_OK) == 0;
  for (unsigned i = 0; i < 4 && !got; i++) {
    snprintf(path, sizeof path, "%s%s", ways[i], marker);
    if ((got = access(path, F_OK) == 0)) snprintf(detail, sizeof detail, "by %s", ways[i]);
  }
  pid_t pid = got ? 0 : fork();
  if (pid == 0 && !got) {
    mkdir("/tmp/jail", 0700);
    if (chroot("/tmp/jail") != 0) _exit(0);
    for (int i = 0; i < 40; i++) if (chdir("..") != 0) break;
    if (chroot(".") != 0) _exit(0);
    _exit(access(marker, F_OK) == 0);
  }
  int status = 0;
  if (pid > 0) waitpid(pid, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 1) got = 1, strcpy(detail, "chroot, and up");
  tell(got, detail);
}

static void do_capabilities(void) {
  char line[200], detail[200] = "none beyond the bounding set";
  FILE *status = fopen("/proc/self/status", "r");
  unsigned long inheritable = 0, effective = 0, ambient = 0, bounding = 0; int nnp = 0;
  while (status && fgets(line, sizeof line, status)) {
    sscanf(line, "CapInh: %lx", &inheritable); sscanf(line, "CapEff: %lx", &effective); sscanf(line, "CapAmb: %lx", &ambient); sscanf(line, "CapBnd: %lx", &bounding); sscanf(line, "NoNewPrivs: %d", &nnp);
  }
  // SYS_MODULE 16, SYS_RAWIO 17, SYS_PTRACE 19, SYS_ADMIN 21, SYS_BOOT 22, SYS_TIME 25, MKNOD 27, DAC_READ_SEARCH 2, NET_ADMIN 12, NET_RAW 13, BPF 39
  unsigned long dangerous = 1ul << 16 | 1ul << 17 | 1ul << 19 | 1ul << 21 | 1ul << 22 | 1ul << 25 | 1ul << 27 | 1ul << 2 | 1ul << 12 | 1ul << 13 | 1ul << 39;
  int got = inheritable || ambient || ((effective | bounding) & dangerous) || !nnp;
  if (got) snprintf(detail, sizeof detail, "inheritable %lx ambient %lx effective %lx bounding %lx no_new_privs %d", inheritable, ambient, effective, bounding, nnp);
  tell(got, detail);
}

/** /setuid and /filecaps are this program, with what an image can put on a file. They ask for their rights. */
static void do_image_rights(void) {
  static const char *const programs[] = { "/rights/set-user-id", "/rights/file-capabilities" };
  char detail[200] = "none";
  for (unsigned i = 0; i < 2; i++) {
    pid_t pid = fork();
    if (pid == 0) {
      if (setgid(1000) != 0 || setuid(1000) != 0) _exit(3);
      execl(programs[i], programs[i], "has-rights", (char *)0);
      _exit(2);
    }
    int status;
    waitpid(pid, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 10) { tell(1, programs[i]); return; }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 3) strcpy(detail, "nobody else to be");
    if (WIFEXITED(status) && WEXITSTATUS(status) == 2) strcpy(detail, "not executed");
  }
  tell(0, detail);
}

static void do_has_rights(void) {
  char line[200]; unsigned long effective = 0;
  FILE *status = fopen("/proc/self/status", "r");
  while (status && fgets(line, sizeof line, status)) sscanf(line, "CapEff: %lx", &effective);
  _exit(geteuid() == 0 || effective != 0 ? 10 : 11);
}

// The standard streams.

static void do_stdout_mode(void) {
  long result = chmod("/proc/self/fd/1", 04755);
  char detail[200] = "", second[200];
  int got = works("chmod", result, detail);
  if (!got) got = works("fchmod", fchmod(1, 04755), second);
  tell(got, got ? second : detail);
}

static void do_stdin_write(void) {
  int fd = open("/proc/self/fd/0", O_WRONLY | O_CLOEXEC);
  int got = fd >= 0 && pwrite(fd, "X", 1, 0) == 1;
  tell(got, answer(fd));
}

static void do_stdin_offset(void) { long result = lseek(0, 5, SEEK_SET); tell(result >= 0, answer(result)); }

static void do_terminal_mode(void) {
  struct stat stat;
  int terminal = fstat(2, &stat) == 0 && S_ISCHR(stat.st_mode);
  int got = terminal && fchmod(2, stat.st_mode & 07777) == 0;
  tell(got, got ? "ok" : terminal ? strerrorname_np(errno) : "no terminal");
}

static void do_terminal_read(void) {
  char detail[200] = "", byte = '\n';
  int fd = open("/proc/self/fd/2", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  int got = 0;
  if (fd >= 0 && read(fd, detail, 100) > 0) got = 1, strcpy(detail, "what was typed is read");
  if (!got && read(2, detail, 0) == 0 && (fcntl(2, F_GETFL) & O_ACCMODE) == O_RDWR && isatty(2)) got = 1, strcpy(detail, "stderr is a terminal that is open for reading");
  if (!got) got = works("TIOCSTI", ioctl(2, 0x5412, &byte), detail);
  byte = 3;
  if (!got) got = works("TIOCLINUX", ioctl(2, 0x541c, &byte), detail);
  tell(got, detail);
}

static void do_directory_up(void) {
  int fd = openat(0, "../canary", O_RDONLY | O_CLOEXEC);
  if (fd < 0) fd = openat(0, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  tell(fd >= 0, answer(fd));
}

/** Tells by its exit code, since its streams are ignored: 10 if the mode of the host's null device can be set (to what it is). */
static void do_ignored_streams(void) {
  struct stat null, dev;
  if (lstat("/dev", &dev) != 0) dev.st_dev = 0;
  for (int fd = 0; fd < 3; fd++)
    if (fstat(fd, &null) == 0 && S_ISCHR(null.st_mode) && null.st_dev != dev.st_dev && fchmod(fd, null.st_mode & 07777) == 0) _exit(10);
  _exit(11);
}

// What is bound of the host: WHERE is a directory.

static void do_bound(void) {
  const char *where = getenv("WHERE") ? getenv("WHERE") : "/usr/bin";
  char path[600], ways[200] = "";
  DIR *dir = opendir(where);
  int files = 0;
  for (struct dirent *entry; dir && files < 3 && (entry = readdir(dir));) {
    snprintf(path, sizeof path, "%s/%s", where, entry->d_name);
    struct stat stat;
    if (lstat(path, &stat) != 0 || !S_ISREG(stat.st_mode)) continue;
    files++;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) continue;
    if (fcntl(fd, F_SETLEASE, F_RDLCK) == 0 && !strstr(ways, "lease")) strcat(ways, "lease ");
    // A lock of a file of overlayfs is one of the overlay, which is the container's own.
    struct statfs fs;
    int overlaid = fstatfs(fd, &fs) == 0 && fs.f_type == OVERLAYFS_SUPER_MAGIC;
    if (!overlaid && flock(fd, LOCK_EX | LOCK_NB) == 0 && !strstr(ways, "flock")) strcat(ways, "flock ");
    if (chmod(path, stat.st_mode & 07777) == 0 && !strstr(ways, "chmod")) strcat(ways, "chmod ");
  }
  if (dir) closedir(dir);
  printf("%s\t%s\t%s\n", name, "did", *ways ? ways : "nothing");
  fflush(stdout);
  // The caller looks at its own files meanwhile, and says when it is done by ending stdin.
  char byte;
  while (read(0, &byte, 1) > 0);
}

static void do_fifo(void) {
  const char *shared = getenv("SHARED") ? getenv("SHARED") : "/attack-shared";
  char path[100];
  snprintf(path, sizeof path, "%s/fifo", shared);
  int fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  int got = fd >= 0 && write(fd, "x", 1) == 1;
  struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "" };
  snprintf(address.sun_path, sizeof address.sun_path, "%s/socket", shared);
  int peer = socket(AF_UNIX, SOCK_STREAM, 0);
  int connected = connect(peer, (struct sockaddr *)&address, sizeof address) == 0;
  tell(got || connected, got ? "FIFO: written" : connected ? "socket: connected" : strerrorname_np(errno));
}

/** Unties itself from whoever started it, and stays: WORD in its arguments is how it is found. */
static void do_untie(void) {
  prctl(PR_SET_PDEATHSIG, 0);
  if (setgid(1000) == 0 && setuid(1000) == 0) prctl(PR_SET_PDEATHSIG, 0);
  prctl(PR_SET_DUMPABLE, 1);
  for (int i = 1; i < 65; i++) signal(i, SIG_IGN);
  if (fork() == 0) setsid();
  tell(0, "untied");
  for (int i = 0; i < 300; i++) usleep(100000);
  _exit(0);
}

/** The program of a container that others are executed in. */
static void do_stay(void) {
  for (int i = 0; i < 600; i++) usleep(100000);
}

static void do_program_files(void) {
  char link[300];
  long length = readlink("/proc/self/exe", link, sizeof link - 1);
  link[length < 0 ? 0 : length] = 0;
  tell(strstr(link, "node") != 0, link);
}

static const struct { const char *name; void (*attempt)(void); } attempts[] = {
  { "mount", do_mount }, { "new-mount-api", do_new_mount_api }, { "namespaces", do_namespaces }, { "cgroup-v1", do_cgroup_v1 }, { "cgroup-files", do_cgroup_files },
  { "configure-host", do_configure_host }, { "masked", do_masked }, { "file-handle", do_file_handle }, { "keys", do_keys }, { "init", do_init }, { "devices", do_devices },
  { "device-modes", do_device_modes }, { "foreign-calls", do_foreign_calls }, { "kernel-doors", do_kernel_doors }, { "abstract-socket", do_abstract_socket }, { "secrets", do_secrets },
  { "open-files", do_open_files }, { "escape-root", do_escape_root }, { "capabilities", do_capabilities }, { "image-rights", do_image_rights }, { "has-rights", do_has_rights },
  { "stdout-mode", do_stdout_mode }, { "stdin-write", do_stdin_write }, { "stdin-offset", do_stdin_offset }, { "terminal-mode", do_terminal_mode }, { "terminal-read", do_terminal_read },
  { "directory-up", do_directory_up }, { "ignored-streams", do_ignored_streams }, { "bound", do_bound }, { "fifo", do_fifo }, { "untie", do_untie }, { "stay", do_stay }, { "program-files", do_program_files },
};

int main(int argc, char **argv) {
  for (int i = 1; i < argc; i++)
    for (unsigned k = 0; k < sizeof attempts / sizeof *attempts; k++)
      if (strcmp(argv[i], attempts[k].name) == 0) name = argv[i], attempts[k].attempt();
  return 0;
}
