import { checkOptions, label, Memory, RLIM64_INFINITY, rlimit64, rlimitResources, quote, type Step } from '@ctr/syscall';

/** A limit, in the unit of its resource; `unlimited` is RLIM_INFINITY. */
export type RlimitValue = number | bigint | 'unlimited';

/** The two limits of a resource. One that is left out is inherited, but the soft limit is never above the hard one. */
export interface Rlimit {
  /** The limit that holds; the process can raise it up to the hard one. @default what is inherited, at most `hard` */
  readonly soft?: RlimitValue;
  /** The limit of the limit; only CAP_SYS_RESOURCE raises it. @default what is inherited */
  readonly hard?: RlimitValue;
}

/** Limits of a process, by the names that `docker run --ulimit` has as well. A single value is both the soft and the hard limit. */
export interface Rlimits {
  /** Address space, in bytes. */
  readonly as?: RlimitValue | Rlimit;
  /** Size of a core dump, in bytes; with 0 there is none. */
  readonly core?: RlimitValue | Rlimit;
  /** Processor time, in seconds. At the soft limit the process gets SIGXCPU, at the hard one SIGKILL. */
  readonly cpu?: RlimitValue | Rlimit;
  /** Heap and data, in bytes. */
  readonly data?: RlimitValue | Rlimit;
  /** Size of a file that is written, in bytes. */
  readonly fsize?: RlimitValue | Rlimit;
  /** File locks; without effect since Linux 2.4. */
  readonly locks?: RlimitValue | Rlimit;
  /** Locked memory, in bytes. */
  readonly memlock?: RlimitValue | Rlimit;
  /** POSIX message queues of the user, in bytes. */
  readonly msgqueue?: RlimitValue | Rlimit;
  /** How far niceness may be lowered: to 20 minus this, which is 1 to 40. */
  readonly nice?: RlimitValue | Rlimit;
  /** Open files: one more than the greatest number of one. */
  readonly nofile?: RlimitValue | Rlimit;
  /** Processes and threads of the user, in the user namespace and all around it. */
  readonly nproc?: RlimitValue | Rlimit;
  /** Resident memory, in bytes; without effect since Linux 2.4. */
  readonly rss?: RlimitValue | Rlimit;
  /** Greatest realtime priority. */
  readonly rtprio?: RlimitValue | Rlimit;
  /** Processor time without a blocking call under realtime scheduling, in microseconds. */
  readonly rttime?: RlimitValue | Rlimit;
  /** Signals that wait for the user's processes. */
  readonly sigpending?: RlimitValue | Rlimit;
  /** Stack of the first thread, in bytes. */
  readonly stack?: RlimitValue | Rlimit;
}

const resources = {
  as: 'RLIMIT_AS',
  core: 'RLIMIT_CORE',
  cpu: 'RLIMIT_CPU',
  data: 'RLIMIT_DATA',
  fsize: 'RLIMIT_FSIZE',
  locks: 'RLIMIT_LOCKS',
  memlock: 'RLIMIT_MEMLOCK',
  msgqueue: 'RLIMIT_MSGQUEUE',
  nice: 'RLIMIT_NICE',
  nofile: 'RLIMIT_NOFILE',
  nproc: 'RLIMIT_NPROC',
  rss: 'RLIMIT_RSS',
  rtprio: 'RLIMIT_RTPRIO',
  rttime: 'RLIMIT_RTTIME',
  sigpending: 'RLIMIT_SIGPENDING',
  stack: 'RLIMIT_STACK',
} as const satisfies Record<keyof Rlimits, keyof typeof rlimitResources>;

/** The steps compare limits as numbers with sign, so that "unlimited" is the only one that is negative. */
const MOST = 2n ** 63n - 1n;
const HARD = 8;

/**
 * Sets resource limits, which what is executed inherits. What is inherited is read by the steps themselves, where they are taken.
 *
 * The steps fail with EPERM if a hard limit is to be raised without CAP_SYS_RESOURCE (in the first user namespace), or `nofile` above the sysctl fs.nr_open.
 * Throws a `TypeError` for a resource that there is none of, a `RangeError` for a value that is none or a soft limit above the hard one.
 *
 * @see getrlimit(2)
 * @example
 * ```ts
 * import { rlimits } from '@ctr/security';
 * const steps = rlimits({ core: 0, cpu: { soft: 10, hard: 12 }, nofile: { soft: 1024 } }); // the hard limit of nofile is inherited
 * ```
 */
