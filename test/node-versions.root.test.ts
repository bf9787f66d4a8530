import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { nodeProgram, type NodeProgram } from './support/node-program.js';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..');

/** The oldest that is supported, and what is maintained after it. */
const versions = ['20.19', '22', '24', '26'] as const;
const directory = mkdtempSync(join(tmpdir(), 'ctr-node-'));
const node = (version: string): string => join(directory, `node_modules/node-${version}/bin/node`);

/** What waits for the kernel by the event loop, with nothing else there that would wake it up. */
const source = `
  import { createGroup } from '@ctr/cgroups';
  import { run, start } from '@ctr/runtime';
  for (let i = 0; i < 40; i++) await run(['true']);
  const { stdout } = await run(['echo', 'said']);
  const container = await start(['sleep', '1000']);
  container.kill('SIGKILL');
  await container.exited;
  const canceled = await run(['sleep', '1000'], { cancelSignal: AbortSignal.timeout(100) }).catch(({ isCanceled }) => isCanceled);
  const group = await createGroup('/ctr/node-versions-' + process.pid, { pids: 20 });
  const events = group.events();
  await group.remove();
  for await (const _ of events);
  console.log(stdout, canceled);
`;
let program: NodeProgram | undefined;
let missing: string | undefined;

beforeAll(async () => {
  const options = ['--prefer-offline', '--no-audit', '--no-fund', '--no-package-lock', '--silent', '--prefix', directory];
  const all = versions.map((version) => `node-${version}@npm:node-linux-${process.arch}@${version}`);
  await run('npm', ['install', ...options, ...all]).catch((error: unknown) => (missing = `npm cannot install Node: ${String(error).split('\n', 1)[0]}`));
  program = await nodeProgram(source, join(root, 'packages/cli/src'));
}, 240_000);
afterAll(() => {
  program?.[Symbol.dispose]();
  rmSync(directory, { recursive: true });
});

describe.each(versions)('Node %s', (version) => {
  it('starts containers, and is told of their ends', async (ctx) => {
    ctx.skip(missing !== undefined, missing);
    expect((await run(node(version), [program?.path ?? ''], { env: program?.env })).stdout).toBe('said\n true\n');
  });

  it('is what the built ctr and ctr-oci run on', async (ctx) => {
    ctx.skip(missing !== undefined, missing);
    expect((await run(node(version), ['--version'])).stdout.startsWith(`v${version}.`)).toBe(true);
    expect((await run(node(version), [join(root, 'packages/cli/dist/bin.cjs'), 'run', 'hostname'])).stdout).toBe('container\n');
    expect(JSON.parse((await run(node(version), [join(root, 'packages/oci/dist/bin.cjs'), 'features'])).stdout)).toHaveProperty('ociVersionMax');
  });
});
