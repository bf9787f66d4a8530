import { announceExec, dieWithHost, errnoName, resultOf, type ResultOf, type Step } from '@ctr/syscall';
import {
  appArmorProfile,
  becomeUser,
  boundingSet,
  capabilitySets,
  firstRefused,
  keepCapabilities,
  newSessionKeyring,
  noNewPrivs,
  rlimits,
  seccomp,
  selinuxKeyLabel,
  selinuxLabel,
} from '@ctr/security';

import { programOf } from './program.js';
import type { Section } from './section.js';
import type { Spec } from './spec.js';

/**
 * Gives up, for good, what the program is not to have: the last thing before it, since what comes before needs more than the program does.
 *
 * The filter of system calls is the very last, so that it need not allow what the set-up calls. Where new privileges are allowed only CAP_SYS_ADMIN
 * may load one: there it comes before the capabilities are given up, and has to let that pass.
 *
 * @param proc the container's own, if it has one: by which a security module is told what to make of the program
 * @param terminal what is still needed of the open files
 * @param keptFiles the other files that are still needed, in order: those by which the program registers with the keeper
 * @param hasHost whether a host reads the report: else its file is not there to be asked
 */
export function rights(
  spec: Spec,
  { proc, terminal }: { readonly proc: ResultOf | undefined; readonly terminal: { readonly slave: ResultOf } | undefined },
  { keptFiles, hasHost }: { readonly keptFiles: readonly number[]; readonly hasHost: boolean },
): Section[] {
  const { user, hardening } = spec;
  const { capabilities, added, noNewPrivileges, filter } = hardening;
  const filtered: Section = ['the filter of system calls', filter ? seccomp(filter) : []];
  const isRoot = (user?.uid ?? 0) === 0;
  const kept = isRoot ? capabilities : added;
  return [
    ['the security module', proc ? labels(spec, proc) : []],
    ['the resource limits', rlimits(hardening.rlimits)],
    ['the session keyring', hardening.sessionKeyring === 'new' ? newSessionKeyring() : []],
    ...(noNewPrivileges ? [] : [filtered]),
    ['the bounding set', boundingSet(capabilities)],
    ['the user', becoming(spec, !isRoot && added.length > 0)],
    ['the capabilities', capabilitySets({ permitted: kept, effective: kept, ...(!isRoot && { inheritable: kept, ambient: kept }) })],
    ['the privileges', noNewPrivileges ? noNewPrivs() : []],
    // The kernel forgets it at a change of user.
    ['the tie to the host', user ? dieWithHost().slice(0, hasHost ? undefined : 1) : []],
    ['the open files', closeFiles(terminal?.slave, keptFiles)],
    ...(noNewPrivileges ? [filtered] : []),
  ];
}

/** The first one after the standard streams and the report to the host. */
const FIRST_FD = 4;
const LAST_FD = 0xffffffff;

/**
 * Closes what the set-up and the caller have opened. That it would be closed when the program is executed is too late: the kernel looks the program up before,
 * and a link of the image to `/proc/self/fd/N/...` would lead to the host.
 */
function closeFiles(slave: ResultOf | undefined, kept: readonly number[]): Step[] {
  const close = (from: number | ResultOf, to: number | ResultOf, purpose: string, more: Partial<Step> = {}): Step => ({
    call: 'close_range',
    args: [from, to, 0],
    purpose,
    ...more,
  });
  const starts = [FIRST_FD, ...kept.map((fd) => fd + 1)];
  const ranges = starts.map((start, i) => [start, (kept[i] ?? LAST_FD + 1) - 1] as const).filter(([start, end]) => start <= end);
  const [[first, end] = [FIRST_FD, LAST_FD], ...others] = ranges;
  const rest = others.map((range) => close(...range, 'nor what it opened above that'));
  if (!slave) return [close(first, end, 'nothing that the set-up opened is open any more'), ...rest];
  const last: Step = { call: 'add', args: [slave, -1], purpose: 'all up to the terminal' };
  const after: Step = { call: 'add', args: [slave, 1], purpose: 'and all after it' };
  return [
    last,
    close(first, resultOf(last), 'nothing that the set-up opened before it is open any more', { tolerates: ['EINVAL'] }),
    after,
    close(resultOf(after), end, 'nor what it opened after it'),
    ...rest,
  ];
}

/**
 * Refuses a profile of the caller's under which the plan could not go on to the program, before there is a process. Throws a `TypeError`.
 * Why a program could not be executed may then remain untold; that it could not is told by the errno.
 */
export function checkFilter(spec: Spec, setUp: readonly Step[]): void {
  const { filter, ownProfile } = spec.hardening;
  if (!filter || !ownProfile) return;
  const loaded = setUp.findIndex(({ call }) => call === 'seccomp');
  const end: Step = { call: 'exit_group', args: [0], purpose: 'end' };
  const rest = [...setUp.slice(loaded + 1), announceExec(), ...programOf(spec).filter(({ call }) => call === 'execve'), end];
  const refused = firstRefused(filter, rest);
  if (!refused) return;
  const { step, verdict } = refused;
  const answer = verdict.action === 'SCMP_ACT_ERRNO' ? errnoName(verdict.data) : verdict.action;
  throw new TypeError(`seccomp: the profile answers ${step.call} with ${answer}, which has to be made after it is loaded (${step.purpose}): allow it`);
}

function labels({ hardening: { appArmorProfile: profile, selinuxLabel: label } }: Spec, proc: ResultOf): Step[] {
  return [
    ...(profile === undefined ? [] : appArmorProfile(profile, { proc })),
    ...(label === undefined ? [] : [...selinuxLabel(label, { proc }), ...selinuxKeyLabel(label, { proc })]),
  ];
}

function becoming({ user, namespaces }: Spec, keep: boolean): Step[] {
  if (user) return [...(keep ? keepCapabilities() : []), ...becomeUser(user)];
  // In a user namespace with the caller's id alone it is denied, and the groups mean nothing there.
  return namespaces.user === 'host'
    ? [{ call: 'setgroups', args: [0, null], purpose: "the caller's further groups are not the container's", tolerates: ['EPERM'] }]
    : [];
}
