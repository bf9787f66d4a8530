import { checkNetDevices, moveNetDevices, type MovedNetDevices, type NetDeviceMove } from '@ctr/namespaces';
import { openFd, openFlags, type Fd } from '@ctr/syscall';

/** The host's network devices that a container gets: until it is made they can be moved back. */
export class NetDevices implements Disposable {
  readonly #devices: readonly NetDeviceMove[];
  readonly #joined: Fd | undefined;
  #moving: Promise<MovedNetDevices> | undefined;
  #moved: MovedNetDevices | undefined;

  /**
   * Throws for devices that are not there or cannot be moved, and for a container whose network is that of this process, before anything is made.
   *
   * @param joined the container's network namespace, unless it is a new one
   */
  constructor(devices: readonly NetDeviceMove[], joined: Fd | undefined) {
    this.#devices = devices;
    this.#joined = joined;
    if (devices.length === 0) return;
    try {
      checkNetDevices(devices, joined);
    } catch (error) {
      throw named(error);
    }
  }

  /** Moves them to a process, which waits for it. */
  async move(pid: number): Promise<void> {
    try {
      this.#moving = this.#start(pid);
      this.#moved = await this.#moving;
    } catch (error) {
      throw named(error);
    }
  }

  /** Moves them back, also those that are on their way when the process ends. Returns the error because of which that is done, and what it has come to. */
  async undo(error: unknown): Promise<unknown> {
    try {
      this.#moved = await this.#moving;
    } catch {
      return error;
    }
    try {
      this.#moved?.undo();
      return error;
    } catch (failure) {
      return new Error(`${(error as Error).message}\n${named(failure).message}`, { cause: error });
    }
  }

  [Symbol.dispose](): void {
    this.#moved?.[Symbol.dispose]();
  }

  async #start(pid: number): Promise<MovedNetDevices> {
    if (this.#joined) return moveNetDevices(this.#devices, this.#joined);
    using own = openFd(`/proc/${pid}/ns/net`, { flags: openFlags.O_RDONLY });
    return await moveNetDevices(this.#devices, own);
  }
}

function named(error: unknown): Error {
  return new Error(`linux.netDevices: ${(error as Error).message}`, { cause: error });
}
