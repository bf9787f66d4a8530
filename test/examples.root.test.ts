import { build } from 'esbuild';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..');
const examples = readdirSync(join(root, 'examples')).filter((file) => file.endsWith('.ts'));

/** What an example says that it prints: the comment lines behind `// prints:`, in which `…` stands for anything. */
function printed(file: string): RegExp {
  const [, comment] = readFileSync(join(root, 'examples', file), 'utf8').split(/^\/\/ prints:$/m);
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
  const out = join(root, 'node_modules/.cache/examples');
  beforeAll(async () => {
    await build({
      entryPoints: examples.map((file) => join(root, 'examples', file)),
      outdir: out,
      outExtension: { '.js': '.mjs' },
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node20.19',
      conditions: ['@ctr/source'],
      external: ['koffi'],
    });
  });
  afterAll(() => rmSync(out, { recursive: true, force: true }));

  it.each(examples)('%s', async (file) => {
    const { stdout } = await run(process.execPath, [join(out, `${basename(file, '.ts')}.mjs`)], { cwd: root });
    expect(stdout).toMatch(printed(file));
  });
});
