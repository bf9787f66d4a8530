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
  const name = to.replaceAll('/', '.');
  const done = label(`${from} is there`);
  const refused = label(`overlayfs is refused: ${from} read-only`);
  return [
    ...overlaid({ from, to, upper: name, attributes: attributesAt(from), refused }, root, options),
    ...mountsBelow(from).flatMap(({ path, attributes }, i): Step[] => {
      const at = `${to}${path.slice(from.length)}`;
      const next = label(`${path} is there`);
      const other = label(`overlayfs is refused: ${path} read-only`);
      const steps = overlaid({ from: path, to: at, upper: `${name}.${i}`, attributes, refused: other }, root, options);
      return [...steps, goTo(next), other, ...bound(path, root, at, options), next];
    }),
    goTo(done),
    refused,
    ...bound(from, root, to, options),
    done,
  ];
}

interface Overlaid {
  readonly from: string;
  readonly to: string;
  /** The name of the upper layer. */
  readonly upper: string;
  readonly attributes: MountAttributes;
  /** The step to go on with where overlayfs is refused. */
  readonly refused: Step;
}

/** One directory through an overlay, without what is mounted below it. */
function overlaid(
  { from, to, upper, attributes, refused }: Overlaid,
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
  return [
    ...(readonly ? [] : [directory(scratch, upper), directory(scratch, `${upper}.work`)]),
    ...steps,
    attachBelow(mount, root, to),
    { call: 'close', args: [mount], purpose: 'it is attached' },
  ];
}

function bound(from: string, root: ResultOf, to: string, { devices }: Layers): Step[] {
  const { steps, mount } = bindMount(from, { recursive: true, readonly: true, ...(!devices && { noDev: true }) });
  return [...steps, attachBelow(mount, root, to), { call: 'close', args: [mount], purpose: 'it is attached' }];
}

function goTo(to: Step): Step {
  return { call: 'add', args: [0, 0], purpose: `go on: ${to.purpose}`, jump: { when: '==', to } };
}
