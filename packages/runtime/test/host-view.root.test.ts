// What a container with the host's programs sees of the host is what programs of the host see.
import { describe, expect, it } from 'vitest';

import type { ContainerOptions } from '@ctr/runtime';

import { watchForLeaks } from './leaks.js';
import { NodeProgram } from './node-program.js';
import { byPrivateHost, mounts } from './private-host.js';

watchForLeaks();

const program = new NodeProgram(new URL('./host-view-program.ts', import.meta.url));

async function scene(name: string, options: ContainerOptions = {}): Promise<unknown> {
  const { stdout, stderr } = await program.run([name, JSON.stringify(options)], { by: byPrivateHost });
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

interface View {
  readonly host: string;
  readonly container: string;
}

const kinds: readonly (readonly [string, ContainerOptions])[] = [
  ['by default', {}],
  ['read-only', { readonly: true }],
  ['in a user namespace', { namespaces: { user: 'new' } }],
  ['with the own id alone', { namespaces: { user: 'new' }, ids: 'own' }],
];

describe('a mount below the directories of the host', () => {
  it.each(kinds)('is seen, and what it covers is not: %s', async (_, options) => {
    const { host, container, attributes, after } = (await scene('mounts', options)) as View & { attributes: string; after: string };
    expect(host.match(/ seen$/gm)).toHaveLength(7);
    expect(host).not.toMatch(/covered$/m);
    expect(container).toBe(host);
    expect(attributes).toMatch(/noexec/);
    expect(after).toBe(host);
  });

  it('is seen, and what it covers is not: by an ordinary user', async () => {
    const by = [...byPrivateHost, 'sh', '-c', `${mounts}\nexec "$@"`, 'sh', 'setpriv', '--reuid=54321', '--regid=54321', '--clear-groups'];
    const { stdout, stderr } = await program.run(['mounts'], { by });
    expect(stderr).toBe('');
    const { host, container } = JSON.parse(stdout) as View;
    expect(host.match(/ seen$/gm)).toHaveLength(7);
    expect(container).toBe(host);
  });

  it.each(kinds.slice(0, 2))('is seen in a container that is compiled: %s', async (_, options) => {
    const { host, container } = (await scene('compiled', options)) as View;
    expect(host.match(/ seen$/gm)).toHaveLength(7);
    expect(container).toBe(host);
  });

  it('is noticed when it comes and goes, though plans are kept', async () => {
    const { before, during, after } = (await scene('changes')) as Record<'before' | 'during' | 'after', View>;
    expect(before.container).toBe(before.host);
    expect(during.container).toBe(during.host);
    expect(during.host).not.toBe(before.host);
    expect(after.container).toBe(after.host);
    expect(after.host).toMatch(/usr\/src\/covered covered$/m);
  });
});

describe('a file of /etc', () => {
  it.each(kinds)('has the mode that the host gave it, or is left out: %s', async (_, options) => {
    const missing = (name: string): string => `stat: cannot statx '${name}': No such file or directory\n`;
    expect(await scene('modes', options)).toBe(
      `${missing('profile')}444 0 host.conf\n${missing('inputrc')}${missing('ssl')}${missing('localtime')}${missing('alternatives')}644 0 passwd\n`,
    );
  });

  it('is left out where its mode has changed since the plan was made', async () => {
    expect(await scene('late')).toEqual(['644 /etc/profile\n', "stat: cannot statx '/etc/profile': No such file or directory\n", '644 /etc/profile\n']);
  });
});

describe("the host's root as that of the container", () => {
  const mounts = [{ tmpfs: '/tmp' }];

  it('cannot be written where it is read-only, nor can what is mounted below it', async () => {
    expect(await scene('root', { rootfs: '/', readonly: true, mounts })).toEqual(['/tmp/ctr-made\n', '']);
  });

  it('is written where that is allowed by its name', async () => {
    const options = { rootfs: '/', writableHostRoot: true, mounts };
    expect(await scene('root', options)).toEqual(['/mnt/ctr-made\n/tmp/ctr-made\n/usr/ctr-made\n', '/mnt/ctr-made\n/usr/ctr-made\n']);
  });
});
