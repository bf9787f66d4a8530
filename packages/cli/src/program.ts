// What dist/program.cjs offers to the bin, and dist/index.js to others.
export { callersWords } from '@ctr/syscall';
export { main } from './main.js';
export { progress } from './progress.js';
export { report } from './report.js';
