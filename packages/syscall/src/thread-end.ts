import { AT_FDCWD, atFlags, signals, waitFlags } from './abi/constants.js';
import { errnos } from './abi/errno.js';
import { hostArch, syscallNumber, type SyscallName } from './abi/numbers.js';
import { assemble } from './compile/listing.js';
import { threadEnd as threadEndArm64 } from './compile/thread-end-arm64.js';
import { threadEnd as threadEndX64 } from './compile/thread-end-x64.js';
import { allocate, syscall, threads, type Threads } from './ffi.js';
import { sealedMemfd } from './memfd.js';

// A worker thread may end at any moment (`terminate`), and no JavaScript runs then. What it has started are children of the process all the same, which nobody else
// waits for, and the files that it has opened stay open. So the C library calls some machine code at the end of the thread, which makes the calls of a list.
// The list is kept as things come and go: it is right at every moment.

/**
 * In this order: the keeper kills what it keeps once its pipe is closed, and set-ups that have lost their host end by themselves.
 * Memory comes last, since it is that of the list.
 */
const sections = ['files', 'keeper', 'kill', 'wait', 'set-ups', 'directories', 'memory'] as const;
type Section = (typeof sections)[number];

/**
 * A record: the number of the call, where its first argument stands, three further ones, the results with which it is made again (the first one, how many), the next record,
 * room for the first argument; a path may follow.
 */
const RECORD_BYTES = 72;
const NEXT = 56;
const FIRST_ARGUMENT = 64;
const WITH_PATH_BYTES = 512;
const CHUNK_BYTES = 65_536;

/** mmap(2), asm-generic/mman-common.h: PROT_READ, PROT_WRITE, PROT_EXEC; MAP_PRIVATE, MAP_FIXED, MAP_ANONYMOUS */
const PROT = { read: 1, write: 2, exec: 4 };
const MAP = { private: 2, fixed: 0x10, anonymous: 0x20 };
/** What the code takes, and what is unmapped in the end: a page, whatever the size of that. */
const CODE_BYTES = 4096;
const MILLISECOND = 1_000_000n;
const CLOSE = syscallNumber('close');
const NAME = 'ctr\0';

/** A call at the end of the thread. */
interface EndCall {
  readonly call: SyscallName;
  readonly args: readonly (number | bigint)[];
  /** The address of the first argument, where that changes. @default that of `args` */
  readonly at?: number;
  /** The results with which it is made again, a millisecond later: the first one, and how many there are. @default none */
  readonly again?: readonly [from: number, count: bigint];
}

/** A record of the list, and its neighbours. */
interface Record {
  readonly address: number;
  readonly byteLength: number;
  before: Record | undefined;
  after: Record | undefined;
}

/** The list of what is to be done at the end of this thread. */
class EndList {
  readonly #starts = new Map<Section, Record>();
  readonly #free = new Map<number, Record[]>();
  readonly #threads: Threads;
  readonly #scratch = allocate(WITH_PATH_BYTES);
  #chunk: { readonly address: number; used: number } | undefined;

  constructor(threads: Threads) {
    this.#threads = threads;
    let last: Record | undefined;
    for (const section of sections) {
      const start = this.#fill(this.#take(RECORD_BYTES), { call: 'getpid', args: [] });
      if (last) this.#link(last, start);
      this.#starts.set(section, (last = start));
    }
    this.#mapped();
  }

  get address(): number {
    return this.#start('files').address;
  }

  add(section: Section, call: EndCall): Record {
    return this.#insert(section, this.#fill(this.#take(RECORD_BYTES), call));
  }

  /** Removes a directory at the end. @returns `undefined` for a path that there is no room for */
  addDirectory(path: string): Record | undefined {
    const bytes = Buffer.from(`${path}\0`);
    if (RECORD_BYTES + bytes.length > WITH_PATH_BYTES) return undefined;
    const record = this.#take(WITH_PATH_BYTES);
    bytes.copy(this.#scratch.bytes);
    this.#threads.copy(record.address + RECORD_BYTES, this.#scratch.address, bytes.length);
    const args = [AT_FDCWD, record.address + RECORD_BYTES, atFlags.AT_REMOVEDIR];
    // The kernel takes a moment to see that nothing is left in a group.
    return this.#insert('directories', this.#fill(record, { call: 'unlinkat', args, again: [-errnos.EBUSY, 1n] }));
  }

  remove(record: Record): void {
    if (record.before) this.#link(record.before, record.after);
    const free = this.#free.get(record.byteLength) ?? [];
    free.push(record);
    this.#free.set(record.byteLength, free);
  }

  #start(section: Section): Record {
    const start = this.#starts.get(section);
    if (!start) throw new TypeError(`no section ${section}`);
    return start;
  }

