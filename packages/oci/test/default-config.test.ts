import { describe, expect, it } from 'vitest';

import { defaultConfig, parseConfig, parseJson, validate, type Config } from '@ctr/oci';

import { corpus } from './corpus.js';

/** What `runc spec` writes, without what it and this one have of their own. */
const ofRunc = (name: string): Config => parseConfig(corpus.find(([found]) => found === name)?.[1] ?? '');
const comparable = ({ process, linux, ...rest }: Config): object => ({
  ...rest,
  ociVersion: '',
  hostname: '',
  // runc left the ambient ones out later.
  process: { ...process, capabilities: { ...process?.capabilities, ambient: [] } },
  linux: { ...linux, namespaces: linux?.namespaces?.filter(({ type }) => type !== 'cgroup'), maskedPaths: linux?.maskedPaths?.toSorted() },
});

describe.each([
  ['for root', defaultConfig(), 'runc-spec'],
  ['for an ordinary user', defaultConfig({ rootless: true, uid: 0, gid: 0 }), 'runc-spec-rootless'],
] as const)('the configuration to begin with %s', (_, config, name) => {
  it('has no problems', () => {
    expect(validate(config)).toEqual([]);
    expect(validate(parseJson(JSON.stringify(config)))).toEqual([]);
  });

  it('is that of runc', () => {
    expect(comparable(config)).toEqual(comparable(ofRunc(name)));
  });
});

it('maps the caller, or who is named', () => {
  expect(defaultConfig({ rootless: true }).linux?.uidMappings).toEqual([{ containerID: 0, hostID: process.geteuid?.(), size: 1 }]);
  expect(defaultConfig({ rootless: true, uid: 1000, gid: 100 }).linux).toMatchObject({
    uidMappings: [{ containerID: 0, hostID: 1000, size: 1 }],
    gidMappings: [{ containerID: 0, hostID: 100, size: 1 }],
  });
});

it('refuses what is no id, and options that it does not know', () => {
  expect(() => defaultConfig({ rootless: true, uid: -1 })).toThrow(RangeError);
  expect(() => defaultConfig({ rootles: true } as object)).toThrow('did you mean rootless?');
});
