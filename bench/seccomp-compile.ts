// What the default filter costs a process that has not used it before: its profile compiled the first time, and again; and the filter that is compiled ahead. Milliseconds.
import { compileFilter, defaultCapabilities, defaultProfile } from '@ctr/security';

const AGAIN = 10_000;

const time = (action: () => unknown): number => {
  const began = performance.now();
  action();
  return performance.now() - began;
};
const options = { capabilities: defaultCapabilities };
const ahead = time(() => compileFilter(defaultProfile, options));
// A profile of its own, with the same content, is not known; a frozen one is compiled once.
const profile = Object.freeze({ ...defaultProfile });
const first = time(() => compileFilter(profile, options));
const again = time(() => {
  for (let i = 0; i < AGAIN; i++) compileFilter(profile, options);
});
console.log(JSON.stringify([first, again / AGAIN, ahead]));
