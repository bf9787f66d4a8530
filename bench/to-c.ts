import {
  cloneFlags,
  errnos,
  explainCall,
  Fd,
  syscallNumber,
  type Arg,
  type Field,
  type FieldValue,
  type Memory,
  type Plan,
  type Pointer,
  type Step,
  type Struct,
} from '@ctr/syscall';

/** A plan as C, and the files it has to be given: those of `fds`, under the numbers from `FIRST_FD` on. */
export interface Translation {
  readonly source: string;
  readonly fds: readonly Fd[];
}

/** The number of the first file that the program is given; 3 is where the plan reports. */
const FIRST_FD = 4;
/** Largest stack of a cloned process: a C function needs more than the walker does. */
const STACK_BYTES = 65536;

/**
 * Turns a plan into C that makes the same calls: the floor that launching it is measured against.
 *
 * A plan that begins with its clone has that made by the C program itself, and the new process makes all the other calls.
 * Where calls come first (joining a cgroup), which the program cannot make over and over for itself, another process of its own makes them and clones, as the plan has it.
 *
 * The source has a function `void reset(void)`, which gives the plan's memory its first content; `long steps(int from)`, which runs the plan from its start (0);
 * and `long started(void)`, which returns the pid of the process that the plan goes on in. `floor.c` includes it.
 */
export function toC(plan: Plan): Translation {
  return new Translator(plan).translate();
}

class Translator {
  readonly #plan: Plan;
  readonly #index: ReadonlyMap<Step, number>;
  readonly #objects = new Map<Memory | Struct, string>();
  readonly #fds: Fd[] = [];
  readonly #declarations: string[] = [];
  readonly #resets: string[] = [];
  #vectors = 0;

  constructor(plan: Plan) {
    this.#plan = plan;
    this.#index = new Map(plan.map((step, i) => [step, i]));
  }

  translate(): Translation {
    const clones = this.#plan.flatMap((step, i) => (step.call === 'clone' ? [i] : []));
    const [first] = clones;
    if (first === undefined) throw new TypeError('the plan makes no process of its own');
    const body = this.#plan.map((step, i) => this.#step(step, i, i === 0));
    const source = [
      ...this.#plan.map((_, i) => `static long r${i};`),
      ...this.#declarations,
      '',
      'static void reset(void) {',
      ...this.#resets.map((line) => `  ${line}`),
      '}',
      '',
      'static long steps(int from) {',
      '  long r;',
      '  switch (from) {',
      ...clones.map((i) => `  case ${i + 1}: goto child${i};`),
      '  }',
      ...body,
      '  _exit(0);',
      '}',
      '',
      `#define CLONES_AT_ONCE ${Number(first === 0)}`,
      `static long started(void) { return r${first}; }`,
      `static void clean(void) { ${this.#made(first)
        .map((path) => `made(rmdir(${quote(Buffer.from(path))}));`)
        .join(' ')} }`,
      '',
    ].join('\n');
    return { source, fds: this.#fds };
  }

  /** The directories that the plan makes on the host, which have to be gone before it can run again. */
  #made(before: number): string[] {
    return this.#plan
      .slice(0, before)
      .flatMap(({ call, args: [, path], tolerates }) => (call === 'mkdirat' && typeof path === 'string' && !tolerates ? [path] : []))
      .reverse();
  }

