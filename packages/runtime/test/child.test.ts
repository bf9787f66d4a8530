import { describe, expect, it } from 'vitest';

import { childPlan, plan, standalonePlan, type ContainerOptions } from '@ctr/runtime';
import { compile } from '@ctr/syscall';

import { changes, differences, lines } from './plan-text.js';

const options: ContainerOptions = {
  rootfs: '/usr',
  cgroup: false,
  env: { PATH: '/bin', HOME: '/', HOSTNAME: 'box' },
  namespaces: { user: 'host', net: 'host', ipc: 'host', cgroup: 'host' },
};

describe('the plan of a child', () => {
  it('is with passThrough that of a container without the way into its namespaces, and with what it says if something fails', () => {
    const own = lines(childPlan(['/bin/sh'], { ...options, passThrough: true })).map((line) => line.replace(/, on failure go to ‹[^›]*›/, ''));
    expect(`\n${differences(lines(plan(['/bin/sh'], options)), own)}\n`).toMatchInlineSnapshot(`
      "
      - clone(CLONE_VM|CLONE_PARENT|CLONE_NEWNS|CLONE_PARENT_SETTID|CLONE_NEWUTS|CLONE_NEWPID|SIGCHLD, &stack, &report+4, NULL, NULL), if == 0 go to ‹the new process›  # go on in a new process, in new namespaces
      - write(3, "\\1\\0\\0\\0\\0\\0\\0\\0", 8) (any error is fine)  # tell the host its pid
      - exit_group(0)  # the first process has done its part
      - label()  # the new process
      - prctl(PR_SET_PDEATHSIG, 9, 0, 0, 0)  # die with the host
      - ppoll({fd=3, events=0x0}, 1, {}, NULL, 8), if == 0 go to ‹the host is alive›  # is the host still there?
      - exit_group(137)  # the host is gone
      - label()  # the host is alive
      - pipe2(&answer, O_CLOEXEC)  # by what the keeper answers
      - add($answer+4, 0)  # its end of the pipe
      - pidfd_open(1, 0)  # by what the keeper knows this process
      - sendmsg(4, {msg_iov={iov_base="\\30\\0", iov_len=2}, msg_iovlen=1, msg_control="\\30\\0\\0\\0\\0\\0\\0\\0\\1\\0\\0\\0\\1\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0", msg_controllen=24}, MSG_NOSIGNAL)  # the keeper kills this process when the host ends
      - close($answer+4)  # the keeper alone can answer
        chdir("/")  # the directory to start in
      - label()  # stdin is a pipe, and a relay outside of the container moves what passes between it and the caller's file
      - label()  # stdout is a pipe, and a relay outside of the container moves what passes between it and the caller's file
      - label()  # stderr is a pipe, and a relay outside of the container moves what passes between it and the caller's file
      - read($answer, &kept, 1), if == 1 go to ‹this process is kept›  # wait until the keeper has it
      - fail(EMFILE)  # the keeper takes the process
      - label()  # this process is kept
      + label()  # stdin is the caller's own file, whose mode, owner, offset and content the program may change
      + label()  # stdout is the caller's own file, whose mode, owner, offset and content the program may change
      + label()  # stderr is the caller's own file, whose mode, owner, offset and content the program may change
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)  # no program brings new rights with it
      - close_range(4, 4294967295, 0)  # nothing that the set-up opened is open any more
      + close_range(3, 4294967295, 0)  # nothing that the set-up opened is open any more
        umask(022)  # permissions that new files do not have
      - write(3, "\\3\\0\\0\\0\\0\\0\\0\\0", 8)  # the set-up is done
        fail(ENOENT)  # exec "/bin/sh": no such file or directory
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
      + write(2, "ctr: setting up the standard streams: ", 38) (any error is fine), if != 0 go to ‹say which error›  # say what failed
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

  it('is that of an executable container else, which makes a pid and a mount namespace', () => {
    const [own, other] = [childPlan(['/bin/sh'], options), standalonePlan(['/bin/sh'], options)].map(lines);
    expect(differences(other ?? [], own ?? [])).toMatchInlineSnapshot(`
      "  close($writer), on failure go to ‹say what failed›  # one file for each end
      - clone(CLONE_VM|CLONE_NEWNS|CLONE_PARENT_SETTID|CLONE_NEWUTS|CLONE_NEWPID|SIGCHLD, &stack, &report+4, NULL, NULL), if == 0 go to ‹the process that goes into the container›, on failure go to ‹say what failed›  # the first process of the container, in new namespaces
      + clone(CLONE_VM|CLONE_NEWNS|CLONE_PARENT_SETTID|CLONE_NEWPID|SIGCHLD, &stack, &report+4, NULL, NULL), if == 0 go to ‹the process that goes into the container›, on failure go to ‹say what failed›  # the first process of the container, in new namespaces"
    `);
  });

  it('takes its namespaces for those that the program of the original made, unless told otherwise', () => {
    const { namespaces: _, ...rest } = options;
    expect(changes(childPlan(['/bin/sh'], options), childPlan(['/bin/sh'], rest))).toBe('');
    expect(changes(childPlan(['/bin/sh'], rest), childPlan(['/bin/sh'], { ...rest, namespaces: { net: 'new' } }))).toMatchInlineSnapshot(`
      "  sethostname("container", 9), on failure go to ‹say what failed›  # the host name
      + socket(AF_INET, SOCK_DGRAM|SOCK_CLOEXEC, 0) = $socket, on failure go to ‹say what failed›  # any socket, to speak of network devices
      + ioctl($socket, SIOCSIFFLAGS, {ifr_name="lo", ifr_flags=IFF_UP|IFF_RUNNING}), on failure go to ‹say what failed›  # switch on the loopback device
      + close($socket), on failure go to ‹say what failed›  # the socket is not needed any more
        write(2, "ctr: setting up the host name: ", 31) (any error is fine), if != 0 go to ‹say which error›  # say what failed
      + write(2, "ctr: setting up the network: ", 29) (any error is fine), if != 0 go to ‹say which error›  # say what failed"
    `);
    expect(changes(childPlan(['/bin/sh'], rest), childPlan(['/bin/sh'], { ...rest, namespaces: { uts: 'host' } }))).toMatchInlineSnapshot(`
      "  umask(000), on failure go to ‹say what failed›  # modes are as they are given
      - sethostname("container", 9), on failure go to ‹say what failed›  # the host name
        write(2, "ctr: setting up the umask: ", 27) (any error is fine), if != 0 go to ‹say which error›  # say what failed
      - write(2, "ctr: setting up the host name: ", 31) (any error is fine), if != 0 go to ‹say which error›  # say what failed"
    `);
  });

  it.each([
    [{ init: true }, 'init'],
    [{ terminal: { columns: 80, rows: 24 } }, 'terminal'],
    [{ uidMap: [] }, 'uidMap'],
    [{ gidMap: [] }, 'gidMap'],
  ])('has no %j', (more, name) => {
    expect(() => childPlan(['/bin/sh'], { ...options, ...more })).toThrow(new TypeError(`child has no ${name}: it is a process that exists already`));
  });

  it('refuses what no container can be', () => {
    expect(() => childPlan([''], options)).toThrow('the command is empty');
    expect(() => childPlan(['/bin/sh'], { rootfs: '/nowhere' })).toThrow('rootfs "/nowhere" does not exist');
  });

  it('makes no cgroup unless there is a limit', () => {
    const { cgroup: _, ...rest } = options;
    expect(changes(childPlan(['/bin/sh'], options), childPlan(['/bin/sh'], rest))).toBe('');
  });

  it('compiles, too', () => {
    expect(compile(childPlan(['/bin/sh'], options)).length).toBeGreaterThan(1000);
  });
});
