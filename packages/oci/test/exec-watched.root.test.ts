// A container that looks into whatever comes into it before that is the program.
import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { capabilityNames } from '@ctr/security';
import { defaultConfig, type Config, type LinuxNamespaceType, type LinuxSeccomp } from '@ctr/oci';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { record, rounds } from '../../../tools/race-record.mjs';
import { nodeProgram, type NodeProgram } from '../../../test/support/node-program.js';
import { fill, place } from './container.js';
import type { Job } from './watched-program.js';

const at = place();
const EXECUTIONS = rounds(200);
const timeout = EXECUTIONS * 600;
const source = join(import.meta.dirname, '../../../test/support/watcher.c');
const noWatcher =
  spawnSync('gcc', ['-static', '-x', 'c', '-o', '/dev/null', '-'], { input: 'int main(void) { return 0; }' }).status === 0
    ? undefined
    : 'gcc makes no static programs here';

let program: NodeProgram;
beforeAll(async () => {
  program = await nodeProgram(readFileSync(join(import.meta.dirname, 'watched-program.ts'), 'utf8'), import.meta.dirname);
});
afterAll(() => program[Symbol.dispose]());

const USER = 65_534;
const asUser = ['setpriv', `--reuid=${USER}`, `--regid=${USER}`, '--clear-groups'];
const everything = Object.fromEntries(['bounding', 'permitted', 'effective'].map((set) => [set, capabilityNames]));
const filter: LinuxSeccomp = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['swapon'], action: 'SCMP_ACT_ERRNO' }] };

interface Case {
  readonly who: string;
  /** The host's ids that are 0 and on in a user namespace of its own. */
  readonly ids?: { readonly from: number; readonly count: number };
  readonly isUser?: boolean;
  readonly filter?: LinuxSeccomp;
  readonly newPrivileges?: boolean;
  /** Namespaces of the watching container that are joined by a further one. */
  readonly joins?: readonly LinuxNamespaceType[];
}

/** What the watcher has said of as many processes as there are rounds. */
async function watched({ ids, isUser = false, joins, filter: seccomp, newPrivileges = false }: Case): Promise<{ codes: unknown; text: string }> {
  const directory = mkdtempSync(join(at.directory, 'watched-'));
  chmodSync(directory, 0o755);
  const rootfs = join(directory, 'rootfs');
  fill(rootfs);
  execFileSync('gcc', ['-O1', '-static', '-o', join(rootfs, 'bin/watcher'), source]);
  if (isUser) execFileSync('chown', ['-R', `${USER}:${USER}`, directory]);
  const usual = defaultConfig();
  const range = ids && [{ containerID: 0, hostID: ids.from, size: ids.count }];
  const config = (args: readonly string[], joined: readonly LinuxNamespaceType[]): Config => ({
    ociVersion: usual.ociVersion,
    root: { path: rootfs },
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs' },
    ],
    // Who may trace everything on the host may look into anything.
    process: { cwd: '/', args, env: ['PATH=/bin'], capabilities: range ? everything : {}, noNewPrivileges: !newPrivileges },
    linux: {
      namespaces: (['pid', 'mount', ...(range ? (['user'] as const) : [])] as const).map((type) => ({
        type,
        ...(joined.includes(type) && { path: `/proc/PID/ns/${type}` }),
      })),
      ...(range && !joined.includes('user') && { uidMappings: range, gidMappings: range }),
      ...(seccomp && { seccomp }),
    },
  });
  const job: Job = { directory, rootfs, rounds: EXECUTIONS, watcher: config(['watcher'], []), ...(joins && { joiner: config(['true'], joins) }) };
  const asked = join(directory, 'job.json');
  writeFileSync(asked, JSON.stringify(job));
  const by = isUser ? asUser : ['env'];
  const { stdout } = await promisify(execFile)(by[0] ?? '', [...by.slice(1), process.execPath, program.path, asked], {
    env: { ...program.env, USER: 'user' },
    timeout,
  });
  return JSON.parse(stdout) as { codes: unknown; text: string };
}

const one = { from: USER, count: 1 };
const many = { from: 100_000, count: 65_536 };
const cases: Record<string, readonly Case[]> = {
  'a process executed in an OCI container': [
    { who: 'by root' },
    { who: 'by root, in a user namespace', ids: many },
    { who: 'by an ordinary user', ids: one, isUser: true },
    { who: 'by an ordinary user, with a filter', ids: one, isUser: true, filter },
    { who: 'by an ordinary user, with a filter and new privileges', ids: one, isUser: true, filter, newPrivileges: true },
  ],
  'an OCI container in a pid namespace that is joined': [
    { who: 'by root', joins: ['pid'] },
    { who: 'by root, in a user namespace that is joined', joins: ['pid', 'user'], ids: many },
    { who: 'by an ordinary user, in a user namespace that is joined', joins: ['pid', 'user'], ids: one, isUser: true, filter },
  ],
};

describe.each(Object.entries(cases))('%s', (what, table) => {
  it.skipIf(noWatcher !== undefined).each(table)('cannot be looked into before it is the program: $who', { timeout }, async (each) => {
    const { codes, text } = await watched(each);
    const looked = Number(/^looked (\d+)$/m.exec(text)?.[1]);
    expect({ codes, text }).toEqual({ codes: [0], text: `ready\nlooked ${looked}\nopened 0\n` });
    expect(looked).toBeGreaterThan(EXECUTIONS / 10);
    record({ race: `${what}: cannot be looked into before it is the program: ${each.who}`, rounds: EXECUTIONS, met: looked, gotThrough: 0 });
  });
});
