import {
  call,
  errnos,
  failure,
  KEY_SPEC_SESSION_KEYRING,
  keyctlOperations,
  label,
  launch,
  Memory,
  struct,
  syscallNumber,
  type Step,
  type SyscallName,
} from '@ctr/syscall';
import { describe, expect, it, type TestContext } from 'vitest';

import { becomeUser, newSessionKeyring, noNewPrivs } from '@ctr/security';

import { end, exitCode, rejection } from './launched.js';

/** Skips where there are no keys. */
function needsKeys({ skip }: TestContext): void {
  const { KEYCTL_GET_KEYRING_ID } = keyctlOperations;
  const id = call({
    call: 'keyctl',
    args: [KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0, 0, 0],
    purpose: 'the own keyring',
    tolerates: ['ENOSYS', 'EPERM'],
  });
  skip(id === -errnos.ENOSYS, 'this kernel has no keys (CONFIG_KEYS)');
  skip(id === -errnos.EPERM, 'a seccomp filter around these tests forbids keyctl(2)');
}

const addKey = (description: string | Memory): Step => ({
  call: 'add_key',
  args: ['user', description, 'secret', 6, KEY_SPEC_SESSION_KEYRING],
  purpose: 'a secret of the caller',
});

/** Ends with 0 if the secret is found, and with the errno if not. */
function find(): Step[] {
  const notFound: Step = { call: 'exit_group', args: [failure.i32(4)], purpose: 'it is not' };
  return [{ call: 'request_key', args: ['user', 'ctr-secret', null, 0], purpose: 'is it found?', onFailure: notFound }, end(0), notFound];
}

describe('newSessionKeyring', () => {
  it('hides the keys of the caller', async (context) => {
    needsKeys(context);
    const caller = (): Step[] => [...newSessionKeyring(), addKey('ctr-secret')];
    expect(await exitCode([...caller(), ...find()])).toBe(0);
    expect(await exitCode([...caller(), ...newSessionKeyring(), ...find()])).toBe(errnos.ENOKEY);
  });

  it('is a keyring that a program of another user can use', async (context) => {
    needsKeys(context);
    expect(await exitCode([...newSessionKeyring(), ...becomeUser({ uid: 1000, gid: 1000 }), addKey('ctr-secret'), ...find()])).toBe(0);
  });

  it('fails if the quota of keys is used up, rather than share the keyring of the caller', async (context) => {
    needsKeys(context);
    // A name that is another one each time: eight bytes that are counted up, none of them zero, and the end.
    const name = new Memory(Buffer.from('0123456789'), 'name');
    const full = label('there is no room for another key');
    const add: Step = { ...addKey(name), tolerates: ['EDQUOT'], jump: { when: '<', to: full } };
    const count: Step = { call: 'add', args: [name.u64(), 1], purpose: 'the next name', into: name.at(0), jump: { when: '!=', to: add } };
    const user = becomeUser({ uid: 0x7ead0001, gid: 0x7ead0001 });
    const error = await rejection(launch([...user, ...newSessionKeyring(), add, count, full, ...newSessionKeyring(), end(0)]));
    expect(error.message).toMatch(
      /^keyctl\(KEYCTL_JOIN_SESSION_KEYRING, NULL, 0, 0, 0\) = EDQUOT .*\nhint: the user has used up its quota of keys: see \/proc\/key-users/,
    );
  });

  for (const errno of ['EPERM', 'ENOSYS', 'EACCES'] as const)
    it(`${errno === 'EACCES' ? 'fails' : 'goes on'} if a filter answers ${errno}`, async () => {
      const plan = [...noNewPrivs(), filter('keyctl', errnos[errno]), ...newSessionKeyring(), end(0)];
      if (errno === 'EACCES') expect((await rejection(launch(plan))).message).toContain('= EACCES');
      else expect(await exitCode(plan)).toBe(0);
    });
});

/** linux/seccomp.h and linux/filter.h: a filter that answers one call with an errno. */
function filter(name: SyscallName, errno: number): Step {
  const code = [
    [0x20, 0, 0, 0], // load the number of the call
    [0x15, 0, 1, syscallNumber(name)], // is it this one?
    [0x06, 0, 0, 0x0005_0000 | errno], // answer
    [0x06, 0, 0, 0x7fff_0000], // allow
  ] as const;
  const bytes = Buffer.alloc(32);
  for (const [i, [op, jt, jf, k]] of code.entries()) {
    bytes.writeUInt16LE(op, i * 8);
    bytes.writeUInt8(jt, i * 8 + 2);
    bytes.writeUInt8(jf, i * 8 + 3);
    bytes.writeUInt32LE(k, i * 8 + 4);
  }
  const program = struct('sock_fprog', { len: { type: 'u16' }, filter: { type: 'pointer' } });
  return { call: 'prctl', args: [PR_SET_SECCOMP, 2, program({ len: code.length, filter: bytes }), 0, 0], purpose: 'a filter' };
}

/** linux/prctl.h */
const PR_SET_SECCOMP = 22;
