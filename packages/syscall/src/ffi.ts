// The kernel boundary: the only file that imports koffi. Everything above it speaks in numbers: results, addresses, fds.
import { closeSync, openSync, readSync } from 'node:fs';
import { createRequire } from 'node:module';

import type koffiTypes from 'koffi';

/** What package.json depends on. */
export const KOFFI_VERSION = '3.3.4';

const koffi = loadKoffi(createRequire(import.meta.url));
const libc = koffi.load(null);

type Word = number | bigint;
const libcSyscall = libc.func('long syscall(long number, intptr_t a, intptr_t b, intptr_t c, intptr_t d, intptr_t e, intptr_t f)') as (
  number: number,
  ...args: [Word, Word, Word, Word, Word, Word]
) => Word;

/**
 * syscall(2): the result, or `-errno`.
 * The result of the calls ctr makes (fds, pids, sizes, addresses) fits a double.
 */
export function syscall(number: number, a: Word = 0, b: Word = 0, c: Word = 0, d: Word = 0, e: Word = 0, f: Word = 0): number {
  const result = libcSyscall(number, a, b, c, d, e, f);
  return result === -1 ? -koffi.errno() : Number(result);
}

/** Memory outside of the JavaScript heap, which never moves. */
export interface NativeMemory {
  readonly address: number;
  readonly bytes: Buffer;
  free(): void;
}

export function allocate(byteLength: number): NativeMemory {
  const pointer: unknown = koffi.alloc('uint8_t', byteLength);
  const bytes = Buffer.from(koffi.view(pointer, byteLength));
  bytes.fill(0);
  return { address: Number(koffi.address(pointer)), bytes, free: () => koffi.free(pointer) };
}

/** A handle on the event loop that calls back when an fd is ready. */
export interface Readiness {
  /** Stops watching. The fd stays open. */
  close(): void;
  /** Whether the event loop stays alive for it. */
  ref(): void;
  unref(): void;
}

/**
 * Calls back whenever the fd (a pipe, a socket, a pidfd) is readable or hung up.
 * It goes to the C library's `epoll` by libuv, so it works in worker threads too.
 *
 * koffi calls from the bare event loop, behind which no promise goes on until Node has something else to do: newer versions have nothing.
 * The callback comes in the same turn of the loop, but as one of Node's own.
 */
export function whenReadable(fd: number, callback: () => void): Readiness {
  return koffi.node.poll(fd, { readable: true, disconnect: true }, () => void setImmediate(callback));
}

// Opaque to callers in glibc and musl: 80 and 336 bytes on 64-bit, here with room to spare.
const spawnActions = allocate(256);
const spawnAttributes = allocate(1024);
const actionsInit = libc.func('int posix_spawn_file_actions_init(intptr_t actions)') as (actions: number) => number;
const actionsAddDup2 = libc.func('int posix_spawn_file_actions_adddup2(intptr_t actions, int from, int to)') as (
  actions: number,
  from: number,
  to: number,
) => number;
const actionsDestroy = libc.func('int posix_spawn_file_actions_destroy(intptr_t actions)') as (actions: number) => number;
const libcSpawn = libc.func('int posix_spawn(intptr_t pid, const char *path, intptr_t actions, intptr_t attributes, intptr_t argv, intptr_t envp)') as (
  pid: number,
  path: string,
  actions: number,
  attributes: number,
  argv: number,
  envp: number,
) => number;

let spawnReady = false;
const spawnScratch = allocate(64);

/** Node ignores SIGPIPE, and a mask may be inherited: the new process starts with every signal unblocked and at its default. */
function prepareSpawn(): void {
  if (spawnReady) return;
  const set = allocate(128);
  const init = libc.func('int posix_spawnattr_init(intptr_t attributes)') as (attributes: number) => number;
  const setFlags = libc.func('int posix_spawnattr_setflags(intptr_t attributes, short flags)') as (attributes: number, flags: number) => number;
  const setMask = libc.func('int posix_spawnattr_setsigmask(intptr_t attributes, intptr_t set)') as (attributes: number, set: number) => number;
  const setDefault = libc.func('int posix_spawnattr_setsigdefault(intptr_t attributes, intptr_t set)') as (attributes: number, set: number) => number;
  const POSIX_SPAWN_SETSIGDEF = 4; // spawn.h
  const POSIX_SPAWN_SETSIGMASK = 8;
  init(spawnAttributes.address);
  setMask(spawnAttributes.address, set.address);
  set.bytes.fill(0xff);
  setDefault(spawnAttributes.address, set.address);
  setFlags(spawnAttributes.address, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  // argv = { "ctr", NULL }, envp = { NULL }
  spawnScratch.bytes.write('ctr\0', 40, 'latin1');
  spawnScratch.bytes.writeBigUInt64LE(BigInt(spawnScratch.address + 40), 8);
  set.free();
  spawnReady = true;
}

/**
 * posix_spawn(3): starts the executable with the given fds put in place, in order; its pid, or `-errno`.
 * It borrows this process's memory until the exec instead of copying its page tables, so its cost does not grow with the heap.
 */
export function spawn(path: string, fds: readonly (readonly [from: number, to: number])[]): number {
  prepareSpawn();
  actionsInit(spawnActions.address);
  try {
    for (const [from, to] of fds) {
      const error = actionsAddDup2(spawnActions.address, from, to);
      if (error) return -error;
    }
    const error = libcSpawn(spawnScratch.address, path, spawnActions.address, spawnAttributes.address, spawnScratch.address + 8, spawnScratch.address + 24);
    return error ? -error : spawnScratch.bytes.readInt32LE(0);
  } finally {
    actionsDestroy(spawnActions.address);
  }
}

/**
 * Loads what is native of koffi. koffi's own modules take 5 ms to find it, which is more than a container takes, and add nothing that is used here. They are
 * loaded where it is not found at once, because packages are not hoisted, or is of another version. (`require` does that 8 ms faster than `import`.)
 */
function loadKoffi(require: NodeJS.Require): typeof koffiTypes {
  const { platform, arch } = process;
  try {
    const native = require(`@koromix/koffi-${platform}-${arch}/${libcOfNode()}_${arch}/koffi.node`) as typeof koffiTypes;
    if (native.version === KOFFI_VERSION) return native;
  } catch {
    // It is elsewhere, then.
  }
  return require('koffi') as typeof koffiTypes;
}

/** The C library that Node is linked with, by koffi's name for it: the dynamic linker's name stands at the beginning of the executable. */
function libcOfNode(): 'linux' | 'musl' {
  const header = Buffer.alloc(4096);
  const fd = openSync(process.execPath, 'r');
  try {
    readSync(fd, header);
  } finally {
    closeSync(fd);
  }
  if (header.includes('/ld-musl-')) return 'musl';
  if (header.includes('/ld-linux-')) return 'linux';
  throw new Error('it is not to be seen which C library Node is linked with');
}
