export type { Stats, Usage } from './counter.js';
export { CgroupError, type CgroupErrorKind } from './error.js';
export { collectGarbage, findByName, type FindOptions, type FoundGroup } from './garbage.js';
export { groupName, isOwnerAlive, parseGroupName, type GroupOwner } from './group-name.js';
export { hierarchyOf, parseLayout, readLayout, type CgroupLayout, type Hierarchy } from './layout.js';
export { checkLimits, type Limits } from './limits.js';
export { planGroup, type GroupOptions, type PlannedGroup } from './plan-group.js';
export { removeGroup, removeSteps, type RemoveOptions } from './remove.js';
export { readUsage } from './usage.js';
