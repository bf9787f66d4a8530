import { atMost, list, map, object, opaque, required, since, text, type Schema } from '../schema/schema.js';
import { notEmpty } from '../schema/texts.js';
import { hooks, type Hooks } from './hooks.js';
import { linux, type Linux } from './linux.js';
import { mount, type Mount } from './mount.js';
import { process, type Process } from './process.js';
import { root, type Root } from './root.js';

/**
 * A container as the OCI runtime-spec describes it: the content of `config.json`. Versions 1.0 to 1.3; what came after 1.0 is marked.
 *
 * @see https://github.com/opencontainers/runtime-spec/blob/main/config.md
 */
export interface Config {
  /** The version of the runtime-spec that it is written for: `1.2.0`. */
  readonly ociVersion: string;
  /** The root file system. Every platform but one needs it. */
  readonly root: Root;
  /** The program. A container is created without it, but not started. */
  readonly process?: Process;
  /** Needs a UTS namespace. */
  readonly hostname?: string;
  /** The NIS domain name; needs a UTS namespace. 1.1 */
  readonly domainname?: string;
  /** Made in this order. */
  readonly mounts?: readonly Mount[];
  readonly hooks?: Hooks;
  /** What others want to note. No key is empty. */
  readonly annotations?: Readonly<Record<string, string>>;
  readonly linux?: Linux;
  /** Of other platforms: kept, but not looked into. */
  readonly solaris?: object;
  readonly windows?: object;
  readonly vm?: object;
  readonly zos?: object;
  readonly freebsd?: object;
}

/** https://semver.org, without the parts that a pattern of a line does not need */
const version = /^(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})(?:-[0-9A-Za-z.-]{1,100})?(?:\+[0-9A-Za-z.-]{1,100})?$/;
/** utsname(2): __NEW_UTS_LEN */
const NAME_BYTES = 64;

function hostName(name: string): string | undefined {
  return Buffer.byteLength(name) > NAME_BYTES || /\p{Cc}/u.test(name) ? `a name of up to ${NAME_BYTES} bytes, without control characters` : undefined;
}

export const config: Schema<Config> = object<Config>(
  {
    ociVersion: required(text('a version of the runtime-spec, such as 1.2.0', (given) => (version.test(given) ? undefined : 'a version, such as 1.2.0'))),
    root: required(root),
    process,
    hostname: text('a host name', hostName),
    domainname: since('1.1', text('a domain name', hostName)),
    // Each takes some ten steps.
    mounts: atMost(4096, list(mount)),
    hooks,
    annotations: map(text(), notEmpty),
    linux,
    solaris: opaque(),
    windows: opaque(),
    vm: opaque(),
    zos: opaque(),
    freebsd: opaque(),
  },
  (value, report) => {
    const [, major, minor] = version.exec(value.ociVersion) ?? [];
    if (Number(major) > 1) report.error('ociVersion', value.ociVersion, 'a version 1: no other is known');
    else if (Number(major) < 1) report.warning('ociVersion', value.ociVersion, 'a version before 1.0: read as 1.0');
    else if (Number(minor) > 3) report.warning('ociVersion', value.ociVersion, 'a version after 1.3: what is new in it has no effect');
  },
);
