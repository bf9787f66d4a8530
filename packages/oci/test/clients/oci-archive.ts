import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** An archive with an image of one layer, as clients import it. */
export function ociArchive(directory: string, layer: string, name: string): string {
  const archive = join(directory, 'image.tar');
  execFileSync('tar', ['-C', ociLayout(directory, layer, name), '-cf', archive, '.']);
  return archive;
}

/**
 * A directory with an image of one layer, of the tag `latest`.
 *
 * @see https://github.com/opencontainers/image-spec/blob/main/image-layout.md
 */
export function ociLayout(directory: string, layer: string, name: string): string {
  const layout = join(directory, 'layout');
  mkdirSync(join(layout, 'blobs/sha256'), { recursive: true });
  const blob = (bytes: Buffer | string, mediaType: string) => {
    const hash = createHash('sha256').update(bytes).digest('hex');
    writeFileSync(join(layout, 'blobs/sha256', hash), bytes);
    return { mediaType: `application/vnd.oci.image.${mediaType}`, digest: `sha256:${hash}`, size: Buffer.byteLength(bytes) };
  };
  const files = blob(readFileSync(layer), 'layer.v1.tar');
  const { arch } = process;
  const config = {
    architecture: arch === 'x64' ? 'amd64' : arch,
    os: 'linux',
    config: { Cmd: ['/bin/sh'], Env: ['PATH=/bin'] },
    rootfs: { type: 'layers', diff_ids: [files.digest] },
  };
  const manifest = blob(JSON.stringify({ schemaVersion: 2, config: blob(JSON.stringify(config), 'config.v1+json'), layers: [files] }), 'manifest.v1+json');
  const annotations = { 'io.containerd.image.name': name, 'org.opencontainers.image.ref.name': 'latest' };
  writeFileSync(join(layout, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [{ ...manifest, annotations }] }));
  writeFileSync(join(layout, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  return layout;
}
