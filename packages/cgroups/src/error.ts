/**
 * Why control groups cannot do what is asked for.
 *
 * - `not-mounted`: no control groups are mounted at all
 * - `no-such-limit`: the version of control groups that is here, or its kernel, has no such limit
 * - `in-use`: the group uses more already than the limit that is asked for
 * - `no-controller`: no hierarchy has the controller, or the group above does not pass it on
 * - `read-only`: the hierarchy is mounted read-only
 * - `not-delegated`: its directories belong to someone else
 * - `busy`: processes in the group above keep it from passing controllers on
 * - `threaded`: a group of threads cannot be where it is asked for, or cannot do what only a group of processes can
 * - `gone`: the group is not there any more: someone else has removed it, or it was removed before
 * - `still-running`: processes do not end, or end too slowly, for their group to be removed
 * - `frozen`: the group, or one above it, is frozen: what is put there does not run, and on version 1 what is killed there does not end
 * - `no-systemd`: systemd is to make the group, and cannot be asked
 * - `unit`: systemd was asked, and refused
 */
export type CgroupErrorKind =
  | 'not-mounted'
  | 'no-such-limit'
  | 'in-use'
  | 'no-controller'
  | 'read-only'
  | 'not-delegated'
  | 'busy'
  | 'threaded'
  | 'gone'
  | 'still-running'
  | 'frozen'
  | 'no-systemd'
  | 'unit';

/**
 * What was asked for cannot be done with the control groups there are; found out before anything was made, but for `still-running`, `gone` and `unit`.
 *
 * @example
 * ```ts
 * import { CgroupError, planGroup } from '@ctr/cgroups';
 * try {
 *   planGroup('web', { pids: 20 });
 * } catch (error) {
 *   if (error instanceof CgroupError) console.log(error.kind); // for instance: not-delegated
 * }
 * ```
 */
export class CgroupError extends Error {
  override readonly name = 'CgroupError';
  readonly kind: CgroupErrorKind;

  constructor(kind: CgroupErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}
