// The machine code of the walkers and unpackers against a disassembler: the bytes are the instructions that stand beside them.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { CODE_BYTES, DATA_OFFSET, FAILURE, RECORDS, TEXT, UNPACKER_OFFSET, WALKER_OFFSET } from '../../src/compile/layout.js';
import { assemble, type Listing } from '../../src/compile/listing.js';
import { threadEnd as threadEndArm64 } from '../../src/compile/thread-end-arm64.js';
import { threadEnd as threadEndX64 } from '../../src/compile/thread-end-x64.js';
import { unpacker as unpackerArm64 } from '../../src/compile/unpacker-arm64.js';
import { unpacker as unpackerX64 } from '../../src/compile/unpacker-x64.js';
import { walker as walkerArm64 } from '../../src/compile/walker-arm64.js';
import { walker as walkerX64 } from '../../src/compile/walker-x64.js';

const WALKER = TEXT + WALKER_OFFSET;
const programs = {
  walker: { origin: WALKER, x64: walkerX64, arm64: walkerArm64 },
  unpacker: { origin: TEXT + UNPACKER_OFFSET, x64: unpackerX64, arm64: unpackerArm64 },
  'end of a thread': { origin: 0, x64: threadEndX64, arm64: threadEndArm64 },
};
const machines = {
  x64: { objdumps: ['objdump', 'x86_64-linux-gnu-objdump'], machine: ['-m', 'i386:x86-64', '-M', 'intel'] },
  arm64: { objdumps: ['aarch64-linux-gnu-objdump', 'objdump'], machine: ['-m', 'aarch64'] },
} as const;

/** What a disassembler makes of bytes: address, bytes and text of each instruction. */
function disassemble(objdump: string, machine: readonly string[], bytes: Buffer, origin: number): string[][] {
  const directory = mkdtempSync(join(tmpdir(), 'ctr-listing-'));
  try {
    const path = join(directory, 'code');
    writeFileSync(path, bytes);
    const text = execFileSync(objdump, ['-D', '-w', '-b', 'binary', ...machine, `--adjust-vma=${origin}`, path], { encoding: 'utf8' });
    return [...text.matchAll(/^ *([0-9a-f]+):\t([0-9a-f ]+?) *\t(.*)$/gm)].map(([, address = '', hex = '', instruction = '']) => [address, hex, instruction]);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** The same text for the same instruction, whoever wrote it: numbers in decimal, no spaces, one name for each condition. */
function plain(text: string, labels: ReadonlyMap<string, number>): string {
  const named = text.replace(/\/\/.*| +# 0x[0-9a-f]+$/, '').replaceAll(/\b[a-zA-Z_]\w*\b/g, (word) => String(labels.get(word) ?? word));
  return named
    .toLowerCase()
    .replaceAll(/0x[0-9a-f]+/g, (hex) => String(BigInt.asIntN(64, BigInt(hex))))
    .replaceAll(/(?<=\[)(\d+)\+(\d+)(?=\])/g, (_, a: string, b: string) => String(Number(a) + Number(b)))
    .replaceAll(/ds:(\d+)/g, '[$1]')
    .replaceAll(/\*1\b/g, '')
    .replace('rep movs byte ptr es:[rdi],byte ptr ds:[rsi]', 'rep movsb')
    .replace(/^movz /, 'mov ')
    .replace(/^b\.lo /, 'b.cc ')
    .replace(/^b\.hs /, 'b.cs ')
    .replaceAll(/\s+/g, '');
}

/** Address of each label and of each line that is an instruction. */
function addresses(
  listing: Listing,
  origin: number,
): { readonly labels: Map<string, number>; readonly lines: { address: number; bytes: string; mnemonic: string }[] } {
  const labels = new Map([
    ['RECORDS', RECORDS],
    ['FAILURE', FAILURE],
    ['CODE_BYTES', CODE_BYTES],
    ['walker', WALKER],
    // What follows the code for the end of a thread on arm64: a pause of 16 bytes, and three numbers.
    ['key', 0x98],
    ['pthread_key_delete', 0xa0],
    ['munmap', 0xa8],
  ]);
  const lines = [];
  let address = origin;
  for (const line of listing) {
    if (typeof line === 'string') {
      expect(labels.has(line), `${line} stands there twice`).toBe(false);
      labels.set(line, address);
      continue;
    }
    const [bytes, mnemonic] = line;
    lines.push({ address, bytes: bytes.replaceAll(' ', ''), mnemonic });
    address += bytes.replaceAll(' ', '').length / 2;
  }
  return { labels, lines };
}

describe.each(Object.entries(programs))('the %s', (_, { origin, ...listings }) => {
  for (const [arch, { objdumps, machine }] of Object.entries(machines)) {
    const listing = listings[arch as keyof typeof machines];
    it(`for ${arch} is what its listing says`, ({ skip }) => {
      const objdump = objdumps.find((name) => spawnSync(name, ['-i'], { encoding: 'utf8' }).stdout?.includes(arch === 'x64' ? 'i386' : 'aarch64'));
      skip(objdump === undefined, `none of ${objdumps.join(', ')} that knows ${arch} is installed`);
      const { labels, lines } = addresses(listing, origin);
      const disassembled = disassemble(objdump as string, machine, assemble(listing), origin);
      const swap = (hex: string): string => (hex.includes(' ') || arch === 'x64' ? hex : (hex.match(/../g) ?? []).toReversed().join(''));
      expect(disassembled.map(([address, hex = '', text = '']) => [address, swap(hex).replaceAll(' ', ''), plain(text, labels)])).toEqual(
        lines.map(({ address, bytes, mnemonic }) => [address.toString(16), bytes, plain(mnemonic, labels)]),
      );
    });
  }
});

describe('the walker', () => {
  it.each(['x64', 'arm64'] as const)('for %s fits before the data', (arch) => {
    expect(WALKER_OFFSET + assemble(programs.walker[arch]).length).toBeLessThanOrEqual(DATA_OFFSET);
  });
});
