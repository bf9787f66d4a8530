import { UsageError } from './args.js';
import { deleteCommand, killCommand, pauseCommand, resumeCommand, startCommand } from './commands/control.js';
import { createCommand } from './commands/create.js';
import { eventsCommand } from './commands/events.js';
import { execCommand } from './commands/exec.js';
import { featuresCommand, listCommand, psCommand, stateCommand } from './commands/look.js';
import { runCommand } from './commands/run.js';
import { specCommand } from './commands/spec.js';
import { updateCommand } from './commands/update.js';
import type { Action } from './context.js';

const notThere: Action = () => {
  throw new UsageError('checkpoint and restore are not there: they take CRIU');
};

/** What the commands do, by their names. */
export const actions: Readonly<Record<string, Action>> = {
  create: createCommand,
  start: startCommand,
  run: runCommand,
  state: stateCommand,
  kill: killCommand,
  delete: deleteCommand,
  exec: execCommand,
  ps: psCommand,
  list: listCommand,
  pause: pauseCommand,
  resume: resumeCommand,
  update: updateCommand,
  events: eventsCommand,
  spec: specCommand,
  features: featuresCommand,
  checkpoint: notThere,
  restore: notThere,
};
