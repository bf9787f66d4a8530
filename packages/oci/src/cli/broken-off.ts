/** By which a command is ended, at a terminal and by others. */
const ending = ['SIGINT', 'SIGTERM'] as const;

/** A signal that would end this process breaks off what it is making instead: nothing of that is left then, as after any failure. */
export async function brokenOff<T>(making: (cancelSignal: AbortSignal) => Promise<T>): Promise<T> {
  const end = new AbortController();
  const breakOff = (name: NodeJS.Signals): void => end.abort(new Error(`broken off by ${name}`));
  for (const name of ending) process.on(name, breakOff);
  try {
    return await making(end.signal);
  } finally {
    for (const name of ending) process.off(name, breakOff);
  }
}
