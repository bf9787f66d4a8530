// The devices controller of version 1 as its documentation and security/device_cgroup.c have it: what it makes of the lines that are written to it.
import { parseDeviceRule, type DeviceRequest, type DeviceRule } from '@ctr/cgroups';

const parts = ['r', 'w', 'm'] as const;
const partsOf = (access: string): string[] => parts.filter((part) => access.includes(part));

export class DeviceList {
  allow = true;
  #exceptions: DeviceRule[] = [];

  write(file: string, line: string): void {
    const isAllow = file === 'devices.allow';
    const rule = parseDeviceRule(line);
    if (rule.type === 'all') {
      this.allow = isAllow;
      this.#exceptions = [];
      return;
    }
    const same = this.#exceptions.find(({ type, major, minor }) => type === rule.type && major === rule.major && minor === rule.minor);
    const rest = this.#exceptions.filter((one) => one !== same);
    const before = same?.access ?? '';
    const access = parts
      .filter((one) =>
        isAllow === this.allow ? before.includes(one) && !(rule.access ?? 'rwm').includes(one) : before.includes(one) || (rule.access ?? 'rwm').includes(one),
      )
      .join('') as DeviceRule['access'];
    this.#exceptions = access ? [...rest, { ...rule, access }] : rest;
  }

  /** As `devices.list` has it. */
  toString(): string {
    if (this.allow) return 'a *:* rwm\n';
    return this.#exceptions
      .map(({ type, major, minor, access }) => `${type === 'char' ? 'c' : 'b'} ${major ?? '*'}:${minor ?? '*'} ${access ?? ''}\n`)
      .join('');
  }

  /** In a list of what is allowed one line has to allow all of it; in one of what is denied, no line may deny any of it. */
  isAllowed({ type, major, minor, access }: DeviceRequest): boolean {
    const matching = this.#exceptions.filter((rule) => rule.type === type && (rule.major ?? major) === major && (rule.minor ?? minor) === minor);
    return this.allow
      ? !matching.some((rule) => partsOf(access).some((one) => rule.access?.includes(one)))
      : matching.some((rule) => partsOf(access).every((one) => rule.access?.includes(one)));
  }
}
