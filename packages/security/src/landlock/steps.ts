import {
  AT_FDCWD,
  errnos,
  Fd,
  label,
  landlockNetPortAttr,
  landlockPathBeneathAttr,
  landlockRuleTypes,
  openFlags,
  resultOf,
  type Load,
  type ResultOf,
  type Step,
  type Struct,
} from '@ctr/syscall';

import { FILE_RIGHTS } from './rights.js';

/** A file or directory that a rule is about: by a path, or open. */
export type RulePlace = { readonly path: string; readonly optional: boolean } | { readonly fd: Place };

type Place = Fd | ResultOf | Load;

/**
 * Steps that allow something at a file, or at a directory and below it. The rights of directories are left out for what turns out to be a file:
 * that is found out when the plan runs, in the root that it is in by then.
 */
export function pathRule(ruleset: Step, place: RulePlace, access: number): Step[] {
  return 'path' in place ? byPath(ruleset, place.path, place.optional, access) : byFd(ruleset, place.fd, access);
}

/** A step that allows something at a port, in network namespaces of whatever kind. */
export function portRule(ruleset: Step, port: number, access: number): Step {
  return {
    call: 'landlock_add_rule',
    args: [resultOf(ruleset), landlockRuleTypes.LANDLOCK_RULE_NET_PORT, landlockNetPortAttr({ allowed_access: access, port }), 0],
    purpose: `allow it at port ${port}`,
    hints: { EAFNOSUPPORT: 'the kernel is built without TCP/IP, so there are no ports to have rules on: leave tcp and udp out' },
  };
}

function byPath(ruleset: Step, path: string, optional: boolean, access: number): Step[] {
  const rule = landlockPathBeneathAttr({ allowed_access: access });
  const next = label(`${path} is allowed, if it exists`);
  const open: Step = {
    call: 'openat',
    args: [AT_FDCWD, path, openFlags.O_PATH | openFlags.O_CLOEXEC],
    purpose: `find ${path}`,
    as: path.split('/').findLast((component) => component !== '') ?? 'root',
    into: rule.field('parent_fd'),
    ...(optional && { tolerates: ['ENOENT', 'ENOTDIR'], jump: { when: '<', to: next } }),
    hints: { ENOENT: 'a rule needs something to be about: make it first, leave it out, or call it optional' },
  };
  const close: Step = { call: 'close', args: [resultOf(open)], purpose: `${path} is not needed any more` };
  return [open, ...addRule(ruleset, rule, resultOf(open), path, close), close, ...(optional ? [next] : [])];
}

function byFd(ruleset: Step, fd: Place, access: number): Step[] {
  const name = fd instanceof Fd ? (fd.path ?? 'an open file') : fd.kind === 'result' && fd.step.as !== undefined ? `$${fd.step.as}` : 'an open file';
  const done = label(`${name} is allowed`);
  const { rule, steps } = ruleAbout(fd, access, `the rule is about ${name}`);
  const add = addRule(ruleset, rule, fd, name, done);
  return [...steps, ...add, ...(add.length > 1 ? [done] : [])];
}

function ruleAbout(fd: Place, access: number, purpose: string): { readonly rule: Struct; readonly steps: Step[] } {
  if (fd instanceof Fd) return { rule: landlockPathBeneathAttr({ allowed_access: access, parent_fd: fd }), steps: [] };
  const rule = landlockPathBeneathAttr({ allowed_access: access });
  return { rule, steps: [{ call: 'add', args: [fd, 0], purpose, into: rule.field('parent_fd') }] };
}

function addRule(ruleset: Step, rule: Struct, fd: Place, name: string, done: Step): Step[] {
  const access = Number(rule.values['allowed_access']);
  const add = (rule: Struct, purpose: string, extra: Partial<Step> = {}): Step => ({
    call: 'landlock_add_rule',
    args: [resultOf(ruleset), landlockRuleTypes.LANDLOCK_RULE_PATH_BENEATH, rule, 0],
    purpose,
    hints: {
      EBADFD: `${name} is not in a filesystem that rules can be about: a pipe, a socket, or a file of the kernel's own`,
      EINVAL: `${name} is a file, and what is allowed has a meaning for directories only`,
    },
    ...extra,
  });
  const ofFile = access & FILE_RIGHTS;
  if (ofFile === access || ofFile === 0) return [add(rule, `allow it at ${name}`)];
  const narrowed = ruleAbout(fd, ofFile, 'it is a file: a rule without the rights of directories');
  return [
    add(rule, `allow it at ${name}, if that is a directory`, { tolerates: ['EINVAL'], jump: { when: '!=', than: -errnos.EINVAL, to: done } }),
    ...narrowed.steps,
    add(narrowed.rule, `allow at the file ${name} what has a meaning there`),
  ];
}
