// The command line as runc has it, of 1.1.5 and of today.
import { mkdirSync, mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { readLayout } from '@ctr/cgroups';
import { state } from '@ctr/oci';
import { describe, expect, it } from 'vitest';

import { bundleOf, configOf, created, newId, place } from './container.js';
import { ctrOci, shell } from './ctr-oci.js';

const at = place();
const oci = (...args: string[]) => ctrOci(['--root', at.root, ...args], { quiet: false });

describe('options behind the id', () => {
  it('are options, for each command but those that another program’s words follow', async () => {
    const { id, root } = await created(at, ['sleep', '1000']);
    const all = [
      ['kill', id, '--all', '0'],
      ['kill', id, '0', '-a'],
      ['update', id, '--pids-limit', '55'],
      ['update', id, '--pids-limit=-1', '--memory', '64m'],
      ['events', id, '--stats'],
      ['pause', '--', id],
      ['resume', id],
      ['start', id],
    ];
    for (const args of all) expect(await oci(...args)).toMatchObject({ code: 0, stderr: '' });
    expect((await oci('exec', id, 'echo', '-t', '--cwd', '/etc')).stdout).toBe('-t --cwd /etc\n');
    expect((await oci('exec', '--cwd', '/etc', id, 'pwd')).stdout).toBe('/etc\n');
    expect((await oci('ps', '--format', 'json', id)).stdout).toMatch(/^\[\d+\]\n$/);
    expect((await oci('ps', id, '-e', '-o', 'pid,comm')).stdout).toMatch(/^ *PID COMMAND\n *\d+ /);
    expect(await oci('delete', id, '--force')).toMatchObject({ code: 0, stderr: '' });
    expect(() => state(id, root)).toThrow('container does not exist');
  });

  it('are options of create and run, too', async () => {
    const bundle = bundleOf(at, configOf(at, ['true']));
    const pidFile = join(bundle, 'pid');
    const id = newId();
    expect(await oci('run', id, '-b', bundle, '--pid-file', pidFile)).toMatchObject({ code: 0, stderr: '' });
    expect(readFileSync(pidFile, 'latin1')).toMatch(/^\d+$/);
    const { code } = await shell(
      `$CTR_OCI --root ${at.root} create ${id} --bundle ${bundle} </dev/null >/dev/null 2>&1 && $CTR_OCI --root ${at.root} delete ${id} -f`,
    );
    expect(code).toBe(0);
  });

  it('that are none are told, and so is a word too many, wherever it stands', async () => {
    expect((await oci('delete', 'x', '--forse')).stderr).toBe('ctr-oci: there is no option --forse: did you mean --force?\n');
    expect((await oci('state', 'x', 'y')).stderr).toBe('ctr-oci: "y" is one word too many\n');
    expect((await oci('delete', 'x', '--', '--force')).stderr).toBe('ctr-oci: "--force" is one word too many\n');
    expect((await oci('delete', 'x', '--help')).stdout).toContain('delete [OPTIONS] ID');
  });
});

describe('--log', () => {
  it('makes the file, also where there is nothing to tell', async () => {
    const file = join(at.directory, newId());
    expect(await oci('--log', file, 'list', '-q')).toMatchObject({ code: 0, stderr: '' });
    expect(readFileSync(file, 'utf8')).toBe('');
  });

  it.each(['/no/such/directory/log', '/'])('that cannot be written is an error, and nothing is done: %s', async (file) => {
    const { id, root } = await created(at, ['sleep', '1000']);
    const { code, stdout, stderr } = await oci('--log', file, 'delete', '--force', id);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(`open '${file}'`);
    expect(state(id, root).status).toBe('created');
  });
});

describe('--debug', () => {
  it.each(['text', 'json'])('logs what is done, as %s', async (format) => {
    const directory = mkdtempSync(join(at.directory, 'log-'));
    const bundle = bundleOf(at, configOf(at, ['true']));
    const line = `$CTR_OCI --debug --log ${directory}/log --log-format ${format} --root ${at.root} run --bundle ${bundle} ${newId()}`;
    expect(await shell(line)).toEqual({ code: 0, stdout: '', stderr: '' });
    const lines = readFileSync(join(directory, 'log'), 'utf8').trim().split('\n');
    expect(lines.length).toBeGreaterThanOrEqual(4);
    for (const each of lines) expect(format === 'json' ? (JSON.parse(each) as { level: string }).level : / level=(\w+) /.exec(each)?.[1]).toBe('debug');
    expect(lines.join('\n')).toMatch(/its plan has \d+ steps/);
  });

  it('logs to stderr where there is no file', async () => {
    const { stdout, stderr } = await oci('--debug', 'list', '--quiet');
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^time="[^"]+" level=debug msg="list: ctr-oci /);
  });

  it('shows no word as it could move the cursor', async () => {
    const { stderr } = await oci('--debug', 'delete', '--force', 'a\u202eb');
    expect(stderr).not.toContain('\u202e');
  });
});

describe('exec --cgroup', () => {
  const { mode, hierarchies } = readLayout();

  it.runIf(mode !== 'v2')('is a group for some controllers alone, as CONTROLLERS:PATH', async () => {
    const path = `${at.cgroup}/parts`;
    const { id, root } = await created(at, ['sleep', '1000'], { linux: { cgroupsPath: path } });
    expect(state(id, root).status).toBe('created');
    for (const controller of ['pids', 'freezer']) mkdirSync(`${hierarchies.find(({ controllers }) => controllers.includes(controller))?.mount}${path}/sub`);
    const { stdout, stderr } = await oci('exec', '--cgroup', 'pids:sub', '--cgroup', 'freezer:/sub', id, 'cat', '/proc/self/cgroup');
    expect(stderr).toBe('');
    expect(stdout).toMatch(/:pids:\S*\/sub\n/);
    expect(stdout).toMatch(/:freezer:\S*\/sub\n/);
    expect(stdout).not.toMatch(/:memory:\S*\/sub\n/);
    expect((await oci('exec', '--cgroup', 'sub', id, 'true')).code).toBe(255);
    expect((await oci('exec', '--cgroup', 'pids:sub', '--cgroup', 'sub', id, 'true')).stderr).toContain('CONTROLLERS:PATH');
    expect((await oci('exec', '--cgroup', 'dragons:sub', id, 'true')).stderr).toContain('has no controller "dragons"');
    expect((await oci('exec', '--cgroup', 'pids:../..', id, 'true')).stderr).toContain('a path below the cgroup of the container');
  });
});

it('spec has a namespace of cgroups where these are of v2 alone, as runc has it', async () => {
  const directory = mkdtempSync(join(at.directory, 'spec-'));
  await ctrOci(['spec', '--bundle', directory]);
  const { linux } = JSON.parse(readFileSync(join(directory, 'config.json'), 'utf8')) as { linux: { namespaces: { type: string }[] } };
  expect(linux.namespaces.some(({ type }) => type === 'cgroup')).toBe(readLayout().mode === 'v2');
});
