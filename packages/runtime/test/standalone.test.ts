import { describe, expect, it } from 'vitest';

import { cloneFlags } from '@ctr/syscall';
import { plan, standalone, standalonePlan, type ContainerOptions } from '@ctr/runtime';

import { differences, lines } from './plan-text.js';

const options: ContainerOptions = {
  rootfs: '/usr',
  cgroup: false,
  env: { PATH: '/bin', HOME: '/', HOSTNAME: 'box' },
  namespaces: { user: 'host', net: 'host', ipc: 'host', cgroup: 'host' },
};

/** Where each step goes after a failure; the rest of the line. */
function split(line: string): { text: string; onFailure: string | undefined } {
  const [whole, target] = /, on failure go to ‹([^›]*)›/.exec(line) ?? [];
  return { text: whole === undefined ? line : line.replace(whole, ''), onFailure: target };
}

describe('the plan of an executable', () => {
  it('is that of a container, with a process around it that waits and passes signals on, and what it says if something fails', () => {
    const own = lines(standalonePlan(['/bin/sh'], options)).map((line) => split(line).text);
    expect(`\n${differences(lines(plan(['/bin/sh'], options)), own)}\n`).toMatchInlineSnapshot(`
      "
      - clone(CLONE_VM|CLONE_PARENT|CLONE_NEWNS|CLONE_PARENT_SETTID|CLONE_NEWUTS|CLONE_NEWPID|SIGCHLD, &stack, &report+4, NULL, NULL), if == 0 go to ‹the new process›  # go on in a new process, in new namespaces
      - write(3, "\\1\\0\\0\\0\\0\\0\\0\\0", 8) (any error is fine)  # tell the host its pid
      - exit_group(0)  # the first process has done its part
      - label()  # the new process
      + openat(AT_FDCWD, "/proc/self/exe", O_RDONLY|O_CLOEXEC) = $exe  # what this process executes
      + fcntl($exe, F_GET_SEALS, 0) (EINVAL is fine), if < 15 go to ‹a file in memory for a copy of it›  # can anybody write to it?
      + close($exe), if == 0 go to ‹the executable is sealed›  # nobody can
      + memfd_create("ctr", MFD_CLOEXEC|MFD_ALLOW_SEALING|MFD_EXEC) (EINVAL is fine), if != -22 go to ‹there is a memfd›  # a file in memory for a copy of it
      + memfd_create("ctr", MFD_CLOEXEC|MFD_ALLOW_SEALING)  # such a file for an older kernel
      + label()  # there is a memfd
      + sendfile($memfd, $exe, NULL, 2147479552), if != 0 go to ‹the copy, until nothing is left to be copied›  # the copy, until nothing is left to be copied
      + fcntl($memfd, F_ADD_SEALS, 15)  # nobody can write to the copy
      + execveat($memfd, "", ["ctr"], [], AT_EMPTY_PATH)  # execute the copy
      + label()  # the executable is sealed
      + rt_sigaction(SIGCHLD, {sa_handler=0}, NULL, 8)  # the end of a child is told, and can be waited for
      + label()  # open one more
      + openat(AT_FDCWD, "/dev/null", O_RDWR|O_CLOEXEC) = $null, if < 3 go to ‹open one more›  # until the standard streams are taken
      + statx(0, "", 4096, 257, &stat)  # the type of the file
      + fcntl(0, F_GETFL, 0)  # how it is open
      + add(31, 0), if < $flags+2 go to ‹a standard stream is open as a path only›  # as a path?
      + add($stat+29, 0), if < 32 go to ‹stdin can be one›  # is it a pipe?
      + add($stat+29, 0), if < 64 go to ‹a device›  # is it a device?
      + add($stat+29, 0), if < 96 go to ‹a standard stream is a directory›  # is it a directory?
      + label(), if == 0 go to ‹stdin can be one›  # it is a file or a socket
      + label()  # a device
      + add($stat+128, 0), if != 12884901889 go to ‹stdin can be one›  # is it the null device?
      + add(1, 0)  # there is nothing behind it
      + label()  # stdin can be one
      + statx(1, "", 4096, 257, &stat)  # the type of the file
      + fcntl(1, F_GETFL, 0)  # how it is open
      + add(31, 0), if < $flags+2 go to ‹a standard stream is open as a path only›  # as a path?
      + add($stat+29, 0), if < 32 go to ‹stdout can be one›  # is it a pipe?
      + add($stat+29, 0), if < 64 go to ‹a device›  # is it a device?
      + add($stat+29, 0), if < 96 go to ‹a standard stream is a directory›  # is it a directory?
      + label(), if == 0 go to ‹stdout can be one›  # it is a file or a socket
      + label()  # a device
      + add($stat+128, 0), if != 12884901889 go to ‹stdout can be one›  # is it the null device?
      + add(1, 0)  # there is nothing behind it
      + label()  # stdout can be one
      + statx(2, "", 4096, 257, &stat)  # the type of the file
      + fcntl(2, F_GETFL, 0)  # how it is open
      + add(31, 0), if < $flags+2 go to ‹a standard stream is open as a path only›  # as a path?
      + add($stat+29, 0), if < 32 go to ‹stderr can be one›  # is it a pipe?
      + add($stat+29, 0), if < 64 go to ‹a device›  # is it a device?
      + add($stat+29, 0), if < 96 go to ‹a standard stream is a directory›  # is it a directory?
      + label(), if == 0 go to ‹stderr can be one›  # it is a file or a socket
      + label()  # a device
      + add($stat+128, 0), if != 12884901889 go to ‹stderr can be one›  # is it the null device?
      + add(1, 0)  # there is nothing behind it
      + label()  # stderr can be one
      + add($flags, 0), if == 1 go to ‹the standard streams can be such›  # is stdin open to write only?
      + add($stat+29, 0), if < 96 go to ‹the standard streams can be such›  # is stdin a pipe or a device?
      + add($stat+29, 0), if < 160 go to ‹stdin is a file›  # is it a file?
      + label(), if == 0 go to ‹the standard streams can be such›  # it is a socket
      + label()  # stdin is a file
      + add($stat+32, 0), if != $stat+32 go to ‹the standard streams can be such›  # is it the same file?
      + add($stat+136, 0), if != $stat+136 go to ‹the standard streams can be such›  # is it the same file?
      + add($flags, 0), if == 0 go to ‹the standard streams can be such›  # is it not written as well?
      + fail(EINVAL)  # stdin is the same file as stdout
      + fail(EBADF)  # a standard stream is open as a path only
      + fail(EISDIR)  # a standard stream is a directory
      + label()  # the standard streams can be such
      + rt_sigprocmask(SIG_BLOCK, "'\\372\\303?\\0\\0\\0\\0", NULL, 8)  # signals wait until they are taken
      + socketpair(AF_UNIX, SOCK_SEQPACKET|SOCK_CLOEXEC, 0, &pair)  # a way to the keeper
      + clone(CLONE_VM|CLONE_PIDFD|SIGCHLD, &stack, &keeper, NULL, NULL), if != 0 go to ‹the way to the keeper, where the plan has it›  # the keeper, which kills the container when this process ends
      + setsid() (any error is fine)  # no signals by way of the terminal
      + dup3($pair, 0, 0) (any error is fine)  # the socket
      + close_range(1, 4294967295, 0) (any error is fine)  # nothing else is open
      + recvmsg(0, {msg_iov={iov_base=&data, iov_len=1}, msg_iovlen=1, msg_control=&control, msg_controllen=24}, MSG_CMSG_CLOEXEC) (any error is fine), if != 1 go to ‹kill what is kept›  # a registration, of one byte, or the end
      + fcntl(2, F_GETFD, 0) (any error is fine), if < 0 go to ‹the pipe›  # was there room for both files?
      + write(1, "k", 1) (any error is fine)  # tell the process that it is kept
      + label()  # the pipe
      + close(1) (any error is fine), if != -1 go to ‹a registration, of one byte, or the end›  # it has been told
      + pidfd_send_signal(2, SIGKILL, NULL, 0) (any error is fine)  # kill what is kept
      + exit_group(0)  # nothing is left to keep
      + dup3($pair+4, 4, O_CLOEXEC) (EINVAL is fine)  # the way to the keeper, where the plan has it
      + add($is null, 0), if != 0 go to ‹the relay of stdin runs, if it needs one›  # is stdin the null device?
      + label()  # stdin has a pipe of its own
      + pipe2("\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377", O_CLOEXEC)  # a pipe for stdin
      + clone(SIGCHLD, NULL, NULL, NULL, NULL), if == 0 go to ‹the relay of stdin›  # a relay for stdin
      + close($pipe+4)  # this side is the relay's
      + label()  # the relay of stdin runs, if it needs one
      + add($is null+8, 0), if != 0 go to ‹the relay of stdout runs, if it needs one›  # is stdout the null device?
      + label()  # stdout has a pipe of its own
      + pipe2("\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377", O_CLOEXEC)  # a pipe for stdout
      + clone(SIGCHLD, NULL, NULL, NULL, NULL), if == 0 go to ‹the relay of stdout›  # a relay for stdout
      + close($pipe)  # this side is the relay's
      + label()  # the relay of stdout runs, if it needs one
      + add($is null+16, 0), if != 0 go to ‹the relay of stderr runs, if it needs one›  # is stderr the null device?
      + add($stat+32, 0), if != $stat+32 go to ‹stderr has a pipe of its own›  # is it the same file?
      + add($stat+136, 0), if != $stat+136 go to ‹stderr has a pipe of its own›  # is it the same file?
      + add($flags, 0), if != $flags go to ‹stderr has a pipe of its own›  # is it open in the same way?
      + add($pipe+4, 0), if != 0 go to ‹the relay of stderr runs, if it needs one›  # stderr is the same file as stdout
      + label()  # stderr has a pipe of its own
      + pipe2("\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377", O_CLOEXEC)  # a pipe for stderr
      + clone(SIGCHLD, NULL, NULL, NULL, NULL), if == 0 go to ‹the relay of stderr›  # a relay for stderr
      + close($pipe)  # this side is the relay's
      + label()  # the relay of stderr runs, if it needs one
      + pipe2(&ends, O_CLOEXEC)  # by which the container knows whether this process lives
      + fcntl($ends, F_DUPFD_CLOEXEC, 10) = $channel  # the end that is read, out of the way
      + fcntl($ends+4, F_DUPFD_CLOEXEC, 10) = $writer  # the end that is written, too
      + close($ends)  # one file for each end
      + close($ends+4)  # one file for each end
      + dup3($writer, 3, O_CLOEXEC)  # the end that is written, where the plan has it
      + close($writer)  # one file for each end
      + clone(CLONE_VM|CLONE_NEWNS|CLONE_PARENT_SETTID|CLONE_NEWUTS|CLONE_NEWPID|SIGCHLD, &stack, &report+4, NULL, NULL), if == 0 go to ‹the process that goes into the container›  # the first process of the container, in new namespaces
      + close(3)  # only the container writes
      + close($pipe) (any error is fine)  # this side is the program's
      + close($pipe+4) (any error is fine)  # this side is the program's
      + close($pipe+4) (any error is fine)  # this side is the program's
      + label()  # listen
      + rt_sigtimedwait("'\\372\\303?\\0\\0\\0\\0", NULL, NULL, 8) = $signal (EINTR is fine), if == 17 go to ‹reap what has ended›  # wait for a signal
      + kill($report+4, $signal) (any error is fine), if < 1 go to ‹listen›  # pass the signal on
      + wait4($report+4, &status, WNOHANG|__WALL, NULL) = $ended (ECHILD is fine), if < 1 go to ‹listen›  # reap what has ended
      + add($ended, 0), if != $report+4 go to ‹reap what has ended›  # was it the program?
      + label()  # the container has ended
      + pidfd_send_signal($keeper, SIGKILL, NULL, 0) (any error is fine)  # the keeper has nothing to keep
      + waitid(P_PIDFD, $keeper, NULL, WEXITED|__WALL, NULL) (any error is fine)  # nothing is left of it
      + label()  # which relays have ended?
      + add($pid, 0), if == 0 go to ‹the relay of stdin has ended›  # does stdin have a relay still?
      + wait4($pid, &relay status, WNOHANG|__WALL, NULL), if == 0 go to ‹wait for the readers›  # has the relay of stdin ended?
      + label()  # it is reaped
      + add($relay status, 0), if != 0 go to ‹then this process ends so, too›  # was it killed?
      + add($relay status+1, 0), if != 125 go to ‹the relay of stdin has ended›  # has it failed?
      + add(32000, 0)  # then this process ends so, too
      + label()  # the relay of stdin has ended
      + add($pid, 0), if == 0 go to ‹the relay of stdout has ended›  # does stdout have a relay still?
      + wait4($pid, &relay status, WNOHANG|__WALL, NULL), if == 0 go to ‹wait for the readers›  # has the relay of stdout ended?
      + label()  # it is reaped
      + add($relay status, 0), if != 0 go to ‹then this process ends so, too›  # was it killed?
      + add($relay status+1, 0), if != 125 go to ‹the relay of stdout has ended›  # has it failed?
      + add(32000, 0)  # then this process ends so, too
      + label()  # the relay of stdout has ended
      + add($pid, 0), if == 0 go to ‹the relay of stderr has ended›  # does stderr have a relay still?
      + wait4($pid, &relay status, WNOHANG|__WALL, NULL), if == 0 go to ‹wait for the readers›  # has the relay of stderr ended?
      + label()  # it is reaped
      + add($relay status, 0), if != 0 go to ‹then this process ends so, too›  # was it killed?
      + add($relay status+1, 0), if != 125 go to ‹the relay of stderr has ended›  # has it failed?
      + add(32000, 0)  # then this process ends so, too
      + label()  # the relay of stderr has ended
      + label(), if == 0 go to ‹nothing is left›  # all have ended
      + label()  # wait for the readers
      + add($status, 0), if == 0 go to ‹as long as they take›  # has the program exited by itself?
      + rt_sigtimedwait("'\\372\\303?\\0\\0\\0\\0", NULL, {tv_sec=1}, 8) (EAGAIN, EINTR is fine), if == 17 go to ‹which relays have ended?›  # a program that was killed leaves them a second
      + add($got, 0) (any error is fine), if == -11 go to ‹nothing is left›  # is the second over?
      + label(), if == 0 go to ‹a signal›  # it is not
      + label()  # as long as they take
      + rt_sigtimedwait("'\\372\\303?\\0\\0\\0\\0", NULL, NULL, 8) (EINTR is fine), if == 17 go to ‹which relays have ended?›  # wait for a relay to end, or a signal
      + label()  # a signal
      + add($got, 0) (any error is fine), if < 0 go to ‹wait for the readers›  # was it interrupted?
      + add($got, 0) (any error is fine), if < 4 go to ‹128 and the signal›  # is it SIGHUP, SIGINT or SIGQUIT?
      + add($got, 0) (any error is fine), if != 15 go to ‹wait for the readers›  # is it SIGTERM?
      + add($got, 128)  # 128 and the signal
      + exit_group($got)  # the relays end with this process
      + label()  # nothing is left
      + add($status, 0), if == 0 go to ‹end with its exit code›  # did it exit by itself?
      + add($status, 0), if < 128 go to ‹128 and the signal›  # did it leave no core?
      + exit_group($status)  # the bit that says there is a core is 128
      + add($status, 128) = $code  # 128 and the signal
      + exit_group($code)  # end as a shell does for a signal
      + exit_group($status+1)  # end with its exit code
      + label()  # the process that goes into the container
      + add($is null, 0), if != 0 go to ‹the pipe of stdin is in its place›  # is stdin the null device?
      + dup3($pipe, 0, 0)  # the pipe of stdin
      + label()  # the pipe of stdin is in its place
      + add($is null+8, 0), if != 0 go to ‹the pipe of stdout is in its place›  # is stdout the null device?
      + dup3($pipe+4, 1, 0)  # the pipe of stdout
      + label()  # the pipe of stdout is in its place
      + add($is null+16, 0), if != 0 go to ‹the pipe of stderr is in its place›  # is stderr the null device?
      + dup3($pipe+4, 2, 0)  # the pipe of stderr
      + label()  # the pipe of stderr is in its place
      + close($channel)  # only the launcher reads
      + rt_sigaction($number, {sa_handler=0}, NULL, 8) (any error is fine)  # a signal has its default effect
      + add($number, 1), if < 65 go to ‹a signal has its default effect›  # the next signal
      + rt_sigprocmask(SIG_SETMASK, &no signals, NULL, 8)  # the program gets its signals
        close($mqueue)  # it is attached
      + openat($dev, "null", O_RDWR|O_CLOEXEC) = $null  # the null device of the container
      + add($is null, 0), if == 0 go to ‹the next stream after stdin›  # is stdin a null device?
      + dup3($null, 0, 0)  # stdin is the null device of the container
      + label()  # the next stream after stdin
      + add($is null+8, 0), if == 0 go to ‹the next stream after stdout›  # is stdout a null device?
      + dup3($null, 1, 0)  # stdout is the null device of the container
      + label()  # the next stream after stdout
      + add($is null+16, 0), if == 0 go to ‹the next stream after stderr›  # is stderr a null device?
      + dup3($null, 2, 0)  # stderr is the null device of the container
      + label()  # the next stream after stderr
        umask(022)  # permissions that new files do not have
      - write(3, "\\3\\0\\0\\0\\0\\0\\0\\0", 8)  # the set-up is done
        fail(ENOENT)  # exec "/bin/sh": no such file or directory
      + label()  # the relay of stdin
      + dup3($pipe+4, 1, 0)  # the program's pipe
      + prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)  # no process looks into a relay
      + rt_sigprocmask(SIG_SETMASK, "\\377\\377\\377\\377\\377\\377\\377\\377", NULL, 8)  # no signal is for a relay
      + prctl(PR_SET_PDEATHSIG, 9, 0, 0, 0)  # a relay ends with the process that has started it
      + close_range(3, 4294967295, 0)  # a relay has its two files, and stderr
      + mmap(NULL, 65536, 0x3, 0x22, -1, 0) = $buffer  # memory to copy by
      + fcntl(0, F_GETFL, 0)  # how it is open
      + add($flags, 0), if == 1 go to ‹everything has been moved›  # to write only?
      + statx(0, "", 4096, 257, &stat)  # the type of the file
      + add($stat+29, 0), if < 32 go to ‹page by page›  # is it a pipe?
      + add($stat+29, 0), if < 96 go to ‹stay in the session of the caller›  # is it a terminal or another device?
      + setsid() (any error is fine)  # a session of its own, without a terminal
      + add($stat+29, 0), if < 160 go to ‹by an offset of its own›  # is it a file?
      + label()  # stay in the session of the caller
      + label()  # page by page
      + memfd_create("count", MFD_CLOEXEC) = $count  # a file to count by
      + fcntl(1, F_SETPIPE_SZ, 4096) (any error is fine)  # a pipe of 4096 bytes
      + getsockopt(0, 1, 3, &type of the socket, "\\4\\0\\0\\0") (any error is fine)  # does it give records?
      + add($type of the socket, 0), if < 2 go to ‹wait for room›  # is it a stream, or no socket?
      + add(65536, 0)  # a record is read as a whole, or its rest is lost
      + label()  # wait for room
      + ppoll("\\1\\0\\0\\0\\4\\0\\0\\0", 1, NULL, NULL, 8) (any error is fine)  # until the program has read all that it was shown
      + add($pollfds+6, 0), if != 4 go to ‹the program reads no more›  # or has closed its side
      + read(0, $buffer, $shown) (any error is fine)  # take what it has read
      + label()  # nothing is shown
      + add($rounds, 0), if == 16 go to ‹read ahead›  # does it read everything?
      + label()  # wait for the caller
      + ppoll("\\0\\0\\0\\0\\1\\0\\0\\0\\1\\0\\0\\0\\0\\0\\0\\0", 2, NULL, NULL, 8) (any error is fine)  # wait for something to read
      + add($pollfds+14, 0), if != 0 go to ‹the program reads no more›  # has the program closed its side?
      + add($stat+29, 0), if < 32 go to ‹show it a page›  # is it a pipe?
      + add($stat+29, 0), if < 96 go to ‹a terminal or another device›  # is it a terminal or another device?
      + recvfrom(0, $buffer, $window, MSG_PEEK, NULL, NULL) (any error is fine)  # look at what has come
      + add($moved, 0) (any error is fine), if < 1 go to ‹nothing was read›  # has anything come?
      + write(1, $buffer, $moved) (any error is fine), if == $moved go to ‹a page is shown›  # to the program
      + label(), if == 0 go to ‹the program reads no more›  # the program has closed its side
      + tee(0, 1, 4096, 0) (any error is fine), if < 1 go to ‹nothing was read›  # show it a page
      + label()  # a page is shown
      + add($moved, 0)  # so much is shown
      + add($rounds, 1), if != 0 go to ‹wait for room›  # one more page
      + label()  # a terminal or another device
      + ioctl(0, TCGETS, &termios) (any error is fine)  # the modes of the terminal
      + add($moved, 0) (any error is fine), if == -25 go to ‹take what is there›  # is it none?
      + add($moved, 0) (any error is fine), if < 0 go to ‹everything has been moved›  # has it hung up?
      + add($termios+12, 0)  # its local modes
      + add($bits, $bits)  # the next bit
      + add($bits, $bits)  # the next bit
      + add($bits, $bits)  # the next bit
      + add($bits, $bits)  # the next bit
      + add($bits, $bits)  # the next bit
      + add($bits, $bits)  # the next bit
      + add($bits, 0), if < 128 go to ‹somebody else reads there›  # does it give lines?
      + label()  # take what is there
      + read(0, $buffer, 4096) (any error is fine)  # a line, or what there is
      + add($moved, 0) (any error is fine), if == -5 go to ‹somebody else reads there›  # is it in the background?
      + add($moved, 0) (any error is fine), if < 1 go to ‹nothing was read›  # was anything read?
      + write(1, $buffer, $moved) (any error is fine), if == $moved go to ‹wait for room›  # to the program
      + label(), if == 0 go to ‹the program reads no more›  # the program has closed its side
      + label()  # somebody else reads there
      + ppoll("\\1\\0\\0\\0\\0\\0\\0\\0", 1, {tv_nsec=100000000}, NULL, 8) (any error is fine), if == 0 go to ‹wait for the caller›  # look again later
      + label(), if == 0 go to ‹everything has been moved›  # the program has closed its side
      + label()  # read ahead
      + fcntl(1, F_SETPIPE_SZ, 65536) (any error is fine)  # a pipe of 65536 bytes
      + label()  # wait for the caller
      + ppoll("\\0\\0\\0\\0\\1\\0\\0\\0\\1\\0\\0\\0\\0\\0\\0\\0", 2, NULL, NULL, 8) (any error is fine)  # wait for something to read
      + add($pollfds+14, 0), if != 0 go to ‹everything has been moved›  # has the program closed its side?
      + add($stat+29, 0), if < 32 go to ‹from the caller's pipe to the program's›  # is it a pipe?
      + read(0, $buffer, 65536) (any error is fine)  # what has come
      + add($moved, 0) (any error is fine), if < 1 go to ‹nothing was read›  # was anything read?
      + write(1, $buffer, $moved) (any error is fine), if == $moved go to ‹wait for the caller›  # to the program
      + label(), if == 0 go to ‹everything has been moved›  # the program has closed its side
      + splice(0, NULL, 1, NULL, 65536, 0) (any error is fine), if < 1 go to ‹nothing was read›  # from the caller's pipe to the program's
      + label(), if == 0 go to ‹wait for the caller›  # something was moved
      + label()  # nothing was read
      + add($moved, 0) (any error is fine), if == 0 go to ‹everything has been moved›  # is it the end?
      + add($moved, 0) (any error is fine), if != -11 go to ‹has the reader gone?›  # does the file fail?
      + label(), if == 0 go to ‹wait for the caller›  # it does not block
      + label()  # nothing was read
      + add($moved, 0) (any error is fine), if == -11 go to ‹wait for the caller›  # does the file not block?
      + add($moved, 0) (any error is fine), if != 0 go to ‹has the reader gone?›  # does it fail?
      + label()  # the program reads no more
      + ioctl(1, FIONREAD, &left) (any error is fine)  # what the program has not read
      + ftruncate($count, $shown)  # a file of so many bytes
      + lseek($count, $left, 0)  # behind those that are done
      + ioctl($count, FIONREAD, &shown)  # the bytes that are left
      + add(65536, 0), if < $shown go to ‹everything has been moved›  # is more left than was shown?
      + ppoll("\\0\\0\\0\\0\\1\\0\\0\\0\\1\\0\\0\\0\\0\\0\\0\\0", 1, {}, NULL, 8) (any error is fine), if == 0 go to ‹everything has been moved›  # is it still there?
      + read(0, $buffer, $shown) (any error is fine)  # take what it has read
      + label(), if == 0 go to ‹everything has been moved›  # it is over
      + label()  # by an offset of its own
      + fcntl(1, F_SETPIPE_SZ, 1048576) (any error is fine)  # a pipe of 1048576 bytes
      + lseek(0, 0, 1)  # the present offset, which stays
      + splice(0, &offset, 1, NULL, 1048576, 0) (any error is fine)  # from the caller's file to the program's pipe
      + add($moved, 0) (any error is fine), if == -22 go to ‹of a file that splice(2) cannot read›  # is it no file for splice(2)?
      + add($moved, 0) (any error is fine), if < 1 go to ‹nothing more was read›  # was anything moved?
      + label(), if == 0 go to ‹from the caller's file to the program's pipe›  # something was moved
      + pread64(0, $buffer, 65536, $offset) (any error is fine)  # of a file that splice(2) cannot read
      + add($moved, 0) (any error is fine), if < 1 go to ‹nothing more was read›  # was anything read?
      + add($offset, $moved)  # go on behind it
      + write(1, $buffer, $moved) (any error is fine), if == $moved go to ‹of a file that splice(2) cannot read›  # to the program
      + label(), if == 0 go to ‹everything has been moved›  # the program has closed its side
      + label()  # nothing more was read
      + add($moved, 0) (any error is fine), if != 0 go to ‹has the reader gone?›  # is it the end of the file?
      + label(), if == 0 go to ‹everything has been moved›  # it is
      + add($moved, 0) (EPIPE, ECONNRESET, EBADF is fine), if < 0 go to ‹nobody reads any more›  # has the reader gone?
      + exit_group($moved)  # the errno of the file that fails
      + exit_group(141)  # nobody reads any more
      + exit_group(0)  # everything has been moved
      + label()  # the relay of stderr
      + dup3(2, 1, 0)  # the file of stderr
      + dup3($pipe, 0, 0)  # the program's pipe
      + label(), if == 0 go to ‹the relay of an output›  # as for stdout
      + label()  # the relay of stdout
      + dup3($pipe, 0, 0)  # the program's pipe
      + label()  # the relay of an output
      + prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)  # no process looks into a relay
      + rt_sigprocmask(SIG_SETMASK, "\\377\\377\\377\\377\\377\\377\\377\\377", NULL, 8)  # no signal is for a relay
      + prctl(PR_SET_PDEATHSIG, 9, 0, 0, 0)  # a relay ends with the process that has started it
      + close_range(3, 4294967295, 0)  # a relay has its two files, and stderr
      + setsid() (any error is fine)  # a session of its own, without a terminal
      + fcntl(0, F_SETPIPE_SZ, 1048576) (any error is fine)  # fewer turns
      + mmap(NULL, 262144, 0x3, 0x22, -1, 0) = $buffer  # memory to copy by
      + memfd_create("count", MFD_CLOEXEC) = $count  # a file to count by
      + statx(1, "", 4096, 257, &stat)  # the type of the file
      + add($stat+29, 0), if < 96 go to ‹copy›  # is it a pipe, a terminal or another device?
      + add($stat+29, 0), if < 160 go to ‹more at a time›  # is it a file?
      + label(), if == 0 go to ‹copy›  # it is a socket
      + label()  # more at a time
      + write(1, $buffer, 0) (any error is fine), if < 0 go to ‹has the reader gone?›  # nothing: is it open to be written?
      + add(262144, 0)  # fewer turns
      + label()  # copy
      + read(0, $buffer, $most), if == 0 go to ‹everything has been moved›  # what the program writes
      + add($buffer, 0)  # from its beginning
      + write(1, $at, $left) (any error is fine), if == $left go to ‹copy›  # to the caller's file
      + add($moved, 0) (any error is fine), if < 1 go to ‹nothing was written›  # was anything written?
      + add($at, $moved)  # go on behind it
      + ftruncate($count, $left)  # a file of so many bytes
      + lseek($count, $moved, 0)  # behind those that are done
      + ioctl($count, FIONREAD, &left), if == 0 go to ‹to the caller's file›  # the bytes that are left
      + label()  # nothing was written
      + add($moved, 0) (any error is fine), if != -11 go to ‹has the reader gone?›  # would the file block?
      + ppoll({fd=1, events=0x4}, 1, NULL, NULL, 8) (any error is fine), if != 0 go to ‹to the caller's file›  # wait for the reader
      + add($moved, 0) (EPIPE, ECONNRESET, EBADF is fine), if < 0 go to ‹nobody reads any more›  # has the reader gone?
      + exit_group($moved)  # the errno of the file that fails
      + exit_group(141)  # nobody reads any more
      + exit_group(0)  # everything has been moved
      + write(2, "ctr: setting up the sealed executable: ", 39) (any error is fine), if != 0 go to ‹say which error›  # say what failed
      + write(2, "ctr: setting up the signals: ", 29) (any error is fine), if != 0 go to ‹say which error›  # say what failed
      + write(2, "ctr: setting up the standard streams: ", 38) (any error is fine), if != 0 go to ‹say which error›  # say what failed
      + write(2, "ctr: setting up the tie to the host: ", 37) (any error is fine), if != 0 go to ‹say which error›  # say what failed
      + write(2, "ctr: setting up a channel: ", 27) (any error is fine), if != 0 go to ‹say which error›  # say what failed
      + write(2, "ctr: setting up a process in new namespaces: ", 45) (any error is fine), if != 0 go to ‹say which error›  # say what failed
      + write(2, "ctr: setting up the processors: ", 32) (any error is fine), if != 0 go to ‹say which error›  # say what failed
      + write(2, "ctr: setting up the umask: ", 27) (any error is fine), if != 0 go to ‹say which error›  # say what failed
      + write(2, "ctr: setting up the host name: ", 31) (any error is fine), if != 0 go to ‹say which error›  # say what failed
      + write(2, "ctr: setting up private mounts: ", 32) (any error is fine), if != 0 go to ‹say which error›  # say what failed
      + write(2, "ctr: setting up the root file system: ", 38) (any error is fine), if != 0 go to ‹say which error›  # say what failed
      + write(2, "ctr: setting up /sys: ", 22) (any error is fine), if != 0 go to ‹say which error›  # say what failed
      + write(2, "ctr: setting up /dev: ", 22) (any error is fine), if != 0 go to ‹say which error›  # say what failed
      + write(2, "ctr: setting up /proc: ", 23) (any error is fine), if != 0 go to ‹say which error›  # say what failed
      + write(2, "ctr: setting up what /proc and /sys do not show: ", 49) (any error is fine), if != 0 go to ‹say which error›  # say what failed
      + write(2, "ctr: setting up what cannot be written: ", 40) (any error is fine), if != 0 go to ‹say which error›  # say what failed
      + write(2, "ctr: setting up the new root: ", 30) (any error is fine), if != 0 go to ‹say which error›  # say what failed
      + write(2, "ctr: setting up the directory to start in: ", 43) (any error is fine), if != 0 go to ‹say which error›  # say what failed
      + write(2, "ctr: setting up the resource limits: ", 37) (any error is fine), if != 0 go to ‹say which error›  # say what failed
      + write(2, "ctr: setting up the session keyring: ", 37) (any error is fine), if != 0 go to ‹say which error›  # say what failed
      + write(2, "ctr: setting up the bounding set: ", 34) (any error is fine), if != 0 go to ‹say which error›  # say what failed
      + write(2, "ctr: setting up the user: ", 26) (any error is fine), if != 0 go to ‹say which error›  # say what failed
      + write(2, "ctr: setting up the capabilities: ", 34) (any error is fine), if != 0 go to ‹say which error›  # say what failed
      + write(2, "ctr: setting up the privileges: ", 32) (any error is fine), if != 0 go to ‹say which error›  # say what failed
      + write(2, "ctr: setting up the open files: ", 32) (any error is fine), if != 0 go to ‹say which error›  # say what failed
      + write(2, "ctr: setting up the filter of system calls: ", 44) (any error is fine), if != 0 go to ‹say which error›  # say what failed
      + write(2, "ctr: setting up the session: ", 29) (any error is fine), if != 0 go to ‹say which error›  # say what failed
      + write(2, "ctr: a standard stream fails: ", 30) (any error is fine), if != 0 go to ‹say which error›  # say what failed
      + write(2, "ctr: exec \\"/bin/sh\\": no such file or directory: ", 48) (any error is fine)  # say what failed
      + add(127, 0), if != 0 go to ‹say which error›  # the exit code
      + write(2, "ctr: the program cannot be executed: ", 37) (any error is fine)  # say what failed
      + add(126, 0), if != 0 go to ‹say which error›  # the exit code
      + label()  # say which error
      + add($failure+4, 0), if < 41 go to ‹one of the table›  # the errno
      + write(2, "another error\\n", 14) (any error is fine), if != 0 go to ‹said›  # an error without a name here
      + label()  # one of the table
      + add($entry, $entry)  # twice that: an entry has 16 bytes
      + add($entry, $entry)  # twice that: an entry has 16 bytes
      + add($entry, $entry)  # twice that: an entry has 16 bytes
      + add($entry, $entry)  # twice that: an entry has 16 bytes
      + add($entry, {base0="\\n", length0=1, base1="EPERM\\n", length1=6, base2="ENOENT\\n", length2=7, base3="ESRCH\\n", length3=6, base4="EINTR\\n", length4=6, base5="EIO\\n", length5=4, base6="ENXIO\\n", length6=6, base7="E2BIG\\n", length7=6, base8="ENOEXEC\\n", length8=8, base9="EBADF\\n", length9=6, base10="ECHILD\\n", length10=7, base11="EAGAIN\\n", length11=7, base12="ENOMEM\\n", length12=7, base13="EACCES\\n", length13=7, base14="EFAULT\\n", length14=7, base15="ENOTBLK\\n", length15=8, base16="EBUSY\\n", length16=6, base17="EEXIST\\n", length17=7, base18="EXDEV\\n", length18=6, base19="ENODEV\\n", length19=7, base20="ENOTDIR\\n", length20=8, base21="EISDIR\\n", length21=7, base22="EINVAL\\n", length22=7, base23="ENFILE\\n", length23=7, base24="EMFILE\\n", length24=7, base25="ENOTTY\\n", length25=7, base26="ETXTBSY\\n", length26=8, base27="EFBIG\\n", length27=6, base28="ENOSPC\\n", length28=7, base29="ESPIPE\\n", length29=7, base30="EROFS\\n", length30=6, base31="EMLINK\\n", length31=7, base32="EPIPE\\n", length32=6, base33="EDOM\\n", length33=5, base34="ERANGE\\n", length34=7, base35="EDEADLK\\n", length35=8, base36="ENAMETOOLONG\\n", length36=13, base37="ENOLCK\\n", length37=7, base38="ENOSYS\\n", length38=7, base39="ENOTEMPTY\\n", length39=10, base40="ELOOP\\n", length40=6})  # the address of the entry
      + writev(2, $‹the address of the entry›, 1) (any error is fine)  # its name
      + label()  # said
      + exit_group($code)  # end after a failure
      "
    `);
  });

  it.each([
    [{}, true],
    [{ init: true }, false],
    [{ namespaces: { ...options.namespaces, time: 'new' } }, false],
    [{ namespaces: { ...options.namespaces, pid: { pid: process.pid } } }, false],
  ] satisfies [ContainerOptions, boolean][])('shares the memory of the launcher only with a set-up that ends with it: %j', (more, shared) => {
    const steps = standalonePlan(['/bin/sh'], { ...options, ...more });
    const inside = steps.findIndex(({ purpose }) => purpose === 'the process that goes into the container');
    const clones = steps.slice(0, inside).filter(({ call, purpose }) => call === 'clone' && !/^(a relay for|the keeper)/.test(purpose));
    expect(clones.map(({ args }) => (Number(args[0]) & cloneFlags.CLONE_VM) !== 0)).toEqual([shared]);
  });

  it('says what fails, whatever step it is', () => {
    const steps = lines(standalonePlan(['/bin/sh'], { ...options, init: true, user: { uid: 1, gid: 1 } }));
    const silent = steps
      .map(split)
      .filter(({ onFailure, text }) => onFailure === undefined && !/^(label|add|exit_group|writev?)\(|\(any error is fine\)/.test(text));
    expect(silent).toEqual([]);
  });

  it.each([
    [{ terminal: { columns: 80, rows: 24 } }, 'a compiled container has no terminal of its own: it passes the streams of its caller on'],
    [
      { namespaces: { user: 'new' }, uidMap: [{ inside: 0, outside: 5, count: 2 }] },
      'a compiled container has nobody to map its ids: only the own id of an ordinary user can be mapped',
    ],
  ] satisfies [ContainerOptions, string][])('has no %j', (more, message) => {
    expect(() => standalonePlan(['/bin/sh'], { ...options, ...more })).toThrow(new TypeError(message));
  });

  it('refuses what no container can be', () => {
    expect(() => standalone([''], options)).toThrow('the command is empty');
    expect(() => standalone(['a'], { ...options, hostname: 'a'.repeat(65) })).toThrow(RangeError);
  });
});

describe('the executable', () => {
  it.each([
    ["the host's userland", {}],
    ['a root', { rootfs: '/usr' }],
    ['a root, a mount and an init', { rootfs: '/usr', hostname: 'box', init: true, mounts: [{ tmpfs: '/tmp' }] }],
  ] satisfies [string, ContainerOptions][])('has less than 13 KB with %s', (_, given) => {
    expect(standalone(['true'], given).length).toBeLessThan(13 * 1024);
  });

  it('is the same each time', () => {
    const bytes = standalone(['/bin/sh'], options);
    expect(Buffer.compare(bytes, standalone(['/bin/sh'], options))).toBe(0);
    expect(Buffer.from(bytes.subarray(0, 4)).toString('latin1')).toBe('\x7fELF');
  });
});
