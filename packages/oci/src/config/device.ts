import { integer, object, required, text, uint32, word, type Schema } from '../schema/schema.js';
import { absolutePath } from '../schema/texts.js';

/** A device file of the container. @see mknod(2) */
export interface LinuxDevice {
  /** `c` and `u` are of characters, `b` is of blocks, `p` is a fifo. */
  readonly type: 'c' | 'b' | 'u' | 'p';
  /** An absolute path in the container. */
  readonly path: string;
  /** Of all but a fifo. */
  readonly major?: number;
  readonly minor?: number;
  /** A decimal number in JSON: 438 is 0666. */
  readonly fileMode?: number;
  /** The owner, as an id of the container. */
  readonly uid?: number;
  readonly gid?: number;
}

/** linux/kdev_t.h: a number has 12 bits for the one and 20 for the other */
const MOST_MAJOR = 2 ** 12 - 1;
const MOST_MINOR = 2 ** 20 - 1;
/** linux/stat.h: where a mode has the type of a file */
const S_IFMT = 0o170000;

export const device: Schema<LinuxDevice> = object<LinuxDevice>(
  {
    type: required(word(['c', 'b', 'u', 'p'])),
    path: required(text('an absolute path', (path) => (path.split('/').includes('..') ? 'an absolute path without ..' : absolutePath(path)))),
    major: integer(0, MOST_MAJOR),
    minor: integer(0, MOST_MINOR),
    fileMode: uint32(),
    uid: uint32(),
    gid: uint32(),
  },
  (value, report) => {
    if (value.type !== 'p')
      for (const part of ['major', 'minor'] as const)
        if (value[part] === undefined) report.error(part, undefined, `a number, for a device of type ${value.type}`);
    // podman writes the type of the file, too.
    if (((value.fileMode ?? 0) & ~S_IFMT) >>> 0 > 0o777) report.warning('fileMode', value.fileMode, 'at most 511, which is 0777: what is beyond has no effect');
  },
);
