import type { LinuxResources } from '@ctr/cgroups';
import { readBounded } from '../../life-cycle/config-file.js';
import { update } from '../../life-cycle/update.js';
import { parseResources } from '../../parse-config.js';
import type { Args } from '../args.js';
import type { Context } from '../context.js';
import { bytesOf, idOf } from '../words.js';

export async function updateCommand({ args, root, log }: Context): Promise<number> {
  const id = idOf(args);
  const file = args.text('resources');
  const onWarning = ({ path, allowed }: { readonly path: string; readonly allowed: string }): void => log.warn(`${path}: ${allowed}`);
  const resources =
    file === undefined ? parseResources(JSON.stringify(resourcesOf(args)), { onWarning }) : parseResources(readBounded(file === '-' ? 0 : file), { onWarning });
  await update(id, resources, root);
  return 0;
}

function resourcesOf(args: Args): LinuxResources {
  const bytes = (name: string): number | undefined => {
    const word = args.text(name);
    return word === undefined ? undefined : bytesOf(name, word);
  };
  const memory = { limit: bytes('memory'), reservation: bytes('memory-reservation'), swap: bytes('memory-swap') };
  const cpu = {
    shares: args.integer('cpu-share'),
    quota: args.integer('cpu-quota'),
    period: args.integer('cpu-period'),
    burst: args.integer('cpu-burst'),
    realtimeRuntime: args.integer('cpu-rt-runtime'),
    realtimePeriod: args.integer('cpu-rt-period'),
    idle: args.integer('cpu-idle'),
    cpus: args.text('cpuset-cpus'),
    mems: args.text('cpuset-mems'),
  };
  const resources = { memory, cpu, pids: { limit: args.integer('pids-limit') }, blockIO: { weight: args.integer('blkio-weight') } };
  // What is not given goes with JSON.
  return Object.fromEntries(Object.entries(resources).filter(([, values]) => Object.values(values).some((value) => value !== undefined))) as LinuxResources;
}
