import { object, text, type Schema, type TextRule } from '../schema/schema.js';
import { interfaceName } from '../schema/texts.js';

/** net/core/dev.c, __dev_alloc_name: one %d, and no other percent sign */
const newName: TextRule = (name) =>
  name === ''
    ? undefined
    : (interfaceName(name) ?? (name.replace('%d', '').includes('%') ? 'a name with at most one %d, and no other percent sign' : undefined));

/** A network device that the container gets from the host. */
export interface LinuxNetDevice {
  /** Its name in the container; the kernel puts a number for `%d`. @default that on the host */
  readonly name?: string;
}

export const netDevice: Schema<LinuxNetDevice> = object<LinuxNetDevice>({
  name: text('the name of a network device', newName),
});
