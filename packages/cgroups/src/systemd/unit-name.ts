import { quote } from '@ctr/syscall';
import { MAX_NAME_BYTES } from '../cgroups-path.js';

/** What the scopes of containers are called, before their names. */
const PREFIX = 'ctr-';

/** A scope by its names. */
export interface ScopeName {
  /** `ctr-web.scope` */
  readonly unit: string;
  /** `machine-apps.slice`; `undefined` for the one that systemd takes: `system.slice`, or `app.slice` of a user. */
  readonly slice: string | undefined;
}

/**
 * Takes `linux.cgroupsPath` of an OCI configuration apart, as runtimes that ask systemd read it: `slice:prefix:name` is the scope `prefix-name.scope` in that slice.
 * A name that ends in `.slice` stands for itself. An empty slice is the default one, an empty prefix is left out.
 *
 * Throws a `TypeError` for anything else.
 *
 * @see https://github.com/opencontainers/runc/blob/main/docs/systemd.md
 * @example
 * ```ts
 * import { parseScopePath } from '@ctr/cgroups/systemd';
 * console.log(parseScopePath('machine.slice:libpod:4711')); // { unit: 'libpod-4711.scope', slice: 'machine.slice' }
 * ```
 */
export function parseScopePath(path: string): ScopeName {
  const parts = path.split(':');
  const [slice = '', prefix = '', name = ''] = parts;
  if (parts.length !== 3 || name === '')
    throw new TypeError(`${quote(path)} names no scope: systemd takes slice:prefix:name, such as machine.slice:ctr:web, where slice and prefix may be empty`);
  if (name.endsWith('.slice')) throw new TypeError(`${quote(path)} names a slice, and processes are in scopes: give a name that does not end in .slice`);
  const unit = `${prefix === '' ? '' : `${prefix}-`}${name}.scope`;
  checkUnitName(unit, 'scope');
  if (slice !== '') checkSlice(slice);
  return { unit, slice: slice === '' ? undefined : slice };
}

/**
 * Where the control group of a slice is, below the top of systemd's: each dash is a slice within a slice.
 *
 * Throws a `TypeError` for what is not the name of a slice.
 *
 * @see systemd.slice(5)
 * @example
 * ```ts
 * import { expandSlice } from '@ctr/cgroups/systemd';
 * console.log(expandSlice('a-b.slice')); // a.slice/a-b.slice
 * ```
 */
export function expandSlice(slice: string): string {
  checkSlice(slice);
  // The root slice is the top itself.
  if (slice === '-.slice') return '';
  const words = slice.slice(0, -'.slice'.length).split('-');
  return words.map((_, i) => `${words.slice(0, i + 1).join('-')}.slice`).join('/');
}

/**
 * The name of a scope for any text: what systemd does not take in a name is written as it escapes it.
 *
 * @see systemd.unit(5), "String Escaping for Inclusion in Unit Names"
 * @example
 * ```ts
 * import { scopeName } from '@ctr/cgroups/systemd';
 * console.log(scopeName('web server')); // ctr-web\x20server.scope
 * ```
 */
export function scopeName(name: string): string {
  const escaped = [...Buffer.from(name)].map((byte) => {
    const letter = String.fromCharCode(byte);
    return /[a-zA-Z0-9:_.-]/.test(letter) ? letter : `\\x${byte.toString(16).padStart(2, '0')}`;
  });
  const unit = `${PREFIX}${escaped.join('')}.scope`;
  checkUnitName(unit, 'scope');
  return unit;
}

/** What a name of {@link scopeName} stands for; `undefined` for any other unit. */
export function nameOfScope(unit: string): string | undefined {
  if (!unit.startsWith(PREFIX) || !unit.endsWith('.scope')) return undefined;
  const text = unit.slice(PREFIX.length, -'.scope'.length);
  // Escaped are bytes, of which several may be one letter.
  const bytes = text.replaceAll(/\\x([\da-f]{2})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
  return Buffer.from(bytes, 'latin1').toString();
}

/** Throws a `TypeError` for what systemd does not take for a unit. @see systemd.unit(5): the letters of a name, and 255 of them at most */
export function checkUnitName(unit: string, type: 'scope' | 'slice'): void {
  if (!new RegExp(String.raw`^[a-zA-Z0-9:_.\\-]+\.${type}$`).test(unit) || unit.length > MAX_NAME_BYTES)
    throw new TypeError(
      `${quote(unit)} cannot be the name of a ${type}: it has 1 to ${MAX_NAME_BYTES} of letters, digits and : _ . - \\, and ends in .${type} (systemd-escape makes others fit)`,
    );
}

/** A dash at an end, or two in a row, would be a slice without a name. */
function checkSlice(slice: string): void {
  checkUnitName(slice, 'slice');
  if (slice !== '-.slice' && slice.slice(0, -'.slice'.length).split('-').includes(''))
    throw new TypeError(`${quote(slice)} cannot be the name of a slice: between its dashes stand the names of the slices above, as in a-b.slice below a.slice`);
}
