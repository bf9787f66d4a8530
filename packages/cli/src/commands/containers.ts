/** The commands that make system calls, and what tells their errors. */
export { nearest } from '@ctr/syscall';
export { child } from './child.js';
export { compile } from './compile.js';
export { doctor } from './doctor.js';
export { gc } from './gc.js';
export { reportFailure } from '../report-failure.js';
export { run } from './run.js';
export { top } from './top.js';
