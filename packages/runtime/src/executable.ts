// `@ctr/runtime/executable`: what the bin of a package does before its program, which is bundled as one script (tools/bundle.mjs).
export { CodeCache } from './code-cache.js';
export { runProgram, type Program } from './run-program.js';
export { writeText } from './write-text.js';
