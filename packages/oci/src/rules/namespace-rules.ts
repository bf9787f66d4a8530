import { isJoined, namespaceOf, type Rule } from './rule.js';

const NAMESPACES = 'linux.namespaces';

/** What takes a namespace of its own, which the host would be changed without. */
export const namespaceRules: readonly Rule[] = [
  {
    about: ['hostname', 'domainname', NAMESPACES],
    check(config, report) {
      if (namespaceOf(config, 'uts')) return;
      for (const name of ['hostname', 'domainname'] as const)
        if ((config[name] ?? '') !== '') report.error(name, config[name], 'nothing without a uts namespace: it would be the name of the host');
    },
  },
  {
    about: ['linux.uidMappings', 'linux.gidMappings', NAMESPACES],
    check(config, report) {
      const namespace = namespaceOf(config, 'user');
      for (const field of ['uidMappings', 'gidMappings'] as const) {
        const ranges = config.linux?.[field] ?? [];
        if (ranges.length > 0 && !namespace) report.error(`linux.${field}`, ranges, 'nothing without a user namespace');
        else if (ranges.length > 0 && isJoined(namespace))
          report.warning(`linux.${field}`, ranges, 'of no effect: the user namespace that is joined has its own');
        else if (ranges.length === 0 && namespace && !isJoined(namespace))
          report.error(`linux.${field}`, config.linux?.[field], 'at least one range, for a new user namespace');
      }
    },
  },
  {
    about: ['linux.timeOffsets', NAMESPACES],
    check(config, report) {
      const offsets = config.linux?.timeOffsets;
      if (offsets === undefined || Object.keys(offsets).length === 0) return;
      const namespace = namespaceOf(config, 'time');
      if (!namespace || isJoined(namespace)) report.error('linux.timeOffsets', offsets, 'nothing without a new time namespace');
    },
  },
  {
    about: ['linux.netDevices', NAMESPACES],
    check(config, report) {
      const devices = config.linux?.netDevices ?? {};
      if (Object.keys(devices).length > 0 && !namespaceOf(config, 'network')) report.error('linux.netDevices', devices, 'nothing without a network namespace');
    },
  },
  {
    about: ['linux.maskedPaths', 'linux.readonlyPaths', 'linux.rootfsPropagation', 'mounts', NAMESPACES],
    check(config, report) {
      if (namespaceOf(config, 'mount')) return;
      const { maskedPaths = [], readonlyPaths = [], rootfsPropagation, namespaces } = config.linux ?? {};
      const changes = (config.mounts ?? []).length + maskedPaths.length + readonlyPaths.length > 0 || rootfsPropagation !== undefined;
      if (changes) report.error(NAMESPACES, namespaces, 'one of the type mount among them: the mounts would be the host’s otherwise');
      else report.warning(NAMESPACES, namespaces, 'one of the type mount among them: no container is started without it');
    },
  },
  {
    about: ['hooks.createContainer', NAMESPACES],
    check(config, report) {
      const hooks = config.hooks?.createContainer ?? [];
      if (hooks.length > 0 && isJoined(namespaceOf(config, 'mount')))
        report.error(
          'hooks.createContainer',
          hooks,
          'none with a mount namespace that is joined: processes of that namespace could choose the program, which the caller would run with its own rights; hooks.createRuntime run among the files of the host',
        );
    },
  },
  {
    about: [NAMESPACES, 'process.user', 'linux.uidMappings', 'linux.gidMappings'],
    check(config, report) {
      const namespace = namespaceOf(config, 'user');
      if (!namespace || isJoined(namespace)) return;
      for (const [field, ids] of [
        ['uidMappings', [config.process?.user?.uid ?? 0]],
        ['gidMappings', [config.process?.user?.gid ?? 0, ...(config.process?.user?.additionalGids ?? [])]],
      ] as const) {
        const ranges = config.linux?.[field] ?? [];
        const unmapped = ids.find((id) => !ranges.some(({ containerID, size }) => id >= containerID && id < containerID + size));
        if (config.process !== undefined && ranges.length > 0 && unmapped !== undefined)
          report.error(`linux.${field}`, ranges, `ranges that have the id ${unmapped} of process.user`);
      }
    },
  },
];
