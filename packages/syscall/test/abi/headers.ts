// Asks the C compiler what the system headers say: without running anything, so that it works for another architecture as well.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Arch } from '@ctr/syscall';

const tools: Record<Arch, { readonly prefix: string }> =
  process.arch === 'arm64' ? { x64: { prefix: 'x86_64-linux-gnu-' }, arm64: { prefix: '' } } : { x64: { prefix: '' }, arm64: { prefix: 'aarch64-linux-gnu-' } };

/** Why the headers of an architecture cannot be asked, if so. */
export function missing(arch: Arch): string | undefined {
  for (const tool of ['gcc', 'objcopy']) {
    const name = `${tools[arch].prefix}${tool}`;
    if (spawnSync(name, ['--version']).status !== 0) return `${name} is not installed`;
  }
  const { status } = spawnSync(`${tools[arch].prefix}gcc`, ['-E', '-'], { input: '#include <linux/types.h>\n#include <sys/types.h>\n' });
  return status === 0 ? undefined : `the headers of Linux for ${arch} are not installed`;
}

/**
 * The values of C expressions, after including some headers. `undefined` for one that these headers do not know.
 * Of several sets of headers, which cannot be included together, the first that knows an expression counts.
 */
export function valuesOf(arch: Arch, expressions: readonly string[], ...headers: readonly (readonly string[])[]): Map<string, bigint | undefined> {
  const found = new Map<string, bigint | undefined>(expressions.map((expression) => [expression, undefined]));
  for (const set of headers) {
    const asked = expressions.filter((expression) => found.get(expression) === undefined);
    const unknown = new Set<string>();
    for (let values: bigint[] | undefined; asked.length > unknown.size && values === undefined;) {
      const rest = asked.filter((expression) => !unknown.has(expression));
      const outcome = compile(arch, rest, set);
      if (Array.isArray(outcome)) {
        values = outcome;
        for (const [i, expression] of rest.entries()) found.set(expression, values[i]);
      } else {
        if (outcome.size === 0) throw new Error(`the headers ${set.join(', ')} do not compile`);
        for (const i of outcome) unknown.add(rest[i] as string);
      }
    }
  }
  return found;
}

/** The values, or the indices of the expressions that the compiler complains of. */
function compile(arch: Arch, expressions: readonly string[], headers: readonly string[]): bigint[] | Set<number> {
  const directory = mkdtempSync(join(tmpdir(), 'ctr-headers-'));
  try {
    const [source, object, binary] = ['values.c', 'values.o', 'values.bin'].map((name) => join(directory, name)) as [string, string, string];
    const lines = expressions.map((expression, i) => `#line ${i + 1} "expressions"\n(long long)(${expression}),`);
    writeFileSync(
      source,
      `#define _GNU_SOURCE\n#include <stddef.h>\n${headers.map((header) => `#include <${header}>\n`).join('')}const long long values[] = {\n${lines.join('\n')}\n};\n`,
    );
    const gcc = spawnSync(`${tools[arch].prefix}gcc`, ['-c', '-w', '-fmax-errors=0', '-o', object, source], { encoding: 'utf8', maxBuffer: 2 ** 26 });
    if (gcc.status !== 0) return new Set([...gcc.stderr.matchAll(/^expressions:(\d+):\d+: error/gm)].map(([, line]) => Number(line) - 1));
    execFileSync(`${tools[arch].prefix}objcopy`, ['-O', 'binary', '-j', '.rodata', object, binary]);
    const bytes = readFileSync(binary);
    return expressions.map((_, i) => bytes.readBigInt64LE(i * 8));
  } finally {
    rmSync(directory, { recursive: true });
  }
}
