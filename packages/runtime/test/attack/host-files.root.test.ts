// Leases, locks, watches, FIFOs and sockets: what a program can do to a file of the host that it may only read.
import { describe, expect, it } from 'vitest';

import type { ContainerOptions } from '@ctr/runtime';

import { watchForLeaks } from '../leaks.js';
import { NodeProgram } from '../node-program.js';
import { byPrivateHost } from '../private-host.js';

watchForLeaks();

const program = new NodeProgram(new URL('./host-files-program.ts', import.meta.url));

interface Found {
  readonly answers: Record<string, string>;
  readonly noticed: Record<string, string>;
}

async function reach(directory: string, seen: string, options: ContainerOptions): Promise<Found> {
  const { stdout, stderr } = await program.run([directory, seen, JSON.stringify(options)], { by: byPrivateHost });
  expect(stderr).toBe('');
  return JSON.parse(stdout) as Found;
}

const unfiltered: ContainerOptions = { seccomp: 'unconfined' };

describe('a file of the host that the container sees', () => {
  it.each<[string, string, ContainerOptions]>([
    ['below /usr', '/usr/src', {}],
    ['below a read-only /usr', '/usr/src', { readonly: true }],
    ['in a directory of /etc', '/etc/alternatives', {}],
    ['in a directory two levels below /etc', '/etc/ssl/certs', { readonly: true }],
  ])('%s: no lease, lock, watch, FIFO or socket reaches it', async (_, directory, options) => {
    const { answers, noticed } = await reach(directory, directory, { ...unfiltered, ...options });
    expect(answers).toMatchObject({ open: 'ok', lock: 'ok', watch: 'ok', fifo: 'ok', connect: 'ECONNREFUSED', events: 'EAGAIN' });
    expect(noticed).toEqual({ open: 'ok', lock: 'ok', fifo: 'ENXIO' });
  });

  it.each(['/usr/src', '/etc/alternatives'])('%s: by a read-only bind all of them do, without the filter', async (directory) => {
    const { answers, noticed } = await reach(directory, '/bound', { ...unfiltered, mounts: [{ bind: directory, to: '/bound', readonly: true }] });
    expect(answers).toMatchObject({ lease: 'ok', lock: 'ok', watch: 'ok', fifo: 'ok', connect: 'ok', events: 'ok' });
    expect(noticed).toEqual({ open: 'EAGAIN', fifo: 'ok' });
  });

  it('by a read-only bind leases are refused by the filter, and the rest is as said', async () => {
    const { answers, noticed } = await reach('/usr/src', '/bound', { mounts: [{ bind: '/usr/src', to: '/bound', readonly: true }] });
    expect(answers).toMatchObject({ open: 'ok', lease: 'EPERM', lock: 'ok', watch: 'ok', connect: 'ok', events: 'ok' });
    expect(noticed).toEqual({ open: 'ok', lock: 'EAGAIN', fifo: 'ok' });
  });
});
