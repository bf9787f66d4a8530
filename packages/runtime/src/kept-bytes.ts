/** Chunks of fewer bytes are copied: each Buffer takes some 200 bytes beside its content. */
const LARGE_BYTES = 4096;
const FIRST_BLOCK_BYTES = 256;
const LAST_BLOCK_BYTES = 65_536;

/** Bytes that are kept as they come. The memory that they take is in proportion to their number, also where a program writes them one by one. */
export class KeptBytes {
  readonly #parts: Buffer[] = [];
  /** Where small chunks are copied to: those before `#start` are a part already, those up to `#end` are none yet. */
  #block = Buffer.alloc(0);
  #start = 0;
  #end = 0;

  add(chunk: Buffer): void {
    if (chunk.length === 0) return;
    if (chunk.length >= LARGE_BYTES) {
      this.#parts.push(...this.#copied(), chunk);
      return;
    }
    if (this.#end + chunk.length > this.#block.length) {
      this.#parts.push(...this.#copied());
      const twice = Math.min(LAST_BLOCK_BYTES, Math.max(FIRST_BLOCK_BYTES, 2 * this.#block.length));
      this.#block = Buffer.allocUnsafeSlow(Math.max(twice, chunk.length));
      this.#start = this.#end = 0;
    }
    this.#end += chunk.copy(this.#block, this.#end);
  }

  /** All of them, in order. */
  parts(): readonly Buffer[] {
    this.#parts.push(...this.#copied());
    return this.#parts;
  }

  #copied(): Buffer[] {
    if (this.#start === this.#end) return [];
    const part = this.#block.subarray(this.#start, this.#end);
    this.#start = this.#end;
    return [part];
  }
}
