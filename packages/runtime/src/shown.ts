/** A value that somebody has given, whatever it is, for a message. */
export function shown(value: unknown): string {
  if (typeof value === 'number') return String(value);
  try {
    return JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? `${part}n` : part)) ?? typeof value;
  } catch {
    return 'an object that refers to itself';
  }
}
