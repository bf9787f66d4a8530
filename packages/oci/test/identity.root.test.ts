import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, it, onTestFinished } from 'vitest';

import { identityOf, isAlive, openProcess } from '../src/state/identity.js';

it('a process is known by its start, and is no more once it has ended', async () => {
  const child = spawn('sleep', ['1000']);
  const identity = identityOf(child.pid ?? 0);
  if (!identity) throw new Error('it runs');
  expect(isAlive(identity)).toBe(true);
  openProcess(identity)?.close();
  const other = { ...identity, startTime: String(Number(identity.startTime) + 1) };
  expect(isAlive(other)).toBe(false);
  expect(openProcess(other)).toBeUndefined();
  child.kill('SIGKILL');
  await new Promise((resolve) => child.once('exit', resolve));
  expect([isAlive(identity), openProcess(identity), identityOf(identity.pid)]).toEqual([false, undefined, undefined]);
});

it('a process whose first thread has ended runs as long as another does', async (context) => {
  if (!existsSync('/usr/bin/gcc')) context.skip('gcc is not installed');
  const directory = mkdtempSync(join(tmpdir(), 'ctr-oci-thread-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const source = `#include <pthread.h>
#include <stdio.h>
#include <unistd.h>
static pthread_t first;
static void *wait(void *none) { pthread_join(first, 0); puts("alone"); fflush(stdout); pause(); return none; }
int main(void) { pthread_t other; first = pthread_self(); pthread_create(&other, 0, wait, 0); pthread_exit(0); }
`;
  writeFileSync(join(directory, 'threads.c'), source);
  execFileSync('gcc', ['-pthread', '-o', join(directory, 'threads'), join(directory, 'threads.c')]);
  const child = spawn(join(directory, 'threads'), { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  await new Promise((resolve) => child.stdout.once('data', resolve));
  const identity = identityOf(child.pid ?? 0);
  expect(identity && isAlive(identity)).toBe(true);
  using pidfd = identity && openProcess(identity);
  expect(pidfd).toBeDefined();
});
