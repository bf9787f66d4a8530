// System call numbers of x32, from arch/x86/entry/syscalls/syscall_64.tbl of the kernel, without the bit that marks them (__X32_SYSCALL_BIT, bit 30).
// x32 shares the numbers of x86-64, but for these. A test compares it with the system headers.

/** What has a number of its own, in the form of numbers-i386.ts. */
export const numbers = `
  512 rt_sigaction rt_sigreturn ioctl readv writev recvfrom sendmsg recvmsg execve ptrace rt_sigpending rt_sigtimedwait rt_sigqueueinfo sigaltstack
  timer_create mq_notify kexec_load waitid set_robust_list get_robust_list vmsplice move_pages preadv pwritev rt_tgsigqueueinfo recvmmsg sendmmsg
  process_vm_readv process_vm_writev setsockopt getsockopt io_setup io_submit execveat preadv2 pwritev2
`;

/** What x86-64 has and x32 has not. */
export const absent = `
  create_module epoll_ctl_old epoll_wait_old get_kernel_syms get_thread_area nfsservctl query_module set_thread_area _sysctl uselib vserver
`;
