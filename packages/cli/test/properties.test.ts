// Whatever stands on a command line, `ctr run` takes it or says what is wrong with it: no error of the engine's own comes through.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { plan } from '@ctr/runtime';

import { verdict } from '../../../tools/verdict.mjs';
import { parse } from '../src/args.js';
import { commandNamed, commands } from '../src/commands.js';
import { containerOptions } from '../src/container-options.js';
import { parseDuration } from '../src/options/duration.js';
import { parseSize } from '../src/options/size.js';
import { noSettings } from '../src/settings.js';

let directory = '';
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'ctr-properties-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

const noise = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ unit: fc.constantFrom(...Array.from('0123456789:/=,.-+ abkmgtswx\n\0\u{1B}')), maxLength: 30 }),
  fc.constantFrom('', '/', '-', '--', '=', ':', '::', '-1', '1e9', '0x10', 'NaN', 'Infinity', '__proto__', '__proto__=1', 'constructor=1', 'x'.repeat(5000), '٣', '\u{D800}'),
); // prettier-ignore
/** What an option takes, and a slip of the pen away from it. */
const nearly = fc
  .tuple(
    fc.constantFrom('64m', '1.5g', '10s', '500ms', '/tmp:/x:ro', '/x:size=64m,mode=1777', 'nofile=1024:4096', 'core=unlimited', 'net.ipv4.ip_forward=1', 'CAP_NET_RAW', 'all', 'seccomp=unconfined', 'no-new-privileges=false', 'mask=/a:/b', 'unmask=ALL', 'apparmor=x', 'label=a:b:c', '/dev/null:/dev/x', 'A=b', 'root:root', '0:0', 'host', 'new', 'pid:1', '/proc/self/ns/net', '0022'),
    fc.nat(8),
    noise,
    fc.boolean(),
  )
  .map(([good, at, other, isWhole]) => (isWhole ? good : good.slice(0, at) + other + good.slice(at))); // prettier-ignore
const value = fc.oneof(nearly, noise);
const parameters = { numRuns: 1000, interruptAfterTimeLimit: 6000 };
const options = commandNamed('run')?.options ?? [];
const word = fc.constantFrom(...options).chain(({ name, short, metavar }) => {
  const spelt = fc.constantFrom(`--${name}`, ...(short === undefined ? [] : [`-${short}`]));
  return metavar === undefined
    ? spelt.map((text) => [text])
    : fc.oneof(
        fc.tuple(spelt, value),
        fc.tuple(spelt, value).map(([text, given]) => [`${text}=${given}`]),
      );
});

function read(args: readonly string[]): ReturnType<typeof containerOptions> {
  const settings = noSettings();
  parse('run', args, options, settings);
  return containerOptions(settings);
}

describe('a command line', () => {
  it('of one option with any value comes to options of a container, or is refused', () => {
    fc.assert(
      fc.property(word, (args) => {
        expect(verdict(() => plan(['true'], read(args)))).toBeUndefined();
      }),
      parameters,
    );
    expect({}).not.toHaveProperty('1');
  });

  it('of some options', () => {
    fc.assert(
      fc.property(fc.array(word, { maxLength: 5 }), (some) => {
        expect(verdict(() => plan(['true'], read(some.flat())))).toBeUndefined();
      }),
      parameters,
    );
  });

  it('of any words, for any command', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...commands),
        fc.array(
          fc.oneof(
            noise,
            word.map(([text = '']) => text),
          ),
          { maxLength: 5 },
        ),
        (command, args) => {
          expect(verdict(() => parse(command.name, args, command.options, noSettings()))).toBeUndefined();
        },
      ),
      parameters,
    );
  });
});

describe('values', () => {
  it('sizes are whole numbers of bytes', () => {
    fc.assert(
      fc.property(value, (text) => {
        expect(verdict(() => expect(Number.isInteger(parseSize(text)) || parseSize(text) === Infinity).toBe(true))).toBeUndefined();
      }),
      parameters,
    );
  });

  it('durations are milliseconds that a timer can take', () => {
    fc.assert(
      fc.property(value, (text) => {
        expect(verdict(() => expect(parseDuration(text)).toBeLessThan(2 ** 31))).toBeUndefined();
      }),
      parameters,
    );
  });
});

describe('files', () => {
  it('of variables, and profiles of system calls, with anything in them', () => {
    fc.assert(
      fc.property(fc.oneof(noise, fc.json({ maxDepth: 3 }), fc.uint8Array({ maxLength: 60 })), (content) => {
        const file = join(directory, 'file');
        writeFileSync(file, content);
        expect(verdict(() => plan(['true'], read(['--env-file', file])))).toBeUndefined();
        expect(verdict(() => plan(['true'], read(['--security-opt', `seccomp=${file}`])))).toBeUndefined();
      }),
      { ...parameters, numRuns: 300 },
    );
  });
});
