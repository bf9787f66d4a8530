import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The first block of a language in a file of docs/, which tests use as it is. */
export function snippet(file: string, language: string): string {
  const text = readFileSync(join(import.meta.dirname, '../../../../docs', file), 'utf8');
  const block = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'ms').exec(text)?.[1];
  if (block === undefined) throw new Error(`docs/${file} has no block of ${language}`);
  return block;
}
