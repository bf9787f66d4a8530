// Writes the tables of docs/oci.md: the fields, from what @ctr/oci checks a configuration by, and the differences from runc, from what the tests compare with.
// With --check it only compares, and fails where they are stale.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { supportedFields } from '@ctr/oci';

import { writeOrCheck } from './generated.mjs';
import { root } from './setup.mjs';

const page = join(root, 'docs/oci.md');
/** @type {readonly { readonly what: string, readonly runc: string, readonly ctr: string, readonly why: string }[]} */
const differences = JSON.parse(readFileSync(join(root, 'packages/oci/test/differential/differences.json'), 'utf8'));

/** @type {Record<string, string>} */
const tables = {
  differences: table(
    ['', 'runc', 'ctr-oci', 'why'],
    differences.map(({ what, runc, ctr, why }) => [what, runc, ctr, why]),
  ),
  fields: table(
    ['field', 'what may stand there', 'since', 'support'],
    supportedFields().map(({ path, allowed, required, since = '', deprecated, support, needs }) => [
      `\`${path}\`${required ? ', required' : ''}`,
      deprecated === undefined ? allowed : `${allowed}; deprecated: ${deprecated}`,
      since,
      support === 'applied' && needs !== undefined ? `applied; needs ${needs}` : support,
    ]),
  ),
};

const before = readFileSync(page, 'utf8');
const after = before.replaceAll(
  /(<!-- (\w+): node tools\/oci-docs\.mjs -->\n)[\s\S]*?(<!-- end -->)/g,
  (_, begin, name, end) => `${begin}\n${tables[name]}\n${end}`,
);
writeOrCheck(page, before, after, 'docs/oci.md is stale: run node tools/oci-docs.mjs, and look at the difference');

/**
 * @param {readonly string[]} head
 * @param {readonly (readonly string[])[]} rows
 */
function table(head, rows) {
  const line = (/** @type {readonly string[]} */ cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`;
  return line(head) + line(head.map(() => '---')) + rows.map(line).join('');
}
