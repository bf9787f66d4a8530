// buildah with ctr-oci for the containers that it runs and builds in.
import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { readLayout } from '@ctr/cgroups';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { fill } from '../container.js';
import { bin, type Outcome } from '../ctr-oci.js';
import { as, enrol, environmentOf, type Owner } from './owner.js';
import { missing, Sandbox } from './sandbox.js';

const lacks = missing('buildah', 'script', 'setpriv', 'newuidmap', 'newgidmap');
const image = 'localhost/bb:1';
const isV2 = readLayout().mode === 'v2';

/** buildah for the tests of a block, with an image of busybox and a container of it. */
function buildahFor(name: string, owner: Owner) {
  let sandbox: Sandbox | undefined;
  let container = '';
  const here = (): Sandbox => {
    if (!sandbox) throw new Error('there is no sandbox');
    return sandbox;
  };
  const own = (path: string): string => join(here().directory, 'own', path);
  const words = (args: readonly string[]): string[] => [
    ...as(owner),
    'buildah',
    '--root',
    own('store'),
    '--runroot',
    '/run/own/containers',
    '--storage-driver=vfs',
    ...args,
  ];
  // Bundles are made where temporary files are.
  const env = (): Record<string, string> => ({ HOME: own('.'), XDG_CACHE_HOME: own('cache'), TMPDIR: own('tmp'), ...environmentOf(owner) });
  const buildah = (...args: readonly string[]): Promise<Outcome> => here().run(words(args), { env: env() });
  const usual = ['--isolation=oci', '--runtime', bin, '--network=none'];
  beforeAll(async () => {
    if (lacks !== undefined) return;
    sandbox = await Sandbox.open(name);
    const { directory } = sandbox;
    for (const path of ['own', 'own/tmp', 'own/context']) {
      mkdirSync(join(directory, path));
      chownSync(join(directory, path), owner.uid, owner.uid);
    }
    await enrol(sandbox, owner);
    fill(join(directory, 'rootfs'));
    const made = async (...args: readonly string[]): Promise<string> => {
      const { code, stdout, stderr } = await buildah(...args);
      expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
      return stdout.trim();
    };
    const scratch = await made('from', 'scratch');
    await made('copy', scratch, join(directory, 'rootfs'), '/');
    await made('config', '--cmd=/bin/sh', scratch);
    await made('commit', '--rm', scratch, image);
    container = await made('from', image);
  });
  beforeEach((context) => {
    if (lacks !== undefined) context.skip(`${lacks} is not installed`);
  });
  afterAll(async () => {
    if (sandbox) expect(await sandbox.close()).toEqual({ groups: [], states: [] });
  });
  return {
    run: (options: readonly string[], ...command: readonly string[]) => buildah('run', ...usual, ...options, container, ...command),
    inTerminal: (...command: readonly string[]) =>
      here().run(['script', '--quiet', '--return', '--command', words(['run', '--tty', ...usual, container, ...command]).join(' '), '/dev/null'], {
        env: env(),
      }),
    /** Builds an image. */
    build: (options: readonly string[], ...lines: readonly string[]) => {
      writeFileSync(own('context/Containerfile'), [`FROM ${image}`, ...lines, ''].join('\n'));
      return buildah('build', ...usual, ...options, own('context'));
    },
    own,
  };
}

describe('buildah', () => {
  const on = buildahFor('buildah', { uid: 0 });

  it('runs a program in a container, and ends as it does', async () => {
    expect(await on.run([], 'sh', '-c', 'echo said; echo complained >&2; exit 5')).toMatchObject({ code: 5, stdout: 'said\n', stderr: /^complained\n/ });
    expect((await on.run([], 'nosuch')).stderr).toContain('nosuch');
  });

  it('has it be who, where and with what is said', async () => {
    mkdirSync(on.own('shared'));
    writeFileSync(on.own('shared/file'), 'of the host\n');
    const options = ['--user=1000', '--workingdir=/tmp', '--hostname=box', '--env=A=b', '--cap-drop=CAP_CHOWN', `--volume=${on.own('shared')}:/v:ro`];
    const line = 'id -u; pwd; hostname; echo $A; cat /v/file; grep CapBnd /proc/self/status; touch /v/new';
    expect(await on.run([...options, '--mount=type=tmpfs,target=/scratch'], 'sh', '-c', line)).toMatchObject({
      code: 1,
      stdout: '1000\n/tmp\nbox\nb\nof the host\nCapBnd:\t00000000800405fa\n',
    });
  });

  it('has a terminal', async () => {
    const { code, stdout } = await on.inTerminal('tty');
    expect({ code, shown: stdout.replaceAll(/[\r\0]|\^@/g, '') }).toEqual({ code: 0, shown: '/dev/pts/0\n' });
  });

  it('builds, with limits that hold meanwhile, and says which line has failed', async () => {
    const file = isV2 ? 'memory.max' : 'memory/memory.limit_in_bytes';
    const { code, stdout } = await on.build(
      ['--memory=64m', '--ulimit=nofile=77:88', '--shm-size=1m'],
      'ENV A=b',
      'USER 1000',
      'WORKDIR /tmp',
      `RUN echo $A > made; id -u; ulimit -n; cat /sys/fs/cgroup/${file}`,
      'RUN test "$(cat made)" = b && echo kept',
    );
    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringMatching(/\n1000\n77\n67108864\n.*\nkept\n/s) as string });
    expect(await on.build([], 'RUN exit 9')).toMatchObject({ code: 9, stderr: expect.stringContaining('RUN exit 9') as string });
  });
});

describe('buildah of an ordinary user', () => {
  const on = buildahFor('buildah-own', { uid: 54_324, granted: '400000:65536' });

  it('runs and builds with ids that are granted', async () => {
    expect(await on.run([], 'sh', '-c', 'id -u; tr -s " " < /proc/self/uid_map')).toMatchObject({ code: 0, stdout: '0\n 0 54324 1\n 1 400000 65536\n' });
    expect(await on.build([], 'USER 1000', 'RUN id -u > /tmp/made && cat /tmp/made')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('\n1000\n') as string,
    });
  });
});
