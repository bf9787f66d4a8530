// Plans as text, independent of where in a plan a step stands.
import { explain, type Plan } from '@ctr/syscall';

/** One line for each step, without its number; jumps name the purpose of their target. */
export function lines(plan: Plan): string[] {
  const purposeOf = (number: string): string => `‹${plan[Number(number) - 1]?.purpose ?? '?'}›`;
  return explain(plan)
    .split('\n')
    .map((line) =>
      line
        .replace(/^\s*\d+ {2}/, '')
        .replaceAll(/ go to (\d+)/g, (_, number: string) => ` go to ${purposeOf(number)}`)
        .replaceAll(/\$(\d+)\b/g, (_, number: string) => `$${purposeOf(number)}`),
    );
}

/** The lines by which one plan differs from another: `-` only in the first, `+` only in the second, and the unchanged line before each difference. */
export function changes(from: Plan, to: Plan): string {
  return differences(lines(from), lines(to));
}

/** {@link changes} of plans as text. */
export function differences(a: readonly string[], b: readonly string[]): string {
  const common = commonLengths(a, b);
  const result: string[] = [];
  let [i, j, shown] = [0, 0, true];
  const show = (line: string): void => {
    if (!shown) result.push(`  ${i === 0 ? '' : a[i - 1]}`);
    shown = true;
    result.push(line);
  };
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      [i, j, shown] = [i + 1, j + 1, false];
    } else if (j >= b.length || (i < a.length && (common[i + 1]?.[j] ?? 0) >= (common[i]?.[j + 1] ?? 0))) {
      show(`- ${a[i]}`);
      i++;
    } else {
      show(`+ ${b[j]}`);
      j++;
    }
  }
  return result.join('\n');
}

/** The length of the longest common subsequence of the rests from i and j on. */
function commonLengths(a: readonly string[], b: readonly string[]): number[][] {
  const lengths = Array.from({ length: a.length + 1 }, () => Array.from({ length: b.length + 1 }, () => 0));
  for (let i = a.length - 1; i >= 0; i--) {
    const [row = [], below = []] = [lengths[i], lengths[i + 1]];
    for (let j = b.length - 1; j >= 0; j--) row[j] = a[i] === b[j] ? (below[j + 1] ?? 0) + 1 : Math.max(below[j] ?? 0, row[j + 1] ?? 0);
  }
  return lengths;
}
