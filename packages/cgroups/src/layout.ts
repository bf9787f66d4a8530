import { readFileSync } from 'node:fs';

/** One tree of control groups, as this process sees it. */
export interface Hierarchy {
  readonly version: 1 | 2;
  /** The controllers it has: `pids`, `memory`, …; `name=systemd` for a v1 hierarchy without controllers. */
  readonly controllers: readonly string[];
  /** Where it is mounted. */
  readonly mount: string;
  /** The group of this process, as /proc/self/cgroup says it. */
  readonly ownPath: string;
  /** The directory of that group below the mount; `undefined` where the mount does not show it. */
  readonly ownDirectory: string | undefined;
  readonly readonly: boolean;
  /**
   * On v2: whether a cgroup namespace is a boundary that processes are not moved over, and whose limits are not changed from inside (the mount option `nsdelegate`):
   * what is inside can be left to whoever is there. @default false
   */
  readonly nsdelegate?: boolean;
}

/** Which control groups there are, and where. */
export interface CgroupLayout {
  /** `hybrid`: hierarchies of both versions are mounted. */
  readonly mode: 'v1' | 'v2' | 'hybrid' | 'none';
  readonly hierarchies: readonly Hierarchy[];
}

/**
 * Finds out which control groups this process can reach: where they are mounted and which of them has which controllers. Nothing about it is assumed.
 * Throws the error of the file system (ENOENT) where /proc is not mounted.
 *
 * @see cgroups(7)
 * @example
 * ```ts
 * import { readLayout } from '@ctr/cgroups';
 * console.log(readLayout().mode); // for instance: v2
 * ```
 */
export function readLayout(): CgroupLayout {
  const read = (file: string): string => readFileSync(file, 'utf8');
  return layoutOf(read('/proc/self/mountinfo'), read('/proc/self/cgroup'), (mount) => read(`${mount}/cgroup.controllers`));
}

/**
 * The layout that follows from the texts of /proc/self/mountinfo, /proc/self/cgroup and, where a cgroup2 is mounted, the `cgroup.controllers` at its top.
 *
 * @see proc_pid_mountinfo(5), proc_pid_cgroup(5)
 * @example
 * ```ts
 * import { parseLayout } from '@ctr/cgroups';
 * const mountinfo = '30 23 0:26 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime - cgroup2 cgroup2 rw,nsdelegate\n';
 * console.log(parseLayout(mountinfo, '0::/user.slice\n', 'cpu memory pids\n').mode); // v2
 * ```
 */
export function parseLayout(mountinfo: string, cgroup: string, unifiedControllers = ''): CgroupLayout {
  return layoutOf(mountinfo, cgroup, () => unifiedControllers);
}

/**
 * The hierarchy that a controller belongs to: the unified one where that lists it, a v1 hierarchy otherwise.
 *
 * @example
 * ```ts
 * import { hierarchyOf, readLayout } from '@ctr/cgroups';
 * console.log(hierarchyOf(readLayout(), 'pids')?.mount); // for instance: /sys/fs/cgroup
 * ```
 */
export function hierarchyOf(layout: CgroupLayout, controller: string): Hierarchy | undefined {
  return layout.hierarchies.filter(({ controllers }) => controllers.includes(controller)).toSorted((a, b) => b.version - a.version)[0];
}

function layoutOf(mountinfo: string, cgroup: string, controllersAt: (mount: string) => string): CgroupLayout {
  const mounts = cgroupMounts(mountinfo);
  const hierarchies = parseMembership(cgroup).flatMap(({ controllers, path }): Hierarchy[] => {
    const version = controllers.length === 0 ? 2 : 1;
    const candidates = mounts.filter((mount) => mount.version === version && controllers.every((controller) => mount.options.includes(controller)));
    // A hierarchy may be mounted in several places: the one that shows this process's group, and can be written, is of most use.
    const rank = (mount: CgroupMount): number => (mount.readonly ? 2 : 0) + (directoryBelow(mount, path) === undefined ? 1 : 0);
    const best = candidates.toSorted((a, b) => rank(a) - rank(b))[0];
    if (!best) return [];
    return [
      {
        version,
        controllers: version === 2 ? controllersAt(best.mount).split(/\s+/).filter(Boolean) : controllers,
        mount: best.mount,
        ownPath: path,
        ownDirectory: directoryBelow(best, path),
        readonly: best.readonly,
        ...(best.options.includes('nsdelegate') && { nsdelegate: true }),
      },
    ];
  });
  const versions = new Set(hierarchies.map(({ version }) => version));
  return { mode: versions.size === 2 ? 'hybrid' : versions.has(2) ? 'v2' : versions.has(1) ? 'v1' : 'none', hierarchies };
}

