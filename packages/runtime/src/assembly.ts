// `@ctr/runtime/assembly`: parts that containers of every kind are assembled from, for those who assemble their own (an OCI runtime).
export { clearNonBlocking } from './blocking.js';
export { CallerStreams } from './relay/caller-streams.js';
export { waitForScope } from './container-scope.js';
export { defaultDeviceRules } from './device-rules.js';
export { Master } from './master.js';
export { beginWithPipes, type PipeStreams } from './pipes.js';
export { program } from './program.js';
export { rootfs, type Root } from './rootfs.js';
export { flatten, type Section } from './section.js';
export { sysctlSteps } from './sysctls.js';
export { control, giveTerminal } from './terminal.js';
export { isInUserNamespace } from './own-user-namespace.js';
export { homeOf } from './user.js';
