import { integer, object, required, word, type Schema } from '../schema/schema.js';

/** When the disk serves the program. @see ioprio_set(2) */
export interface LinuxIoPriority {
  readonly class: 'IOPRIO_CLASS_RT' | 'IOPRIO_CLASS_BE' | 'IOPRIO_CLASS_IDLE';
  /** From 0, first, to 7. @default 0 */
  readonly priority?: number;
}

export const ioPriority: Schema<LinuxIoPriority> = object<LinuxIoPriority>({
  class: required(word(['IOPRIO_CLASS_RT', 'IOPRIO_CLASS_BE', 'IOPRIO_CLASS_IDLE'])),
  priority: integer(0, 7),
});
