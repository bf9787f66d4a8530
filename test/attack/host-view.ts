// Attacks on what a container sees of the host's file systems: files that not everybody may read, what a mount covers, and the host's own root.
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { gotThrough, held, refused, type Attack } from './attack.js';
import type { Way } from './job.js';

const group = 'What is seen of the host';
const SECRET = 'a file that root alone may read';
/** One that is taken over into the /etc of containers. */
const file = '/etc/services';
const covered = '/usr/share/doc';
const ofHost = (way: Way): string | undefined => (way.startsWith('OCI') ? 'a bundle has a root file system of its own' : undefined);
const inMounts = (script: string, ...args: readonly string[]): readonly string[] => [
  'unshare',
  '--mount',
  'sh',
  '-c',
  `${script} && shift ${args.length} && exec "$@"`,
  'sh',
  ...args,
];

const modes: Attack = {
  name: 'etc-mode',
  group,
  mayRefuse: true,
  tries: `reads \`${file}\`, which only root of the host may read, as another user`,
  without: (way) => ofHost(way) ?? (existsSync(file) ? undefined : `there is no ${file}`),
  async attempt(stage, caller, way) {
    const secret = join(stage.scratch(0), 'secret');
    writeFileSync(secret, SECRET, { mode: 0o600 });
    const options = caller.uid === 0 && way !== 'ctr child' ? { user: { uid: 1000, gid: 1000 } } : {};
    const command = ['/bin/sh', '-c', `cat ${file}; echo; echo read`];
    const { stdout, stderr, outcomes } = await stage.run(caller, way, {
      rootfs: undefined,
      options,
      commands: [{ command }],
      by: inMounts('mount --bind $1 $2', secret, file),
    });
    if (!stdout.endsWith('read\n')) return refused(outcomes[0]?.error ?? stderr);
    // Root of a child has the rights of its caller.
    return stdout.includes(SECRET) && !(way === 'ctr child' && caller.uid === 0)
      ? gotThrough('it is a copy with another mode')
      : held('EACCES, ENOENT, or root itself');
  },
  control: () => '`userland.root.test.ts` has it',
};

const below: Attack = {
  name: 'covered',
  group,
  mayRefuse: true,
  tries: `lists what a mount of the host covers at \`${covered}\``,
  without: (way) => ofHost(way) ?? (existsSync(covered) && readdirSync(covered).length > 0 ? undefined : `there is nothing in ${covered}`),
  async attempt(stage, caller, way) {
    const command = ['/bin/sh', '-c', `ls ${covered}; echo listed`];
    const { stdout, stderr, outcomes } = await stage.run(caller, way, {
      rootfs: undefined,
      commands: [{ command }],
      by: inMounts('mount -t tmpfs cover $1', covered),
    });
    if (!stdout.endsWith('listed\n')) return refused(outcomes[0]?.error ?? stderr);
    return stdout === 'listed\n' ? held('the cover is seen') : gotThrough('what the mount covers is seen');
  },
  control: () => 'without the mount anybody sees it',
};

const root: Attack = {
  name: 'host-root',
  group,
  mayRefuse: true,
  tries: 'the root file system is `/` of the host: writes to a directory of the caller',
  told: (way) => (way.startsWith('OCI') ? 'SECURITY.md#the-model: a bundle is trusted, and names its root itself' : undefined),
  async attempt(stage, caller, way) {
    const target = stage.scratch(caller.rootOutside);
    const command = ['/bin/sh', '-c', `: > ${target}/written; echo tried`];
    const { stdout, stderr, outcomes } = await stage.run(caller, way, {
      rootfs: '/',
      bare: true,
      first: ['/bin/sleep', '60'],
      commands: [{ command }],
      by: ['unshare', '--mount'],
    });
    if (existsSync(join(target, 'written'))) return gotThrough('a file of the host is made');
    return stdout === 'tried\n' ? held('EROFS, EACCES') : refused(outcomes[0]?.error ?? stderr);
  },
  async control(stage, caller) {
    const target = stage.scratch(caller.uid);
    const child = stage.spawned([...caller.by(stage.directory), 'sh', '-c', `: > ${target}/written`], undefined);
    await new Promise((resolve) => child.once('close', resolve));
    return existsSync(join(target, 'written'));
  },
};

const noPivot: Attack = {
  name: 'no-pivot',
  group,
  mayRefuse: true,
  tries: 'the root was changed without `pivot_root` (`ctr-oci --no-pivot`): looks for the old one',
  without: (way) => (way === 'OCI create' ? undefined : 'there is no such option'),
  async attempt(stage, caller, way) {
    const commands = [{ command: ['/attack/attempts', 'escape-root', 'mount', 'masked', 'configure-host'] }];
    const { stdout, outcomes } = await stage.run(caller, way, { rootfs: stage.image(caller), pivot: false, commands });
    if (stdout === '') return refused(outcomes[0]?.error ?? 'it did not start');
    const through = stdout.split('\n').filter((line) => line.includes('\tgot\t'));
    return through.length > 0 ? gotThrough(through.join(', ').replaceAll('\t', ' ')) : held('it is covered');
  },
  control: () => '`escape-root` has it',
};

/** Those of this file. */
export const hostView: readonly Attack[] = [modes, below, root, noPivot];
