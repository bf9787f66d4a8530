/*
 * The LZ4 block format: sequences of
 *
 *   u8       token: the number of literals (high four bits), and of bytes that are repeated, less four (low four bits)
 *   u8[]     the rest of the number of literals, if that is 15 or more: bytes to be added up, the last of which is not 255
 *   u8[]     the literals
 *   u16      how far back the bytes that are repeated stand, little-endian; they may reach into their own repetition
 *   u8[]     the rest of their number, if that is 15 or more
 *
 * of which the last one ends with its literals. See lz4_Block_format.md of https://github.com/lz4/lz4.
 */

const MIN_MATCH = 4;
const MAX_DISTANCE = 0xffff;
/** The format has the last bytes as literals, and no repetition that begins in the last twelve. */
const LAST_LITERALS = 5;
const LAST_MATCH = 12;
/** The token and the distance. */
const MATCH_COST = 3;
/** What four bits hold before more bytes follow. */
const NIBBLE = 15;
const HASH_BITS = 14;
/** How many of the earlier places with the same hash are looked at. */
const DEPTH = 256;

/** Bytes from `from` on are the same as those `distance` before, `length` of them. */
interface Match {
  readonly length: number;
  readonly distance: number;
}

/**
 * Packs bytes into an LZ4 block. Which repetitions are taken is decided from the end backwards: the fewest bytes that what follows can take are known there.
 * A repetition costs three bytes, whatever its distance, so the longest one at each place, or the beginning of it, is the best of that length.
 */
export function pack(content: Buffer): Buffer {
  const packed = Buffer.alloc(content.length + Math.ceil(content.length / 255) + 16);
  let end = 0;
  const number = (rest: number): void => {
    for (; rest >= 255; rest -= 255) packed[end++] = 255;
    packed[end++] = rest;
  };
  const sequence = (from: number, to: number, match?: Match): void => {
    const literals = to - from;
    const repeated = match ? match.length - MIN_MATCH : 0;
    packed[end++] = (Math.min(literals, NIBBLE) << 4) | Math.min(repeated, NIBBLE);
    if (literals >= NIBBLE) number(literals - NIBBLE);
    end += content.copy(packed, end, from, to);
    if (!match) return;
    end = packed.writeUInt16LE(match.distance, end);
    if (repeated >= NIBBLE) number(repeated - NIBBLE);
  };
  const matches = cheapest(content);
  let from = 0;
  for (let at = 0; at < content.length;) {
    const match = matches[at];
    if (match) {
      sequence(from, at, match);
      at += match.length;
      from = at;
    } else at++;
  }
  sequence(from, content.length);
  return packed.subarray(0, end);
}

/** For each place the repetition to take there, or `undefined` for a literal. */
function cheapest(content: Buffer): readonly (Match | undefined)[] {
  const finder = new Finder(content);
  const matches = Array.from({ length: content.length }, (_, at) => finder.longest(at));
  const costs = new Uint32Array(content.length + 1);
  for (let at = content.length - 1; at >= 0; at--) {
    const match = matches[at];
    let cost = (costs[at + 1] as number) + 1;
    let length = 0;
    for (let each = match?.length ?? 0; each >= MIN_MATCH; each--) {
      const price = MATCH_COST + Math.floor((each - MIN_MATCH + 255 - NIBBLE) / 255) + (costs[at + each] as number);
      if (price >= cost) continue;
      cost = price;
      length = each;
    }
    costs[at] = cost;
    matches[at] = match && length > 0 ? { length, distance: match.distance } : undefined;
  }
  return matches;
}

/** Finds earlier bytes that are the same: places with the same hash of their first four bytes are chained, the latest first. */
class Finder {
  readonly #content: Buffer;
  readonly #latest = new Int32Array(1 << HASH_BITS).fill(-1);
  readonly #before: Int32Array;
  #known = 0;

  constructor(content: Buffer) {
    this.#content = content;
    this.#before = new Int32Array(content.length);
  }

  longest(at: number): Match | undefined {
    const content = this.#content;
    if (at + LAST_MATCH > content.length) return undefined;
    for (; this.#known < at; this.#known++) {
      const hash = this.#hash(this.#known);
      this.#before[this.#known] = this.#latest[hash] as number;
      this.#latest[hash] = this.#known;
    }
    const limit = content.length - LAST_LITERALS - at;
    let length = MIN_MATCH - 1;
    let distance = 0;
    let place = this.#latest[this.#hash(at)] as number;
    for (let left = DEPTH; left > 0 && place >= 0 && at - place <= MAX_DISTANCE && length < limit; left--, place = this.#before[place] as number) {
      if (content[place + length] !== content[at + length]) continue;
      let same = 0;
      while (same < limit && content[place + same] === content[at + same]) same++;
      if (same <= length) continue;
      length = same;
      distance = at - place;
    }
    return distance === 0 ? undefined : { length, distance };
  }

  #hash(at: number): number {
    return Math.imul(this.#content.readInt32LE(at), 0x9e3779b1) >>> (32 - HASH_BITS);
  }
}
