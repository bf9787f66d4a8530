// Calls by the ways of other kinds of programs: what a 64-bit x86 program reaches by `int 0x80`, as i386 programs do, and by x32's numbers.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { errnoName } from '@ctr/syscall';

/** A call by its number, which is what the kind of program means by it. */
export type ForeignCall = readonly [nr: number, ...args: (number | bigint)[]];

/** A program of i386, one of x64 that makes calls of i386, and one of x64 that makes calls as they are given, x32's among them. */
export type ForeignKind = 'i386' | 'int80' | 'syscall';

const WORDS = 5;

const gate: Record<ForeignKind, string> = {
  i386: String.raw`__asm__ volatile("int $0x80" : "=a"(result) : "a"(c[0]), "b"(c[1]), "c"(c[2]), "d"(c[3]), "S"(c[4]) : "memory");`,
  int80: String.raw`__asm__ volatile("int $0x80" : "=a"(result) : "a"(c[0]), "b"(c[1]), "c"(c[2]), "d"(c[3]), "S"(c[4]) : "memory", "r8", "r9", "r10", "r11"); result = (int)result;`,
  syscall: String.raw`register long r10 __asm__("r10") = c[4]; __asm__ volatile("syscall" : "=a"(result) : "a"(c[0]), "D"(c[1]), "S"(c[2]), "d"(c[3]), "r"(r10) : "rcx", "r11", "memory");`,
};

/** Why programs of a kind cannot be made or run here, if so. */
export function missingKind(kind: ForeignKind): string | undefined {
  if (process.arch !== 'x64') return 'they are the ways of x86';
  if (spawnSync('gcc', ['--version']).status !== 0) return 'gcc is not installed';
  const directory = mkdtempSync(join(tmpdir(), 'ctr-foreign-'));
  try {
    writeFileSync(join(directory, 'program'), foreignProgram(kind, [[kind === 'syscall' ? 39 : 20]]), { mode: 0o755 });
    return spawnSync(join(directory, 'program')).status === 0 ? undefined : `this kernel runs nothing of ${kind}`;
  } catch {
    return `gcc makes no programs of ${kind}`;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** A static executable that makes calls and writes the result of each, as eight bytes; of those that fork, the new process ends. */
export function foreignProgram(kind: ForeignKind, calls: readonly ForeignCall[]): Uint8Array {
  const directory = mkdtempSync(join(tmpdir(), 'ctr-foreign-'));
  const rows = calls.map((call) => `{ ${Array.from({ length: WORDS }, (_, i) => `${call[i] ?? 0}UL`).join(', ')} }`);
  const [write, exit] = kind === 'syscall' ? [1, 60] : [4, 1];
  const source = `
    static const unsigned long calls[][${WORDS}] = { ${rows.join(', ')} };
    static long long results[${calls.length}];
    static long make(const unsigned long *c) { long result; ${gate[kind]} return result; }
    static void end(void) { unsigned long exit[${WORDS}] = { ${exit} }; make(exit); }
    void _start(void) {
      for (unsigned i = 0; i < ${calls.length}; i++) results[i] = make(calls[i]);
      ${kind === 'int80' ? 'long written; __asm__ volatile("syscall" : "=a"(written) : "a"(1L), "D"(1L), "S"(results), "d"(sizeof results) : "rcx", "r11", "memory");' : `unsigned long tell[${WORDS}] = { ${write}, 1, (unsigned long)results, sizeof results }; make(tell);`}
      end();
    }`;
  try {
    const path = join(directory, 'program');
    writeFileSync(`${path}.c`, source);
    const flags = ['-O1', '-nostdlib', '-static', '-ffreestanding', '-fno-stack-protector', '-fno-pie', '-no-pie', ...(kind === 'i386' ? ['-m32'] : [])];
    execFileSync('gcc', [...flags, '-o', path, `${path}.c`], { stdio: ['ignore', 'ignore', 'pipe'] });
    return readFileSync(path);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** What the program has written, in hexadecimal: for each call `ok`, or the name of its errno. */
export function foreignAnswers(hex: string): string[] {
  const bytes = Buffer.from(hex.replaceAll(/\s/g, ''), 'hex');
  return Array.from({ length: bytes.length / 8 }, (_, i) => bytes.readBigInt64LE(i * 8)).map((result) => (result < 0n ? errnoName(Number(-result)) : 'ok'));
}
