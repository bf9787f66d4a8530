// A machine for arm64, whose own programs are none of this machine's: busybox, and what it is given.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { machine } from './boot.mjs';
import { archive } from './initramfs.mjs';

/** @typedef {{ code: number, output: string }} Outcome What a command has written, to both streams, and how it has ended. */
/**
 * @typedef {object} Boot
 * @property {{ readonly image: string, readonly directory: string }} kernel
 * @property {Readonly<Record<string, Uint8Array>>} programs by their paths
 * @property {string} setUp commands of a shell that come first
 * @property {Readonly<Record<string, string>>} commands of a shell, by names
 * @property {number} timeoutMs
 */

const qemu = 'qemu-system-aarch64';

/** Why no machine can be booted here, if none can. */
export function missing() {
  const directories = (process.env['PATH'] ?? '').split(':');
  return directories.some((directory) => existsSync(join(directory, qemu))) ? undefined : `${qemu} missing: apt-get install qemu-system-arm`;
}

/**
 * Boots a machine, runs one command after the other, and resolves with what came of each.
 *
 * @param {Boot} options
 * @returns {Promise<Readonly<Record<string, Outcome>>>}
 */
export async function boot({ kernel, programs, setUp, commands, timeoutMs }) {
  const work = mkdtempSync(join(tmpdir(), 'ctr-arm64-'));
  try {
    writeFileSync(join(work, 'initramfs'), archive(files(join(kernel.directory, 'busybox'), programs, setUp, commands)));
    const args =
      '-M virt -accel tcg,thread=multi -cpu max,pauth-impdef=on -smp 2 -m 1024 -nodefaults -no-user-config -nic none -display none -serial stdio -no-reboot';
    const append = 'console=ttyAMA0 quiet loglevel=1 panic=-1';
    let output = '';
    const options = [...args.split(' '), '-kernel', kernel.image, '-initrd', join(work, 'initramfs'), '-append', append];
    const end = await machine(qemu, options, timeoutMs, (text) => (output += text));
    /** @type {Record<string, Outcome>} */
    const outcomes = {};
    for (const [, name = '', code, text = ''] of output.matchAll(/^=(\S+) (\d+) (\S*)\r?$/gm))
      outcomes[name] = { code: Number(code), output: Buffer.from(text, 'base64').toString('latin1') };
    const lost = Object.keys(commands).filter((name) => outcomes[name] === undefined);
    if (lost.length > 0) throw new Error(`nothing came of ${lost.join(', ')}: ${end}, after\n${output}`);
    return outcomes;
  } finally {
    rmSync(work, { recursive: true });
  }
}

/**
 * What is in the machine. The first root of a kernel cannot be exchanged by pivot_root(2): everything moves to another one first.
 *
 * @param {string} busybox
 * @param {Readonly<Record<string, Uint8Array>>} programs
 * @param {string} setUp
 * @param {Readonly<Record<string, string>>} commands
 */
function files(busybox, programs, setUp, commands) {
  const init = `#!/bin/sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t devtmpfs devtmpfs /dev
exec </dev/null >/dev/console 2>&1
mkdir /root
mount -t tmpfs -o mode=755 root /root
cp -a /bin /files/. /root
mkdir -p /root/proc /root/sys /root/dev /root/tmp
mount --move /dev /root/dev
exec switch_root /root /bin/sh /run
`;
  const run = `mount -t proc proc /proc
mount -t sysfs sysfs /sys
mkdir -p /dev/pts /dev/shm
mount -t devpts -o ptmxmode=666 devpts /dev/pts
ip link set lo up
hostname machine
${setUp}
${Object.entries(commands)
  .map(([name, command]) => `( ${command}\n) >/tmp/output 2>&1 </dev/null\necho "=${name} $? $(base64 -w 0 /tmp/output)"`)
  .join('\n')}
sync
echo o > /proc/sysrq-trigger
sleep 60
`;
  const content = { ...programs, '/run': Buffer.from(run) };
  const directories = new Set(Object.keys(content).flatMap(above));
  return [
    ...['bin', 'dev', 'files', ...[...directories].map((directory) => `files${directory}`)].map((name) => ({ name, mode: 0o40755 })),
    { name: 'bin/busybox', mode: 0o100755, content: readFileSync(busybox) },
    { name: 'bin/sh', mode: 0o120777, content: Buffer.from('busybox') },
    { name: 'init', mode: 0o100755, content: Buffer.from(init) },
    ...Object.entries(content).map(([path, bytes]) => ({ name: `files${path}`, mode: 0o100755, content: bytes })),
  ];
}

/** The directories above a file, those at the top first. @param {string} path @returns {string[]} */
function above(path) {
  const directory = dirname(path);
  return directory === '/' ? [] : [...above(directory), directory];
}
