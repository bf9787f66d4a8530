export { child, childPlan } from './child.js';
export { start, type Container, type StartOptions } from './container.js';
export type { Master } from './master.js';
export { plan } from './plan.js';
export { ContainerError, isContainerError, type Ending, type Result, type Usage } from './result.js';
export { run, type RunOptions, type RunPromise, type Stdio } from './run.js';
export type { BindMount, ContainerOptions, Mount, NamespaceChoice, TerminalSize, TmpfsMount, User } from './spec.js';
export { standalone, standalonePlan } from './standalone.js';
export { lookupUser } from './user.js';
