import { readFileSync, statSync } from 'node:fs';

import { parseDeviceRule, type DeviceRule } from '@ctr/cgroups';
import { parseCapability, type Capability, type Rlimit, type Rlimits, type RlimitValue, type SeccompProfile } from '@ctr/security';
import { maskedSystemPaths, privileged, readonlySystemPaths, type ContainerOptions } from '@ctr/runtime';
import { nodePath } from '@ctr/syscall';

import type { Settings } from './settings.js';
import { UsageError } from './usage-error.js';

/** What the settings say of the rights of a program. What is said one by one counts more than `--privileged`. Throws a {@link UsageError}. */
export function hardeningOptions(settings: Settings): ContainerOptions {
  const deviceRules = settings.deviceRules.map(deviceRule);
  const { devices, sysctls, umask, sessionKeyring, session } = settings;
  const add = capabilities('--cap-add', settings.capAdd) ?? (settings.privileged ? 'all' : undefined);
  const drop = capabilities('--cap-drop', settings.capDrop);
  const rlimits = Object.fromEntries(settings.ulimits.map(ulimit)) as Rlimits;
  return {
    ...(settings.privileged && privileged),
    ...((add ?? drop) && { capabilities: { ...(add && { add }), ...(drop && { drop }) } }),
    ...settings.securityOptions.reduce<ContainerOptions>((options, text) => ({ ...options, ...securityOption(text, options) }), {}),
    ...(settings.ulimits.length > 0 && { rlimits }),
    ...(devices.length > 0 && { devices }),
    // With that, every device is allowed already.
    ...(deviceRules.length > 0 && !settings.privileged && { deviceRules }),
    ...(Object.keys(sysctls).length > 0 && { sysctls }),
    ...(umask !== undefined && { umask }),
    ...(sessionKeyring && { sessionKeyring }),
    ...(session && { session }),
  };
}

function deviceRule(text: string): DeviceRule {
  try {
    return parseDeviceRule(text);
  } catch (error) {
    throw new UsageError('--device-cgroup-rule', undefined, (error as Error).message);
  }
}

function capabilities(option: string, names: readonly string[]): readonly Capability[] | 'all' | undefined {
  if (names.length === 0) return undefined;
  if (names.some((name) => name.toUpperCase() === 'ALL')) return 'all';
  return names.map((name) => {
    try {
      return parseCapability(name);
    } catch (error) {
      throw new UsageError(option, undefined, (error as Error).message);
    }
  });
}

/** `NAME=SOFT:HARD`, or one value for both. The names are known to those who make steps of it. */
function ulimit(text: string): [name: string, Rlimit] {
  const [, name = '', soft = '', hard = soft] = /^([a-z]+)=(unlimited|-1|\d+)(?::(unlimited|-1|\d+))?$/.exec(text) ?? [];
  if (name === '') throw new UsageError('--ulimit', text, 'NAME=SOFT or NAME=SOFT:HARD, such as nofile=1024:4096; a limit is a number, or unlimited');
  return [name, { soft: limitValue(soft), hard: limitValue(hard) }];
}

function limitValue(text: string): RlimitValue {
  return text === 'unlimited' || text === '-1' ? 'unlimited' : BigInt(text);
}

/** One `--security-opt`, with what those before it have come to. docker separates name and value by a colon as well. */
function securityOption(text: string, before: ContainerOptions): ContainerOptions {
  const [, name = text, value] = /^([a-z-]+)[=:](.*)$/s.exec(text) ?? [];
  if (name === 'seccomp' && value) return { seccomp: value === 'unconfined' ? value : readProfile(value) };
  if (name === 'writable-host-root' && (value ?? 'true').match(/^(true|false)$/)) return { writableHostRoot: value !== 'false' };
  if (name === 'no-new-privileges' && (value ?? 'true').match(/^(true|false)$/)) return { noNewPrivileges: value !== 'false' };
  if (text === 'systempaths=unconfined' || (name === 'unmask' && value?.toUpperCase() === 'ALL')) return { maskedPaths: [], readonlyPaths: [] };
  const { maskedPaths = maskedSystemPaths(), readonlyPaths = readonlySystemPaths } = before;
  const paths = value?.split(':') ?? [];
  if (name === 'apparmor' && value) return { appArmorProfile: value };
  if (name === 'label' && value) return { selinuxLabel: value };
  if (name === 'mask' && value) return { maskedPaths: [...maskedPaths, ...paths] };
  if (name === 'unmask' && value)
    return { maskedPaths: maskedPaths.filter((path) => !paths.includes(path)), readonlyPaths: readonlyPaths.filter((path) => !paths.includes(path)) };
  throw new UsageError(
    '--security-opt',
    text,
    'seccomp=FILE, seccomp=unconfined, no-new-privileges[=false], mask=PATH[:PATH…], unmask=ALL, unmask=PATH[:PATH…], apparmor=PROFILE, label=LABEL or writable-host-root',
  );
}

const MAX_PROFILE_BYTES = 2 ** 20;

function readProfile(path: string): SeccompProfile {
  if (path.includes('\0')) throw new UsageError('--security-opt seccomp', path, 'the path of a file, without a NUL byte');
  try {
    const stat = statSync(nodePath(path));
    if (!stat.isFile() || stat.size > MAX_PROFILE_BYTES) throw new UsageError('--security-opt seccomp', path, `a file of at most ${MAX_PROFILE_BYTES} bytes`);
    return JSON.parse(readFileSync(nodePath(path), 'utf8')) as SeccompProfile;
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError('--security-opt seccomp', path, `a profile as docker and the OCI runtime-spec have them, in JSON: ${(error as Error).message}`);
  }
}
