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
  it("is with passThrough that of a container without the way into its namespaces, and with what it says if something fails", () => {
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
        chdir("/")  # the directory to start in
      - label()  # stdin is a pipe, and a relay outside of the container moves what passes between it and the caller's file
      - label()  # stdout is a pipe, and a relay outside of the container moves what passes between it and the caller's file
      - label()  # stderr is a pipe, and a relay outside of the container moves what passes between it and the caller's file
      - ppoll({fd=4, events=0x1}, 1, NULL, NULL, 8)  # wait until the keeper runs
      - pidfd_open(1, 0)  # by what the keeper knows this process
      - sendmsg(4, {msg_iov={iov_base="\\24\\0\\0\\0\\0\\0\\0\\0\\1\\0\\0\\0\\1\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0", iov_len=1}, msg_iovlen=1, msg_control="\\24\\0\\0\\0\\0\\0\\0\\0\\1\\0\\0\\0\\1\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0", msg_controllen=24}, MSG_NOSIGNAL)  # the keeper kills this process when the host ends
      + label()  # stdin is the caller's own file, whose mode, owner, offset and content the program may change
      + label()  # stdout is the caller's own file, whose mode, owner, offset and content the program may change
      + label()  # stderr is the caller's own file, whose mode, owner, offset and content the program may change
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)  # no program brings new rights with it
      - close_range(4, 4294967295, 0)  # nothing that the set-up opened is open any more
      + close_range(3, 4294967295, CLOSE_RANGE_CLOEXEC)  # nothing that the set-up opened is open in the program
        umask(022)  # permissions that new files do not have
      - write(3, "\\3\\0\\0\\0\\0\\0\\0\\0", 8)  # the set-up is done
      + rt_sigaction(SIGPIPE, {sa_handler=0}, NULL, 8)  # a closed pipe ends the program, as it should
      + rt_sigprocmask(SIG_SETMASK, &no signals, NULL, 8)  # the program gets its signals
      + fcntl(0, F_SETFD, 0)  # the program keeps stdin
      + fcntl(1, F_SETFD, 0)  # the program keeps stdout
      + fcntl(2, F_SETFD, 0)  # the program keeps stderr
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
