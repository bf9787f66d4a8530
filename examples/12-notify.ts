// A system call that is answered in TypeScript: the kernel asks this program what uname(2) says to another.
import { handOverListener, noNewPrivs, Notifier, seccomp } from '@ctr/security';
import { launch, type Fd } from '@ctr/syscall';

const utsname = Buffer.alloc(6 * 65); // sys/utsname.h: the name of the system, of the host, release, version, machine, domain
utsname.write('TypeScript', 0);
utsname.write('anywhere', 65);

async function answer(listener: Fd): Promise<void> {
  using notifier = new Notifier(listener);
  for await (const notification of notifier) {
    console.log('asked:', notification.name);
    if (notification.writeBytes(notification.args[0] ?? 0n, utsname)) notification.return(0);
    else notification.fail('EFAULT');
  }
}

let answered: Promise<void> | undefined;
const child = await launch(
  [
    ...noNewPrivs(),
    ...handOverListener(seccomp({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['uname'], action: 'SCMP_ACT_NOTIFY' }] })),
    { call: 'execve', args: ['/bin/uname', ['uname', '-sn'], []], purpose: 'the program' },
  ],
  { onFile: (listener) => void (answered = answer(listener)) },
);
await child.exited;
await answered;
// prints:
// asked: uname
// TypeScript anywhere
