// The session keyring, which no namespace separates: a key of the caller can neither be found nor read, listed nor asked for.
import { existsSync, readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { run, type ContainerOptions } from '@ctr/runtime';
import { keyctlOperations } from '@ctr/syscall';

import { image } from '../image.js';
import { watchForLeaks } from '../leaks.js';
import { NodeProgram } from '../node-program.js';
import { attempt, type Attempts } from './attempts.js';

watchForLeaks();

/** linux/keyctl.h */
const KEY_SPEC_SESSION_KEYRING = -3;
const KEY_SPEC_USER_KEYRING = -4;
const KEYCTL_SEARCH = 10;

// A caller with a key of its own in a session keyring of its own: what a container is then run with. The keys are in the kernel's memory and gone with the process.
const caller = new NodeProgram(`
  import { run } from '@ctr/runtime';
  import { call } from '@ctr/syscall';
  import { writeFileSync } from 'node:fs';
  import { attempt } from './attack/attempts.js';
  const { options, key } = JSON.parse(process.argv[2] ?? '') as { options: { rootfs: string }; key: string };
  call({ call: 'keyctl', args: [${keyctlOperations.KEYCTL_JOIN_SESSION_KEYRING}, null, 0, 0, 0], purpose: 'a keyring for the test' });
  const id = call({ call: 'add_key', args: ['user', key, 'secret', 6, ${KEY_SPEC_SESSION_KEYRING}], purpose: 'a key' });
  // Its owner alone might read it: whoever has a link to it, too.
  const search = (): { call: 'keyctl'; args: (number | string)[] } => ({ call: 'keyctl', args: [${KEYCTL_SEARCH}, ${KEY_SPEC_SESSION_KEYRING}, 'user', key, 0] });
  const request = { call: 'request_key' as const, args: ['user', key, null, 0] };
  const answers = await attempt({ search: search(), request }, options);
  const own = call({ ...search(), purpose: 'is it there?' }) === id;
  console.log(JSON.stringify({ ...answers, own }));
`);

async function asked(options: ContainerOptions): Promise<Record<string, unknown>> {
  const { stdout, stderr } = await caller.run([JSON.stringify({ options: { rootfs: image(), ...options }, key: 'ctr-test' })]);
  expect(stderr).toBe('');
  return JSON.parse(stdout) as Record<string, unknown>;
}

const hasKeys = existsSync('/proc/keys');

describe('a key of the caller', () => {
  it('is out of reach: no call about keys can be made', async (context) => {
    if (!hasKeys) context.skip('this kernel has no keys');
    expect(await asked({})).toEqual({ search: 'EPERM', request: 'EPERM', own: true });
    expect(await asked({ user: { uid: 1000, gid: 1000 } })).toEqual({ search: 'EPERM', request: 'EPERM', own: true });
  });

  it('is not there where they can be made: the keyring is another', async (context) => {
    if (!hasKeys) context.skip('this kernel has no keys');
    for (const options of [{}, { init: true }, { user: { uid: 1000, gid: 1000 } }, { namespaces: { user: 'new' } }] as const)
      expect(await asked({ seccomp: 'unconfined', ...options })).toEqual({ search: 'ENOKEY', request: 'ENOKEY', own: true });
  });

  it('is there where the keyring is to be that of the caller', async (context) => {
    if (!hasKeys) context.skip('this kernel has no keys');
    expect(await asked({ seccomp: 'unconfined', sessionKeyring: 'inherit' })).toEqual({ search: 'ok', request: 'ok', own: true });
  });
});

describe('the list of keys', () => {
  it('is empty', async (context) => {
    if (!hasKeys) context.skip('this kernel has no keys');
    const keys = (options: ContainerOptions): Promise<string> => run(['cat', '/proc/keys'], { rootfs: image(), ...options }).then(({ stdout }) => stdout);
    expect(await keys({})).toBe('');
    expect(await keys({ namespaces: { user: 'new' } })).toBe('');
    // Where it is shown it is that of a reader, not empty on this host.
    expect(readFileSync('/proc/keys', 'utf8')).not.toBe('');
    expect(await keys({ maskedPaths: [] })).not.toBe('');
  });
});

describe('the calls about keys', () => {
  it('are all refused', async () => {
    const attempts: Attempts = {
      ...Object.fromEntries(
        Array.from({ length: 33 }, (_, operation) => [`keyctl ${operation}`, { call: 'keyctl', args: [operation, KEY_SPEC_SESSION_KEYRING, 0, 0, 0] }]),
      ),
      add_key: { call: 'add_key', args: ['user', 'x', 'y', 1, KEY_SPEC_USER_KEYRING] },
      request_key: { call: 'request_key', args: ['user', 'x', null, 0] },
    };
    expect(Object.values(await attempt(attempts, { rootfs: image() })).filter((answer) => answer !== 'EPERM')).toEqual([]);
  });
});
