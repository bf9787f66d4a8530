/** How far this process has come: which commands' code is kept depends on it. */
export const progress = { hasRun: false };
