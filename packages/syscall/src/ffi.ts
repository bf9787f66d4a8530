// The kernel boundary: the only file that imports koffi. Everything above it speaks in numbers: results, addresses, fds.
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { createRequire } from 'node:module';

import type koffiTypes from 'koffi';

import { syscallNumber } from './abi/numbers.js';
import { nodeTimers } from './node-timers.js';

/** What package.json depends on. */
export const KOFFI_VERSION = '3.3.4';

const { koffi, path: koffiPath } = loadKoffi(createRequire(import.meta.url));
const libc = koffi.load(null);

/** An object that all copies of this module in a thread have in common, also those in other contexts of `node:vm`, as test runners have them. */
export const sharedObject: object = koffi;

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

/** Memory that never moves. It is there as long as this object is referenced. */
export interface NativeMemory {
  readonly address: number;
  readonly bytes: Buffer;
}

/** The memory of a JavaScript object that V8 keeps outside of its heap: native memory would take calls of Node's that fail where a thread is being terminated. */
export function allocate(byteLength: number): NativeMemory {
  const bytes = Buffer.from(new ArrayBuffer(byteLength));
  return { address: Number(koffi.address(bytes)), bytes };
}

/** Whether this thread ends with the process alone: no worker thread is the first one. */
export const isMainThread: boolean = syscall(syscallNumber('gettid')) === process.pid;

/** Functions of the C library for what happens at the end of a thread. */
export interface Threads {
  /**
   * pthread_key_create(3): the function at an address is called at the end of a thread for which a value is set.
   * @returns its number, `undefined` if there are too many
   */
  readonly createKey: (functionAddress: number) => number | undefined;
  /** pthread_setspecific(3): sets the value that the function is called with. */
  readonly setValue: (key: number, value: number) => void;
  /** Copies memory: memcpy(3). */
  readonly copy: (to: number, from: number, byteLength: number) => void;
  /** Addresses of functions that machine code calls. */
  readonly deleteKey: number;
  readonly unmap: number;
}

function declareThreads(): Threads {
  pinKoffi();
  prepareSpawn();
  const create = libc.func('int pthread_key_create(intptr_t key, intptr_t function)') as (key: number, functionAddress: number) => number;
  const set = libc.func('int pthread_setspecific(unsigned int key, intptr_t value)') as (key: number, value: number) => number;
  const copy = libc.func('intptr_t memcpy(intptr_t to, intptr_t from, size_t count)') as (to: number, from: number, count: number) => Word;
  const find = libc.func('intptr_t dlsym(intptr_t handle, const char *name)') as (handle: number, name: string) => Word;
  const scratch = allocate(8);
  return {
    createKey: (functionAddress) => (create(scratch.address, functionAddress) === 0 ? scratch.bytes.readUInt32LE(0) : undefined),
    setValue: (key, value) => void set(key, value),
    copy: (to, from, byteLength) => void copy(to, from, byteLength),
    deleteKey: Number(find(0, 'pthread_key_delete')),
    unmap: Number(find(0, 'munmap')),
  };
}

/**
 * Node unloads at the end of a worker thread what no other thread has loaded, and only then calls back what closes the handles of the event loop:
 * native code has to stay in memory.
 */
function pinKoffi(): void {
  const RTLD_NOW = 2; // dlfcn.h
  const RTLD_NODELETE = 0x1000;
  const open = libc.func('intptr_t dlopen(const char *path, int flags)') as (path: string, flags: number) => Word;
  for (const path of koffiPath === undefined ? mappedAddons() : [koffiPath]) open(path, RTLD_NOW | RTLD_NODELETE);
}

/** The native modules in the memory of this process: one of them is koffi, whose own modules do not tell where they have found it. */
function mappedAddons(): Set<string> {
  return new Set([...readFileSync('/proc/self/maps', 'latin1').matchAll(/ (\/.*\.node)$/gm)].map(([, path = '']) => path));
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
  return koffi.node.poll(fd, { readable: true, disconnect: true }, () => void nodeTimers.setImmediate(callback));
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
  spawnReady = true;
}

/**
 * posix_spawn(3): starts the executable with the given fds put in place, in order; its pid, or `-errno`.
 * It borrows this process's memory until the exec instead of copying its page tables, so its cost does not grow with the heap.
 *
 * @param pidAddress where the pid is stored, too
 */
export function spawn(path: string, fds: readonly (readonly [from: number, to: number])[], pidAddress = spawnScratch.address): number {
  prepareSpawn();
  actionsInit(spawnActions.address);
  try {
    for (const [from, to] of fds) {
      const error = actionsAddDup2(spawnActions.address, from, to);
      if (error) return -error;
    }
    const error = libcSpawn(pidAddress, path, spawnActions.address, spawnAttributes.address, spawnScratch.address + 8, spawnScratch.address + 24);
    if (error) return -error;
    if (pidAddress !== spawnScratch.address) threads?.copy(spawnScratch.address, pidAddress, 4);
    return spawnScratch.bytes.readInt32LE(0);
  } finally {
    actionsDestroy(spawnActions.address);
  }
}

/**
 * What only a worker thread needs. Like all else it is declared when this module is loaded: where a thread is being terminated, koffi ends the whole process if
 * it cannot make an object, and it makes none to call a function.
 */
export const threads: Threads | undefined = isMainThread ? undefined : declareThreads();

/**
 * Loads what is native of koffi. koffi's own modules take 5 ms to find it, which is more than a container takes, and add nothing that is used here. They are
 * loaded where it is not found at once, because packages are not hoisted, or is of another version. (`require` does that 8 ms faster than `import`.)
 *
 * @returns its path, too, where that is known
 */
function loadKoffi(require: NodeJS.Require): { koffi: typeof koffiTypes; path?: string } {
  const { platform, arch } = process;
  try {
    const name = `@koromix/koffi-${platform}-${arch}/${libcOfNode()}_${arch}/koffi.node`;
    const native = require(name) as typeof koffiTypes;
    if (native.version === KOFFI_VERSION) return { koffi: native, path: require.resolve(name) };
  } catch {
    // It is elsewhere, then.
  }
  return { koffi: require('koffi') as typeof koffiTypes };
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
