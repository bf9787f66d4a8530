import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { commands } from '../src/commands.js';
import { manual, overview, signature } from '../src/help.js';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

describe('the help', () => {
  it.each([['ctr help', overview()], ...commands.map((command) => [`ctr help ${command.name}`, manual(command)])])('%s fits 100 columns', (_, text) => {
    expect(text?.split('\n').filter((line) => [...line].length > 100)).toEqual([]);
    expect(text).toMatch(/[^\n]\n$/);
  });

  it('shows options by group', () => {
    const gc = commands.find(({ name }) => name === 'gc');
    expect(gc && manual(gc)).toMatchInlineSnapshot();
  });
});

describe('README.md', () => {
  it.each(commands.filter(({ options }) => options.length > 0).map((command) => [command.name, command] as const))(
    'has the options of ctr %s',
    (_, command) => {
      const table = ['| option | |', '| --- | --- |', ...command.options.map((option) => `| \`${cell(signature(option).trim())}\` | ${cell(option.help)} |`)];
      // The options of child and compile are those of run.
      const rows = command.name === 'child' || command.name === 'compile' ? [] : table;
      expect(readme).toContain(rows.join('\n'));
    },
  );
});

function cell(text: string): string {
  return text.replaceAll('|', String.raw`\|`);
}
