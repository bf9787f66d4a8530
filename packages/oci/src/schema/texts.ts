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

/** A list of numbers as the kernel reads it: `0-3,7`, `0-31:2/4`, `all`. @see cpuset(7) */
export const numberList: TextRule = (text) => {
  const wrong = 'numbers and ranges, such as 0-3,7';
  if (text.trim() === '') return undefined;
  for (const part of text.trim().split(',')) {
    if (part === 'all' || part === '') continue;
    const [, from, to] = /^\s*([0-9]{1,10}|N)(?:-([0-9]{1,10}|N)(?::[0-9]{1,10}\/[1-9][0-9]{0,9})?)?\s*$/.exec(part) ?? [];
    if (from === undefined || (to !== undefined && Number(to) < Number(from))) return wrong;
  }
  return undefined;
};

/** Both rules: what the first does not object to. */
export function both(first: TextRule, second: TextRule): TextRule {
  return (text) => first(text) ?? second(text);
}
