import type { LinuxInterfacePriority, LinuxNetwork } from '@ctr/cgroups';

import { list, object, required, text, uint32, type Schema } from '../schema/schema.js';
import { interfaceName } from '../schema/texts.js';

export const network: Schema<LinuxNetwork> = object<LinuxNetwork>({
  classID: uint32(),
  priorities: list(object<LinuxInterfacePriority>({ name: required(text('the name of a network device', interfaceName)), priority: required(uint32()) })),
});
