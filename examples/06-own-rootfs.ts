// A root file system of one's own: a static busybox and nothing else. What the container mounts on it, the host does not see.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '@ctr/runtime';
import { busyboxRootfs } from './rootfs/busybox.js';

const rootfs = busyboxRootfs();
const script = 'readlink /bin/ls; touch /tmp/inside; ls /tmp; hostname';
const { stdout } = await run(['sh', '-c', script], { rootfs, hostname: 'box', mounts: [{ tmpfs: '/tmp' }] });
console.log(stdout.trim());
console.log(`on the host: ${existsSync(join(rootfs, 'tmp/inside'))}`);
// prints:
// busybox
// inside
// box
// on the host: false
