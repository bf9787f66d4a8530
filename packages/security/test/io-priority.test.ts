import { explain } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import { ioPriority } from '@ctr/security';

describe('ioPriority', () => {
  it('is one call', () => {
    const plan = [
      ...ioPriority({ class: 'IOPRIO_CLASS_RT', priority: 0 }),
      ...ioPriority({ class: 'IOPRIO_CLASS_BE' }),
      ...ioPriority({ class: 'IOPRIO_CLASS_IDLE' }),
    ];
    expect(explain(plan)).toMatchInlineSnapshot(`
      "1  ioprio_set(IOPRIO_WHO_PROCESS, 0, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_RT, 0))  # when the disk serves it
      2  ioprio_set(IOPRIO_WHO_PROCESS, 0, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, 4))  # when the disk serves it
      3  ioprio_set(IOPRIO_WHO_PROCESS, 0, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 0))  # when the disk serves it"
    `);
  });

  it('refuses what is no class, and no priority', () => {
    for (const name of ['IOPRIO_CLASS_NONE', 'IOPRIO_CLASS_B'])
      expect(() => ioPriority({ class: name as 'IOPRIO_CLASS_BE' })).toThrow(/^ioPriority: there is no class: "IOPRIO_CLASS_\w+": /);
    for (const priority of [-1, 8, 1.5]) expect(() => ioPriority({ class: 'IOPRIO_CLASS_BE', priority })).toThrow('it has to be an integer from 0 to 7');
  });
});
