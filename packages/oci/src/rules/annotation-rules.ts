import { member, type Problem } from '../schema/problem.js';
import { shown } from '../schema/shown.js';
import { unitPropertiesOf, type WrongProperty } from '../systemd/unit-properties.js';
import type { Rule } from './rule.js';

const ANNOTATIONS = 'annotations';

export const annotationRules: readonly Rule[] = [
  {
    about: [ANNOTATIONS],
    check(config, report) {
      // Where systemd is not asked they are what somebody has noted.
      for (const { key, value, allowed } of unitPropertiesOf(config.annotations).wrong)
        report.warning(member(ANNOTATIONS, key), value, `${allowed}: refused where systemd makes the cgroup`);
    },
  },
];

/** What is a warning in general keeps a container from being made by systemd. */
export function wrongProperty({ key, value, allowed }: WrongProperty): Problem {
  return { severity: 'error', path: member(ANNOTATIONS, key), given: shown(value), allowed };
}
