import type { Hints } from './hints.js';

export const noBfq = 'this kernel has not the BFQ scheduler in it, which is what weighs groups against each other: modprobe bfq';
export const noDisk = {
  ENODEV: 'there is no disk of these numbers, or it is a partition: lsblk shows those of the whole disk',
  EOPNOTSUPP: 'the scheduler of this disk weighs no groups against each other: echo bfq > /sys/block/NAME/queue/scheduler',
} satisfies Hints;

/** A weight on the scale of BFQ, where 100 is the default and 1000 the most. */
export function bfqWeight(ioWeight: number | undefined, blkioWeight: number | undefined): number | undefined {
  if (blkioWeight !== undefined || ioWeight === undefined) return blkioWeight;
  // As systemd does it: BFQ_WEIGHT() of its src/basic/cgroup-util.h brings 100 to 100 and 10000 to 1000.
  return ioWeight <= 100 ? ioWeight : 100 + Math.floor(((ioWeight - 100) * 900) / 9900);
}

/** A weight on the scale of `io.weight`, where 100 is the default and 10000 the most. */
export function ioWeightOf(ioWeight: number | undefined, blkioWeight: number | undefined): number | undefined {
  if (ioWeight !== undefined || blkioWeight === undefined) return ioWeight;
  // The line through 10 and 1, 1000 and 10000, as runc and crun take it.
  return 1 + Math.floor(((blkioWeight - 10) * 9999) / 990);
}
