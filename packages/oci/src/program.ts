// What dist/program.cjs offers to the bin.
export { main, report } from './cli/main.js';
export { progress } from './cli/progress.js';
