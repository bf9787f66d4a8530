// What it costs to compile the default profile, in a process that has not done so before: the first time, and every other.
import { compileFilter, defaultCapabilities, defaultProfile } from '@ctr/security';

const AGAIN = 10_000;

const began = performance.now();
compileFilter(defaultProfile, { capabilities: defaultCapabilities });
const first = performance.now() - began;
const start = performance.now();
for (let i = 0; i < AGAIN; i++) compileFilter(defaultProfile, { capabilities: defaultCapabilities });
console.log(JSON.stringify([first, (performance.now() - start) / AGAIN]));
