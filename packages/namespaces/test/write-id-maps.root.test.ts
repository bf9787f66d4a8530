import { existsSync } from 'node:fs';

import { continueInChild, launch, waitForHost } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import { create, mapOwnIds, subIds, writeIdMaps, type IdMaps } from '@ctr/namespaces';

import { asNobody, NOBODY, type Surroundings } from './as-nobody.js';
import { launched, rejection, script } from '../../../test/support/launched.js';

const show = script('/bin/busybox cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups');
const words = (output: string): string[][] => output.split('\n').map((line) => line.trim().split(/\s+/));
const maps = {
  uids: [{ inside: 0, outside: 100_000, count: 65_536 }],
  gids: [
    { inside: 0, outside: 100_000, count: 10 },
    { inside: 10, outside: 0, count: 1 },
  ],
};

describe('writeIdMaps', () => {
  it('as root writes any ids directly, and setgroups stays allowed', async () => {
    const plan = [...create('user'), ...waitForHost('map the ids'), ...show];
    const { output } = await launched(plan, { onWaiting: (pid) => writeIdMaps(pid, maps) });
    expect(words(output)).toEqual([['0', '100000', '65536'], ['0', '100000', '10'], ['10', '0', '1'], ['allow']]);
  });

  it('writes the maps of a process that the plan goes on in', async () => {
    const plan = [...create('user'), ...continueInChild(), ...waitForHost('map the ids'), ...show];
    const { output } = await launched(plan, { onWaiting: (pid) => writeIdMaps(pid, maps) });
    expect(words(output)[0]).toEqual(['0', '100000', '65536']);
  });

  it('writes as many ranges as the kernel takes', async () => {
    const ranges = Array.from({ length: 340 }, (_, i) => ({ inside: i, outside: i, count: 1 }));
    const plan = [...create('user'), ...waitForHost('map the ids'), ...script('/bin/busybox wc -l /proc/self/uid_map')];
    const { output } = await launched(plan, { onWaiting: (pid) => writeIdMaps(pid, { uids: ranges, gids: ranges }) });
    expect(output).toBe('340 /proc/self/uid_map');
  });

  it('ends the launch with its own error: a map that is written already, a process that has no user namespace of its own, one that is gone', async () => {
    const twice = async (pid: number): Promise<void> => {
      await writeIdMaps(pid, maps);
      await writeIdMaps(pid, maps);
    };
    const error = await rejection(launch([...create('user'), ...waitForHost('map the ids'), ...show], { onWaiting: twice }));
    expect(error.message).toMatch(
      /^write\("\/proc\/\d+\/uid_map", "0 100000 65536\\n"\) = EPERM \(operation not permitted\): map the ids of process \d+\nhint: a map is written once/,
    );
    const none = await rejection(launch([...waitForHost('map the ids'), ...show], { onWaiting: (pid) => writeIdMaps(pid, maps) }));
    expect(none.message).toMatch(/= EPERM /);
    await expect(writeIdMaps(4_194_304, maps)).rejects.toThrow(/^open\("\/proc\/4194304\/uid_map", O_WRONLY\) = ENOENT .*\nhint: the process has ended/);
  });
});

describe('mapOwnIds', () => {
  it('maps one id each, and switches setgroups off', async () => {
    const { output } = await launched([
      ...create('user'),
      ...mapOwnIds({ uids: [{ inside: 5, outside: 0, count: 1 }], gids: [{ inside: 6, outside: 0, count: 1 }] }),
      ...show,
    ]);
    expect(words(output)).toEqual([['5', '0', '1'], ['6', '0', '1'], ['deny']]);
  });

  it("says that another's id cannot be mapped", async () => {
    const own = [{ inside: 0, outside: 0, count: 1 }];
    const error = await rejection(launch([...create('user'), ...mapOwnIds({ uids: [{ inside: 0, outside: 7, count: 1 }], gids: own })]));
    expect(error.message).toMatch(/^write\(\$uid_map, "0 7 1\\n", 6\) = EPERM .*\nhint: a process can map its own effective user id only, and only once/);
  });
});

describe('for an ordinary user, writeIdMaps', () => {
  const outcome = (ids: IdMaps, surroundings: Surroundings = {}): Promise<string> =>
    asNobody(
      `
        import { create, writeIdMaps } from '@ctr/namespaces';
        import { announceExec, launch, waitForHost } from '@ctr/syscall';
        const show = ['/proc/self/uid_map', '/proc/self/gid_map', '/proc/self/setgroups'];
        try {
          const child = await launch(
            [...create('user'), ...waitForHost('map the ids'), announceExec(), { call: 'execve', args: ['/bin/busybox', ['cat', ...show], []], purpose: 'show' }],
            { onWaiting: (pid) => writeIdMaps(pid, ${JSON.stringify(ids)}) },
          );
          await child.exited;
        } catch (error) { console.log(error.message); }
      `,
      surroundings,
    );
  const own = [{ inside: 0, outside: NOBODY, count: 1 }];
  const helper = (name: string): boolean => ['/usr/bin', '/bin', '/usr/local/bin'].some((directory) => existsSync(`${directory}/${name}`));

  it('maps the own ids without any helper', async () => {
    expect(words(await outcome({ uids: own, gids: own }))).toEqual([['0', String(NOBODY), '1'], ['0', String(NOBODY), '1'], ['deny']]);
  });

  it('asks newuidmap and newgidmap for ids that the user has been granted', async ({ skip }) => {
    skip(!helper('newuidmap') || !helper('newgidmap'), 'newuidmap and newgidmap are not installed');
    skip(!existsSync('/etc/subuid') || !existsSync('/etc/subgid'), 'no /etc/subuid and /etc/subgid to mount over');
    const uids = [...own, { inside: 1, outside: 100_000, count: 65_535 }];
    const gids = [{ inside: 0, outside: 200_000, count: 7 }];
    const output = await outcome({ uids, gids }, { subIds: 'nobody:100000:65536\n65534:200000:7\n' });
    expect(words(output)).toEqual([['0', '65534', '1'], ['1', '100000', '65535'], ['0', '200000', '7'], ['allow']]);
    const message = await outcome({ uids, gids: [{ inside: 0, outside: 200_000, count: 8 }] }, { subIds: 'nobody:100000:65536\n65534:200000:7\n' });
    expect(message).toContain('/etc/subgid has to grant these ids: nobody:200000:8; for nobody it has nobody:100000:65536 and nobody:200000:7.');
  });

  it('asks newuidmap for other ids, and hands on what it says and which line it wants', async ({ skip }) => {
    skip(!helper('newuidmap'), 'newuidmap is not installed');
    skip((await subIds({ uid: NOBODY, username: 'nobody' })).uids.length > 0, 'nobody has subordinate ids here');
    const message = await outcome({ uids: [...own, { inside: 1, outside: 100_000, count: 65_535 }], gids: own });
    expect(message).toMatch(
      /^newuidmap \d+ 0 65534 1 1 100000 65535 ended with exit code 1: newuidmap: uid range \[1-65536\) -> \[100000-165535\) not allowed\n/,
    );
    expect(message).toMatch(/\nhint: \/etc\/subuid has to grant these ids: nobody:100000:65535; for nobody it has no line\./);
  });

  it('names the package of newgidmap where it is not installed', async () => {
    const message = await outcome({ uids: own, gids: [{ inside: 0, outside: 100_000, count: 2 }] }, { hidden: 'newgidmap' });
    expect(message).toMatch(/^newgidmap: .* is in none of \/usr\/bin, \/bin, \/usr\/local\/bin\nhint: install the package uidmap/);
  });
});
