// Runs the instructions that a program about devices may have, as the kernel does, and refuses all others.

const CONTEXT = 2 ** 40;

/** What a program returns for a context, struct bpf_cgroup_dev_ctx of linux/bpf.h. */
export function interpret(program: Uint8Array, context: readonly [accessType: number, major: number, minor: number]): bigint {
  const view = new DataView(program.buffer, program.byteOffset, program.byteLength);
  const registers: (bigint | undefined)[] = Array.from({ length: 11 }, () => undefined);
  registers[1] = BigInt(CONTEXT);
  const get = (number: number): bigint => {
    const value = registers[number];
    if (value === undefined) throw new Error(`r${number} is read before it is written`);
    return value;
  };
  const count = program.byteLength / 8;
  for (let at = 0; ; at++) {
    if (at < 0 || at >= count) throw new Error('the program does not end');
    const code = view.getUint8(at * 8);
    const destination = view.getUint8(at * 8 + 1) & 0xf;
    const source = view.getUint8(at * 8 + 1) >> 4;
    const offset = view.getInt16(at * 8 + 2, true);
    const value = BigInt(view.getInt32(at * 8 + 4, true));
    if (code === 0x61) {
      const word = context[(Number(get(source)) - CONTEXT + offset) / 4];
      if (word === undefined) throw new Error('a load outside of the context');
      registers[destination] = BigInt(word);
    } else if (code === 0xbf) registers[destination] = get(source);
    else if (code === 0xb7) registers[destination] = value;
    else if (code === 0x57) registers[destination] = get(destination) & BigInt.asUintN(64, value);
    else if (code === 0x77) registers[destination] = get(destination) >> value;
    else if (code === 0x05) at += offset;
    else if (code === 0x55) at += get(destination) === BigInt.asUintN(64, value) ? 0 : offset;
    else if (code === 0x45) at += (get(destination) & BigInt.asUintN(64, value)) === 0n ? 0 : offset;
    else if (code === 0x95) return get(0);
    else throw new Error(`no instruction 0x${code.toString(16)}`);
    if (offset < 0) throw new Error('a jump backward');
  }
}
