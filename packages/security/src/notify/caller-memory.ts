import { call, callInto, Memory, openFd, openFlags, type ErrnoName, type Fd } from '@ctr/syscall';

/** Memory is there or not by whole pages; the smallest have this size, and larger ones are multiples of it. */
const PAGE_BYTES = 4096;
/** What the kernel says where nothing is mapped, or nothing is left. */
const nothingThere: readonly ErrnoName[] = ['EIO', 'EFAULT', 'ESRCH', 'EINVAL'];

/**
 * The memory of a process that waits for an answer. What is read or written is `undefined` if it waits no longer, or has no such memory.
 * The number of a process that is gone may be another's by now: the memory is known to be the caller's if it still waits once the file is open,
 * and what was read to be what it asked for if it still waits afterwards.
 */
export class CallerMemory {
  readonly #pid: number;
  readonly #isWaiting: () => boolean;

  constructor(pid: number, isWaiting: () => boolean) {
    this.#pid = pid;
    this.#isWaiting = isWaiting;
  }

  read(address: bigint, byteLength: number): Buffer | undefined {
    return this.#use(openFlags.O_RDONLY, (memory) => {
      const bytes = readAt(memory, address, byteLength);
      return bytes.length === byteLength ? bytes : undefined;
    });
  }

  /** What stands before the next NUL byte, if there is one in so many bytes. */
  readUntilNul(address: bigint, maxBytes: number): Buffer | undefined {
    return this.#use(openFlags.O_RDONLY, (memory) => {
      const parts: Buffer[] = [];
      for (let count = 0; count < maxBytes;) {
        const from = address + BigInt(count);
        const bytes = readAt(memory, from, Math.min(PAGE_BYTES - Number(from % BigInt(PAGE_BYTES)), maxBytes - count));
        const nul = bytes.indexOf(0);
        parts.push(nul < 0 ? bytes : bytes.subarray(0, nul));
        if (nul >= 0) return Buffer.concat(parts);
        if (bytes.length === 0) return undefined;
        count += bytes.length;
      }
      return undefined;
    });
  }

  write(address: bigint, bytes: Uint8Array): true | undefined {
    return this.#use(openFlags.O_RDWR, (memory) => {
      const args = [memory, bytes, bytes.length, address] as const;
      return call({ call: 'pwrite64', args, purpose: 'write to the memory of the caller', tolerates: nothingThere }) === bytes.length ? true : undefined;
    });
  }

  #use<Result>(flags: number, action: (memory: Fd) => Result | undefined): Result | undefined {
    if (this.#pid === 0) throw new Error('the caller is in a pid namespace that this process does not see, so its memory cannot be found');
    const memory = this.#open(flags);
    if (!memory) return undefined;
    try {
      if (!this.#isWaiting()) return undefined;
      const result = action(memory);
      return this.#isWaiting() ? result : undefined;
    } finally {
      memory.close();
    }
  }

  #open(flags: number): Fd | undefined {
    try {
      return openFd(`/proc/${this.#pid}/mem`, { flags });
    } catch (error) {
      if (!this.#isWaiting()) return undefined;
      throw error;
    }
  }
}

function readAt(memory: Fd, address: bigint, byteLength: number): Buffer {
  const buffer = new Memory(byteLength, 'buffer');
  const args = [memory, buffer, byteLength, address] as const;
  const { result, bytes } = callInto({ call: 'pread64', args, purpose: 'read the memory of the caller', tolerates: nothingThere }, buffer);
  return bytes.subarray(0, Math.max(0, result));
}
