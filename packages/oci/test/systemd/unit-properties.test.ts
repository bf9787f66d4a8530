import { expect, it } from 'vitest';

import { problemText, validate } from '@ctr/oci';

import { unitPropertiesOf } from '../../src/systemd/unit-properties.js';

const prefix = 'org.systemd.property.';
const propertiesOf = (values: Record<string, string>) => {
  const annotations = Object.fromEntries(Object.entries(values).map(([name, value]) => [prefix + name, value]));
  const { properties, wrong } = unitPropertiesOf({ 'com.example.other': '(', ...annotations });
  return { properties: Object.fromEntries(properties), wrong: wrong.map(({ key, allowed }) => `${key.slice(prefix.length)}: ${allowed}`) };
};

it('annotations with the prefix are properties, the others are not', () => {
  expect(propertiesOf({ CollectMode: "'inactive'", TimeoutStopUSec: 'uint64 5', After: "['a.service']" })).toEqual({
    properties: { CollectMode: ['s', 'inactive'], TimeoutStopUSec: ['t', 5], After: ['as', ['a.service']] },
    wrong: [],
  });
});

it('a name that ends in Sec has seconds, which are told in microseconds', () => {
  expect(propertiesOf({ TimeoutStopSec: '3', RuntimeMaxSec: '1.5', JobTimeoutSec: 'uint64 9007199255' }).properties).toEqual({
    TimeoutStopUSec: ['t', 3_000_000],
    RuntimeMaxUSec: ['t', 1_500_000],
    JobTimeoutUSec: ['t', '9007199255000000'],
  });
  expect(propertiesOf({ TimeoutStopSec: "'3'", RuntimeMaxSec: '-1', JobTimeoutSec: 'uint64 18446744073709551615' })).toEqual({
    properties: {},
    wrong: ['TimeoutStopSec: a number of seconds', 'RuntimeMaxSec: a number of seconds', 'JobTimeoutSec: a number of seconds'],
  });
});

it('what is no property, is set twice, or is of ctr-oci itself is told of', () => {
  expect(
    propertiesOf({ '': '1', 'after-this': '1', Slice: "'a.slice'", TimeoutStopSec: '3', TimeoutStopUSec: 'uint64 3', CollectMode: 'inactive' }).wrong,
  ).toEqual([
    ': a key that ends in a property as D-Bus has it, such as org.systemd.property.CollectMode',
    'after-this: a key that ends in a property as D-Bus has it, such as org.systemd.property.CollectMode',
    'Slice: nothing: ctr-oci sets Slice itself',
    'TimeoutStopUSec: nothing: TimeoutStopUSec is set by another annotation already',
    expect.stringMatching(/^CollectMode: a type that is taken/) as string,
  ]);
});

it('validate tells of them by their place, as a warning: without systemd they are of no effect', () => {
  const process = { cwd: '/', args: ['true'] };
  const config = {
    ociVersion: '1.2.0',
    root: { path: 'rootfs' },
    process,
    linux: { namespaces: [{ type: 'mount' }] },
    annotations: { [`${prefix}After`]: '[]' },
  };
  const problems = validate(config);
  expect(problems.map(({ severity }) => severity)).toEqual(['warning']);
  expect(problems.map(problemText)).toEqual([
    'annotations["org.systemd.property.After"]: "[]": the type before an empty array, as in @as []: refused where systemd makes the cgroup',
  ]);
});
