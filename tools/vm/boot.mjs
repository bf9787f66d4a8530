import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { initramfs } from './initramfs.mjs';

/** @import { Kernel } from './kernel.mjs' */

/** Control groups of version 2 alone; of version 1; of version 1, and of version 2 with the controllers that are left; of version 2, by systemd. @typedef {typeof profiles[number]} Profile */
/**
 * @typedef {object} Boot
 * @property {Profile} profile
 * @property {Kernel} kernel
 * @property {readonly string[]} command
 * @property {string} cwd
 * @property {Readonly<Record<string, string>>} [env]
 * @property {number} timeoutMs
 * @property {(directory: string) => void} [collect] is given the directory that was `/vm` in the machine, before it goes
 * @property {(text: string) => void} [output] @default to this process's own
 */

export const profiles = /** @type {const} */ (['v2', 'v1', 'hybrid', 'systemd']);
const DISK_BYTES = 64 * 2 ** 20;
const qemu = 'qemu-system-x86_64';

/** Why no machine can be booted here, if none can. */
export function missing() {
  const path = (process.env['PATH'] ?? '').split(':');
  const programs = [qemu, 'apt-get', 'dpkg-deb', 'tar', 'xz'].filter((program) => !path.some((directory) => existsSync(join(directory, program))));
  if (!existsSync('/bin/busybox')) programs.push('busybox');
  return programs.length === 0 ? undefined : `${programs.join(', ')} missing: apt-get install qemu-system-x86 busybox-static xz-utils`;
}

/** What a profile needs besides, of the file system that the machine shares. @param {Profile} profile */
export function missingFor(profile) {
  if (profile !== 'systemd') return undefined;
  const files = ['/lib/systemd/systemd', '/usr/bin/dbus-daemon'].filter((file) => !existsSync(file));
  return files.length === 0 ? undefined : `${files.join(', ')} missing: apt-get install systemd dbus`;
}

/**
 * Boots a machine, runs a command in it, and resolves with its exit code; 124 when the time was not enough.
 * The command sees the file system of this one. What it writes is gone with the machine, but for what stands in `/vm`.
 *
 * @param {Boot} options
 * @returns {Promise<number>}
 */
export async function boot({ profile, kernel, command, cwd, env = {}, timeoutMs, collect, output = (text) => void process.stdout.write(text) }) {
  const work = mkdtempSync(join(tmpdir(), 'ctr-vm-'));
  const shared = join(work, 'shared');
  mkdirSync(shared);
  writeFileSync(join(work, 'initramfs'), initramfs(kernel.modules));
  writeFileSync(join(work, 'disk'), '');
  truncateSync(join(work, 'disk'), DISK_BYTES);
  const { PATH = '', HOME = '/' } = process.env;
  writeFileSync(join(shared, 'directory'), cwd);
  writeFileSync(join(shared, 'run'), script(command, cwd, { PATH, HOME, CTR_VM: `${kernel.name} ${profile}`, ...env }));
  try {
    const end = await machine(qemu, options(work, shared, kernel.image, profile), timeoutMs, output);
    collect?.(shared);
    if (existsSync(join(shared, 'code'))) return Number(readFileSync(join(shared, 'code'), 'utf8'));
    output(`${end}; the last that ${kernel.name} said:\n${tail(join(work, 'console')).replaceAll(/^/gm, '    ')}\n`);
    return 124;
  } finally {
    rmSync(work, { recursive: true });
  }
}

/**
 * What the machine runs. The output goes through a pipe, so that programs do not take it for a terminal.
 *
 * @param {readonly string[]} command
 * @param {string} cwd
 * @param {Readonly<Record<string, string>>} env
 */
function script(command, cwd, env) {
  return `stty -F /dev/ttyS1 raw
exec 3>/dev/ttyS1
ulimit -n 65536
{
  cd ${quoted(cwd)} && env ${Object.entries(env)
    .map(([name, value]) => quoted(`${name}=${value}`))
    .join(' ')} ${command.map(quoted).join(' ')}
  echo $? > /vm/code
} 2>&1 3>&- </dev/null | cat >&3
stty -F /dev/ttyS1 cooked
exec 3>&-
echo o > /proc/sysrq-trigger
sleep 60
`;
}

/** @param {string} text */
function quoted(text) {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** @param {string} work @param {string} shared @param {string} image @param {Profile} profile */
function options(work, shared, image, profile) {
  // Without message-signalled interrupts: QEMU 7.2 has ended by an assertion (msix_table_mmio_write) while a machine booted.
  const share = (/** @type {string} */ tag, /** @type {string} */ path, more = '') =>
    `-fsdev local,id=${tag},path=${path},security_model=none,multidevs=remap${more} -device virtio-9p-pci,fsdev=${tag},mount_tag=${tag},vectors=0`;
  const groups = profile === 'v2' || profile === 'systemd' ? 'cgroup_no_v1=all' : '';
  const lines = [
    '-M q35 -accel tcg,thread=multi -cpu max -smp 2 -m 3072 -nodefaults -no-user-config -display none -no-reboot',
    `-serial file:${join(work, 'console')} -serial stdio`,
    share('host', '/', ',readonly=on'),
    share('vm', shared),
    // For what the io controller counts and limits.
    `-blockdev driver=file,node-name=disk,filename=${join(work, 'disk')},cache.no-flush=on -device virtio-blk-pci,drive=disk,vectors=0`,
    `-kernel ${image} -initrd ${join(work, 'initramfs')}`,
  ];
  return [...lines.flatMap((line) => line.split(' ')), '-append', `console=ttyS0 quiet panic=-1 ctr_profile=${profile} ${groups}`];
}

/**
 * Runs QEMU to its end.
 *
 * @param {string} program
 * @param {readonly string[]} args
 * @param {number} timeoutMs
 * @param {(text: string) => void} output
 * @returns {Promise<string>} how it ended
 */
export function machine(program, args, timeoutMs, output) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', output);
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve(signal === 'SIGKILL' ? `not done after ${timeoutMs / 1000} s` : `${program} ended with ${signal ?? `exit code ${code}`}`);
    });
  });
}

/** @param {string} file */
function tail(file) {
  return existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n').slice(-30).join('\n') : '';
}
