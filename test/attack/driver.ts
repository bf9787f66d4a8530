// A process of one kind of caller that starts a container by one of the ways in: the job is JSON, the outcome of each command goes to file 3.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

import { create, defaultConfig, exec, remove, start as startOci, type Config, type CreateOptions, type LinuxSyscall } from '@ctr/oci';
import { child, maskedSystemPaths, run, standalone, start, type ContainerOptions } from '@ctr/runtime';
import { defaultProfile, resolveProfile, type SeccompRule } from '@ctr/security';
import type { Child } from '@ctr/syscall';

import type { Job, Outcome } from './job.js';

/** Where outcomes go. */
const TELL = 3;
/** Containers that nothing ends are ended after this time. */
const TIMEOUT_MS = 20_000;

const job = JSON.parse(process.argv[2] ?? '') as Job;
const scratch = mkdtempSync(join(job.scratch, 'driver-'));
const outcomes: Outcome[] = [];
const streams = job.ignored ? (['ignore', 'ignore', 'ignore'] as const) : (['inherit', 'inherit', 'inherit'] as const);
let count = 0;
let container: Awaited<ReturnType<typeof created>> | undefined;
for (const one of job.commands) {
  const command: readonly [string, ...string[]] = [one.command[0] ?? '', ...one.command.slice(1)];
  const options: ContainerOptions = { ...job.options, ...(one.cwd !== undefined && { cwd: one.cwd }) };
  outcomes.push(await outcomeOf(command, options));
}
if (container) await remove(container.id, { root: container.root, force: true });
rmSync(scratch, { recursive: true });
writeSync(TELL, JSON.stringify(outcomes));

async function outcomeOf(command: readonly [string, ...string[]], options: ContainerOptions): Promise<Outcome> {
  try {
    return await startedBy(command, options);
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

async function startedBy(command: readonly [string, ...string[]], options: ContainerOptions): Promise<Outcome> {
  const stdio = job.ignored ? 'ignore' : 'inherit';
  switch (job.way) {
    case 'run()': {
      const { exitCode } = await run(command, { ...options, stdio, reject: false, timeoutMs: TIMEOUT_MS });
      return { exitCode };
    }
    case 'start()': {
      const { exitCode } = await (await start(command, { ...options, stdio, timeoutMs: TIMEOUT_MS })).exited;
      return { exitCode };
    }
    case 'ctr child':
      return child(command, options);
    case 'ctr compile': {
      const path = join(scratch, 'container');
      writeFileSync(path, standalone(command, options), { mode: 0o755 });
      const { status, error } = spawnSync(path, { stdio, timeout: TIMEOUT_MS, killSignal: 'SIGKILL' });
      if (error) throw error;
      return status === 125 ? { error: 'the executable ended with 125' } : { exitCode: status ?? undefined };
    }
    case 'OCI create':
    case 'OCI exec':
      return await byBundle(command, options);
  }
}

/** A container of a bundle, with the command as its program, or as a further one of a container that all commands are executed in. */
async function byBundle(command: readonly string[], options: ContainerOptions): Promise<Outcome> {
  if (job.way === 'OCI exec') {
    container ??= await created(job.first, { ...options, cwd: '/' }, ['ignore', 'ignore', 'ignore']);
    const { id, root, first } = container;
    const further = await exec(id, (own) => ({ ...own, args: command, cwd: options.cwd ?? '/' }), { root, stdio: streams });
    return await exitOf(further, first);
  }
  const { id, root, first } = await created(command, options, streams);
  try {
    return await exitOf(first, first);
  } finally {
    await remove(id, { root, force: true });
  }
}

async function exitOf(child: Child, first: Child): Promise<Outcome> {
  const timer = setTimeout(() => void first.kill('SIGKILL'), TIMEOUT_MS);
  const { code } = await child.exited;
  clearTimeout(timer);
  return { exitCode: code };
}

async function created(args: readonly string[], options: ContainerOptions, stdio: CreateOptions['stdio']) {
  const id = `attack-${process.pid}-${++count}`;
  const root = join(scratch, 'state');
  const bundle = join(scratch, id);
  mkdirSync(bundle);
  writeFileSync(join(bundle, 'config.json'), JSON.stringify(configOf(args, options, id)));
  const first = await create(bundle, id, { root, ...(stdio && { stdio }), cgroup: job.owner === undefined, pivot: job.pivot });
  await startOci(id, { root });
  return { id, root, first };
}

/** What `ctr-oci spec` writes, with what containers of this project have by default: the filter, and all that is masked. */
function configOf(args: readonly string[], options: ContainerOptions, id: string): Config {
  const usual = defaultConfig(job.owner === undefined ? {} : { rootless: true, uid: job.owner, gid: job.owner });
  const { architectures, flags, syscalls, defaultAction, defaultErrnoRet } = resolveProfile(defaultProfile);
  const ids = job.idMappings;
  const binds = (options.mounts ?? []).flatMap((mount) =>
    'bind' in mount ? [{ destination: mount.to, type: 'none', source: mount.bind, options: ['rbind', ...(mount.readonly ? ['ro'] : [])] }] : [],
  );
  const env = Object.entries(options.env ?? {}).map(([name, value]) => `${name}=${value}`);
  const namespaces = usual.linux?.namespaces ?? [];
  return {
    ...usual,
    root: { path: options.rootfs ?? '', readonly: options.readonly ?? false },
    mounts: [...(usual.mounts ?? []), ...binds],
    process: { cwd: options.cwd ?? '/', ...usual.process, terminal: false, args, env },
    linux: {
      ...usual.linux,
      ...(job.owner === undefined && { cgroupsPath: `/ctr-attack/${id}` }),
      maskedPaths: maskedSystemPaths(),
      seccomp: { defaultAction, ...(typeof defaultErrnoRet === 'number' && { defaultErrnoRet }), architectures, flags, syscalls: syscalls.map(asOci) },
      ...(ids && { uidMappings: ids, gidMappings: ids, namespaces: [...namespaces.filter(({ type }) => type !== 'user'), { type: 'user' as const }] }),
    },
  };
}

/** The types of the spec have no other forms of these values. */
function asOci({ names, action, errnoRet, args }: SeccompRule): LinuxSyscall {
  const conditions = args?.map(({ index, value, valueTwo, op }) => ({ index, value, ...(typeof valueTwo === 'number' && { valueTwo }), op }));
  return { names: names ?? [], action, ...(typeof errnoRet === 'number' && { errnoRet }), ...(conditions && { args: conditions }) };
}