  #step(step: Step, i: number, isFirstClone: boolean): string {
    const args = step.args.map((arg) => this.#value(arg));
    const lines = [`  /* ${explainCall(step, this.#index).replaceAll('*/', '*\\/')}: ${step.purpose.replaceAll('*/', '*\\/')} */`, `step${i}:`];
    if (step.call === 'add') lines.push(`r = ${args[0]} + ${args[1]};`);
    else if (step.call === 'clone') lines.push(...this.#clone(args, i, isFirstClone));
    else if (step.call === 'clone3') throw new TypeError('clone3 cannot be translated: C has no function for it');
    else lines.push(`r = made(syscall(${[syscallNumber(step.call), ...args].join(', ')}));`);
    lines.push(`if (${this.#fails(step)}) ${step.onFailure ? `goto step${this.#at(step.onFailure)}` : `failed(${i}, r)`};`);
    // A cloned process shares the memory: only the one that has cloned stores the pid.
    lines.push(`${step.call === 'clone' ? 'if (r) ' : ''}${step.into ? `*(long *)${this.#pointer(step.into)}` : `r${i}`} = r;`);
    if (step.jump) lines.push(`if (r ${step.jump.when} ${this.#value(step.jump.than ?? 0)}) goto step${this.#at(step.jump.to)};`);
    return lines.map((line) => (line.startsWith('  ') || line.startsWith('step') ? line : `  ${line}`)).join('\n');
  }

  #clone([flags = '0', , parentTid = '0', childTid = '0', tls = '0']: readonly string[], i: number, isFirst: boolean): string[] {
    this.#declarations.push(`static unsigned char stack${i}[${STACK_BYTES}] __attribute__((aligned(16)));`);
    const how = isFirst ? `${flags} & ~${cloneFlags.CLONE_PARENT}L` : flags;
    return [
      `r = made(clone(enter, stack${i} + ${STACK_BYTES}, ${how}, (void *)${i + 1}L, (void *)${parentTid}, (void *)${tls}, (void *)${childTid}));`,
      ...(isFirst ? [`if (r < 0) failed(${i}, r);`, `return r${i} = r;`] : [`goto cloned${i};`]),
      `child${i}: r = 0;`,
      ...(isFirst ? [] : [`cloned${i}:;`]),
    ];
  }

  #fails(step: Step): string {
    if (step.tolerates === 'any') return '0';
    return ['r < 0 && r >= -4095', ...(step.tolerates ?? []).map((name) => `r != -${errnos[name]}`)].join(' && ');
  }

  #at(step: Step): number {
    const index = this.#index.get(step);
    if (index === undefined) throw new TypeError(`the plan has no step ${step.call}: ${step.purpose}`);
    return index;
  }

  /** An expression of type `long`. */
  #value(arg: Arg): string {
    if (arg === null) return '0L';
    if (typeof arg === 'number' || typeof arg === 'bigint') return literal(BigInt(arg));
    if (arg instanceof Fd) return `${this.#fd(arg)}L`;
    if (typeof arg === 'object' && 'kind' in arg) {
      if (arg.kind === 'result') return arg.step.into ? `*(long *)${this.#pointer(arg.step.into)}` : `r${this.#at(arg.step)}`;
      if (arg.kind === 'load') return `(long)*(${{ 8: 'long', 4: 'int', 1: 'unsigned char' }[arg.size]} *)(${this.#object(arg.of)} + ${arg.offset})`;
    }
    return `(long)${this.#address(arg)}`;
  }

  #address(arg: string | Uint8Array | Memory | Struct | Pointer | readonly (string | Memory | Struct)[]): string {
    if (typeof arg === 'string') return quote(Buffer.from(arg));
    if (arg instanceof Uint8Array) return quote(arg);
    if ('kind' in arg) return arg.kind === 'pointer' ? this.#pointer(arg) : this.#object(arg);
    const name = `vector${this.#vectors++}`;
    this.#declarations.push(`static const void *${name}[${arg.length + 1}];`);
    for (const [i, item] of arg.entries()) this.#resets.push(`${name}[${i}] = ${this.#address(item)};`);
    return name;
  }

  #pointer({ of, offset }: Pointer): string {
    return `(${this.#object(of)} + ${offset})`;
  }

  #fd(fd: Fd): number {
    let index = this.#fds.indexOf(fd);
    if (index < 0) index = this.#fds.push(fd) - 1;
    return FIRST_FD + index;
  }

  /** The name of an array of bytes. */
  #object(object: Memory | Struct): string {
    const known = this.#objects.get(object);
    if (known !== undefined) return known;
    const name = `data${this.#objects.size}`;
    this.#objects.set(object, name);
    this.#declarations.push(`static unsigned char ${name}[${Math.max(object.byteLength, 8)}] __attribute__((aligned(16)));`);
    if (object.kind === 'memory') {
      if (object.initial) this.#resets.push(`memcpy(${name}, ${quote(object.initial)}, ${object.byteLength});`);
      return name;
    }
    for (const field of object.type.fields) {
      const value = object.values[field.name];
      if (value !== undefined && value !== null) this.#resets.push(this.#setField(`${name} + ${field.offset}`, field, value));
    }
    return name;
  }

  #setField(place: string, field: Field & { readonly size: number }, value: Exclude<FieldValue, null>): string {
    if (value instanceof Uint8Array && field.type !== 'pointer') return `memcpy(${place}, ${quote(value)}, ${value.byteLength});`;
    const type = { 1: 'unsigned char', 2: 'unsigned short', 4: 'unsigned int' }[field.size] ?? 'unsigned long';
    return `*(${type} *)(${place}) = (${type})${this.#value(value)};`;
  }
}

function literal(value: bigint): string {
  return value > 0x7fffffffffffffffn ? `(long)${value}UL` : `${value}L`;
}

function quote(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes)
    text +=
      byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c && byte !== 0x3f ? String.fromCharCode(byte) : `\\${byte.toString(8).padStart(3, '0')}`;
  return `"${text}"`;
}
