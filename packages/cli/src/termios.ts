import { call, ioctls, Memory, perform, type Load } from '@ctr/syscall';

/** asm-generic/ioctls.h: set at once; set when all output is written. */
const TCSETSW = 0x5403;

/** struct termios of asm-generic/termbits.h: four words of flags, the line discipline, and the control characters. */
const BYTES = 36;
const WORDS = { c_iflag: 0, c_oflag: 4, c_cflag: 8, c_lflag: 12 } as const;
const FIRST_BYTE = 16;
const C_CC = 17;
const VTIME = 5;
const VMIN = 6;

const IFLAGS = 0o2753; // IGNBRK BRKINT PARMRK ISTRIP INLCR IGNCR ICRNL IXON
const OPOST = 0o1;
const CSIZE_PARENB = 0o460;
const CS8 = 0o60;
const LFLAGS = 0o100113; // ECHO ECHONL ICANON ISIG IEXTEN

/** The modes of a terminal, as the kernel has them. */
export type Modes = Uint8Array;

/** Reads the modes of a terminal. Throws a `SyscallError` (ENOTTY). */
export function readModes(fd: number): Modes {
  const modes = Buffer.alloc(BYTES);
  const read = (place: (termios: Memory) => Load): number => {
    const termios = new Memory(BYTES, 'termios');
    return perform([
      { call: 'ioctl', args: [fd, ioctls.TCGETS, termios], purpose: 'the modes of the terminal' },
      { call: 'add', args: [place(termios), 0], purpose: 'a part of them', tolerates: 'any' },
    ]);
  };
  for (const offset of Object.values(WORDS))
    modes.writeInt32LE(
      read((termios) => termios.i32(offset)),
      offset,
    );
  for (let offset = FIRST_BYTE; offset < BYTES; offset++) modes[offset] = read((termios) => termios.u8(offset));
  return modes;
}

/** Sets the modes of a terminal, when everything that was written to it has come out. In the background, the kernel stops the process for it (SIGTTOU). */
export function writeModes(fd: number, modes: Modes): void {
  call({ call: 'ioctl', args: [fd, TCSETSW, modes], purpose: 'set the modes of the terminal' });
}

/**
 * The modes in which every byte is handed over as it is, in both directions. Node's raw mode is another: it still makes two characters of a line feed,
 * which a program that has set its own terminal to raw does not expect.
 *
 * @see cfmakeraw(3)
 */
export function rawModes(modes: Modes): Modes {
  const raw = Buffer.from(modes);
  const change = (offset: number, off: number, on = 0): void => void raw.writeInt32LE((raw.readInt32LE(offset) & ~off) | on, offset);
  change(WORDS.c_iflag, IFLAGS);
  change(WORDS.c_oflag, OPOST);
  change(WORDS.c_cflag, CSIZE_PARENB, CS8);
  change(WORDS.c_lflag, LFLAGS);
  raw[C_CC + VMIN] = 1;
  raw[C_CC + VTIME] = 0;
  return raw;
}
