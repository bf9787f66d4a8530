// podman with ctr-oci as its runtime, in a store of its own.
import { execFileSync } from 'node:child_process';
import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, beforeEach, expect } from 'vitest';

import { fill } from '../container.js';
import { bin, type Outcome } from '../ctr-oci.js';
import { as, enrol, environmentOf, runtimeDirectory, type Owner } from './owner.js';
import { missing, Sandbox } from './sandbox.js';
import { snippet } from './snippet.js';

export const image = 'localhost/bb:1';
/** Who makes the groups of containers. */
type CgroupManager = 'cgroupfs' | 'systemd';
/** Where the scopes of containers are, with systemd. */
export const slice = 'ctroci-podman.slice';

/** What a test has of podman. */
export interface Podman {
  /** Runs podman with these arguments to its end. */
  readonly podman: (args: readonly string[], options?: { readonly input?: string }) => Promise<Outcome>;
  /** Runs a container of these options to its end, with `sh -c LINE` in it; it has no network unless it is given one. */
  readonly inside: (options: readonly string[], line: string) => Promise<Outcome>;
  /** The options of a container or a pod that stays. */
  readonly usual: readonly string[];
  /** Runs podman in a terminal. */
  readonly inTerminal: (args: readonly string[], before?: string) => Promise<Outcome>;
  readonly directory: string;
  /** What is not installed, without which the tests are skipped. */
  readonly lacks: string | undefined;
}

/** The configuration that docs/podman.md has, and what is of the tests. Hard limits are not above those of who runs them: podman would have them raised. */
function configuration(manager: CgroupManager): string {
  const ofTests = `[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\n\n[engine]\ncgroup_manager = "${manager}"\nevents_logger = "file"`;
  return snippet('podman.md', 'toml').replace('[engine]', ofTests).replace('/usr/local/bin/ctr-oci', bin);
}

/** A tar archive of the root file system that tests have. */
export function archiveOf(directory: string): string {
  fill(join(directory, 'rootfs'));
  const archive = join(directory, 'rootfs.tar');
  execFileSync('tar', ['-C', join(directory, 'rootfs'), '-cf', archive, '.']);
  return archive;
}

/** podman for the tests of a file, with an image of busybox. At the end nothing may be left of their containers. */
export function podmanFor(name: string, needed: readonly string[] = [], owner: Owner = { uid: 0 }, manager: CgroupManager = 'cgroupfs'): Podman {
  const lacks = missing('podman', 'conmon', ...needed);
  let sandbox: Sandbox | undefined;
  let driver = 'overlay';
  const here = (): Sandbox => {
    if (!sandbox) throw new Error('there is no sandbox');
    return sandbox;
  };
  const own = (path: string): string => join(here().directory, 'own', path);
  const words = (args: readonly string[]): string[] => {
    return [...as(owner), 'podman', '--root', own('store'), '--runroot', `${runtimeDirectory}/containers`, `--storage-driver=${driver}`, ...args];
  };
  const env = (): Record<string, string> => ({
    CONTAINERS_CONF: join(here().directory, 'containers.conf'),
    HOME: own('.'),
    XDG_CACHE_HOME: own('cache'),
    ...environmentOf(owner),
  });
  // An ordinary user's are below what is delegated to it, if anything is.
  const parent = (): string[] => (owner.uid !== 0 ? [] : manager === 'systemd' ? [`--cgroup-parent=${slice}`] : [`--cgroup-parent=${here().cgroup}`]);
  const podman: Podman['podman'] = (args, options = {}) => here().run(words(args), { ...options, env: env() });
  beforeAll(async () => {
    if (lacks !== undefined) return;
    sandbox = await Sandbox.open(name, { bySystemd: manager === 'systemd' });
    const { directory } = sandbox;
    writeFileSync(join(directory, 'containers.conf'), configuration(manager));
    const archive = archiveOf(directory);
    mkdirSync(own('.'));
    chownSync(own('.'), owner.uid, owner.uid);
    await enrol(sandbox, owner);
    const load = (): Promise<Outcome> => podman(['import', '--change', 'CMD ["/bin/sh"]', archive, image]);
    // An overlay on top of an overlay cannot be.
    if ((await load()).code !== 0) {
      driver = 'vfs';
      expect(await load()).toMatchObject({ code: 0, stderr: '' });
    }
  });
  beforeEach((context) => {
    if (lacks !== undefined) context.skip(`${lacks} is not installed`);
  });
  afterAll(async () => {
    if (!sandbox) return;
    await podman(['pod', 'rm', '--all', '--force', '--time=0']);
    await podman(['rm', '--all', '--force', '--time=0']);
    expect(await sandbox.close()).toEqual({ groups: [], states: [] });
  });
  return {
    podman,
    lacks,
    inside: (options, line) => {
      const network = options.some((word) => word.startsWith('--network') || word.startsWith('--pod')) ? [] : ['--network=none'];
      return podman(['run', '--rm', ...parent(), ...network, ...options, image, 'sh', '-c', line]);
    },
    inTerminal: (args, before = 'true') => {
      const quoted = words(args).map((word) => `'${word.replaceAll("'", `'\\''`)}'`);
      return here().run(['script', '--quiet', '--return', '--command', `${before}; ${quoted.join(' ')}`, '/dev/null'], { env: env() });
    },
    get usual() {
      return [...parent(), '--network=none'];
    },
    get directory() {
      return here().directory;
    },
  };
}
