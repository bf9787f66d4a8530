/** The longest time that a timer can be set to: for what takes as long as others want it to. */
export const NO_TIMEOUT_MS = 2 ** 31 - 1;
