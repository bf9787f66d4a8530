import { atFlags, handOver, ioctls, Memory, openFlags, openTreeFlags, resultOf, winsize, type ResultOf, type Step } from '@ctr/syscall';
import { attach, setAttributes } from '@ctr/fs';

import type { TerminalSize } from './spec.js';

/** The steps that make the program's terminal, and its slave side. */
export interface Terminal {
  readonly steps: readonly Step[];
  readonly slave: ResultOf;
}

/**
 * A terminal of the container's own devpts: its master goes to the host, its slave is /dev/console and, by {@link control}, the program's standard streams.
 * Everything is reached by the fd of the container's new /dev, where nothing of an image can be.
 *
 * @see pty(7), TIOCGPTPEER(2const)
 */
export function terminal(dev: ResultOf, { columns, rows }: TerminalSize): Terminal {
  const unlocked = new Memory(8, 'unlocked');
  const master: Step = {
    call: 'openat',
    args: [dev, 'pts/ptmx', openFlags.O_RDWR | openFlags.O_NOCTTY | openFlags.O_CLOEXEC, 0],
    purpose: 'the master of a terminal',
    as: 'master',
  };
  const slave: Step = {
    call: 'ioctl',
    args: [resultOf(master), ioctls.TIOCGPTPEER, openFlags.O_RDWR | openFlags.O_NOCTTY | openFlags.O_CLOEXEC],
    purpose: 'its slave, by the master and not by a path',
    as: 'slave',
  };
  const size = winsize({ ws_row: rows, ws_col: columns });
  const console: Step = {
    call: 'open_tree',
    args: [resultOf(slave), '', openTreeFlags.OPEN_TREE_CLONE | openTreeFlags.OPEN_TREE_CLOEXEC | atFlags.AT_EMPTY_PATH],
    purpose: 'the slave as a mount',
    as: 'console',
  };
  const place: Step = {
    call: 'openat',
    args: [dev, 'console', openFlags.O_CREAT | openFlags.O_EXCL | openFlags.O_NOFOLLOW | openFlags.O_CLOEXEC, 0o600],
    purpose: 'a file to mount it on',
    as: 'place',
  };
  return {
    steps: [
      master,
      { call: 'ioctl', args: [resultOf(master), ioctls.TIOCSPTLCK, unlocked], purpose: 'the slave may be opened' },
      slave,
      { call: 'ioctl', args: [resultOf(master), ioctls.TIOCSWINSZ, size], purpose: `${columns} columns and ${rows} rows` },
      console,
      ...setAttributes(resultOf(console), { readonly: true, noSuid: true, noExec: true }),
      place,
      ...attach(resultOf(console), resultOf(place)),
      ...handOver(resultOf(master), 'the host has the master'),
    ],
    slave: resultOf(slave),
  };
}

/** The terminal belongs to the user that the program is going to be, who may then open it by its name, too. */
export function giveTerminal(slave: ResultOf, uid: number): Step[] {
  // An id that is not mapped is refused here, too, but told where the process becomes that user.
  return uid === 0 ? [] : [{ call: 'fchown', args: [slave, uid, -1], purpose: `the terminal belongs to user ${uid}`, tolerates: ['EINVAL'] }];
}

/** The terminal becomes that of the session, and the standard streams. Comes after setsid(2). */
export function control(slave: ResultOf): Step[] {
  return [
    { call: 'ioctl', args: [slave, ioctls.TIOCSCTTY, 0], purpose: 'the terminal of the session' },
    ...[0, 1, 2].map((fd): Step => ({ call: 'dup3', args: [slave, fd, 0], purpose: `${['stdin', 'stdout', 'stderr'][fd]} is the terminal` })),
  ];
}
