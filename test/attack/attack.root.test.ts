// Attacks by every way into a container, of every kind of caller: `npm run test:attack` makes all of them and writes docs/attacks.md; `npm test` makes those that are quick.
import { spawnSync } from 'node:child_process';

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { isAsked, isWhole, record } from '../../tools/attack-record.mjs';
import { verdictOf } from './attack.js';
import { callers, noIds } from './callers.js';
import { hostView } from './host-view.js';
import { images } from './images.js';
import { inside } from './inside.js';
import { ways } from './job.js';
import { life } from './life.js';
import { Stage } from './stage.js';
import { streams } from './streams.js';

const noCompiler =
  spawnSync('gcc', ['-static', '-x', 'c', '-o', '/dev/null', '-'], { input: 'int main(void) { return 0; }' }).status === 0
    ? undefined
    : 'gcc makes no static programs here';
/** Those that are made in one container for each cell. */
const quick = [...inside, ...streams.filter(({ name }) => name !== 'directory-up' && name !== 'ignored-streams')];
const attacks = (isWhole ? [...inside, ...streams, ...images, ...hostView, ...life] : quick).filter(({ name }) => isAsked(name));
const CELL_TIMEOUT_MS = 180_000;

const stage = new Stage();
beforeAll(async () => {
  if (noCompiler === undefined) await stage.setUp();
});
afterAll(() => stage.tearDown());

describe.each(callers)('$name', (caller) => {
  beforeEach((context) => {
    const missing = noCompiler ?? (caller.name === 'user with ids' ? noIds : undefined);
    if (missing !== undefined) context.skip(missing);
  });

  it.each(ways)('gives a hostile program nothing by %s', { timeout: CELL_TIMEOUT_MS }, async (way) => {
    const through: string[] = [];
    for (const attack of attacks) {
      const { mark, detail } = await verdictOf(attack, stage, caller, way);
      record({ attack: attack.name, group: attack.group, tries: attack.tries, way, caller: caller.name, mark, detail });
      if (mark === 'GOT THROUGH') through.push(`${attack.name}: ${detail}`);
    }
    expect(through).toEqual([]);
  });
});

it('the same attempts succeed where they may: each by at least one kind of caller', { timeout: CELL_TIMEOUT_MS }, async (context) => {
  if (noCompiler !== undefined) context.skip(noCompiler);
  const without: string[] = [];
  for (const attack of attacks) {
    const able: string[] = [];
    let reason = '';
    for (const caller of callers) {
      if (caller.name === 'user with ids' && noIds !== undefined) continue;
      const control = attack.control(stage, caller);
      if (typeof control === 'string') reason = control;
      else if (await control) able.push(caller.name);
    }
    record({ attack: attack.name, group: attack.group, tries: attack.tries, caller: able.join(', '), mark: reason === '' ? 'control' : '–', detail: reason });
    if (reason === '' && able.length === 0) without.push(attack.name);
  }
  expect(without).toEqual([]);
});
