import { attach, inRoot, openPlace, setAttributes } from '@ctr/fs';
import { atFlags, errnos, fail, handOver, ioctls, label, Memory, openFlags, openTreeFlags, resultOf, winsize, type ResultOf, type Step } from '@ctr/syscall';

import { fileSystemType } from './file-system-type.js';

/** linux/magic.h */
const DEVPTS_SUPER_MAGIC = 0x1cd1;

/** struct termios of asm-generic/termbits.h: its size, the offset of c_oflag, and the bit of it that is meant; and what sets it, of asm-generic/ioctls.h. */
const TERMIOS_BYTES = 36;
const C_OFLAG = 4;
const ONLCR = 0o4;
const TCSETS = 0x5402;

/** The steps that make the terminal of a process, and its slave side. */
export interface Console {
  readonly steps: readonly Step[];
  readonly slave: ResultOf;
}

/** The size of a terminal, in characters. */
export interface ConsoleSize {
  readonly width: number;
  readonly height: number;
}

/**
 * A terminal of the devpts at /dev/pts, whose master goes to the host. It has to be one: a file or a device of the image in its place is not even opened.
 *
 * @param root the container's: an open directory
 * @see pty(7), TIOCGPTPEER(2const)
 */
export function consoleOf(
  root: ResultOf,
  size: ConsoleSize | undefined,
  { mount, plainLineFeeds }: { readonly mount: boolean; readonly plainLineFeeds: boolean },
): Console {
  const pts = openPlace(inRoot(root, '/dev/pts', { create: false }));
  const found = fileSystemType(pts.fd);
  const isPts = label('it is a devpts');
  const unlocked = new Memory(8, 'unlocked');
  const master: Step = {
    call: 'openat',
    args: [pts.fd, 'ptmx', openFlags.O_RDWR | openFlags.O_NOCTTY | openFlags.O_CLOEXEC, 0],
    purpose: 'the master of a terminal',
    as: 'master',
  };
  const slave: Step = {
    call: 'ioctl',
    args: [resultOf(master), ioctls.TIOCGPTPEER, openFlags.O_RDWR | openFlags.O_NOCTTY | openFlags.O_CLOEXEC],
    purpose: 'its slave, by the master and not by a path',
    as: 'slave',
  };
  const resize: Step[] = size
    ? [
        {
          call: 'ioctl',
          args: [resultOf(master), ioctls.TIOCSWINSZ, winsize({ ws_row: size.height, ws_col: size.width })],
          purpose: `${size.width} columns and ${size.height} rows`,
        },
      ]
    : [];
  return {
    steps: [
      ...pts.steps,
      ...found.steps,
      { call: 'add', args: [found.type, 0], purpose: 'its type', jump: { when: '==', than: DEVPTS_SUPER_MAGIC, to: isPts } },
      fail(errnos.ENODEV, 'there is no devpts at /dev/pts', { ENODEV: 'a terminal takes one: mount a devpts there, by the configuration' }),
      isPts,
      master,
      { call: 'ioctl', args: [resultOf(master), ioctls.TIOCSPTLCK, unlocked], purpose: 'the slave may be opened' },
      slave,
      ...resize,
      ...(plainLineFeeds ? withoutReturns(resultOf(slave)) : []),
      ...(mount ? mounted(root, resultOf(slave)) : []),
      ...handOver(resultOf(master), 'the host has the master'),
    ],
    slave: resultOf(slave),
  };
}

/**
 * A line feed comes out of the master as it is. The modes are those of a new terminal, which make CR LF of it: the bit is set.
 *
 * @see termios(3), include/linux/tty.h of the kernel: tty_std_termios
 */
function withoutReturns(slave: ResultOf): Step[] {
  const modes = new Memory(TERMIOS_BYTES, 'termios');
  return [
    { call: 'ioctl', args: [slave, ioctls.TCGETS, modes], purpose: 'the modes of the terminal' },
    { call: 'add', args: [modes.u64(C_OFLAG), -ONLCR], purpose: 'the output modes, without the one that makes CR LF of LF', into: modes.at(C_OFLAG) },
    { call: 'ioctl', args: [slave, TCSETS, modes], purpose: 'line feeds come out as they are' },
  ];
}

/** /dev/console is the terminal, by a read-only mount as every device that is bound. A link in its place is refused: what would be mounted over is somebody else's. */
function mounted(root: ResultOf, slave: ResultOf): Step[] {
  const place = openPlace(inRoot(root, '/dev/console', { create: 'file', symlinks: 'refuse' }), { directory: false });
  const console: Step = {
    call: 'open_tree',
    args: [slave, '', openTreeFlags.OPEN_TREE_CLONE | openTreeFlags.OPEN_TREE_CLOEXEC | atFlags.AT_EMPTY_PATH],
    purpose: 'the slave as a mount',
    as: 'console',
  };
  const attributes = setAttributes(resultOf(console), { readonly: true, noSuid: true, noExec: true });
  return [...place.steps, console, ...attributes, ...attach(resultOf(console), place.fd, 'attach it to /dev/console')];
}
