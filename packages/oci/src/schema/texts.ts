import type { TextRule } from './schema.js';

/** limits.h: PATH_MAX and NAME_MAX of linux */
const PATH_MAX = 4096;
const NAME_MAX = 255;
/** linux/binfmts.h: what one argument may have, with its NUL */
const MAX_ARG_STRLEN = 131_072;

/** What makes up a path is checked for its length only: what it leads to is the kernel's matter. */
export const path: TextRule = (text) => {
  if (text === '') return 'a path, which is not empty';
  if (Buffer.byteLength(text) >= PATH_MAX) return `a path of less than ${PATH_MAX} bytes`;
  return text.split('/').some((name) => Buffer.byteLength(name) > NAME_MAX) ? `a path, of which no part is longer than ${NAME_MAX} bytes` : undefined;
};

export const absolutePath: TextRule = (text) => (text.startsWith('/') ? path(text) : 'an absolute path');

export const oneLine: TextRule = (text) => (text.includes('\n') ? 'a string without line breaks' : undefined);

export const notEmpty: TextRule = (text) => (text === '' ? 'a string, which is not empty' : undefined);

/** execve(2) takes no longer one. */
export const argument: TextRule = (text) =>
  text.length < MAX_ARG_STRLEN / 4 || Buffer.byteLength(text) < MAX_ARG_STRLEN ? undefined : `a string of less than ${MAX_ARG_STRLEN} bytes`;

/** net/core/dev.c, dev_valid_name; linux/if.h: IFNAMSIZ */
export const interfaceName: TextRule = (text) =>
  text === '' || Buffer.byteLength(text) > 15 || text === '.' || text === '..' || /[/:\s]/.test(text)
    ? 'the name of a network device: up to 15 bytes, without / : and white space'
    : undefined;

/** include/linux/threads.h: NR_CPUS is at most 8192 (CONFIG_NR_CPUS of arch/x86/Kconfig); include/linux/numa.h: CONFIG_NODES_SHIFT is at most 10. */
export const LAST_CPU = 8191;
export const LAST_NODE = 1023;

/**
 * A list of numbers as the kernel reads it: `0-3,7`, `0-31:2/4`, `all`. Ranges are looked at by their ends.
 *
 * @param last the largest number that any kernel has
 * @see cpuset(7)
 */
export function numberList(last: number): TextRule {
  const wrong = `numbers from 0 to ${last}, and ranges of them, such as 0-3,7`;
  // As much as the kernel takes for the largest machine: kernel/cgroup/cpuset.c, max_write_len.
  const most = 100 + 6 * (last + 1);
  return (text) => {
    if (text.length > most) return `${wrong}, in at most ${most} characters`;
    if (text.trim() === '') return undefined;
    for (const part of text.trim().split(',')) {
      if (part === 'all' || part === '') continue;
      const [, from, to] = /^\s*([0-9]{1,10}|N)(?:-([0-9]{1,10}|N)(?::[0-9]{1,10}\/[1-9][0-9]{0,9})?)?\s*$/.exec(part) ?? [];
      if (from === undefined || Number(from) > last || Number(to) > last || Number(to) < Number(from)) return wrong;
    }
    return undefined;
  };
}

/** A list whose numbers are all written out, for system calls that take a mask. */
export function plainNumberList(last: number): TextRule {
  const rule = numberList(last);
  return (text) => rule(text) ?? (/^[0-9,\s-]*$/.test(text) ? undefined : `numbers from 0 to ${last}, and ranges of them, such as 0-3,7`);
}

/** Both rules: what the first does not object to. */
export function both(first: TextRule, second: TextRule): TextRule {
  return (text) => first(text) ?? second(text);
}
