/** How far this process has come. */
export const progress = {
  /** A container has run to its end. */
  hasRun: false,
};
