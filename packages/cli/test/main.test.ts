import { describe, expect, it } from 'vitest';

import { ctr } from './ctr.js';

describe('the name of a command', () => {
  it.each(['help', '--help', '-h'])('%s prints an overview', async (word) => {
    expect(await ctr([word])).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining('Usage: ctr COMMAND') });
  });

  it('is help if there is none', async () => {
    expect(await ctr([])).toMatchObject({ code: 0, stdout: expect.stringContaining('Usage: ctr COMMAND') });
  });

  it.each([
    ['help', 'run'],
    ['run', '--help'],
  ])('%s %s prints the manual', async (...args) => {
    expect(await ctr(args)).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining('Usage: ctr run [OPTIONS]') });
  });

  it('is looked for among those there are', async () => {
    expect(await ctr(['compiel'])).toMatchObject({
      code: 125,
      stdout: '',
      stderr: 'ctr: command: "compiel": there is no such command; did you mean compile?\n',
    });
    expect(await ctr(['rnu'])).toMatchObject({ code: 125, stdout: '', stderr: 'ctr: command: "rnu": there is no such command; ctr help lists them\n' });
    expect(await ctr(['help', 'dcotor'])).toMatchObject({ code: 125, stderr: 'ctr: help: "dcotor": there is no such command; did you mean doctor?\n' });
    expect(await ctr(['constructor'])).toMatchObject({ code: 125, stderr: 'ctr: command: "constructor": there is no such command; ctr help lists them\n' });
  });
});

it('tells its version, and those of Node and Linux', async () => {
  expect(await ctr(['--version'])).toMatchObject({ code: 0, stdout: expect.stringMatching(/^ctr \S+\nnode \d\S+\nlinux \d\S+ \S+\n$/) });
});

it.each(['doctor', 'gc', 'version'])('%s takes no arguments', async (name) => {
  expect(await ctr([name, 'x'])).toMatchObject({ code: 125, stdout: '', stderr: `ctr: ${name}: "x": it takes no arguments\n` });
});

it.each(['run', 'child', 'compile'])('%s wants a command', async (name) => {
  expect(await ctr([name])).toMatchObject({ code: 125, stderr: `ctr: ${name}: a command is missing: ctr ${name} [OPTIONS] COMMAND [ARGUMENTS]\n` });
});
