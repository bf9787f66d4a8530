import { parseMountOptions } from '../mount-options.js';
import { list, object, required, since, text, type Schema } from '../schema/schema.js';
import { oneLine, path } from '../schema/texts.js';
import { idMappings, type LinuxIdMapping } from './id-mappings.js';

/** Something that is mounted in the container. */
export interface Mount {
  /** Where: an absolute path in the container. One that is relative begins at `/`. */
  readonly destination: string;
  /** A file system that the kernel has; of no meaning for a bind mount. */
  readonly type?: string;
  /** What the file system is on; for a bind mount, a path on the host, absolute or relative to the bundle. */
  readonly source?: string;
  /** See `parseMountOptions`. */
  readonly options?: readonly string[];
  /** The owners that a bind mount shows, with `idmap` or `ridmap` among the options. 1.1 */
  readonly uidMappings?: readonly LinuxIdMapping[];
  readonly gidMappings?: readonly LinuxIdMapping[];
}

export const mount: Schema<Mount> = object<Mount>(
  {
    destination: required(text('a path', path)),
    type: text('a type of file system', oneLine),
    source: text(),
    options: list(text()),
    uidMappings: since('1.1', idMappings),
    gidMappings: since('1.1', idMappings),
  },
  (value, report) => {
    const options = value.options ?? [];
    const { bind, idmap, data } = parseMountOptions(options);
    if (!value.destination.startsWith('/')) report.warning('destination', value.destination, 'an absolute path; a relative one is deprecated, and begins at /');
    if (bind !== undefined && (value.source ?? '') === '') report.error('source', value.source, 'a path on the host, for a bind mount');
    if (bind === undefined && (value.type ?? '') === '') report.error('type', value.type, 'a type of file system, or bind or rbind among the options');
    for (const [index, option] of options.entries()) {
      if (option === '') report.warning(`options[${index}]`, option, 'an option: an empty one has no effect');
      else if (bind !== undefined && data.includes(option))
        report.error(`options[${index}]`, option, 'an option of bind mounts: they take none of a file system');
    }
    const maps = [value.uidMappings, value.gidMappings].filter((entries) => (entries ?? []).length > 0).length;
    if (maps === 1) report.error(value.gidMappings === undefined ? 'gidMappings' : 'uidMappings', undefined, 'both uidMappings and gidMappings, or neither');
    if (maps > 0 && idmap === undefined) report.warning('options', options, 'idmap or ridmap: without it, other runtimes pass over the mappings');
    if ((maps > 0 || idmap !== undefined) && bind === undefined) report.error('options', options, 'bind or rbind: no other mount can have mapped ids');
  },
);
