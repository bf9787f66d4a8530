import type { ArgKind } from './abi/signatures.js';
import type { Arg } from './step.js';

/** The address of a place in memory that steps share. */
export interface Pointer {
  readonly kind: 'pointer';
  readonly of: Memory | Struct;
  readonly offset: number;
}

/** The value that stands in shared memory at the moment a step is reached. */
export interface Load {
  readonly kind: 'load';
  readonly of: Memory | Struct;
  readonly offset: number;
  /** Size in bytes: 8 and 1 without sign, 4 with sign (a C `int`). */
  readonly size: 8 | 4 | 1;
}

/**
 * Memory that the kernel writes and later steps read: a status, a pair of fds, a buffer.
 * As an argument it stands for its address.
 *
 * @example The two ends of a pipe
 * ```ts
 * import { Memory, type Step } from '@ctr/syscall';
 * const ends = new Memory(8, 'ends');
 * const plan: Step[] = [
 *   { call: 'pipe2', args: [ends, 0], purpose: 'a pipe' },
 *   { call: 'close', args: [ends.i32(4)], purpose: 'its write end is not needed' },
 * ];
 * ```
 */
export class Memory {
  readonly kind = 'memory';
  readonly byteLength: number;
  /** A name for what `explain` prints. */
  readonly name: string;
  /** The content to begin with; zeros where there is none. */
  readonly initial: Uint8Array | undefined;

  constructor(content: number | Uint8Array, name: string) {
    this.byteLength = typeof content === 'number' ? content : content.byteLength;
    this.initial = typeof content === 'number' ? undefined : content;
    this.name = name;
    if (!Number.isSafeInteger(this.byteLength) || this.byteLength < 0) throw new RangeError(`Memory ${name}: ${this.byteLength} is not a size in bytes`);
  }

  /** The address of the byte at an offset. */
  at(offset: number): Pointer {
    return { kind: 'pointer', of: this, offset };
  }
  /** The C `int` at an offset, when the step is reached. */
  i32(offset = 0): Load {
    return { kind: 'load', of: this, offset, size: 4 };
  }
  /** The 64-bit value at an offset, when the step is reached. */
  u64(offset = 0): Load {
    return { kind: 'load', of: this, offset, size: 8 };
  }
  /** The byte at an offset, when the step is reached. */
  u8(offset = 0): Load {
    return { kind: 'load', of: this, offset, size: 1 };
  }
}

/**
 * What a compiled plan knows of the step that failed last: its errno is `failure.i32(4)`. For the steps behind an `onFailure`.
 *
 * @example
 * ```ts
 * import { failure, type Step } from '@ctr/syscall';
 * const end: Step = { call: 'exit_group', args: [failure.i32(4)], purpose: 'the errno is the exit code' };
 * ```
 */
export const failure = new Memory(8, 'failure');

const sizes = { u8: 1, u16: 2, u32: 4, i32: 4, u64: 8, i64: 8, pointer: 8 } as const;

/** The C type of a field, with what it means to `explain`. */
export interface Field {
  readonly type: keyof typeof sizes | { readonly bytes: number };
  readonly show?: ArgKind;
}

/** The value of a field: a number, bytes, or, for a pointer, what it points to. */
export type FieldValue = number | bigint | Exclude<Arg, Load | { kind: 'result' }>;

/** A field with its place in its struct, in bytes. */
export interface PlacedField extends Field {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
}

/** A C struct: its fields in the kernel's order, laid out by the rules of the ABI. */
export interface StructType<Name extends string> {
  (values: Partial<Record<Name, FieldValue>>): Struct;
  readonly structName: string;
  readonly fields: readonly PlacedField[];
  readonly byteLength: number;
  /** The offset of a field, in bytes. */
  offsetOf(field: Name): number;
}

/** A struct with its values. As an argument it stands for its address. */
export interface Struct {
  readonly kind: 'struct';
  readonly type: Pick<StructType<string>, 'structName' | 'fields' | 'byteLength'>;
  readonly values: Readonly<Partial<Record<string, FieldValue>>>;
  readonly byteLength: number;
  /** The address of a field, to store a result there. */
  field(name: string): Pointer;
}

/**
 * Describes a C struct once; the function it returns makes values of it. Fields that are not given are zero.
 *
 * @example struct open_how of openat2(2)
 * ```ts
 * import { struct } from '@ctr/syscall';
 * const openHow = struct('open_how', { flags: { type: 'u64' }, mode: { type: 'u64' }, resolve: { type: 'u64' } });
 * const how = openHow({ resolve: 0x10 });
 * ```
 */
export function struct<const F extends Record<string, Field>>(structName: string, definition: F): StructType<keyof F & string> {
  type Name = keyof F & string;
  let end = 0;
  let alignment = 1;
  const fields = Object.entries(definition).map(([name, field]): PlacedField => {
    const size = typeof field.type === 'string' ? sizes[field.type] : field.type.bytes;
    const align = typeof field.type === 'string' ? size : 1;
    const offset = Math.ceil(end / align) * align;
    end = offset + size;
    alignment = Math.max(alignment, align);
    return { ...field, name, offset, size };
  });
  const byteLength = Math.ceil(end / alignment) * alignment;
  const offsetOf = (name: Name): number => {
    const field = fields.find((f) => f.name === name);
    if (!field) throw new TypeError(`struct ${structName} has no field ${name}`);
    return field.offset;
  };
  const type = { structName, fields, byteLength, offsetOf };
  const make = (values: Partial<Record<Name, FieldValue>>): Struct => {
    for (const name of Object.keys(values)) offsetOf(name);
    const made: Struct = { kind: 'struct', type, values, byteLength, field: (name) => ({ kind: 'pointer', of: made, offset: offsetOf(name) }) };
    return made;
  };
  return Object.assign(make, type);
}
