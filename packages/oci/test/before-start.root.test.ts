// Programs of the image that run before the program of the container: the first process waits, and may not be looked into.
import { chmodSync, chownSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';

import type { Hook, LinuxNamespaceType, LinuxSeccomp } from '@ctr/oci';
import { expect, it } from 'vitest';

import { bundleOf, configOf, newId, place } from './container.js';
import { shell, type Outcome } from './ctr-oci.js';

const at = place();
const USER = 65_534;
const asUser = ['setpriv', `--reuid=${USER}`, `--regid=${USER}`, '--clear-groups'];
const seccomp: LinuxSeccomp = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: 1 }] };
/** Whoever can write there changes the filter before it is loaded. */
const open = '(exec 3<>/proc/1/mem) 2>&1';
const opens: Hook = { path: '/bin/sh', args: ['sh', '-c', `! ${open}`], env: ['PATH=/bin'] };
const all = { containerID: 0, hostID: 0, size: 65_536 };
const one = { containerID: 0, hostID: USER, size: 1 };

interface Case {
  readonly who: string;
  readonly prefix?: readonly string[];
  readonly map?: typeof all;
  readonly newPrivileges?: boolean;
}
const root: readonly Case[] = [
  { who: 'root' },
  { who: 'root, with a user namespace where 0 is 0', map: all },
  { who: 'root, with a user namespace where 0 is 0 and new privileges', map: all, newPrivileges: true },
  { who: 'root of a user namespace', prefix: [...asUser, 'unshare', '--user', '--map-root-user', '--mount'] },
];
const user: Case = { who: 'an ordinary user', prefix: asUser, map: one };

/** Creates a container, executes a program that opens the memory of the first process, starts it, and asks for the filter of the program. */
async function tried({ prefix = [], map, newPrivileges = false }: Case, hook?: Hook): Promise<Outcome> {
  const id = newId();
  const namespaces: readonly LinuxNamespaceType[] = ['pid', 'mount', 'uts', ...(map ? (['user'] as const) : [])];
  const config = configOf(at, ['sleep', '1000'], {
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs' },
      { destination: '/tmp', type: 'tmpfs', source: 'tmpfs' },
    ],
    process: { noNewPrivileges: !newPrivileges },
    linux: { namespaces: namespaces.map((type) => ({ type })), seccomp, resources: {}, ...(map && { uidMappings: [map], gidMappings: [map] }) },
    ...(hook && { hooks: { startContainer: [hook] } }),
  });
  const bundle = bundleOf(at, prefix.length > 0 ? { ...config, linux: { ...config.linux, cgroupsPath: '' } } : config);
  const home = mkdtempSync(join(at.directory, 'home-'));
  chmodSync(bundle, 0o755);
  if (prefix.length > 0) chownSync(home, USER, USER);
  const line = [
    `oci() { $CTR_OCI --root ${home}/state "$@" 2>&1; }`,
    `oci create --bundle ${bundle} ${id} > ${home}/created < /dev/null || { cat ${home}/created; exit 3; }`,
    ...(hook ? [] : [`oci exec ${id} sh -c '${open}'; echo "opened $?"`]),
    `oci start ${id}; echo "started $?"`,
    `oci exec ${id} sh -c 'grep Seccomp: /proc/1/status; mkdir /tmp/made 2>&1'`,
    `oci delete --force ${id}`,
  ].join('\n');
  return shell(line, { prefix });
}

const starts = "started 0\nSeccomp:\t2\nmkdir: can't create directory '/tmp/made': Operation not permitted\n";

it.each(root)('a program that is executed before the start cannot change the memory of the first process: $who', async (each) => {
  expect(await tried(each)).toMatchObject({ stdout: `sh: can't create /proc/1/mem: Permission denied\nopened 1\n${starts}` });
});

it.each(root)('a hook of startContainer cannot change the memory of the first process: $who', async (each) => {
  expect(await tried(each, opens)).toMatchObject({ stdout: starts });
});

it('nothing of the image is executed before the start for an ordinary user, and the container starts', async () => {
  const { stdout } = await tried(user);
  expect(stdout).toMatch(/^ctr-oci: [^\n]*nobody but root may look into the first process of a container\. Start the container first[^\n]*\nopened \d+\n/);
  expect(stdout.replace(/^[^]*opened \d+\n/, '')).toBe(starts);
});

it('a hook of startContainer is refused to an ordinary user, before anything is made', async () => {
  const { code, stdout } = await tried(user, opens);
  expect({ code, stdout }).toEqual({
    code: 3,
    stdout: expect.stringContaining('hooks.startContainer: the first process of a container cannot be looked into'),
  });
});
