/** One line of a listing: a label, or an instruction as its bytes (in hex, in memory order), its mnemonic, and what it is for. */
export type Line = string | readonly [bytes: string, mnemonic: string, meaning?: string];

/** Machine code beside its meaning. */
export type Listing = readonly Line[];

/** The bytes of a listing. */
export function assemble(listing: Listing): Buffer {
  return Buffer.concat(listing.map((line) => (typeof line === 'string' ? Buffer.alloc(0) : Buffer.from(line[0].replaceAll(' ', ''), 'hex'))));
}
