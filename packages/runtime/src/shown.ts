import { printable, quote } from '@ctr/syscall';

/** Of an object, so much is shown. */
const MAX_SHOWN = 200;

/** A value that somebody has given, whatever it is, for a message. */
export function shown(value: unknown): string {
  if (typeof value === 'string' || typeof value === 'number') return quote(value);
  try {
    const text = JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? `${part}n` : part)) ?? typeof value;
    return printable(text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text);
  } catch {
    return 'an object that refers to itself';
  }
}
