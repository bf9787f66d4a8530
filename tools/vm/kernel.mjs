// The kernels of the machine: Debian's packages, downloaded by apt as any user can, of which only some files are unpacked. Nothing is installed.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

import { root } from '../setup.mjs';

/** @typedef {{ name: string, image: string, modules: readonly string[] }} Kernel `name` is the package's; the modules stand in the order to insert them. */

/** What the root file system of the host, an overlay over it, a disk with its scheduler, and a file system on that need, each behind those that it needs itself. */
const modules = [
  'netfs fscache 9pnet 9p virtio_ring virtio virtio_pci_modern_dev virtio_pci_legacy_dev 9pnet_virtio virtio_pci overlay',
  'virtio_blk bfq crc16 crc32c_generic mbcache jbd2 ext4',
].flatMap((line) => line.split(' '));
/** What is unpacked depends on the list: each list has a place of its own. */
const cache = join(root, 'node_modules/.cache/vm', createHash('sha256').update(modules.join()).digest('hex').slice(0, 8));

/**
 * The newest kernel of a release (`6.1`), from the cache or by apt.
 *
 * @param {string} release
 * @returns {Kernel}
 */
export function kernel(release) {
  const wanted = new RegExp(String.raw`^linux-image-${release.replaceAll('.', String.raw`\.`)}\.[0-9][^-]*(-\d+)?-amd64$`);
  mkdirSync(cache, { recursive: true });
  let name = newest(readdirSync(cache), wanted);
  if (name === undefined) {
    name = newest(output('apt-cache', ['pkgnames', `linux-image-${release}.`]).split('\n'), wanted);
    if (name === undefined) throw new Error(`apt knows no package of Linux ${release}: apt-get update, or another --kernel`);
    unpack(name);
  }
  const directory = join(cache, name);
  const files = readdirSync(directory).toSorted();
  return {
    name: name.replace('linux-image-', ''),
    image: join(directory, 'kernel'),
    modules: files.filter((file) => file.endsWith('.ko')).map((file) => join(directory, file)),
  };
}

/** @param {readonly string[]} names @param {RegExp} wanted */
function newest(names, wanted) {
  return names
    .filter((name) => wanted.test(name))
    .toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }))
    .at(-1);
}

/** Downloads a package, and keeps its kernel and the modules. @param {string} name */
function unpack(name) {
  console.error(`downloading ${name} …`);
  const work = mkdtempSync(join(cache, 'unpack-'));
  try {
    output('apt-get', ['download', name], work);
    const [deb] = readdirSync(work);
    if (deb === undefined) throw new Error(`apt-get download ${name} left no file`);
    const patterns = ['./boot/vmlinuz-*', ...modules.map((module) => `*/${module}.ko*`)];
    output(
      'sh',
      ['-c', 'deb=$1; shift; dpkg-deb --fsys-tarfile "$deb" | tar -x --wildcards --no-anchored "$@" 2>/dev/null; rm "$deb"', 'sh', deb, ...patterns],
      work,
    );
    const found = readdirSync(work, { recursive: true, encoding: 'utf8' });
    const into = join(work, 'kept');
    mkdirSync(into);
    const image = found.find((path) => basename(path).startsWith('vmlinuz-'));
    if (image === undefined) throw new Error(`there is no kernel in ${name}`);
    writeFileSync(join(into, 'kernel'), bootable(readFileSync(join(work, image))));
    for (const [index, module] of modules.entries()) {
      const file = found.find((path) => basename(path).startsWith(`${module}.ko`));
      // What is missing is built into this kernel.
      if (file !== undefined)
        writeFileSync(
          join(into, `${String(index).padStart(2, '0')}-${module}.ko`),
          file.endsWith('.xz') ? xz(readFileSync(join(work, file))) : readFileSync(join(work, file)),
        );
    }
    place(into, join(cache, name));
  } finally {
    rmSync(work, { recursive: true });
  }
}

/** Nobody sees it before all of it is there; where another run was faster, its is the same. @param {string} from @param {string} to */
function place(from, to) {
  try {
    renameSync(from, to);
  } catch (error) {
    if (!existsSync(to)) throw error;
  }
}

/**
 * The ELF file in a bzImage that xz has packed, which QEMU starts as it is: the emulated processor takes 3 s to unpack it itself. Others do it faster, and stay as they are.
 *
 * @param {Buffer} image
 * @see Documentation/arch/x86/boot.rst: setup_sects, payload_offset, payload_length
 */
function bootable(image) {
  const start = ((image[0x1f1] || 4) + 1) * 512 + image.readUInt32LE(0x248);
  // Four bytes behind the payload say how long it is unpacked.
  const payload = image.subarray(start, start + image.readUInt32LE(0x24c) - 4);
  return payload.toString('latin1', 1, 6) === '7zXZ\0' ? xz(payload) : image;
}

/** @param {Buffer} packed */
function xz(packed) {
  const { stdout, status, error } = spawnSync('xz', ['-dc'], { input: packed, maxBuffer: Infinity });
  if (status !== 0) throw new Error(`xz -dc: ${error?.message ?? `exit code ${status}`}`);
  return stdout;
}

/** @param {string} program @param {readonly string[]} args @param {string} [cwd] */
function output(program, args, cwd) {
  const { stdout, stderr, status, error } = spawnSync(program, args, { cwd, encoding: 'utf8', maxBuffer: Infinity });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${error?.message ?? (stderr.trim() || `exit code ${status}`)}`);
  return stdout;
}
