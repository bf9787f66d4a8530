// Values of JSON, seen from outside: every place in one, and one with something else at a place.
import type { JsonValue } from '@ctr/oci';

export type Key = string | number;

/** Every place, as the keys that lead to it. */
export function places(value: JsonValue, at: readonly Key[] = []): (readonly Key[])[] {
  if (typeof value !== 'object' || value === null) return [at];
  const entries: [Key, JsonValue][] = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return [at, ...entries.flatMap(([key, entry]) => places(entry, [...at, key]))];
}

export function valueAt(value: JsonValue, [key, ...rest]: readonly Key[]): JsonValue {
  return key === undefined ? value : valueAt((value as Record<Key, JsonValue>)[key] as JsonValue, rest);
}

/** A copy in which something else stands at a place. */
export function replaced(value: JsonValue, [key, ...rest]: readonly Key[], instead: JsonValue): JsonValue {
  if (key === undefined) return instead;
  const below = replaced((value as Record<Key, JsonValue>)[key] as JsonValue, rest, instead);
  return Array.isArray(value) ? value.with(Number(key), below) : { ...(value as Record<string, JsonValue>), [key]: below };
}

/** The way in which problems name a place. */
export function pathOf(keys: readonly Key[]): string {
  return keys.reduce<string>((path, key) => {
    if (typeof key === 'number') return `${path}[${key}]`;
    if (!/^[A-Za-z_]\w*$/.test(key)) return `${path}[${JSON.stringify(key)}]`;
    return path === '' ? key : `${path}.${key}`;
  }, '');
}

/** What JSON takes a value for. */
export function kind(value: JsonValue): string {
  if (Array.isArray(value)) return 'array';
  if (value === null) return 'null';
  return typeof value === 'bigint' ? 'number' : typeof value;
}
