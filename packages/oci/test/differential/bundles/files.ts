import type { Bundle } from '../bundle.js';
import { mounting, usualMounts, withMount, withMounts, withoutMount } from '../bundle.js';

const touch = (path: string): string => `echo "write $(touch ${path}/new 2>&1 && echo yes)"`;
const bind = (name: string, options: readonly string[], look?: string): Bundle =>
  mounting(`bind ${name}`, ({ plain }) => ({ destination: '/mnt', type: 'bind', source: plain, options: [...options] }), look);
const tree = (name: string, options: readonly string[], look?: string): Bundle =>
  mounting(`tree ${name}`, ({ tree: source }) => ({ destination: '/mnt', type: 'bind', source, options: [...options] }), look);
const tmpfs = (name: string, options: readonly string[], look = ''): Bundle =>
  mounting(`tmpfs ${name}`, { destination: '/mnt', type: 'tmpfs', source: 'tmpfs', options: [...options] }, `echo "mode $(stat -c %a:%u:%g /mnt)"; ${look}`);

export const rootBundles: readonly Bundle[] = [
  { name: 'root that can be written', changes: { root: { path: 'rootfs' } }, look: touch('/') },
  { name: 'root read-only', changes: { root: { path: 'rootfs', readonly: true } }, look: touch('/') },
  { name: 'root that is not there', changes: { root: { path: 'no-such-directory' } } },
  { name: 'root by an absolute path', changes: ({ bundle }) => ({ root: { path: `${bundle}/rootfs` } }) },
  ...(['private', 'slave', 'shared', 'rprivate', 'rslave', 'rshared', 'unbindable', 'runbindable'] as const).map((rootfsPropagation): Bundle => ({
    name: `rootfsPropagation ${rootfsPropagation}`,
    changes: { linux: { rootfsPropagation } },
  })),
];

