import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import type { Option } from '../src/args.js';
import { commands } from '../src/commands.js';
import { manual, overview, signature } from '../src/help.js';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

describe('the help', () => {
  it.each([['ctr help', overview()], ...commands.map((command) => [`ctr help ${command.name}`, manual(command)])])('%s fits 100 columns', (_, text) => {
    expect(text?.split('\n').filter((line) => line.length > 100)).toEqual([]);
    expect(text).toMatch(/[^\n]\n$/);
  });

  it('shows options by group', () => {
    const gc = commands.find(({ name }) => name === 'gc');
    expect(gc && manual(gc)).toMatchInlineSnapshot(`
      "Remove the cgroups that killed ctr processes have left behind.

      Usage: ctr gc [OPTIONS]

      Containers:
            --cgroup-parent PATH    The cgroup above those of the containers, as ctr run takes it
                                    (default: /ctr)

      Output:
        -q, --quiet                 Says nothing but errors
            --debug                 Shows the whole plan and the stack with an error; CTR_DEBUG=1 does the
                                    same

      Each ctr run does so as well, where it makes its own. Containers whose ctr is alive are never
      touched.

      Examples:
        ctr gc --cgroup-parent /jobs
            what ctr run --cgroup-parent /jobs has left
      "
    `);
  });
});

describe('README.md', () => {
  it.each(commands.map((command) => [command.name, command] as const))('has ctr %s', (_, { name, summary, options }) => {
    expect(readme).toContain(`| \`ctr ${name}\` | ${cell(summary)} |`);
    if (name === 'run') expect(readme).toContain(optionsTable(options));
  });
});

/** As the README has it. */
function optionsTable(options: readonly Option[]): string {
  const groups = [...new Set(options.map(({ group }) => group))];
  const rows = groups.flatMap((group) => [
    `| **${group}** | |`,
    ...options.filter((option) => option.group === group).map((option) => `| \`${cell(signature(option).trim())}\` | ${cell(option.help)} |`),
  ]);
  return ['| option | |', '| --- | --- |', ...rows].join('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', String.raw`\|`);
}
