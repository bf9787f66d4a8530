import type { UnitProperty } from '@ctr/cgroups/systemd';

import { parseVariant, type Variant, type VariantValue } from './gvariant.js';

/** An annotation whose key begins so is a property of the scope that systemd makes. */
const PREFIX = 'org.systemd.property.';
/** What ctr-oci itself says of each scope, and has to. */
const ofCtr = ['PIDs', 'Slice', 'Delegate'];
const MICROSECONDS = 1_000_000;

/** An annotation that is no property. */
export interface WrongProperty {
  readonly key: string;
  readonly value: string;
  /** What it has to be. */
  readonly allowed: string;
}

/** The properties that annotations ask for, and those that cannot be. */
export interface UnitProperties {
  readonly properties: readonly UnitProperty[];
  readonly wrong: readonly WrongProperty[];
}

/**
 * What annotations say of the scope: `org.systemd.property.CollectMode` with the value `'inactive-or-failed'`, in the text format of GVariant. A name that ends in `Sec` has seconds, and
 * stands for the one that ends in `USec`, with microseconds.
 *
 * @see https://github.com/opencontainers/runc/blob/main/docs/systemd.md, org.freedesktop.systemd1(5)
 */
export function unitPropertiesOf(annotations: Readonly<Record<string, string>> | undefined): UnitProperties {
  const properties = new Map<string, UnitProperty>();
  const wrong: WrongProperty[] = [];
  for (const [key, value] of Object.entries(annotations ?? {})) {
    if (!key.startsWith(PREFIX)) continue;
    const property = propertyOf(key.slice(PREFIX.length), value);
    const allowed =
      typeof property === 'string' ? property : properties.has(property[0]) ? `nothing: ${property[0]} is set by another annotation already` : undefined;
    if (allowed !== undefined) wrong.push({ key, value, allowed });
    else if (typeof property !== 'string') properties.set(property[0], property);
  }
  return { properties: [...properties.values()], wrong };
}

/** A text says why it is none. */
function propertyOf(name: string, text: string): UnitProperty | string {
  if (!/^[A-Z][A-Za-z0-9]{1,99}$/.test(name)) return `a key that ends in a property as D-Bus has it, such as ${PREFIX}CollectMode`;
  if (ofCtr.includes(name)) return `nothing: ctr-oci sets ${name} itself`;
  const variant = parseVariant(text);
  if (typeof variant === 'string') return variant;
  if (!/[a-z]Sec$/.test(name)) return [name, [variant.signature, variant.value]];
  const micros = microseconds(variant);
  return micros === undefined ? 'a number of seconds' : [name.replace(/Sec$/, 'USec'), ['t', micros]];
}

function microseconds({ signature, value }: Variant): VariantValue | undefined {
  if (!/^[ynqiuxtd]$/.test(signature) || Number(value) < 0) return undefined;
  if (signature === 'd') return Number.isSafeInteger(Math.round(Number(value) * MICROSECONDS)) ? Math.round(Number(value) * MICROSECONDS) : undefined;
  const micros = BigInt(String(value)) * BigInt(MICROSECONDS);
  if (micros >= 2n ** 64n) return undefined;
  return micros <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(micros) : String(micros);
}
