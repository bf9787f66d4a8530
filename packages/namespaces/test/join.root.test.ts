import { call, continueInChild, Fd, launch, openFd, waitForHost, type Child } from '@ctr/syscall';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { allNamespaces, create, hostname, inspect, join, joinPath, mapOwnIds, namespaceFile, sameNamespace, type Namespace } from '@ctr/namespaces';

import { launched, rejection, script } from '../../../test/support/launched.js';

const id = [{ inside: 0, outside: 0, count: 1 }];
const show = script(`for kind in ${allNamespaces.map(namespaceFile).join(' ')}; do /bin/busybox readlink /proc/self/ns/$kind; done`);

describe('join', () => {
  let target: Child;
  let pidfd: Fd;
  beforeAll(async () => {
    const others = allNamespaces.filter((kind) => kind !== 'user');
    target = await launch([
      ...create('user'),
      ...mapOwnIds({ uids: id, gids: id }),
      ...create(...others),
      ...hostname('target'),
      ...continueInChild({ memory: 'copied' }),
      ...script('exec /bin/busybox sleep 3600'),
    ]);
    pidfd = new Fd(call({ call: 'pidfd_open', args: [target.pid, 0], purpose: 'the target of a test' }));
  });
  afterAll(async () => {
    pidfd.close();
    await target[Symbol.asyncDispose]();
  });

  const expected = async (kinds: readonly Namespace[]): Promise<string> => {
    const [inside, outside] = await Promise.all([inspect(target.pid), inspect(process.pid)]);
    return allNamespaces.map((kind) => `${namespaceFile(kind)}:[${(kinds.includes(kind) ? inside : outside)[kind]}]`).join('\n');
  };

  it('the target shares none of our namespaces', async () => {
    for (const kind of allNamespaces) expect(await sameNamespace(kind, process.pid, target.pid)).toBe(false);
  });

  for (const kind of allNamespaces) {
    it(`joins the ${kind} namespace of a process, by its pid and by its pidfd`, async () => {
      for (const by of [target.pid, pidfd]) {
        const { output } = await launched([...join(by, kind), ...(kind === 'pid' ? continueInChild() : []), ...show]);
        expect(output).toBe(await expected([kind]));
      }
    });
  }

  it('joins all of them in one call', async () => {
    const { output } = await launched([
      ...join(pidfd, ...allNamespaces),
      ...continueInChild(),
      ...script('echo $(/bin/busybox hostname) $(/bin/busybox id -u) $$'),
    ]);
    expect(output).toMatch(/^target 0 \d+$/);
    const all = await launched([...join(target.pid, ...allNamespaces), ...continueInChild(), ...show]);
    expect(all.output).toBe(await expected(allNamespaces));
  });

  it('joins by the file of a namespace, opened before or by the plan', async () => {
    const path = `/proc/${target.pid}/ns/uts`;
    using file = openFd(path, { flags: 0 });
    for (const steps of [join(file, 'uts'), joinPath(path, 'uts')]) {
      const { output } = await launched([...steps, ...script('/bin/busybox hostname')]);
      expect(output).toBe('target');
    }
  });

  it('is in a pid namespace only with the next process', async () => {
    const plan = [...join(pidfd, 'pid'), ...waitForHost('look at it'), ...continueInChild(), ...waitForHost('and at the next'), ...show];
    const seen: boolean[] = [];
    await launched(plan, { onWaiting: async (pid) => void seen.push(await sameNamespace('pid', pid, target.pid)) });
    expect(seen).toEqual([false, true]);
  });

  it('says what is wrong with a file of another kind, with one that is no namespace, and with a process that is gone', async () => {
    const other = await rejection(launch([...joinPath(`/proc/${target.pid}/ns/uts`, 'net'), ...show]));
    expect(other.message).toContain(`hint: /proc/${target.pid}/ns/uts is not a net namespace`);
    const ordinary = await rejection(launch([...joinPath('/etc/passwd', 'net'), ...show]));
    expect(ordinary.message).toMatch(/^setns\(\$net, CLONE_NEWNET\) = EINVAL .*step 2 of \d+: join the net namespace\nhint: \/etc\/passwd is not/);
    using file = openFd('/etc/passwd', { flags: 0 });
    expect((await rejection(launch([...join(file, 'net'), ...show]))).message).toContain('hint: the file is neither a pidfd nor a namespace of this kind');
    const gone = await launch(script('exit 0'));
    await gone.exited;
    expect((await rejection(launch([...join(gone.pid, 'net'), ...show]))).message).toMatch(/^pidfd_open\(\d+, 0\) = ESRCH .*\nhint: no process has this pid/);
    expect((await rejection(launch([...join(process.pid, 'user'), ...show]))).message).toMatch(
      /= EINVAL .*\nhint: a process cannot join the user namespace it is in/,
    );
  });
});
