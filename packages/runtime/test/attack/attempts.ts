// System calls that are tried in a container, one after the other, by a program of a few kilobytes that is put into its image; what the kernel answered to each.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { run, type ContainerOptions } from '@ctr/runtime';
import { compile, errnoName, Memory, type Step } from '@ctr/syscall';

/** What is tried, by a name; the result of a call may be an argument of those that follow. */
export type Attempts = Readonly<Record<string, Pick<Step, 'call' | 'args'>>>;

const RESULT_BYTES = 8;

/** Tries calls in a container with this image: for each, `ok` or the name of its errno. */
export async function attempt<A extends Attempts>(
  attempts: A,
  options: ContainerOptions & { readonly rootfs: string },
): Promise<Record<keyof A & string, string>> {
  const names = Object.keys(attempts) as (keyof A & string)[];
  writeFileSync(join(options.rootfs, 'attempts'), program(Object.values(attempts)), { mode: 0o755 });
  const { stdout } = await run(['sh', '-c', '/attempts | od -An -v -tx1'], options);
  const bytes = Buffer.from(stdout.replaceAll(/\s/g, ''), 'hex');
  if (bytes.length !== names.length * RESULT_BYTES) throw new Error(`the program printed ${JSON.stringify(stdout)}`);
  return Object.fromEntries(names.map((name, i) => [name, answer(bytes.readBigInt64LE(i * RESULT_BYTES))])) as Record<keyof A & string, string>;
}

/** An executable that makes calls whatever comes of them, and writes the results to stdout. Of those that fork, the new process ends at once. */
export function program(attempts: readonly Pick<Step, 'call' | 'args'>[]): Uint8Array {
  const results = new Memory(attempts.length * RESULT_BYTES, 'results');
  const end: Step = { call: 'exit_group', args: [0], purpose: 'the end' };
  const steps = attempts.map((step, i): Step => {
    const forks = step.call === 'clone' || step.call === 'clone3';
    // The step itself, so that others can refer to it.
    return Object.assign(step, {
      purpose: 'an attempt',
      tolerates: 'any' as const,
      into: results.at(i * RESULT_BYTES),
      ...(forks && { jump: { when: '==' as const, to: end } }),
    });
  });
  return compile([...steps, { call: 'write', args: [1, results, results.byteLength], purpose: 'what came of them' }, end]);
}

function answer(result: bigint): string {
  return result < 0n ? errnoName(Number(-result)) : 'ok';
}
