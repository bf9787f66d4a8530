import { label, type ResultOf, type Step } from '@ctr/syscall';
import { attachBelow, bindMount, directory, overlayMount, type MountAttributes } from '@ctr/fs';

import { attributesAt, mountsBelow } from './host-mounts.js';

/** What the overlays of one root have in common. */
export interface Layers {
  /** The tmpfs of the upper layers, which is also the working directory: layers are named from there. It has an empty directory `nothing`. */
  readonly scratch: ResultOf;
  /** Device files can be opened. */
  readonly devices: boolean;
  /** Overlayfs keeps its notes in attributes that a user namespace may set. */
  readonly userXattr: boolean;
}

/**
 * Shows a directory of the host, and all that is mounted below it, through overlays: no file of the host is opened itself, so that a lease, a lock, a watch, a FIFO or a socket of the
 * container is none of the host's. Overlayfs does not show what is mounted below its layers: each such mount gets an overlay of its own.
 * Where overlayfs is refused (a file, a file system that cannot be a layer, mounts that a user namespace may not take apart), it is a recursive read-only bind.
 *
 * @param from a directory of the host
 * @param to where it is attached below `root`: a directory that is there
 * @see The kernel's Documentation/filesystems/overlayfs.rst
 */
export function layer(from: string, root: ResultOf, to: string, options: Layers & { readonly readonly: boolean }): Step[] {
  const below = mountsBelow(from);
  const done = label(`${from} is there`);
  const refused = label(`overlayfs is refused: ${from} read-only`);
  const name = to.replaceAll('/', '.');
  const top = { from, to, upper: name, attributes: attributesAt(from), refused };
  return [
    ...overlaid(below.length === 0 ? { ...top, done } : top, root, options),
    ...below.flatMap(({ path, attributes }, i): Step[] => {
      const each = { from: path, to: `${to}${path.slice(from.length)}`, upper: `${name}.${i}`, attributes };
      const other = label(`overlayfs is refused: ${path} read-only`);
      const next = i === below.length - 1 ? done : label(`${path} is there`);
      return [
        ...overlaid({ ...each, refused: other, done: next }, root, options),
        other,
        ...bound(each, root, options, next),
        ...(next === done ? [] : [next]),
      ];
    }),
    refused,
    ...bound(top, root, options),
    done,
  ];
}

interface Overlaid {
  readonly from: string;
  readonly to: string;
  /** The name of the upper layer. */
  readonly upper: string;
  readonly attributes: MountAttributes;
  /** The steps to go on with where overlayfs is refused, and where it is not. */
  readonly refused: Step;
  readonly done?: Step;
}

/** One directory through an overlay, without what is mounted below it. */
function overlaid(
  { from, to, upper, attributes, refused, done }: Overlaid,
  root: ResultOf,
  { scratch, devices, userXattr, readonly }: Layers & { readonly readonly: boolean },
): Step[] {
  const { steps, mount } = overlayMount({
    lower: readonly ? [from, 'nothing'] : [from],
    ...(!readonly && { upper, work: `${upper}.work` }),
    userXattr,
    ...attributes,
    ...(!devices && { noDev: true }),
    ...(readonly && { readonly }),
    onFailure: refused,
    purpose: `${from}, ${readonly ? 'read-only' : 'copy on write'}`,
  });
  return [...(readonly ? [] : [directory(scratch, upper), directory(scratch, `${upper}.work`)]), ...steps, attachBelow(mount, root, to), closed(mount, done)];
}

function bound({ from, to }: Pick<Overlaid, 'from' | 'to'>, root: ResultOf, { devices }: Layers, done?: Step): Step[] {
  const { steps, mount } = bindMount(from, { recursive: true, readonly: true, ...(!devices && { noDev: true }) });
  return [...steps, attachBelow(mount, root, to), closed(mount, done)];
}

function closed(mount: ResultOf, done: Step | undefined): Step {
  return { call: 'close', args: [mount], purpose: 'it is attached', ...(done && { jump: { when: '==', to: done } }) };
}
