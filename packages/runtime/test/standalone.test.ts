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
      + label()  # open one more
      + openat(AT_FDCWD, "/dev/null", O_RDWR|O_CLOEXEC) = $null, if < 3 go to ‹open one more›  # until the standard streams are taken
      + close($null)  # they are
      + rt_sigprocmask(SIG_BLOCK, "'\\372\\373?\\0\\0\\0\\0", NULL, 8)  # signals wait until they are taken
      + socketpair(AF_UNIX, SOCK_SEQPACKET|SOCK_CLOEXEC, 0, &pair)  # a way to the keeper
      + clone(CLONE_VM|CLONE_PIDFD|SIGCHLD, &stack, &keeper, NULL, NULL), if != 0 go to ‹the way to the keeper, where the plan has it›  # the keeper, which kills the container when this process ends
      + setsid() (any error is fine)  # no signals by way of the terminal
      + dup3($pair, 0, 0) (any error is fine)  # the socket
      + close_range(1, 4294967295, 0) (any error is fine)  # nothing else is open
      + recvmsg(0, {msg_iov={iov_base=&data, iov_len=1}, msg_iovlen=1, msg_control=&control, msg_controllen=24}, MSG_CMSG_CLOEXEC) (any error is fine), if == 1 go to ‹a registration, of one byte, or the end›  # a registration, of one byte, or the end
      + pidfd_send_signal(1, SIGKILL, NULL, 0) (any error is fine)  # kill what is kept
      + exit_group(0)  # nothing is left to keep
      + dup3($pair+4, 4, O_CLOEXEC) (EINVAL is fine)  # the way to the keeper, where the plan has it
      + pipe2(&ends, O_CLOEXEC)  # by which the container knows whether this process lives
      + fcntl($ends, F_DUPFD_CLOEXEC, 10) = $channel  # the end that is read, out of the way
      + fcntl($ends+4, F_DUPFD_CLOEXEC, 10) = $writer  # the end that is written, too
      + close($ends)  # one file for each end
      + close($ends+4)  # one file for each end
      + dup3($writer, 3, O_CLOEXEC)  # the end that is written, where the plan has it
      + close($writer)  # one file for each end
      + clone(CLONE_VM|CLONE_NEWNS|CLONE_PARENT_SETTID|CLONE_NEWUTS|CLONE_NEWPID|SIGCHLD, &stack, &report+4, NULL, NULL), if == 0 go to ‹the process that goes into the container›  # the first process of the container, in new namespaces
      + close(3)  # only the container writes
      + label()  # listen
      + rt_sigtimedwait("'\\372\\373?\\0\\0\\0\\0", NULL, NULL, 8) = $signal (EINTR is fine), if == 17 go to ‹reap what has ended›  # wait for a signal
      + kill($report+4, $signal) (any error is fine), if < 1 go to ‹listen›  # pass the signal on
      + wait4(-1, &status, WNOHANG|__WALL, NULL) = $ended (ECHILD is fine), if < 1 go to ‹listen›  # reap what has ended
      + add($ended, 0), if != $report+4 go to ‹reap what has ended›  # was it the program?
      + label()  # the container has ended
      + pidfd_send_signal($keeper, SIGKILL, NULL, 0) (any error is fine)  # the keeper has nothing to keep
      + waitid(P_PIDFD, $keeper, NULL, WEXITED|__WALL, NULL) (any error is fine)  # nothing is left of it
      + add($status, 0), if == 0 go to ‹end with its exit code›  # did it exit by itself?
      + add($status, 0), if < 128 go to ‹128 and the signal›  # did it leave no core?
      + exit_group($status)  # the bit that says there is a core is 128
      + add($status, 128) = $code  # 128 and the signal
      + exit_group($code)  # end as a shell does for a signal
      + exit_group($status+1)  # end with its exit code
      + label()  # the process that goes into the container
      + close($channel)  # only the launcher reads
      + rt_sigprocmask(SIG_SETMASK, &no signals, NULL, 8)  # the program gets its signals
        chdir("/")  # the directory to start in
      - ppoll({fd=4, events=0x1}, 1, NULL, NULL, 8)  # wait until the keeper runs
        umask(022)  # permissions that new files do not have
      - write(3, "\\3\\0\\0\\0\\0\\0\\0\\0", 8)  # the set-up is done
        fail(ENOENT)  # exec "/bin/sh": no such file or directory
      + write(2, "ctr: setting up the standard streams: ", 38) (any error is fine), if != 0 go to ‹say which error›  # say what failed
      + write(2, "ctr: setting up the tie to the host: ", 37) (any error is fine), if != 0 go to ‹say which error›  # say what failed
      + write(2, "ctr: setting up a channel: ", 27) (any error is fine), if != 0 go to ‹say which error›  # say what failed
      + write(2, "ctr: setting up a process in new namespaces: ", 45) (any error is fine), if != 0 go to ‹say which error›  # say what failed
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
    // The keeper, which is a part of the launcher, is the first one.
    const [, ...clones] = steps.slice(0, inside).filter(({ call }) => call === 'clone');
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
  ] satisfies [string, ContainerOptions][])('has less than 10 KB with %s', (_, given) => {
    expect(standalone(['true'], given).length).toBeLessThan(10 * 1024);
  });

  it('is the same each time', () => {
    const bytes = standalone(['/bin/sh'], options);
    expect(Buffer.compare(bytes, standalone(['/bin/sh'], options))).toBe(0);
    expect(Buffer.from(bytes.subarray(0, 4)).toString('latin1')).toBe('\x7fELF');
  });
});
