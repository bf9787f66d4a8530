import type { Report } from './problem.js';

/** What a text has to be, if it is not so; nothing if it is. */
export type TextRule = (text: string) => string | undefined;

interface Common<T> {
  /** Only a type: what a value of this schema is. */
  readonly value?: T;
  /** The version of the runtime-spec that the field came with, if after 1.0. */
  readonly since?: string;
  /** Why a field should not be used any more. */
  readonly deprecated?: string;
}

export interface TextSchema<T> extends Common<T> {
  readonly kind: 'text';
  /** What it is, for messages. */
  readonly allowed: string;
  readonly rule?: TextRule;
  /** The only words that it can be. */
  readonly words?: readonly string[];
  /** What becomes of a word that is not known, where that is no error. */
  readonly unknownWord?: string;
}
export interface IntegerSchema<T> extends Common<T> {
  readonly kind: 'integer';
  readonly least: bigint;
  readonly most: bigint;
}
export interface BooleanSchema<T> extends Common<T> {
  readonly kind: 'boolean';
}
export interface ListSchema<T> extends Common<T> {
  readonly kind: 'list';
  readonly of: Schema<unknown>;
  /** How many entries it may have. @default {@link MOST_ENTRIES} */
  readonly most?: number;
  /** What no single entry shows. Called if all entries are good. */
  check?(value: T, report: Report): void;
}
export interface MapSchema<T> extends Common<T> {
  readonly kind: 'map';
  readonly of: Schema<unknown>;
  /** How many entries it may have. @default {@link MOST_ENTRIES} */
  readonly most?: number;
  readonly key?: TextRule;
}
export interface ObjectSchema<T> extends Common<T> {
  readonly kind: 'object';
  readonly fields: Readonly<Record<string, Field>>;
  /** What no single field shows. Called if all fields are good. */
  check?(value: T, report: Report): void;
}
/** What is not looked into. */
export interface OpaqueSchema<T> extends Common<T> {
  readonly kind: 'opaque';
}

/** What a value of the type `T` looks like in JSON: plain data, from which the check and the tables of the documentation are made. */
export type Schema<T> = TextSchema<T> | IntegerSchema<T> | BooleanSchema<T> | ListSchema<T> | MapSchema<T> | ObjectSchema<T> | OpaqueSchema<T>;

export interface RequiredField<T> {
  readonly required: Schema<T>;
}
export type Field = Schema<unknown> | RequiredField<unknown>;

/** A schema for each member of a type, those required that are not optional there. */
export type Fields<T> = { readonly [K in keyof T]-?: object extends Pick<T, K> ? Schema<Exclude<T[K], undefined>> : RequiredField<T[K]> };

/** More than any machine has a use for, and less than what would make the plan of a container take seconds and gigabytes. */
export const MOST_ENTRIES = 16_384;

export const INT64 = { least: -(2n ** 63n), most: 2n ** 63n - 1n };
export const UINT64_MAX = 2n ** 64n - 1n;
const UINT32_MAX = 2 ** 32 - 1;

export function text(allowed = 'a string', rule?: TextRule): Schema<string> {
  return { kind: 'text', allowed, ...(rule && { rule }) };
}

/** One of some words, and nothing else. */
export function word<T extends string>(words: readonly T[]): Schema<T> {
  return { kind: 'text', allowed: `one of ${words.filter(Boolean).join(', ')}`, words };
}

/** One of some words; another one is not an error. */
export function openWord(words: readonly string[], unknownWord: string): Schema<string> {
  return { kind: 'text', allowed: `one of ${words.length > 24 ? `${words[0]}, ${words[1]}, …` : words.join(', ')}`, words, unknownWord };
}

/** An integer that a `number` can hold. */
export function integer(least: number, most: number): Schema<number> {
  return { kind: 'integer', least: BigInt(least), most: BigInt(most) };
}

export function uint32(): Schema<number> {
  return integer(0, UINT32_MAX);
}

/** An integer of 64 bits: a `number` where that is exact, otherwise a `bigint`. */
export function wide(least: bigint, most: bigint): Schema<number | bigint> {
  return { kind: 'integer', least, most };
}

export function uint64(): Schema<number | bigint> {
  return wide(0n, UINT64_MAX);
}

export function int64(): Schema<number | bigint> {
  return wide(INT64.least, INT64.most);
}

export function boolean(): Schema<boolean> {
  return { kind: 'boolean' };
}

export function list<T>(of: Schema<T>, check?: (value: readonly T[], report: Report) => void): Schema<readonly T[]> {
  return { kind: 'list', of, ...(check && { check }) };
}

/** A list or a map with a bound of its own. */
export function atMost<T>(most: number, schema: Schema<T>): Schema<T> {
  return schema.kind === 'list' || schema.kind === 'map' ? { ...schema, most } : schema;
}

export function map<T>(of: Schema<T>, key?: TextRule): Schema<Readonly<Record<string, T>>> {
  return { kind: 'map', of, ...(key && { key }) };
}

export function object<T>(fields: Fields<T>, check?: (value: T, report: Report) => void): Schema<T> {
  return { kind: 'object', fields, ...(check && { check }) };
}

export function opaque<T>(): Schema<T> {
  return { kind: 'opaque' };
}

export function required<T>(schema: Schema<T>): RequiredField<T> {
  return { required: schema };
}

export function since<T>(version: string, schema: Schema<T>): Schema<T> {
  return { ...schema, since: version };
}

export function deprecated<T>(why: string, schema: Schema<T>): Schema<T> {
  return { ...schema, deprecated: why };
}
