import { defaultConfig, type Config, type Linux, type Mount, type Process } from '@ctr/oci';

/** What of the host a bundle may name. It is made anew for each run, at the same places below a directory of its own. */
export interface Host {
  /** The directory of the bundle, and what is in it besides `rootfs`. */
  readonly bundle: string;
  /** A directory with `file`, `script`, `link` to the file, and `empty`. */
  readonly plain: string;
  /** A tmpfs that is shared, with another at `sub` in it. */
  readonly tree: string;
  /** The control group that is its own, if it names no other. */
  readonly cgroup: string;
  /** A process in namespaces of its own. */
  readonly pid: number;
  /** The same, below a user namespace. */
  readonly pidOfOther: number;
}

/** What a bundle changes of the usual configuration. */
export interface Changes extends Omit<Partial<Config>, 'process' | 'linux'> {
  readonly process?: Partial<Process>;
  readonly linux?: Partial<Linux>;
}

/** A container that both runtimes are to make. */
export interface Bundle {
  readonly name: string;
  readonly changes?: Changes | ((host: Host) => Changes);
  /** What the container's shell says besides what it says of every container, each line of it one thing to compare: `what value`. */
  readonly look?: string;
  /** Files that the caller has open from fd 3 on. */
  readonly files?: number;
  readonly listenFds?: number;
  readonly preserveFds?: number;
  /** Whether the caller has a terminal. */
  readonly terminal?: true;
  readonly input?: string;
  /** Shell, in the bundle, before it is run. */
  readonly before?: string;
}

/** The program of every bundle that names no other. */
const view = ['/bin/sh', '/bin/view'];
export const usualMounts: readonly Mount[] = defaultConfig().mounts ?? [];
const usual = defaultConfig();
export const usualNamespaces = usual.linux?.namespaces ?? [];

export const withMounts = (...mounts: Mount[]): Changes => ({ mounts: [...usualMounts, ...mounts] });
export const withoutMount = (...destinations: string[]): Mount[] => usualMounts.filter(({ destination }) => !destinations.includes(destination));
export const withMount = (mount: Mount): Mount[] => usualMounts.map((each) => (each.destination === mount.destination ? mount : each));
/** A bundle that only has one mount more. */
export const mounting = (name: string, mount: Mount | ((host: Host) => Mount), look?: string): Bundle => ({
  name,
  changes: typeof mount === 'function' ? (host) => withMounts(mount(host)) : withMounts(mount),
  ...(look !== undefined && { look }),
});

/** The config.json of a bundle. */
export function configOf({ changes = {} }: Bundle, host: Host): Config {
  const { process, linux, ...others } = typeof changes === 'function' ? changes(host) : changes;
  return {
    ...usual,
    ...others,
    process: { cwd: '/', ...usual.process, terminal: false, args: view, ...process },
    linux: { ...usual.linux, cgroupsPath: host.cgroup, ...linux },
  };
}
