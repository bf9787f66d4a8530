import { explain, explainArgs, explainCall, printable, printableLines, type Plan, type Step } from '@ctr/syscall';

import { posture } from '@ctr/runtime';

import { print } from './print.js';
import { wrap } from './wrap.js';

/** Prints a plan, as strace would or as JSON. */
export function printPlan(plan: Plan, { json = false }: { readonly json?: boolean }): void {
  print(json ? `[\n${toJson(plan).join(',\n')}\n]\n` : `${explain(plan)}\n`);
}

const ITEM_WIDTH = 20;
const VALUE_WIDTH = 90;

/** Prints what a plan keeps its program from, as a table or as JSON. */
export function printPosture(plan: Plan, { json = false }: { readonly json?: boolean }): void {
  const items = posture(plan);
  if (json) print(`${printableLines(JSON.stringify(Object.fromEntries(items.map(({ item, value }) => [item, value])), undefined, 2))}\n`);
  else
    print(
      items.flatMap(({ item, value }) => wrap(printable(value), VALUE_WIDTH).map((line, i) => `${(i === 0 ? item : '').padEnd(ITEM_WIDTH)}${line}\n`)).join(''),
    );
}

/** One object a line. Steps count from 1, as in the text. */
function toJson(plan: Plan): string[] {
  const index = new Map(plan.map((step, i) => [step, i]));
  const number = (step: Step): number => (index.get(step) ?? -1) + 1;
  return plan.map((step) =>
    printableLines(
      JSON.stringify({
        index: number(step),
        call: step.call,
        args: explainArgs(step, index),
        line: explainCall(step, index),
        purpose: step.purpose,
        ...(step.as !== undefined && { as: step.as }),
        ...(step.tolerates && { tolerates: step.tolerates }),
        ...(step.jump && { jump: { when: step.jump.when, to: number(step.jump.to) } }),
        ...(step.onFailure && { onFailure: number(step.onFailure) }),
      }),
    ),
  );
}
