// The rules by which tests go through every step of a plan: a path that an image can influence is never handed to the kernel as a string.
import { AT_FDCWD, explainCall, resolveFlags, signatures, type Arg, type Plan, type Step } from '@ctr/syscall';

/** What is known of the open files at a step, and of the process. */
export interface Scene {
  /** What the process's own mounts are, and what has been opened below them: names in them are ctr's. */
  readonly own: ReadonlySet<Step>;
  /** The new root is the only root there is: paths are the container's, and lead nowhere else. */
  readonly inside: boolean;
  /** The working directory is one of the own mounts. */
  readonly cwdOwn: boolean;
  /** No file of the host is open any more, to which a link to /proc/self/fd could lead. */
  readonly closed: boolean;
  /** Whether a path is that of a file of the host that is mounted. */
  readonly isSource: (path: string) => boolean;
}

const hostFiles = /^\/(usr|bin|sbin|lib|lib32|lib64|libx32|sys|proc|dev\/(null|zero|full|random|urandom|tty)|etc(\/[a-z-][a-z./-]+)?)$/;
const strict = resolveFlags.RESOLVE_BENEATH | resolveFlags.RESOLVE_NO_XDEV | resolveFlags.RESOLVE_NO_SYMLINKS | resolveFlags.RESOLVE_NO_MAGICLINKS;

/** What allows a path, and why. */
export type Rule = readonly [why: string, rule: (step: Step, path: string, at: Arg | undefined, scene: Scene) => boolean];

/** Which paths may be handed over. */
export const allowed: readonly Rule[] = [
  ['the open file itself, or the working directory', (_, path) => path === '' || path === '.'],
  ['resolved with the root as /, whatever links there are', (step) => step.call === 'openat2' && (resolveOf(step) & resolveFlags.RESOLVE_IN_ROOT) !== 0],
  ['names below a mount of ctr, which nobody has filled but it', (_, path, at, { own }) => isPlain(path) && isResult(at) && own.has(at.step)],
  [
    'a single name that is made, which is never followed if it is a link',
    (step, path, at) => ['mkdirat', 'mknodat', 'symlinkat'].includes(step.call) && isPlain(path) && !path.includes('/') && isResult(at),
  ],
  ['layers that are named from the working directory, a mount of ctr', (step, path, _at, { cwdOwn }) => step.call === 'fsconfig' && isPlain(path) && cwdOwn],
  [
    'files of the host, before its root is left',
    (_, path, at, { inside, isSource }) => !inside && (at === AT_FDCWD || at === undefined) && (hostFiles.test(path) || isSource(path)),
  ],
  [
    "files of the host's /etc, by their names in it, before its root is left",
    (step, path, at, { inside }) =>
      !inside && isPlain(path) && step.call === 'openat' && isResult(at) && at.step.as === 'host-etc' && at.step.args[1] === '/etc',
  ],
  ['the root, where no link can be', (_, path, _at, { inside }) => inside && path === '/'],
  [
    'where to start: a directory of the container, reached within it and by no link to an open file',
    (step, _path, _at, { inside }) => inside && step.call === 'openat2' && (resolveOf(step) & resolveFlags.RESOLVE_NO_MAGICLINKS) !== 0,
  ],
  [
    'names below a proc, whosever it is, by which no link and no mount is reached',
    (step, path) => step.call === 'openat2' && path.startsWith('sys/') && (resolveOf(step) & strict) === strict,
  ],
  [
    "names that the kernel gives in a bind of the host's proc or sysfs, where nobody can exchange them",
    (step, path, at) =>
      ['move_mount', 'open_tree'].includes(step.call) &&
      isPlain(path) &&
      isResult(at) &&
      at.step.call === 'open_tree' &&
      at.step.args[0] === AT_FDCWD &&
      ['/proc', '/sys'].includes(String(at.step.args[1])),
  ],
  ['the program: a file of the container, executed within it', (step, _path, _at, { inside, closed }) => inside && closed && step.call === 'execve'],
  ['why the program was not executed, which only looks', (step, _path, _at, { inside }) => inside && ['faccessat', 'faccessat2'].includes(step.call)],
];

/** What a plan may do that others may not. */
export interface RuleOptions {
  /** Whether a path is that of a file of the host that is mounted. @default none is */
  readonly isSource?: Scene['isSource'];
  /** Further rules. @default none */
  readonly also?: readonly Rule[];
}

/** The paths of a plan, from the making of its root on, that nothing allows; notes in `used` what did allow the others. */
export function violations(steps: Plan, used: Set<string>, { isSource = () => false, also = [] }: RuleOptions = {}): string[] {
  const own = new Set<Step>();
  let [inside, cwdOwn, closed] = [false, false, false];
  const found: string[] = [];
  const start = steps.findIndex((step) => step.as === 'root');
  for (const [i, step] of steps.entries()) {
    if (i > start) {
      for (const { path, at } of pathsOf(step)) {
        const why = [...allowed, ...also].find(([, rule]) => rule(step, path, at, { own, inside, cwdOwn, closed, isSource }));
        if (why) used.add(why[0]);
        else found.push(`${explainCall(step)}  # ${step.purpose}`);
      }
    }
    if (isOwn(step, own)) own.add(step);
    if (step.call === 'fchdir') cwdOwn = isResult(step.args[0]) && own.has(step.args[0].step);
    if (step.call === 'chdir') cwdOwn = false;
    if (step.call === 'pivot_root') inside = true;
    if (step.call === 'close_range' && step.args[1] === 0xffffffff) closed = step.args[2] === 0;
    if (step.call.startsWith('open')) closed = false;
  }
  return found;
}

/** Whether a step opens a mount that ctr has filled, or something below one. */
function isOwn(step: Step, own: ReadonlySet<Step>): boolean {
  if (step.call === 'fsmount') return true;
  const at = step.args[0];
  return (step.call === 'openat' || step.call === 'open_tree') && isResult(at) && own.has(at.step);
}

function pathsOf(step: Step): { path: string; at: Arg | undefined }[] {
  if (step.call === 'add') return [];
  if (step.call === 'statx') return [{ path: String(step.args[1]), at: step.args[0] }];
  const kinds = signatures[step.call];
  if (!kinds) throw new Error(`the rules do not know ${step.call}`);
  // What a link says is resolved by whoever follows it; what fsconfig sets is a path for overlayfs alone.
  if (step.call === 'symlinkat') return [{ path: String(step.args[2]), at: step.args[1] }];
  if (step.call === 'fsconfig')
    return ['lowerdir', 'upperdir', 'workdir', 'lowerdir+'].includes(String(step.args[2]))
      ? String(step.args[3])
          .split(':')
          .map((path) => ({ path, at: undefined }))
      : [];
  return kinds.flatMap((kind, i) => {
    const arg = step.args[i];
    if (kind !== 'path' || arg === null || arg === undefined) return [];
    if (typeof arg !== 'string') throw new Error(`the rules do not know a path that is computed: ${explainCall(step)}`);
    return [{ path: arg, at: kinds[i - 1] === 'dirfd' ? step.args[i - 1] : undefined }];
  });
}

export function resolveOf(step: Step): number {
  const how = step.args[2];
  if (typeof how !== 'object' || how === null || !('kind' in how) || how.kind !== 'struct') return 0;
  return Number(how.values['resolve']);
}

export function isPlain(path: string): boolean {
  return path !== '' && !path.startsWith('/') && !path.split('/').includes('..');
}

function isResult(arg: Arg | undefined): arg is Extract<Arg, { kind: 'result' }> {
  return typeof arg === 'object' && arg !== null && 'kind' in arg && arg.kind === 'result';
}