interface CgroupMount {
  readonly version: 1 | 2;
  /** The group that is at the mount's top, seen from the cgroup namespace. */
  readonly root: string;
  readonly mount: string;
  readonly readonly: boolean;
  /** Of the hierarchy: on v1 its controllers are among them. */
  readonly options: readonly string[];
}

let last: { readonly mountinfo: string; readonly mounts: readonly CgroupMount[] } | undefined;

/** The same text, as it mostly is, says the same. */
function cgroupMounts(mountinfo: string): readonly CgroupMount[] {
  if (last?.mountinfo !== mountinfo) last = { mountinfo, mounts: parseCgroupMounts(mountinfo) };
  return last.mounts;
}

interface MountLine {
  readonly id: string;
  readonly parent: string;
  readonly at: string;
  readonly fields: readonly string[];
}

/**
 * The mounts of type cgroup and cgroup2 that can be reached.
 * 36 35 0:31 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:9 - cgroup cgroup rw,cpu,cpuacct
 * (1)(2)(3) (4)        (5)                   (6)      (7)   (8) (9)   (10)     (11)
 * (1) id, (2) id of the parent, (4) what of the file system is at the top, (5) where, (6) options of the mount,
 * (7) any number of tags up to (8), (9) type, (10) source, (11) options of the file system.
 */
function parseCgroupMounts(mountinfo: string): CgroupMount[] {
  const lines = mountinfo
    .split('\n')
    .filter(Boolean)
    .map((line): MountLine => {
      const fields = line.split(' ');
      return { id: fields[0] ?? '', parent: fields[1] ?? '', at: unescape(fields[4] ?? ''), fields };
    });
  return lines.flatMap((line) => {
    const end = line.fields.indexOf('-', 6);
    const type = line.fields[end + 1];
    if (end < 0 || (type !== 'cgroup' && type !== 'cgroup2') || isHidden(line, lines)) return [];
    const options = (line.fields[end + 3] ?? '').split(',');
    const readonly = (line.fields[5] ?? '').split(',').includes('ro') || options.includes('ro');
    return [{ version: type === 'cgroup2' ? 2 : 1, root: unescape(line.fields[3] ?? '/'), mount: line.at, readonly, options }];
  });
}

/** Whether something else is mounted over a mount, or over a directory on the way to it. */
function isHidden(line: MountLine, lines: readonly MountLine[]): boolean {
  const chain = new Set<string>();
  for (let at: MountLine | undefined = line; at && !chain.has(at.id); at = lines.find(({ id }) => id === at?.parent)) chain.add(at.id);
  return lines.some((other) => !chain.has(other.id) && chain.has(other.parent) && below(line.at, other.at) !== undefined);
}

/**
 * 4:cpu,cpuacct:/user.slice
 * the hierarchy's number, its controllers (none for the unified one), the path of the group (in which there may be colons).
 */
function parseMembership(cgroup: string): { controllers: string[]; path: string }[] {
  return [...cgroup.matchAll(/^\d+:([^:]*):(.*)$/gm)].map(([, controllers = '', path = '/']) => ({
    controllers: controllers.split(',').filter(Boolean),
    path: path.replace(/ \(deleted\)$/, ''),
  }));
}

function directoryBelow({ root, mount }: CgroupMount, path: string): string | undefined {
  const rest = below(path, root);
  // `..` leads out of the cgroup namespace: what is there has no name that could be known here.
  if (rest === undefined || rest.split('/').includes('..')) return undefined;
  return rest === '' ? mount : `${mount === '/' ? '' : mount}/${rest}`;
}

/** What is left of a path behind one of the directories it goes through; `undefined` if it does not. */
function below(path: string, directory: string): string | undefined {
  if (path === directory) return '';
  const prefix = directory.endsWith('/') ? directory : `${directory}/`;
  return path.startsWith(prefix) ? path.slice(prefix.length) : undefined;
}

/** mountinfo writes space, tab, newline and backslash in octal. */
function unescape(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
}
