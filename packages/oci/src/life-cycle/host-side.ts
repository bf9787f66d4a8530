import type { Place } from '@ctr/cgroups';
import { writeIdMaps, type IdMaps } from '@ctr/namespaces';
import { dieWithHost, type Fd } from '@ctr/syscall';

import type { Hooks } from '../config/hooks.js';
import type { LinuxSeccomp } from '../config/seccomp.js';
import type { HandedFile, HostWait } from '../plan/container.js';
import { foreignNamespaces, joinAll } from '../plan/join-all.js';
import type { State } from '../state.js';
import { identityOf, openProcess } from '../state/identity.js';
import { copyUp } from './copy-up.js';
import { runHooks } from './hooks.js';
import { sendListener } from './seccomp-listener.js';

/** What the host does for a container that is being created. */
export interface HostTasks {
  readonly maps: IdMaps | undefined;
  readonly hooks: Hooks;
  readonly seccomp: LinuxSeccomp | undefined;
  readonly ownUsers: boolean;
  /** Whether the container has CAP_MKNOD. */
  readonly makesDevices: boolean;
  readonly state: (pid: number) => State;
  /** The directories of its cgroup, once they are made. */
  readonly places: () => readonly Place[];
  /** Has the scope made. */
  readonly scope: (pid: number) => Promise<void>;
  /** Moves network devices of the host to it. */
  readonly network: (pid: number) => Promise<void>;
  /** Keeps the state, when all is made. */
  readonly keep: (pid: number) => void;
}

/** The other side of a plan: takes the files that it hands over, and does what it waits for, in the order in which the plan has them. */
export class HostSide implements Disposable {
  readonly #tasks: HostTasks;
  readonly #waits: HostWait[];
  readonly #expected: HandedFile[];
  readonly #end = new AbortController();
  readonly #files: { readonly what: HandedFile; readonly file: Fd }[] = [];
  /** The container's first process, once hooks have been run for it. */
  hooked: number | undefined;
  /** Something that the plan waits for has failed: the error is not one of the plan then. */
  hasFailed = false;

  constructor(waits: readonly HostWait[], files: readonly HandedFile[], tasks: HostTasks) {
    this.#waits = [...waits];
    this.#expected = [...files];
    this.#tasks = tasks;
  }

  readonly onFile = (file: Fd): void => {
    const what = this.#expected.shift();
    if (what === undefined) file.close();
    else this.#files.push({ what, file });
  };

  readonly onWaiting = async (pid: number): Promise<void> => {
    try {
      await this.#answer(pid);
    } catch (error) {
      this.hasFailed = true;
      throw error;
    }
  };

  /** The master of the terminal, which the caller closes. */
  takeConsole(): Fd | undefined {
    return this.#take('console');
  }

  /** Nothing that was waited for goes on. */
  [Symbol.dispose](): void {
    this.#end.abort();
    for (const { file } of this.#files) file.close();
  }

  #take(what: HandedFile): Fd | undefined {
    const index = this.#files.findIndex((each) => each.what === what);
    return index < 0 ? undefined : this.#files.splice(index, 1)[0]?.file;
  }

  async #answer(pid: number): Promise<void> {
    const { maps, keep, scope, network } = this.#tasks;
    const wait = this.#waits.shift();
    if (wait === 'scope') return scope(pid);
    if (wait === 'ids') return maps && writeIdMaps(pid, maps);
    if (wait === 'network') return network(pid);
    if (wait === 'copy') return this.#copy(pid);
    if (wait === 'root') return this.#beforeRoot(pid);
    if (wait === 'listener') return this.#answerer(pid);
    return keep(pid);
  }

  async #copy(pid: number): Promise<void> {
    const { ownUsers, makesDevices, places } = this.#tasks;
    using from = this.#take('copy-from');
    using to = this.#take('copy-to');
    if (from && to) await copyUp({ from, to, pid, ownUsers, makesDevices, places: places(), cancelSignal: this.#end.signal });
  }

  async #beforeRoot(pid: number): Promise<void> {
    const { hooks, state } = this.#tasks;
    this.hooked = pid;
    const cancelSignal = this.#end.signal;
    await runHooks('prestart', hooks.prestart, state(pid), { cancelSignal });
    await runHooks('createRuntime', hooks.createRuntime, state(pid), { cancelSignal });
    if (!hooks.createContainer?.length) return;
    const identity = identityOf(pid);
    using pidfd = identity && openProcess(identity);
    if (!pidfd) throw new Error('the container has ended while it was created');
    // To be in a pid namespace takes a further process, and a hook is one that the host waits for.
    const kinds = foreignNamespaces(pid).filter((kind) => kind !== 'pid' && kind !== 'time');
    await runHooks('createContainer', hooks.createContainer, state(pid), { way: [...joinAll(pidfd, kinds), ...dieWithHost()], cancelSignal });
  }

  #answerer(pid: number): void {
    using listener = this.#take('listener');
    if (listener && this.#tasks.seccomp) sendListener(this.#tasks.seccomp, listener, this.#tasks.state(pid), pid);
  }
}