  #insert(section: Section, record: Record): Record {
    const start = this.#start(section);
    this.#link(record, start.after);
    this.#link(start, record);
    return record;
  }

  #take(bytes: number): Record {
    const free = this.#free.get(bytes)?.pop();
    if (free) return free;
    if (!this.#chunk || this.#chunk.used + bytes > CHUNK_BYTES) {
      this.#chunk = { address: map(CHUNK_BYTES, PROT.read | PROT.write), used: 0 };
      if (this.#starts.size === sections.length) this.#mapped();
    }
    const address = this.#chunk.address + this.#chunk.used;
    this.#chunk.used += bytes;
    return { address, byteLength: bytes, before: undefined, after: undefined };
  }

  /** A chunk of the list is unmapped when the list has come to its end. */
  #mapped(): void {
    if (this.#chunk) this.add('memory', { call: 'munmap', args: [this.#chunk.address, CHUNK_BYTES] });
  }

  #fill(record: Record, { call, args, at, again = [0, 0n] }: EndCall): Record {
    const [first, count] = again;
    const [a = 0, b = 0, c = 0, d = 0] = args;
    const values = [syscallNumber(call), at ?? record.address + FIRST_ARGUMENT, b, c, d, first, count, 0, a];
    const { bytes, address } = this.#scratch;
    for (const [i, value] of values.entries()) bytes.writeBigInt64LE(BigInt(value), i * 8);
    this.#threads.copy(record.address, address, RECORD_BYTES);
    return record;
  }

  /** One word is written, so the list is whole at every moment. */
  #link(before: Record, after: Record | undefined): void {
    this.#scratch.bytes.writeBigInt64LE(BigInt(after?.address ?? 0));
    this.#threads.copy(before.address + NEXT, this.#scratch.address, 8);
    before.after = after;
    if (after) after.before = before;
  }
}

function map(byteLength: number, protection: number): number {
  const address = syscall(syscallNumber('mmap'), 0, byteLength, protection, MAP.private | MAP.anonymous, -1, 0);
  if (address < 0) throw new RangeError(`mmap(0, ${byteLength}, ${protection}, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = ${address}`);
  return address;
}

function install(functions: Threads): EndList | undefined {
  const code = assemble({ x64: threadEndX64, arm64: threadEndArm64 }[hostArch()]);
  const { deleteKey, unmap } = functions;
  if (deleteKey === 0 || unmap === 0) return undefined;
  // The key is in the code, and made with its address.
  const place = map(CODE_BYTES, 0);
  const key = functions.createKey(place);
  if (key === undefined) return undefined;
  const made = new EndList(functions);
  const numbers = BigInt64Array.of(0n, MILLISECOND, BigInt(key), BigInt(deleteKey), BigInt(unmap));
  const image = allocate(CODE_BYTES + NAME.length);
  image.bytes.set(code);
  image.bytes.set(new Uint8Array(numbers.buffer), code.length);
  image.bytes.write(NAME, CODE_BYTES, 'latin1');
  const memfd = sealedMemfd(image, CODE_BYTES, image.address + CODE_BYTES);
  const mapped = syscall(syscallNumber('mmap'), place, CODE_BYTES, PROT.read | PROT.exec, MAP.private | MAP.fixed, memfd, 0);
  syscall(CLOSE, memfd);
  if (mapped !== place) return undefined;
  functions.setValue(key, made.address);
  return made;
}

/**
 * The list of this thread, made before anything is started or opened; `undefined` for the first thread, whose end is that of the process,
 * and where the kernel does not let this process map code: then the keeper kills the containers, and the process waits for none of them.
 */
const list = threads && installed(threads);

function installed(functions: Threads): EndList | undefined {
  try {
    return install(functions);
  } catch {
    return undefined;
  }
}

/** wait4(2) of a child of this thread, until it has ended. */
const WAIT_FLAGS = waitFlags.WNOHANG | waitFlags.__WALL;
/** No process has this pid. */
const NOBODY = 0x7fffffff;

