import { quote } from '@ctr/syscall';
import { UsageError, type Args } from './args.js';

/** The id that a command is about, and no more than so many words behind it. Throws a {@link UsageError}. */
export function idOf({ rest }: Args, most = 1): string {
  const [id] = rest;
  if (id === undefined) throw new UsageError('the id of a container is missing');
  if (rest.length > most) throw new UsageError(`${quote(rest[most])} is one word too many`);
  return id;
}

/** Throws a {@link UsageError} for a word where none can be. */
export function noWords({ rest }: Args): void {
  if (rest.length > 0) throw new UsageError(`${quote(rest[0])} is one word too many`);
}

export function formatOf(args: Args): 'json' | 'table' {
  const format = args.text('format') ?? 'table';
  if (format !== 'json' && format !== 'table') throw new UsageError(`--format ${quote(format)}: table or json`);
  return format;
}

/** A signal by its number, 0 for none at all, or by its name with or without SIG. */
export function signalOf(word: string, signals: Readonly<Record<string, number>>): number {
  if (/^(0|[1-9]\d?)$/.test(word) && Number(word) <= 64) return Number(word);
  const name = word.toUpperCase().replace(/^(?!SIG)/, 'SIG');
  const realtime = /^SIGRT(MIN\+|MAX-)?(\d+)$/.exec(name);
  const number = Object.hasOwn(signals, name)
    ? signals[name]
    : realtime
      ? realtime[1] === 'MAX-'
        ? 64 - Number(realtime[2])
        : 34 + Number(realtime[2])
      : undefined;
  if (number === undefined) throw new UsageError(`unknown signal ${quote(word)}`);
  return number;
}

/** `50m` in bytes. */
export function bytesOf(name: string, word: string): number {
  const [, digits, unit] = /^(-1|\d+)([kmgtp]?)i?b?$/i.exec(word) ?? [];
  if (digits === undefined) throw new UsageError(`--${name} ${quote(word)}: give a number of bytes, such as 64m`);
  const bytes = Number(digits) * 1024 ** ' kmgtp'.indexOf((unit ?? '').toLowerCase() || ' ');
  if (!Number.isSafeInteger(bytes)) throw new UsageError(`--${name} ${quote(word)}: more than there can be`);
  return bytes;
}

/** `5s` in milliseconds. */
export function durationOf(name: string, word: string): number {
  const [, digits, unit = 's'] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(word) ?? [];
  const milliseconds = Number(digits) * { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[unit as 'ms' | 's' | 'm' | 'h'];
  if (!(milliseconds >= 1 && milliseconds < 2 ** 31)) throw new UsageError(`--${name} ${quote(word)}: give a duration, such as 5s`);
  return milliseconds;
}
