import { object, text, type Schema } from '../schema/schema.js';
import { interfaceName } from '../schema/texts.js';

/** A network device that the container gets from the host. */
export interface LinuxNetDevice {
  /** Its name in the container; the kernel puts a number for `%d`. @default that on the host */
  readonly name?: string;
}

export const netDevice: Schema<LinuxNetDevice> = object<LinuxNetDevice>({
  name: text('the name of a network device', (name) => (name === '' ? undefined : interfaceName(name))),
});