/** Where posix_spawn(3) stores a pid: known at the end of the thread, though the thread may be terminated before JavaScript goes on. */
interface Place {
  readonly address: number;
  readonly reset: () => void;
}

const spawned = threads &&
  list && {
    process: placeFor(list, threads, 'wait', list.add('kill', { call: 'tkill', args: [NOBODY, signals.SIGKILL] })),
    keeper: placeFor(list, threads, 'keeper'),
  };

function placeFor(end: EndList, functions: Threads, section: Section, kill?: Record): Place {
  const nobody = allocate(8);
  nobody.bytes.writeBigInt64LE(BigInt(NOBODY));
  const at = kill && kill.address + FIRST_ARGUMENT;
  const wait = end.add(section, { call: 'wait4', args: [NOBODY, 0, WAIT_FLAGS, 0], again: [0, 1n], ...(at !== undefined && { at }) });
  const address = at ?? wait.address + FIRST_ARGUMENT;
  return { address, reset: () => functions.copy(address, nobody.address, 8) };
}

/** Where the pid of a process that is started is to be stored. Until {@link holdProcess}, it is killed at the end of this thread; the keeper is waited for. */
export function spawnedPidAddress({ isKeeper = false } = {}): number | undefined {
  return spawned?.[isKeeper ? 'keeper' : 'process'].address;
}

const files = new Map<number, Record>();
const processes = new Map<number, readonly Record[]>();
let setUps: Record | undefined;

/** Whether files are closed at the end of this thread by {@link holdFile}. */
export function holdsFiles(): boolean {
  return list !== undefined;
}

/** Closes a file at the end of this thread, unless it is let go before. Not for one that Node closes then: the number may be another's by that time. */
export function holdFile(fd: number): void {
  const record = list?.add('files', { call: 'close', args: [fd] });
  if (record) files.set(fd, record);
}

/** Before the file is closed, or given away. */
export function letGoOfFile(fd: number): void {
  const record = files.get(fd);
  if (!record) return;
  files.delete(fd);
  list?.remove(record);
}

/** Closes a file that is held, or is not. */
export function closeFile(fd: number): void {
  letGoOfFile(fd);
  syscall(CLOSE, fd);
}

/** Kills a child at the end of this thread, and waits for it. The keeper, which has to do something itself then, is only waited for. */
export function holdProcess(pid: number, { isKeeper = false } = {}): void {
  if (!list || processes.has(pid)) return;
  const wait = list.add(isKeeper ? 'keeper' : 'wait', { call: 'wait4', args: [pid, 0, WAIT_FLAGS, 0], again: [0, 1n] });
  processes.set(pid, isKeeper ? [wait] : [list.add('kill', { call: 'tkill', args: [pid, signals.SIGKILL] }), wait]);
  spawned?.[isKeeper ? 'keeper' : 'process'].reset();
}

/** Before it is waited for: after that, the pid may be another's. @returns whether it was held */
export function letGoOfProcess(pid: number): boolean {
  const records = processes.get(pid);
  if (!records) return false;
  processes.delete(pid);
  for (const record of records) list?.remove(record);
  return true;
}

/**
 * While processes of a set-up may be there of which this thread has not heard yet: they lose their host, and end by that. All children of this thread are waited for then,
 * for some seconds at most, since some may be another's.
 */
export function holdSetUps(areUnderWay: boolean): void {
  if (areUnderWay === (setUps !== undefined)) return;
  if (setUps) list?.remove(setUps);
  const args = [-1, 0, WAIT_FLAGS | waitFlags.__WNOTHREAD, 0];
  setUps = areUnderWay ? list?.add('set-ups', { call: 'wait4', args, again: [0, 2n ** 62n] }) : undefined;
}

/**
 * Removes an empty directory when this thread ends, however that ends; disposing what is returned takes it back. For a worker thread that may be terminated before it can remove
 * the directories of a group that it has made. The first thread ends with its process, which `collectGarbage` of `@ctr/cgroups` is for: nothing is done there.
 *
 * @see rmdir(2)
 * @example
 * ```ts
 * import { removeAtThreadEnd } from '@ctr/syscall';
 * using held = removeAtThreadEnd('/sys/fs/cgroup/ctr/web.4711.2gx9');
 * ```
 */
export function removeAtThreadEnd(path: string): Disposable {
  let record = list?.addDirectory(path);
  return {
    [Symbol.dispose]() {
      if (record) list?.remove(record);
      record = undefined;
    },
  };
}
