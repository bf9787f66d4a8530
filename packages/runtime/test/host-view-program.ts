// In a host of the test's own: mounts below the directories that a container is shown, and files of /etc with other modes; what is seen there, and in a container.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';

import { run, standalone, type ContainerOptions } from '@ctr/runtime';

import { mounts } from './private-host.js';

const [scene = '', json = '{}'] = process.argv.slice(2);
const options = JSON.parse(json) as ContainerOptions;
const sh = (script: string): string => execFileSync('sh', ['-c', script], { encoding: 'utf8' });

const unmounts = 'umount /usr/src/deep /usr/src /usr/lib/ctr /usr/lib/ctr/x /usr/share/ctr/file /etc/alternatives /etc/terminfo/deep /etc/ssl';
const look =
  'cd /; find usr/src usr/lib/ctr usr/share/ctr etc/alternatives/ etc/terminfo/ etc/ssl/certs/ -type f 2>/dev/null | sort | while read -r f; do echo "$f $(head -c 64 "$f" | tr -cd a-zA-Z0-9)"; done';
const inside = async (script: string): Promise<string> => (await run(['sh', '-c', script], options)).stdout;

const scenes: Record<string, () => Promise<unknown>> = {
  async mounts() {
    if (process.geteuid?.() === 0) sh(mounts);
    const marks = 'echo new > /usr/src/new 2>/dev/null; echo new > /usr/src/deep/new 2>/dev/null';
    const found = { host: sh(look), container: await inside(look), attributes: await inside('grep " /usr/src/deep " /proc/self/mountinfo') };
    await inside(`${marks}; true`);
    return { ...found, after: sh(look) };
  },
  async compiled() {
    sh(mounts);
    writeFileSync('/mnt/compiled', standalone(['sh', '-c', look], options), { mode: 0o755 });
    return { host: sh(look), container: sh('/mnt/compiled') };
  },
  /** The plan of the first container is kept, but not beyond a change of the mount table. */
  async changes() {
    const before = { host: sh(look), container: await inside(look) };
    sh(mounts);
    const during = { host: sh(look), container: await inside(look) };
    sh(unmounts);
    return { before, during, after: { host: sh(look), container: await inside(look) } };
  },
  async modes() {
    sh(
      `cd /etc; chmod 0600 profile; chmod 0444 host.conf; chown 1000 inputrc; chmod 0700 ssl; rm -f localtime; echo secret > secret; chmod 0600 secret; ln -s secret localtime; chmod 0700 alternatives`,
    );
    return await inside('cd /etc; stat -c "%a %u %n" profile host.conf inputrc ssl localtime alternatives passwd 2>&1; true');
  },
  /** The root of the host as that of the container, and a file system that is mounted below it. */
  async root() {
    const there = await inside(
      'touch /usr/ctr-made /mnt/ctr-made /tmp/ctr-made 2>/dev/null; ls -d /usr/ctr-made /mnt/ctr-made /tmp/ctr-made 2>/dev/null; true',
    );
    return [there, sh('ls -d /usr/ctr-made /mnt/ctr-made /tmp/ctr-made 2>/dev/null; true')];
  },
  /** Between the plan and the container. */
  async late() {
    const before = await inside('stat -c "%a %n" /etc/profile');
    sh('chmod 0640 /etc/profile');
    const during = await inside('stat -c "%a %n" /etc/profile 2>&1; true');
    sh('chmod 0644 /etc/profile');
    return [before, during, await inside('stat -c "%a %n" /etc/profile')];
  },
};
console.log(JSON.stringify(await scenes[scene]?.()));
