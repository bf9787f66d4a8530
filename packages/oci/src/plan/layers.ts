import { MAX_OPTION_BYTES } from '@ctr/fs';

/**
 * fsconfig(2) takes so many bytes, and engines give all lower layers of an overlay as one. Where that is longer each is given on its own, which takes Linux 6.8.
 *
 * @see linux/Documentation/filesystems/overlayfs.rst, Multiple lower layers
 */
export function layersOneByOne(settings: Map<string, string | true | readonly string[]>): void {
  const layers = settings.get('lowerdir');
  // Behind two colons come layers that have data alone, which are another option.
  if (typeof layers !== 'string' || Buffer.byteLength(layers) <= MAX_OPTION_BYTES || layers.includes('::')) return;
  settings.delete('lowerdir');
  settings.set(
    'lowerdir+',
    layers.split(/(?<!\\):/).map((layer) => layer.replaceAll(/\\([:\\])/g, '$1')),
  );
}