export const mountBundles: readonly Bundle[] = [
  bind('alone', ['bind']),
  bind('rbind', ['rbind']),
  bind('read-only', ['bind', 'ro'], touch('/mnt')),
  bind('with all that restricts', ['bind', 'ro', 'nosuid', 'nodev', 'noexec'], 'echo "run $(/mnt/script 2>/dev/null; echo $?)"'),
  bind('noatime', ['bind', 'noatime']),
  bind('strictatime', ['bind', 'strictatime']),
  bind('nodiratime', ['bind', 'nodiratime']),
  bind('relatime', ['bind', 'relatime']),
  bind('with words that are the default', ['bind', 'rw', 'suid', 'dev', 'exec', 'async', 'atime', 'diratime', 'loud', 'defaults']),
  bind('with a word that is not known', ['bind', 'no-such-option']),
  bind('of a file system option', ['bind', 'size=1m']),
  mounting('bind of a file', ({ plain }) => ({ destination: '/etc/group', source: `${plain}/file`, options: ['bind', 'ro'] }), 'echo "text $(cat /etc/group)"'),
  mounting('bind without type, by a path from the bundle', { destination: '/mnt', source: 'plain', options: ['bind'] }, 'echo "text $(cat /mnt/file)"'),
  mounting('bind with the type bind and no option', ({ plain }) => ({ destination: '/mnt', type: 'bind', source: plain })),
  mounting('bind of a link', ({ plain }) => ({ destination: '/etc/group', source: `${plain}/link`, options: ['bind'] }), 'echo "text $(cat /etc/group)"'),
  mounting('bind of what is not there', ({ plain }) => ({ destination: '/mnt', source: `${plain}/none`, options: ['bind'] })),
  mounting('bind at a place that is not there', ({ plain }) => ({ destination: '/made/for/it', source: plain, options: ['bind'] })),
  mounting('bind of a file at a place that is not there', ({ plain }) => ({ destination: '/made/for/it', source: `${plain}/file`, options: ['bind'] })),
  mounting('bind of a directory at a file', ({ plain }) => ({ destination: '/etc/passwd', source: plain, options: ['bind'] })),
  mounting('bind of a file at a directory', ({ plain }) => ({ destination: '/mnt', source: `${plain}/file`, options: ['bind'] })),
  mounting('bind at a link', ({ plain }) => ({ destination: '/link-to-mnt', source: plain, options: ['bind'] }), 'echo "text $(cat /mnt/file)"'),
  mounting('bind below a link that leads out', ({ plain }) => ({ destination: '/link-out/made', source: plain, options: ['bind'] })),
  mounting('bind at a relative path', ({ plain }) => ({ destination: 'mnt', source: plain, options: ['bind'] })),
  mounting('bind below /proc', ({ plain }) => ({ destination: '/proc/self/attr', source: plain, options: ['bind'] })),
  mounting('bind over a file of /proc that may be', ({ plain }) => ({ destination: '/proc/uptime', source: `${plain}/file`, options: ['bind'] })),
  tree('bind', ['bind'], 'echo "sub $(ls /mnt/sub)"'),
  tree('rbind', ['rbind'], 'echo "sub $(ls /mnt/sub)"'),
  tree('rbind and bind', ['rbind', 'rprivate', 'rw', 'bind'], 'echo "sub $(ls /mnt/sub)"'),
  tree('bind and rbind', ['bind', 'rbind'], 'echo "sub $(ls /mnt/sub)"'),
  tree('rbind read-only at its top', ['rbind', 'ro'], touch('/mnt/sub')),
  tree('rbind and read-only as a whole', ['rbind', 'rro'], touch('/mnt/sub')),
  tree('rbind and every recursive restriction', ['rbind', 'rnosuid', 'rnodev', 'rnoexec', 'rnoatime', 'rnodiratime']),
  tree('rbind and back to what is allowed', ['rbind', 'rrw', 'rsuid', 'rdev', 'rexec', 'rrelatime', 'rdiratime']),
  tree('rbind and rstrictatime', ['rbind', 'rstrictatime']),
  tree('rbind and ro at the top, rw below', ['rbind', 'ro', 'rrw']),
  ...['private', 'slave', 'shared', 'unbindable'].flatMap((kind) => [tree(`rbind ${kind}`, ['rbind', kind]), tree(`rbind r${kind}`, ['rbind', `r${kind}`])]),
  tree('slave and then shared', ['rbind', 'slave', 'shared']),
  tmpfs('alone', []),
  tmpfs('with a mode and a size', ['mode=1700', 'size=1m', 'nr_inodes=100']),
  tmpfs('with an owner', ['uid=1000', 'gid=5']),
  tmpfs('read-only', ['ro'], touch('/mnt')),
  tmpfs('with all that restricts', ['nosuid', 'nodev', 'noexec', 'noatime']),
  tmpfs('sync and dirsync', ['sync', 'dirsync']),
  tmpfs('lazytime', ['lazytime']),
  tmpfs('with an option that it does not have', ['no-such-option']),
  tmpfs('shared', ['shared']),
  tmpfs('nosymfollow', ['nosymfollow']),
  mounting(
    'tmpfs over a directory of its own mode',
    { destination: '/tmp', type: 'tmpfs', source: 'tmpfs', options: ['nosuid'] },
    'echo "mode $(stat -c %a /tmp)"',
  ),
  mounting(
    'tmpfs with tmpcopyup',
    { destination: '/etc', type: 'tmpfs', source: 'tmpfs', options: ['tmpcopyup'] },
    'for f in /etc/*; do echo "$f $(stat -c "%F %a %u:%g" $f)"; done; echo "text $(cat /etc/passwd | head -1)"',
  ),
  mounting(
    'tmpfs read-only with tmpcopyup',
    { destination: '/etc', type: 'tmpfs', source: 'tmpfs', options: ['tmpcopyup', 'ro'] },
    `echo "files $(ls /etc)"; ${touch('/etc')}`,
  ),
  mounting('tmpfs at a place that is not there', { destination: '/made/here', type: 'tmpfs', source: 'tmpfs' }, 'echo "mode $(stat -c %a /made /made/here)"'),
  mounting(
    'a bind in a tmpfs',
    ({ plain }) => ({ destination: '/dev/shm/made', source: plain, options: ['bind'] }),
    'echo "mode $(stat -c %a:%u:%g /dev/shm/made)"',
  ),
  mounting('proc a second time', { destination: '/mnt', type: 'proc', source: 'proc' }),
  mounting('a file system of no type that there is', { destination: '/mnt', type: 'no-such-type', source: 'none' }),
  mounting('remount', { destination: '/dev/shm', options: ['remount', 'bind', 'ro'], source: '/dev/shm' }),
  {
    name: 'proc with options',
    changes: { mounts: withMount({ destination: '/proc', type: 'proc', source: 'proc', options: ['hidepid=2', 'nosuid', 'noexec'] }) },
  },
  { name: 'sysfs that can be written', changes: { mounts: withMount({ destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['rw'] }) } },
  {
    name: 'devpts of other modes',
    changes: {
      mounts: withMount({
        destination: '/dev/pts',
        type: 'devpts',
        source: 'devpts',
        options: ['newinstance', 'ptmxmode=0600', 'mode=0600', 'gid=6', 'max=10'],
      }),
    },
  },
  { name: 'no /dev', changes: { mounts: withoutMount('/dev', '/dev/pts', '/dev/shm', '/dev/mqueue') } },
  { name: 'no /dev/pts', changes: { mounts: withoutMount('/dev/pts') } },
  {
    name: 'the /dev of the host',
    changes: {
      mounts: [
        ...withoutMount('/dev', '/dev/pts', '/dev/shm', '/dev/mqueue'),
        { destination: '/dev', type: 'bind', source: '/dev', options: ['rbind', 'rslave'] },
      ],
    },
  },
  { name: 'dev read-only', changes: { mounts: withMount({ destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755', 'ro'] }) } },
  {
    name: 'cgroups that can be written',
    changes: { mounts: withMount({ destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: ['rw', 'nosuid'] }) },
  },
  { name: 'no cgroups', changes: { mounts: withoutMount('/sys/fs/cgroup') } },
  { name: 'cgroup2 by its own type', changes: { mounts: withMount({ destination: '/sys/fs/cgroup', type: 'cgroup2', source: 'cgroup2', options: ['ro'] }) } },
  {
    name: 'an overlay',
    changes: ({ bundle }) =>
      withMounts({
        destination: '/mnt',
        type: 'overlay',
        source: 'overlay',
        options: [`lowerdir=${bundle}/plain`, `upperdir=${bundle}/tree/upper`, `workdir=${bundle}/tree/work`],
      }),
    look: 'echo "files $(ls /mnt)"; echo new > /mnt/new; echo "text $(cat /mnt/new)"',
  },
  { name: 'mounts in another order', changes: { mounts: [...usualMounts.filter(({ destination }) => destination !== '/proc'), ...usualMounts.slice(0, 1)] } },
];
