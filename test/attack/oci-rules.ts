// The default filter as a bundle has it.
import type { LinuxSeccompArg, LinuxSyscall } from '@ctr/oci';
import type { SeccompArg, SeccompRule } from '@ctr/security';

/**
 * The rules as the OCI runtime-spec can say them, which has no order: what is refused for some values of an argument is allowed for those between them.
 * The upper halves of the arguments count there.
 */
export function asOci(rules: readonly SeccompRule[]): LinuxSyscall[] {
  const refusals = rules.filter(({ first }) => first);
  const names = new Set(refusals.flatMap(({ names: own }) => own ?? []));
  const others = rules.flatMap(({ names: own, action, errnoRet, args, first }): LinuxSyscall[] => {
    const rest = (own ?? []).filter((name) => !names.has(name));
    return first || rest.length === 0
      ? []
      : [{ names: rest, action, ...(typeof errnoRet === 'number' && { errnoRet }), ...(args && { args: args.map(argOf) }) }];
  });
  const allowed = [...names].flatMap((name): LinuxSyscall[] => {
    const own = refusals.filter((rule) => rule.names?.includes(name)).flatMap(({ args }) => args ?? []);
    const [index = 0] = own.map((arg) => arg.index);
    const values = own.map(({ valueTwo }) => Number(valueTwo ?? 0)).toSorted((a, b) => a - b);
    const [least = 0, most = 0] = [values[0], values.at(-1)];
    const between = Array.from({ length: most - least }, (_, i) => least + i).filter((value) => !values.includes(value));
    const allow = (value: number, op: 'SCMP_CMP_LT' | 'SCMP_CMP_EQ' | 'SCMP_CMP_GT'): LinuxSyscall => ({
      names: [name],
      action: 'SCMP_ACT_ALLOW',
      args: [{ index, value, op }],
    });
    return [allow(least, 'SCMP_CMP_LT'), ...between.map((value) => allow(value, 'SCMP_CMP_EQ')), allow(most, 'SCMP_CMP_GT')];
  });
  return [...others, ...allowed];
}

function argOf({ index, value, valueTwo, op }: SeccompArg): LinuxSeccompArg {
  return { index, value, ...(typeof valueTwo === 'number' && { valueTwo }), op };
}
