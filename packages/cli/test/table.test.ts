import { expect, it } from 'vitest';

import { table } from '../src/table.js';

it('marks what is there, what is missing and what is missed by nobody', () => {
  const sections = [
    {
      title: 'Kernel',
      findings: [
        { what: 'version', ok: true, needed: true, found: '6.1' },
        { what: 'pids', ok: false, needed: true, found: 'no such controller', advice: `boot with it ${'and with more '.repeat(8)}` },
      ],
    },
    { title: 'More', findings: [{ what: 'a name that is longer than the others are', ok: false, needed: false, found: 'not\u001B found' }] },
  ];
  expect(table(sections)).toMatchInlineSnapshot(`
    "Kernel
      ✔ version  6.1
      ✘ pids     no such controller
                 → boot with it and with more and with more and with more and with more and with more
                 and with more and with more and with more 

    More
      – a name that is longer than the others are
                 not\\u001b found
    "
  `);
});