export function rlimits(limits: Rlimits): Step[] {
  checkOptions('rlimits', limits, Object.keys(resources));
  return (Object.keys(limits) as (keyof Rlimits)[]).flatMap((name) => {
    const given = limits[name];
    return given === undefined ? [] : rlimit(name, typeof given === 'object' ? given : { soft: given, hard: given });
  });
}

function rlimit(name: keyof Rlimits, limit: Rlimit): Step[] {
  const where = `rlimits: ${name}`;
  checkOptions(where, limit, ['soft', 'hard']);
  const soft = limit.soft === undefined ? undefined : parse(`${where}: soft`, limit.soft);
  const hard = limit.hard === undefined ? undefined : parse(`${where}: hard`, limit.hard);
  const resource = rlimitResources[resources[name]];
  const set = (value: Step['args'][number], purpose: string): Step => ({
    call: 'prlimit64',
    args: [0, resource, value, null],
    purpose,
    hints: {
      EPERM:
        name === 'nofile'
          ? 'raising the hard limit needs CAP_SYS_RESOURCE, and none can be above the sysctl fs.nr_open: ask for no more than is inherited (ulimit -Hn)'
          : 'raising the hard limit needs CAP_SYS_RESOURCE: ask for no more than is inherited (ulimit -Ha)',
    },
  });
  if (soft !== undefined && hard !== undefined) {
    if (soft > hard) throw new RangeError(`${where}: the soft limit ${limit.soft} is above the hard one, ${limit.hard}`);
    return [set(rlimit64({ rlim_cur: soft, rlim_max: hard }), `limit ${name}`)];
  }
  if (soft === undefined && hard === undefined) throw new TypeError(`${where}: neither soft nor hard is given`);
  const own = new Memory(16, name);
  const read: Step = { call: 'prlimit64', args: [0, resource, null, own], purpose: `the inherited limits of ${name}` };
  return [read, ...(hard === undefined ? softOnly(own, soft ?? 0n) : hardOnly(own, hard)), set(own, `limit ${name}`)];
}

/** The soft limit, or the inherited hard one if that is less. An unlimited one is -1 to these steps, and so an error that is none. */
function softOnly(own: Memory, soft: bigint): Step[] {
  const asHard: Step = { call: 'add', args: [own.u64(HARD), 0], purpose: 'at most the hard limit', into: own.at(0), tolerates: 'any' };
  if (soft === RLIM64_INFINITY) return [asHard];
  const write: Step = { call: 'add', args: [soft, 0], purpose: 'the soft limit', into: own.at(0) };
  const done = label('the hard limit stays');
  return [
    { ...asHard, jump: { when: '<', to: write } },
    { call: 'add', args: [own.u64(HARD), 0], purpose: 'is the hard limit less?', jump: { when: '<', than: soft, to: done } },
    write,
    done,
  ];
}

/** The hard limit, and the inherited soft one unless it is more. */
function hardOnly(own: Memory, hard: bigint): Step[] {
  const write: Step = { call: 'add', args: [hard, 0], purpose: 'the hard limit', into: own.at(HARD) };
  if (hard === RLIM64_INFINITY) return [{ ...write, tolerates: 'any' }];
  const lower: Step = { call: 'add', args: [hard, 0], purpose: 'the soft limit is not above it', into: own.at(0) };
  return [
    { call: 'add', args: [own.u64(), 0], purpose: 'is the soft limit none?', tolerates: 'any', jump: { when: '<', to: lower } },
    { call: 'add', args: [own.u64(), 0], purpose: 'is the soft limit less?', jump: { when: '<', than: hard, to: write } },
    lower,
    write,
  ];
}

function parse(where: string, value: RlimitValue): bigint {
  if (value === 'unlimited') return RLIM64_INFINITY;
  if (typeof value === 'bigint' ? value === RLIM64_INFINITY || (value >= 0n && value <= MOST) : Number.isSafeInteger(value) && value >= 0) return BigInt(value);
  throw new RangeError(`${where}: ${quote(value)} is not a limit: it has to be an integer from 0 to ${MOST}, or 'unlimited'`);
}
