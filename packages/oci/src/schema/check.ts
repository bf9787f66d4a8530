import { nearest } from '@ctr/syscall';

import { member, type Problems } from './problem.js';
import { MOST_ENTRIES, type Field, type IntegerSchema, type ListSchema, type MapSchema, type ObjectSchema, type Schema, type TextSchema } from './schema.js';

/** A shorter or longer word is not compared with others: everything is near to the one, and the other was not meant to be one of them. */
const COMPARED = { least: 3, most: 64 };

/**
 * Checks a value, and makes a clean copy: without what is not known, without null, without what is wrong, of which nothing (`undefined`) is left.
 * It goes no deeper than the schema, whatever the value is.
 */
export function check(schema: Schema<unknown>, value: unknown, path: string, problems: Problems): unknown {
  switch (schema.kind) {
    case 'text':
      return checkText(schema, value, path, problems);
    case 'integer':
      return checkInteger(schema, value, path, problems);
    case 'boolean':
      if (typeof value === 'boolean') return value;
      break;
    case 'list':
      if (Array.isArray(value)) return isTooLong(schema, value.length, path, value, problems) ? undefined : checkList(schema, value, path, problems);
      break;
    case 'map':
      if (isObject(value)) return isTooLong(schema, Object.keys(value).length, path, value, problems) ? undefined : checkMap(schema, value, path, problems);
      break;
    case 'object':
      if (isObject(value)) return checkObject(schema, value, path, problems);
      break;
    case 'opaque':
      if (isObject(value)) return value;
      break;
  }
  problems.error(path, value, () => allowed(schema));
  return undefined;
}

/** What may stand at a place, in words. */
export function allowed(schema: Schema<unknown>): string {
  switch (schema.kind) {
    case 'text':
      return schema.allowed;
    case 'integer':
      return `an integer from ${schema.least} to ${schema.most}`;
    case 'boolean':
      return 'true or false';
    case 'list':
      return 'an array';
    case 'map':
    case 'object':
    case 'opaque':
      return 'an object';
  }
}

export function schemaOf(field: Field): Schema<unknown> {
  return 'required' in field ? field.required : field;
}

function checkText(schema: TextSchema<unknown>, value: unknown, path: string, problems: Problems): string | undefined {
  if (typeof value !== 'string') {
    problems.error(path, value, () => schema.allowed);
    return undefined;
  }
  const wrong = (unusual.test(value) ? problemOf(value) : undefined) ?? schema.rule?.(value);
  if (wrong !== undefined) {
    problems.error(path, value, () => wrong);
    return undefined;
  }
  if (schema.words === undefined || schema.words.includes(value)) return value;
  const { words, unknownWord } = schema;
  if (unknownWord !== undefined) {
    problems.warning(path, value, () => unknownWord + meant(value, words));
    return value;
  }
  problems.error(path, value, () => schema.allowed + meant(value, words));
  return undefined;
}

/** What no field may have is looked for in one go: a config has thousands of strings. */
const unusual = /[\0\ud800-\udfff]/;

function problemOf(text: string): string | undefined {
  if (text.includes('\0')) return 'a string without NUL';
  return /\p{Surrogate}/u.test(text) ? 'a string of whole characters' : undefined;
}

function checkInteger({ least, most }: IntegerSchema<unknown>, value: unknown, path: string, problems: Problems): number | bigint | undefined {
  const exact = typeof value === 'bigint' ? value : typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : undefined;
  if (exact === undefined || exact < least || exact > most) {
    problems.error(path, value, () => `an integer from ${least} to ${most}`);
    return undefined;
  }
  const near = Number(exact);
  return Number.isSafeInteger(near) ? near : exact;
}

function checkList(schema: ListSchema<unknown>, value: readonly unknown[], path: string, problems: Problems): unknown[] {
  const before = problems.errors;
  // Not map(), which passes over holes.
  const clean = Array.from(value, (entry, index) => check(schema.of, entry, `${path}[${index}]`, problems));
  if (problems.errors === before) schema.check?.(clean, problems.at(path));
  return clean;
}

/** Before any entry is looked at. */
function isTooLong(schema: ListSchema<unknown> | MapSchema<unknown>, entries: number, path: string, value: unknown, problems: Problems): boolean {
  const { most = MOST_ENTRIES } = schema;
  if (entries <= most) return false;
  problems.error(path, value, () => `${allowed(schema)} of at most ${most} entries`);
  return true;
}

function checkMap(schema: MapSchema<unknown>, value: object, path: string, problems: Problems): Record<string, unknown> {
  const clean = Object.create(null) as Record<string, unknown>;
  for (const [key, entry] of Object.entries(value)) {
    const at = member(path, key);
    const wrong = key.includes('\0') ? 'a key without NUL' : schema.key?.(key);
    if (wrong !== undefined) problems.error(at, key, () => wrong);
    clean[key] = check(schema.of, entry, at, problems);
  }
  return clean;
}

function checkObject(schema: ObjectSchema<unknown>, value: object, path: string, problems: Problems): object {
  const before = problems.errors;
  const { fields } = schema;
  const clean: Record<string, unknown> = {};
  for (const [key, entry] of Object.entries(value) as [string, unknown][]) {
    const field = Object.hasOwn(fields, key) ? fields[key] : undefined;
    const at = member(path, key);
    if (field === undefined) problems.warning(at, entry, () => unknownField(key, Object.keys(fields)));
    else if (entry === undefined) continue;
    else if (entry === null && !('required' in field)) problems.warning(at, entry, () => `taken as if it were not there; otherwise ${allowed(field)}`);
    else {
      const found = schemaOf(field);
      if (found.deprecated !== undefined) problems.warning(at, entry, () => `deprecated: ${found.deprecated}`);
      const kept = check(found, entry, at, problems);
      if (kept !== undefined) clean[key] = kept;
    }
  }
  for (const [key, field] of Object.entries(fields))
    if ('required' in field && (value as Record<string, unknown>)[key] === undefined)
      problems.error(member(path, key), undefined, () => `it has to be there: ${allowed(field.required)}`);
  if (problems.errors === before) schema.check?.(clean, problems.at(path));
  return clean;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unknownField(key: string, known: readonly string[]): string {
  const same = known.find((name) => name.toLowerCase() === key.toLowerCase());
  // Go's decoder looks at no case, so that runc takes it.
  if (same !== undefined) return `there is no such field, and it has no effect here: runtimes in Go take it for ${same}`;
  return `there is no such field, and it has no effect${meant(key, known)}`;
}

function meant(given: string, known: readonly string[]): string {
  const near = given.length < COMPARED.least || given.length > COMPARED.most ? undefined : nearest(given, known);
  return near === undefined ? '' : `; did you mean ${near}?`;
}
