import { number, pair, type ReadFile } from './counter.js';
import { sourceOf } from './source.js';

/** What processes can lack. */
export type PressureResource = 'cpu' | 'memory' | 'io' | 'irq';

/** The share of time, in percent, in which processes had to wait for a resource. */
export interface PressureShare {
  /** Over the last 10 seconds. */
  readonly avg10: number;
  /** Over the last minute. */
  readonly avg60: number;
  /** Over the last five minutes. */
  readonly avg300: number;
  /** All the time that they have waited. */
  readonly totalMicroseconds: number;
}

/** How much processes lack a resource. */
export interface Pressure {
  /** The time in which at least one of them waited. Not told of `irq`. */
  readonly some: PressureShare | undefined;
  /** The time in which all that could have run waited. Kernels before 5.13 do not tell it of `cpu`. */
  readonly full: PressureShare | undefined;
}

/** The pressure on each resource; `undefined` where the kernel does not tell. */
export type Pressures = Readonly<Record<PressureResource, Pressure | undefined>>;

export const pressureResources = ['cpu', 'memory', 'io', 'irq'] as const satisfies readonly PressureResource[];

/** The pressure files of the whole system. */
export const SYSTEM_PRESSURE = '/proc/pressure';

/**
 * How much processes have to wait for processors, memory and disks: those of a group on version 2, or those of the whole system.
 * Where the kernel was built without pressure stall information, or started with it off (`psi=0`), all are `undefined`; so they are of a group of version 1, or one that is gone.
 *
 * @param directory of a group; without it, the whole system's
 * @see Documentation/accounting/psi.rst of the kernel
 * @example
 * ```ts
 * import { readPressure } from '@ctr/cgroups';
 * const { memory } = readPressure();
 * if ((memory?.full?.avg10 ?? 0) > 10) console.log('this machine has too little memory');
 * ```
 */
export function readPressure(directory?: string): Pressures {
  if (directory !== undefined) return pressuresOf(sourceOf(directory).read);
  const { read } = sourceOf(SYSTEM_PRESSURE);
  return pressuresOf((file) => read(file.slice(0, -'.pressure'.length)));
}

/** The pressures of a group, from its files `cpu.pressure` and so on. */
export function pressuresOf(read: ReadFile): Pressures {
  const of = (resource: PressureResource): Pressure | undefined => parsePressure(read(`${resource}.pressure`));
  return { cpu: of('cpu'), memory: of('memory'), io: of('io'), irq: of('irq') };
}

/**
 * some avg10=0.67 avg60=0.87 avg300=1.67 total=8034900893
 * full avg10=0.00 avg60=0.00 avg300=0.00 total=0
 */
export function parsePressure(text: string | undefined): Pressure | undefined {
  const some = shareOf(text, 'some');
  const full = shareOf(text, 'full');
  return some || full ? { some, full } : undefined;
}

function shareOf(text: string | undefined, kind: 'some' | 'full'): PressureShare | undefined {
  const words = text
    ?.split('\n')
    .find((line) => line.startsWith(`${kind} `))
    ?.split(' ');
  const percent = (name: string): number | undefined => {
    const value = pair(words, name);
    return value !== undefined && /^\d{1,3}(?:\.\d{1,2})?$/.test(value) ? Number(value) : undefined;
  };
  const [avg10, avg60, avg300, totalMicroseconds] = [percent('avg10'), percent('avg60'), percent('avg300'), number(pair(words, 'total'))];
  if (avg10 === undefined || avg60 === undefined || avg300 === undefined || totalMicroseconds === undefined) return undefined;
  return { avg10, avg60, avg300, totalMicroseconds };
}
