import { quote } from '@ctr/syscall';
import { parseId } from '@ctr/namespaces';

import type { Process } from '../../config/process.js';
import { readBounded } from '../../life-cycle/config-file.js';
import { exec, type ExecOptions } from '../../life-cycle/exec.js';
import { parseProcess } from '../../parse-config.js';
import { UsageError, type Args } from '../args.js';
import { brokenOff } from '../broken-off.js';
import type { Context } from '../context.js';
import { Foreground } from '../foreground.js';
import { preservedFiles } from '../preserved-files.js';

export async function execCommand({ args, root, log }: Context): Promise<number> {
  const [id, ...command] = args.rest;
  if (id === undefined) throw new UsageError('the id of a container is missing');
  const onWarning = (message: string): void => log.warn(message);
  const given = processOf(args, command, onWarning);
  const detach = args.flag('detach');
  const consoleSocket = args.text('console-socket');
  const pidFile = args.text('pid-file');
  const foreground = new Foreground();
  const options: ExecOptions = {
    ...root,
    ...(consoleSocket !== undefined && consoleSocket !== '' ? { consoleSocket } : !detach && { onConsole: foreground.onConsole, plainLineFeeds: true }),
    ...(pidFile !== undefined && pidFile !== '' && { pidFile }),
    ...(args.has('pidfd-socket') && { pidfdSocket: args.text('pidfd-socket') ?? '' }),
    preserveFds: preservedFiles(args),
    detached: detach,
    ignorePaused: args.flag('ignore-paused'),
    ...(args.has('cgroup') && { cgroup: groupOf(args) }),
    onWarning,
    onDebug: (message) => log.debug(message),
  };
  if (!detach) foreground.listen();
  const child = await brokenOff((cancelSignal) => exec(id, given, { ...options, cancelSignal }));
  return detach ? 0 : foreground.wait(child);
}

/** A whole process from a file, or that of the container with changes. */
function processOf(args: Args, command: readonly string[], onWarning: (message: string) => void): Process | ((own: Process) => Process) {
  const file = args.text('process');
  if (file !== undefined && file !== '') {
    const parsed = parseProcess(readBounded(file), { onWarning: ({ path, allowed }) => onWarning(`${path}: ${allowed}`) });
    return args.has('tty') ? { ...parsed, terminal: args.flag('tty') } : parsed;
  }
  if (command.length === 0) throw new UsageError('the command is missing: exec ID COMMAND [ARGUMENTS]');
  const user = args.text('user');
  const cwd = args.text('cwd');
  const caps = args.texts('cap').map((name) => name.toUpperCase().replace(/^(?!CAP_)/, 'CAP_'));
  return ({ terminal: _terminal, consoleSize: _size, ...own }) => ({
    ...own,
    args: command,
    terminal: args.flag('tty'),
    env: [...(own.env ?? []), ...args.texts('env')],
    ...(cwd !== undefined && cwd !== '' && { cwd }),
    ...((user !== undefined || args.has('additional-gids')) && {
      user: {
        ...own.user,
        ...(user !== undefined && idsOf(user)),
        additionalGids: [...(own.user?.additionalGids ?? []), ...args.texts('additional-gids').map(parseId)],
      },
    }),
    ...(caps.length > 0 && { capabilities: withCapabilities(own.capabilities, caps) }),
    ...(args.has('no-new-privs') && { noNewPrivileges: args.flag('no-new-privs') }),
    ...(args.has('apparmor') && { apparmorProfile: args.text('apparmor') ?? '' }),
    ...(args.has('process-label') && { selinuxLabel: args.text('process-label') ?? '' }),
  });
}

/** `UID` or `UID:GID`, in plain decimal. */
function idsOf(text: string): { readonly uid: number; readonly gid?: number } {
  const [uid = '', gid, ...more] = text.split(':');
  if (more.length > 0) throw new UsageError(`--user ${quote(text)}: give UID or UID:GID`);
  return { uid: parseId(uid), ...(gid !== undefined && { gid: parseId(gid) }) };
}

/** The inheritable and the ambient set stay as they are: by these a file of the image, or every program, could keep what was meant for one process. */
function withCapabilities(own: Process['capabilities'], added: readonly string[]): NonNullable<Process['capabilities']> {
  const sets = ['bounding', 'effective', 'permitted'] as const;
  return { ...own, ...Object.fromEntries(sets.map((set) => [set, [...new Set([...(own?.[set] ?? []), ...added])]])) };
}

/** `[controllers:]path`: without controllers it is the group in all hierarchies. Where it is given again, each has some. */
function groupOf(args: Args): string | Readonly<Record<string, string>> {
  const groups = args.texts('cgroup').map((text): readonly [controllers: readonly string[] | undefined, path: string] => {
    const [path = '', controllers, ...more] = text.split(':').toReversed();
    if (more.length > 0) throw new UsageError(`--cgroup ${quote(text)}: give PATH, or CONTROLLERS:PATH`);
    return [controllers === undefined || controllers === '' ? undefined : controllers.split(','), belowOf(path)];
  });
  const [only] = groups;
  if (only && groups.length === 1 && only[0] === undefined) return only[1];
  return Object.fromEntries(
    groups.flatMap(([controllers, path]) => {
      if (!controllers) throw new UsageError('--cgroup: of several, each has controllers: CONTROLLERS:PATH');
      return controllers.map((controller): [string, string] => [controller, path]);
    }),
  );
}

function belowOf(path: string): string {
  const below = path.replace(/^\/+/, '');
  if (below.split('/').includes('..')) throw new UsageError('--cgroup: a path below the cgroup of the container');
  return below;
}
