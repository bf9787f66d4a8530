import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readlinkSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';

import { describe, expect, it } from 'vitest';

import { allNamespaces, inspect, namespaceFile, sameNamespace } from '@ctr/namespaces';

describe('inspect', () => {
  it('has the inode of each kind', async () => {
    const found = await inspect(process.pid);
    for (const kind of allNamespaces) expect(`${namespaceFile(kind)}:[${found[kind]}]`).toBe(readlinkSync(`/proc/self/ns/${namespaceFile(kind)}`));
  });

  it('says that there is no such process, that it has ended, and that it is no pid', async () => {
    await expect(inspect(4_194_304)).rejects.toThrow(
      'stat("/proc/4194304/ns/user") = ENOENT (no such file or directory): the user namespace of process 4194304\nhint: there is no process 4194304',
    );
    await expect(inspect(0)).rejects.toThrow(RangeError);
    await expect(inspect(-1)).rejects.toThrow(RangeError);
  });

  it('of a process that has ended and was not waited for rejects', async () => {
    // The shell starts a process that reads its input to the end, and becomes one that does not wait for it.
    const parent = spawn('/bin/sh', ['-c', 'exec 3<&0; cat <&3 >/dev/null & echo $!; exec sleep 3600'], { stdio: ['pipe', 'pipe', 'ignore'] });
    const [chunk] = (await once(parent.stdout, 'data')) as [Buffer];
    const pid = Number(String(chunk));
    while (readFileSync(`/proc/${parent.pid}/comm`, 'latin1') !== 'sleep\n') await setImmediate();
    parent.stdin.end();
    while (!readFileSync(`/proc/${pid}/status`, 'latin1').includes('\nState:\tZ')) await setImmediate();
    await expect(inspect(pid)).rejects.toThrow(`hint: process ${pid} has ended`);
    parent.kill('SIGKILL');
    await once(parent, 'exit');
  });
});

describe('sameNamespace', () => {
  it('compares two processes', async () => {
    expect(await sameNamespace('net', process.pid, process.ppid)).toBe(true);
    await expect(sameNamespace('mnt' as never, process.pid, process.ppid)).rejects.toThrow('ctr calls it mount');
  });
});
