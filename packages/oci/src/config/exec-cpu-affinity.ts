import { object, text, type Schema } from '../schema/schema.js';
import { LAST_CPU, plainNumberList } from '../schema/texts.js';

/** The processors of a program that `exec` runs in a container: `0-3,7`. */
export interface CpuAffinity {
  /** Before it joins the container's control group. */
  readonly initial?: string;
  /** From then on. @default as the kernel leaves it */
  readonly final?: string;
}

const cpus = text('a list of processors, such as 0-3,7', plainNumberList(LAST_CPU));

export const execCpuAffinity: Schema<CpuAffinity> = object<CpuAffinity>({ initial: cpus, final: cpus });
