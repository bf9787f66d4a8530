import { list, object, required, text, uint32, type Schema } from '../schema/schema.js';
import { interfaceName } from '../schema/texts.js';

/** What the packets of a container are marked with. Of cgroups v1 only. */
export interface LinuxNetwork {
  readonly classID?: number;
  readonly priorities?: readonly LinuxInterfacePriority[];
}

/** The priority of packets that leave by a network device. */
export interface LinuxInterfacePriority {
  readonly name: string;
  readonly priority: number;
}

export const network: Schema<LinuxNetwork> = object<LinuxNetwork>({
  classID: uint32(),
  priorities: list(object<LinuxInterfacePriority>({ name: required(text('the name of a network device', interfaceName)), priority: required(uint32()) })),
});
