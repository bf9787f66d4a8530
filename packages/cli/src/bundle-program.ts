// A script of its own, dist/bundle-program.cjs: what OCI bundles take is as much again as all of the rest, which is read at each start.
import { runBundle as run } from './commands/bundle.js';
import { reportFailure } from './report-failure.js';

/** {@link run}, whose errors are told here: to the other script, they are of classes that it does not know. */
export async function runBundle(...args: Parameters<typeof run>): Promise<number> {
  try {
    return await run(...args);
  } catch (error) {
    return reportFailure(error);
  }
}
