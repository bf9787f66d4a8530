import { boolean, deprecated, list, object, since, text, type Schema } from '../schema/schema.js';
import { oneLine } from '../schema/texts.js';

/** Shares of caches and memory bandwidth, on processors that can. @see https://docs.kernel.org/filesystems/resctrl.html */
export interface LinuxIntelRdt {
  /** A class of service: a directory of resctrl; `/` is the default one. @default the container's id */
  readonly closID?: string;
  /** Lines of `schemata`, written last. 1.3 */
  readonly schemata?: readonly string[];
  /** `L3:0=7f0;1=1f` */
  readonly l3CacheSchema?: string;
  /** `MB:0=20;1=70` */
  readonly memBwSchema?: string;
  /** A monitoring group for the container. 1.3 */
  readonly enableMonitoring?: boolean;
  /** @deprecated from 1.3 on there is enableMonitoring */
  readonly enableCMT?: boolean;
  /** @deprecated from 1.3 on there is enableMonitoring */
  readonly enableMBM?: boolean;
}

const replaced = 'it has no effect; from 1.3 on there is enableMonitoring';

export const intelRdt: Schema<LinuxIntelRdt> = object<LinuxIntelRdt>(
  {
    closID: text('the name of a directory', (id) =>
      id === '.' || id === '..' || (id !== '/' && /[/\n]/.test(id)) ? 'the name of a directory, or /' : undefined,
    ),
    schemata: since('1.3', list(text('a line', oneLine))),
    l3CacheSchema: text('a line that begins with L3:', oneLine),
    memBwSchema: text('a line that begins with MB:', (line) => (line === '' || line.startsWith('MB:') ? oneLine(line) : 'a line that begins with MB:')),
    enableMonitoring: since('1.3', boolean()),
    enableCMT: deprecated(replaced, boolean()),
    enableMBM: deprecated(replaced, boolean()),
  },
  ({ l3CacheSchema = '' }, report) => {
    if (l3CacheSchema !== '' && !l3CacheSchema.startsWith('L3')) report.warning('l3CacheSchema', l3CacheSchema, 'a line that begins with L3:');
  },
);
