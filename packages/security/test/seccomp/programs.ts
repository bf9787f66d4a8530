// Programs without a C library, which make calls as their kind does: static, so that they run anywhere.
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A call by its number, which is what the program's kind of it means. */
export interface Call {
  readonly nr: number;
  readonly args?: readonly (number | bigint)[];
}

type Kind = 'x64' | 'i386';

const call: Record<Kind, string> = {
  x64: String.raw`
static long call(unsigned long nr, unsigned long a, unsigned long b, unsigned long c) {
  long result;
  __asm__ volatile("syscall" : "=a"(result) : "a"(nr), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
  return result;
}
#define EXIT 60`,
  i386: String.raw`
static long call(unsigned long nr, unsigned long a, unsigned long b, unsigned long c) {
  long result;
  __asm__ volatile("int $0x80" : "=a"(result) : "a"(nr), "b"(a), "c"(b), "d"(c) : "memory");
  return result;
}
#define EXIT 1`,
};

/** Why programs of a kind cannot be made here, if so. */
export function missing(kind: Kind): string | undefined {
  if (process.arch !== 'x64') return 'its programs are made on x64';
  const { status } = spawnSync('gcc', [...flags(kind), '-o', '/dev/null', '-x', 'c', '-'], { input: 'void _start(void) {}' });
  return status === 0 ? undefined : `gcc makes no programs for ${kind}`;
}

/** Programs for the tests of a file. */
export class Programs implements Disposable {
  readonly #directory = mkdtempSync(join(tmpdir(), 'ctr-seccomp-'));
  #count = 0;

  constructor() {
    chmodSync(this.#directory, 0o755);
  }

  /** A program whose exit code is the errno of a call, or 0. */
  errnoOf(kind: Kind, { nr, args = [] }: Call): string {
    const [a, b, c] = [0, 1, 2].map((i) => `${args[i] ?? 0}ul`);
    return this.#make(kind, `long result = call(${nr}u, ${a}, ${b}, ${c}); call(EXIT, result < 0 && result > -256 ? -result : 0, 0, 0);`);
  }

  /** A program that makes many calls, with zeros as arguments, and ends with 0 if all of them fail with an errno; otherwise it prints the number of the first that does not. */
  allFail(kind: Kind, numbers: readonly number[], errno: number): string {
    return this.#make(
      kind,
      `static const unsigned numbers[] = { ${numbers.join(', ')} };
       for (unsigned i = 0; i < sizeof numbers / sizeof *numbers; i++)
         if (call(numbers[i], 0, 0, 0) != -${errno}) {
           char text[16], *at = text + 16;
           for (unsigned rest = numbers[i]; rest || at == text + 16; rest /= 10) *--at = '0' + rest % 10;
           call(${kind === 'x64' ? 1 : 4}, 1, (unsigned long)at, text + 16 - at);
           call(EXIT, 1, 0, 0);
         }
       call(EXIT, 0, 0, 0);`,
    );
  }

  [Symbol.dispose](): void {
    rmSync(this.#directory, { recursive: true });
  }

  #make(kind: Kind, body: string): string {
    const path = join(this.#directory, `program-${this.#count++}`);
    writeFileSync(`${path}.c`, `${call[kind]}\nvoid _start(void) { ${body} }\n`);
    execFileSync('gcc', [...flags(kind), '-o', path, `${path}.c`]);
    return path;
  }
}

function flags(kind: Kind): string[] {
  return ['-O1', '-nostdlib', '-static', '-ffreestanding', '-fno-stack-protector', '-fno-pie', '-no-pie', ...(kind === 'i386' ? ['-m32'] : [])];
}
