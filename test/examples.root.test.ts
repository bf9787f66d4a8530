import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..');
const directory = join(root, 'examples');
const examples = readdirSync(directory).filter((file) => file.endsWith('.ts'));
const sourceOf = (file: string): string => readFileSync(join(directory, file), 'utf8');

/** What an example says that it prints: the comment lines behind `// prints:`, in which `…` stands for anything. */
function printed(file: string): RegExp {
  const [, comment] = sourceOf(file).split(/^\/\/ prints:$/m);
  if (comment === undefined) throw new Error(`examples/${file} does not say what it prints: end it with a line "// prints:" and the output, as comments`);
  const lines = [...comment.matchAll(/^\/\/ ?(.*)$/gm)].map((match) => match[1] ?? '');
  return new RegExp(
    `^${lines
      .map((line) =>
        line
          .split('…')
          .map((text) => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
          .join('.*?'),
      )
      .join('\n')}\n$`,
    's',
  );
}

describe('an example prints what it says', () => {
  it.for(examples)('%s', async (file, context) => {
    if (sourceOf(file).includes('busybox') && !existsSync('/bin/busybox')) context.skip('busybox-static is not installed');
    const { stdout } = await run(process.execPath, [join(directory, 'run.mjs'), basename(file, '.ts')], { cwd: root });
    expect(stdout).toMatch(printed(file));
  });
});
