import { isLooser } from './action.js';
import type { CallRule, Condition } from './rules.js';

/** Which of the calls that one call stands for, by its first argument: linux/net.h, SYS_…; the numbers count from 1. */
const socketcall = words(`socket bind connect listen accept getsockname getpeername socketpair send recv sendto recvfrom shutdown setsockopt getsockopt
  sendmsg recvmsg accept4 recvmmsg sendmmsg`);
/** linux/ipc.h, SEMOP … SHMCTL: three kinds, ten numbers apart. */
const ipc = [words('semop semget semctl semtimedop'), words('msgsnd msgrcv msgget msgctl'), words('shmat shmdt shmget shmctl')];

/** asm/unistd_32.h */
const NR_SOCKETCALL = 102;
const NR_IPC = 117;
/** The upper half of what ipc(2) is told has the version of its interface. */
const IPC_CALL = 0xffffn;
const SOCKETCALL_CALL = 0xffffffffn;

/** Of each call, how 32-bit programs on x86 can make it as well: `[number, first argument, bits of it that count]`. */
const ways = new Map<string, readonly [number, bigint, bigint]>([
  ...socketcall.map((name, i) => [name, [NR_SOCKETCALL, BigInt(i + 1), SOCKETCALL_CALL]] as const),
  ...ipc.flatMap((names, kind) => names.map((name, i) => [name, [NR_IPC, BigInt(kind * 10 + i + 1), IPC_CALL]] as const)),
]);

/** Whether a 32-bit program on x86 can make a call by socketcall(2) or ipc(2). */
export function isMultiplexed(name: string): boolean {
  return ways.has(name);
}

/**
 * What the rules for a call, in their order, say of socketcall(2) or ipc(2) that makes the same call.
 *
 * A filter cannot see the arguments there, which are in memory or in other places. So a rule with conditions counts without them if it restricts,
 * and not at all if it gives freedom: whoever wants that allows socketcall itself.
 */
export function onMultiplexer(name: string, rules: readonly CallRule[], otherwise: number): { number: number; rule: CallRule } | undefined {
  const way = ways.get(name);
  const rule = rules.find(({ returns, conditions }) => conditions.length === 0 || !isLooser(returns, otherwise));
  if (!way || !rule) return undefined;
  const [number, value, mask] = way;
  const condition: Condition = { index: 0, op: 'SCMP_CMP_MASKED_EQ', mask, value };
  return { number, rule: { ...rule, conditions: [condition] } };
}

function words(text: string): string[] {
  return text.split(/\s+/);
}
