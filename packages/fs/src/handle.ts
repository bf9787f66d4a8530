import type { Fd, Load, ResultOf } from '@ctr/syscall';

/** An open file: one of the host's, the result of an earlier step, or a number that an earlier step has written to memory. */
export type Handle = Fd | ResultOf | Load;
