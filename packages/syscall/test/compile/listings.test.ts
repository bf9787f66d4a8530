// The machine code of the walkers against a disassembler: the bytes are the instructions that stand beside them.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { DATA_OFFSET, FAILURE, RECORDS, TEXT, WALKER_OFFSET } from '../../src/compile/layout.js';
import { assemble, type Listing } from '../../src/compile/listing.js';
import { walker as arm64 } from '../../src/compile/walker-arm64.js';
import { walker as x64 } from '../../src/compile/walker-x64.js';

const ORIGIN = TEXT + WALKER_OFFSET;
const machines = {
  x64: { listing: x64, objdumps: ['objdump', 'x86_64-linux-gnu-objdump'], machine: ['-m', 'i386:x86-64', '-M', 'intel'] },
  arm64: { listing: arm64, objdumps: ['aarch64-linux-gnu-objdump', 'objdump'], machine: ['-m', 'aarch64'] },
} as const;

/** What a disassembler makes of bytes: address, bytes and text of each instruction. */
function disassemble(objdump: string, machine: readonly string[], bytes: Buffer): string[][] {
  const directory = mkdtempSync(join(tmpdir(), 'ctr-listing-'));
  try {
    const path = join(directory, 'walker');
    writeFileSync(path, bytes);
    const text = execFileSync(objdump, ['-D', '-w', '-b', 'binary', ...machine, `--adjust-vma=${ORIGIN}`, path], { encoding: 'utf8' });
    return [...text.matchAll(/^ *([0-9a-f]+):\t([0-9a-f ]+?) *\t(.*)$/gm)].map(([, address = '', hex = '', instruction = '']) => [address, hex, instruction]);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** The same text for the same instruction, whoever wrote it: numbers in decimal, no spaces, one name for each condition. */
function plain(text: string, labels: ReadonlyMap<string, number>): string {
  const named = text.replace(/\/\/.*/, '').replaceAll(/\b[a-zA-Z_]\w*\b/g, (word) => String(labels.get(word) ?? word));
  return named
    .toLowerCase()
    .replaceAll(/0x[0-9a-f]+/g, (hex) => String(BigInt.asIntN(64, BigInt(hex))))
    .replaceAll(/(?<=\[)(\d+)\+(\d+)(?=\])/g, (_, a: string, b: string) => String(Number(a) + Number(b)))
    .replaceAll(/ds:(\d+)/g, '[$1]')
    .replaceAll(/\*1\b/g, '')
    .replace(/^movz /, 'mov ')
    .replace(/^b\.lo /, 'b.cc ')
    .replace(/^b\.hs /, 'b.cs ')
    .replaceAll(/\s+/g, '');
}

/** Address of each label and of each line that is an instruction. */
function addresses(listing: Listing): { readonly labels: Map<string, number>; readonly lines: { address: number; bytes: string; mnemonic: string }[] } {
  const labels = new Map([
    ['RECORDS', RECORDS],
    ['FAILURE', FAILURE],
  ]);
  const lines = [];
  let address = ORIGIN;
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

describe('the walker', () => {
  for (const [arch, { listing, objdumps, machine }] of Object.entries(machines)) {
    it(`for ${arch} is what its listing says`, ({ skip }) => {
      const objdump = objdumps.find((name) => spawnSync(name, ['-i'], { encoding: 'utf8' }).stdout?.includes(arch === 'x64' ? 'i386' : 'aarch64'));
      skip(objdump === undefined, `none of ${objdumps.join(', ')} that knows ${arch} is installed`);
      const { labels, lines } = addresses(listing);
      const disassembled = disassemble(objdump as string, machine, assemble(listing));
      const swap = (hex: string): string => (hex.includes(' ') || arch === 'x64' ? hex : (hex.match(/../g) ?? []).toReversed().join(''));
      expect(disassembled.map(([address, hex = '', text = '']) => [address, swap(hex).replaceAll(' ', ''), plain(text, labels)])).toEqual(
        lines.map(({ address, bytes, mnemonic }) => [address.toString(16), bytes, plain(mnemonic, labels)]),
      );
    });

    it(`for ${arch} fits before the data`, () => {
      expect(WALKER_OFFSET + assemble(listing).length).toBeLessThanOrEqual(DATA_OFFSET);
    });
  }
});
