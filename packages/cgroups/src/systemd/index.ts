// `@ctr/cgroups/systemd`: for those who want systemd to know of their groups.
export { findScopes, type FindScopesOptions, type FoundScope } from './find.js';
export { placesOfScope } from './places.js';
export { ownManager, requireSystemd, type Manager } from './running.js';
export type { UnitProperty } from './properties.js';
export { createScope, scopeAt, type Scope, type ScopeOptions } from './scope.js';
export { expandSlice, parseScopePath, scopeName, type ScopeName } from './unit-name.js';
