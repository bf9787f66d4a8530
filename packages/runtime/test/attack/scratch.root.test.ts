// The scratch tmpfs of the host's userland: below it are the upper layers of the root and an overlay of the host's whole /etc. No bind of the host shows it to a program.
import { describe, expect, it } from 'vitest';

import { parseMountinfo } from '@ctr/fs';
import type { ContainerOptions } from '@ctr/runtime';

import { watchForLeaks } from '../leaks.js';
import { ended } from '../node-program.js';
import { WaysIn } from '../ways-in.js';
import { watchTheHost } from './host.js';

watchForLeaks();
watchTheHost();
const callers = new WaysIn();

/** Only `child` is in a user namespace by others. */
const cases = (['run', 'compiled', 'child'] as const).flatMap((way) =>
  (['new', 'host'] as const).flatMap((pid) => (way === 'child' ? ['host' as const] : ['host' as const, 'new' as const]).map((user) => ({ way, pid, user }))),
);
const mounts: ContainerOptions['mounts'] = [
  { bind: '/proc', to: '/of-host/proc' },
  { bind: '/proc/sys', to: '/of-host/sysctls', readonly: true },
  { bind: '/', to: '/of-host/root', readonly: true },
];
const procs = ['/proc', '/of-host/proc', '/of-host/root/proc'];

/** What is found in the directories that show a proc, then the mounts. */
const script = `
for proc in ${procs.join(' ')}; do
  for name in self/status usr usr.work nothing root etc etc/shadow self/root/etc/shadow; do test -e $proc/$name && echo $proc/$name; done
  touch $proc/root/usr/evil $proc/usr/evil 2>/dev/null && echo $proc is written
done
test -d /of-host/sysctls/kernel && echo sysctls
test -f /of-host/root/etc/passwd && echo passwd
touch /evil /usr/evil 2>/dev/null || echo read-only
echo mounts
cat /proc/self/mountinfo`;

describe.each(cases)('by $way, with the pid namespace $pid and the user namespace $user', ({ way, pid, user }) => {
  it('no bind of the host shows the scratch, and a read-only root stays so', async () => {
    const options: ContainerOptions = {
      namespaces: { pid, user },
      mounts,
      readonly: true,
      maskedPaths: [],
      readonlyPaths: [],
      ...(way === 'compiled' && user === 'new' && { ids: 'own' }),
    };
    const { code, stdout, stderr } = await ended(callers.start(way, ['sh', '-c', script], ['ignore', 'pipe', 'pipe'], options));
    expect(stderr).toBe('');
    const [found = '', table = ''] = stdout.split('mounts\n');
    // The control: all that is bound is there.
    expect(found.trim().split('\n')).toEqual([...procs.map((proc) => `${proc}/self/status`), 'sysctls', 'passwd', 'read-only']);
    const seen = parseMountinfo(table);
    expect(seen.map(({ mountPoint }) => mountPoint)).toEqual(expect.arrayContaining(['/of-host/root', ...procs]));
    const inProcs = seen.filter(({ mountPoint }) => procs.some((proc) => `${mountPoint}/`.startsWith(`${proc}/`)));
    expect(inProcs.filter(({ type }) => type === 'overlay' || type === 'tmpfs')).toEqual([]);
    expect(code).toBe(0);
  });
});
