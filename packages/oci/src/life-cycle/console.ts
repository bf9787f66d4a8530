import type { Fd } from '@ctr/syscall';

import type { Process } from '../config/process.js';
import { sendConsole } from './console-socket.js';

/** Who gets the master of a terminal. */
export interface ConsoleOptions {
  /** The path of a socket that is sent the master of the program's terminal. */
  readonly consoleSocket?: string;
  /** Gets the master of the program's terminal, where there is no socket; the callee closes it. */
  readonly onConsole?: (master: Fd) => void;
  /** Whether the terminal shows a line feed as it is, for one who shows it at a terminal of their own, or in a file. @default false: as CR LF */
  readonly plainLineFeeds?: boolean;
}

/** Refuses a terminal that nobody takes, and the other way round, in the words that engines know. */
export function checkConsole({ terminal = false }: Process, { consoleSocket, onConsole }: ConsoleOptions): void {
  if (terminal && consoleSocket === undefined && !onConsole)
    throw new Error('cannot allocate tty if runc will detach without setting console socket: give one, or set process.terminal to false');
  if (!terminal && consoleSocket !== undefined) throw new Error('cannot use console socket if runc will not detach or allocate tty');
}

/** Gives the master to whoever is to have it. */
export function handOverConsole(master: Fd | undefined, { consoleSocket, onConsole }: ConsoleOptions): void {
  if (!master) return;
  if (consoleSocket === undefined && onConsole) return onConsole(master);
  using console = master;
  if (consoleSocket !== undefined) sendConsole(consoleSocket, console);
}
