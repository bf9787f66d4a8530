// `npm run test:vm`: the tests of tools/vm/lane.mjs. `npm run test:vm -- --profile v2 --kernel 6.12 [FILE…]` makes one of the runs, or takes other tests.
import { parseArgs } from 'node:util';

import { bin, quietly, setup } from './setup.mjs';
import { missing } from './vm/boot.mjs';
import { lane, runs } from './vm/lane.mjs';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { profile: { type: 'string' }, kernel: { type: 'string' } } });
const list = runs({ profile: values.profile, release: values.kernel });
const reason = list.length === 0 ? 'there is no such machine: see tools/vm/lane.mjs' : missing();
if (reason !== undefined) {
  console.error(reason);
  process.exit(2);
}
setup();
// The machines load what is built.
quietly(bin('nx'), ['run-many', '--targets=build', '--outputStyle=static']);
const total = { passed: 0, failed: 0, skipped: 0 };
await lane(positionals.length === 0 ? list : list.map((run) => ({ ...run, files: positionals })), ({ name, counts, output, seconds }) => {
  console.log(output);
  console.log(`${name}: ${counts.passed.length} passed, ${counts.failed.length} failed, ${counts.skipped.length} skipped (${seconds.toFixed(0)} s)`);
  for (const { name, reason } of counts.skipped) console.log(`  skipped: ${name} (${reason})`);
  total.passed += counts.passed.length;
  total.failed += counts.failed.length;
  total.skipped += counts.skipped.length;
});
console.log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed === 0 ? 0 : 1;
