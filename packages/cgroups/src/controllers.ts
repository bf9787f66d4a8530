import type { Limits, Setting } from './limits.js';
import { cpu as cpu1 } from './v1/cpu.js';
import { memory as memory1 } from './v1/memory.js';
import { pids as pids1 } from './v1/pids.js';
import { cpu as cpu2 } from './v2/cpu.js';
import { memory as memory2 } from './v2/memory.js';
import { pids as pids2 } from './v2/pids.js';

/** A controller that limits are made for. */
export type Controller = 'pids' | 'memory' | 'cpu';

const settings: Readonly<Record<Controller, Readonly<Record<1 | 2, (limits: Limits) => Setting[]>>>> = {
  pids: { 1: pids1, 2: pids2 },
  memory: { 1: memory1, 2: memory2 },
  cpu: { 1: cpu1, 2: cpu2 },
};

/** The controllers that have something to do for these limits. */
export function controllersFor(limits: Limits): Controller[] {
  return (Object.keys(settings) as Controller[]).filter((controller) => settings[controller][2](limits).length > 0);
}

/** What one controller writes for these limits. */
export function settingsOf(controller: Controller, version: 1 | 2, limits: Limits): Setting[] {
  return settings[controller][version](limits);
}

/** Whether limits are made for a controller of this name. */
export function isController(name: string): name is Controller {
  return Object.hasOwn(settings, name);
}
