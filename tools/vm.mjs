// Runs a command on another kernel, with other control groups than this machine has: `node tools/vm.mjs --profile v2 --kernel 6.12 -- cat /proc/cgroups`.
// It boots under QEMU without hardware support, with the root of this machine to read and without a network; its exit code is the command's.
import { parseArgs } from 'node:util';

import { boot, missing, missingFor, profiles } from './vm/boot.mjs';
import { kernel } from './vm/kernel.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    profile: { type: 'string', default: 'v2' },
    kernel: { type: 'string', default: '6.1' },
    timeout: { type: 'string', default: '600' },
  },
});
const profile = profiles.find((name) => name === values.profile);
if (profile === undefined || positionals.length === 0) {
  console.error(`node tools/vm.mjs [--profile ${profiles.join('|')}] [--kernel 6.1] [--timeout SECONDS] -- COMMAND…`);
  process.exit(2);
}
const reason = missing() ?? missingFor(profile);
if (reason !== undefined) {
  console.error(reason);
  process.exit(2);
}
process.exitCode = await boot({ profile, kernel: kernel(values.kernel), command: positionals, cwd: process.cwd(), timeoutMs: Number(values.timeout) * 1000 });
