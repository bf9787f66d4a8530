import type { IoDevice, Limits } from '@ctr/cgroups';
import type { ContainerOptions, HostDevice, Mount, NamespaceChoice } from '@ctr/runtime';

/** The kinds of namespaces, as the options name them. */
export type Kind = keyof NonNullable<ContainerOptions['namespaces']>;

/** One limit of one disk, and the option that has set it. */
export interface DiskLimit {
  readonly option: string;
  readonly device: string;
  readonly limit: Exclude<keyof IoDevice, 'device'>;
  readonly value: number | 'max';
}

/** What the options of a command line come to. */
export interface Settings {
  /** The directory of an OCI bundle, which says all the rest. */
  oci?: string;
  rootfs?: string;
  rootSizeBytes?: number;
  hostname?: string;
  name?: string;
  /** Of `--env-file`; what `--env` says counts more. */
  readonly fileEnv: Record<string, string>;
  readonly env: Record<string, string>;
  workdir?: string;
  user?: string;
  init?: boolean;
  readonly mounts: Mount[];
  readonly?: boolean;
  readonly limits: { -readonly [Limit in keyof Limits]: Limits[Limit] };
  /** Memory and swap together, as docker counts them. */
  memorySwapBytes?: number | 'max';
  /** Limits of single disks, by the paths of their devices. */
  readonly diskLimits: DiskLimit[];
  cgroupParent?: string;
  cgroupManager?: 'cgroupfs' | 'systemd';
  readonly namespaces: Partial<Record<Kind, NamespaceChoice>>;
  ids?: 'own' | 'granted';
  readonly capAdd: string[];
  readonly capDrop: string[];
  readonly securityOptions: string[];
  readonly ulimits: string[];
  readonly groups: string[];
  readonly devices: HostDevice[];
  readonly deviceRules: string[];
  readonly sysctls: Record<string, string>;
  privileged?: boolean;
  umask?: number;
  sessionKeyring?: 'inherit';
  session?: 'inherit';
  timeoutMs?: number;
  /** The program gets the caller's own files, and no terminal. */
  passThrough?: boolean;
  /** A terminal, also where the caller has none. */
  terminal?: boolean;
  stats?: boolean;
  quiet?: boolean;
  dryRun?: boolean;
  showPosture?: boolean;
  json?: boolean;
  /** How long `ctr top` waits between two looks, how many of these there are, and whether there is only one. */
  intervalMs?: number;
  looks?: number;
  once?: boolean;
  /** Where `ctr compile` writes to. */
  output?: string;
}

/** Settings in which nothing is set. */
export function noSettings(): Settings {
  return {
    fileEnv: {},
    env: {},
    mounts: [],
    limits: {},
    diskLimits: [],
    namespaces: {},
    capAdd: [],
    capDrop: [],
    securityOptions: [],
    ulimits: [],
    groups: [],
    devices: [],
    deviceRules: [],
    sysctls: {},
  };
}
