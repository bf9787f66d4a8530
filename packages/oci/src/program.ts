// What dist/program.cjs offers to the bin.
export { callersWords } from '@ctr/syscall';
export { main, report } from './cli/main.js';
export { progress } from './cli/progress.js';
