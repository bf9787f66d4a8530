// The LZ4 block format, read by its description alone: https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md.

/** What a block holds. Throws for what the format forbids. */
export function unpack(block: Uint8Array): Buffer {
  const content: number[] = [];
  let at = 0;
  const next = (): number => {
    const byte = block[at++];
    if (byte === undefined) throw new RangeError('the block ends within a sequence');
    return byte;
  };
  const number = (nibble: number): number => {
    let sum = nibble;
    for (let more = nibble === 15; more;) {
      const byte = next();
      sum += byte;
      more = byte === 255;
    }
    return sum;
  };
  let lastMatch = { from: 0, isThere: false };
  for (;;) {
    const token = next();
    const literals = number(token >> 4);
    for (let i = 0; i < literals; i++) content.push(next());
    if (at === block.length) {
      if ((token & 15) !== 0) throw new Error('the last sequence says that it repeats something');
      // The end of block conditions.
      if (lastMatch.isThere && literals < 5) throw new Error(`the last ${literals} bytes are literals: there have to be five`);
      if (lastMatch.isThere && content.length - lastMatch.from < 12) throw new Error('the last repetition begins in the last twelve bytes');
      return Buffer.from(content);
    }
    const distance = next() | (next() << 8);
    if (distance === 0 || distance > content.length) throw new RangeError(`there is nothing ${distance} bytes before byte ${content.length}`);
    lastMatch = { from: content.length, isThere: true };
    for (let left = number(token & 15) + 4; left > 0; left--) content.push(content[content.length - distance] as number);
  }
}
