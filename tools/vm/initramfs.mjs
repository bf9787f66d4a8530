import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/**
 * The first file system of the machine: busybox, {@link file://./init init}, and the modules.
 *
 * @param {readonly string[]} modules
 */
export function initramfs(modules) {
  return archive([
    ...['bin', 'dev', 'proc', 'sys', 'modules'].map((name) => ({ name, mode: 0o40755 })),
    { name: 'bin/busybox', mode: 0o100755, content: readFileSync('/bin/busybox') },
    { name: 'bin/sh', mode: 0o120777, content: Buffer.from('busybox') },
    { name: 'init', mode: 0o100755, content: readFileSync(join(import.meta.dirname, 'init')) },
    ...modules.map((path) => ({ name: `modules/${basename(path)}`, mode: 0o100644, content: readFileSync(path) })),
  ]);
}

/**
 * A cpio archive in the form "newc", the only one that the kernel reads.
 *
 * @param {readonly { name: string, mode: number, content?: Uint8Array }[]} files
 * @see Documentation/driver-api/early-userspace/buffer-format.rst
 */
export function archive(files) {
  return Buffer.concat(
    [...files, { name: 'TRAILER!!!', mode: 0 }].flatMap(({ name, mode, content = Buffer.alloc(0) }, index) => {
      // inode, mode, uid, gid, links, mtime, size, device of the file (2) and of the special file (2), length of the name, checksum
      const fields = [index + 1, mode, 0, 0, 1, 0, content.length, 0, 0, 0, 0, Buffer.byteLength(name) + 1, 0];
      const header = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}${name}\0`;
      return [padded(Buffer.from(header)), padded(content)];
    }),
  );
}

/** @param {Uint8Array} bytes */
function padded(bytes) {
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
}
