// Which package may import which, read from the sources themselves:
// - only packages/syscall/src loads koffi, and only packages/cgroups/src the library for D-Bus
// - namespaces, fs, cgroups and security import @ctr/syscall and nothing else; the runtime what is below it, oci and cli what is below them
// - a package.json depends on what its sources import, no more and no less
// - the table in docs/architecture.md says the same
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import ts from 'typescript';

import { root } from './setup.mjs';

/** From the ground up: a package may import those of the layers below its own. */
const layers = [['syscall'], ['namespaces', 'fs', 'cgroups', 'security'], ['runtime'], ['oci'], ['cli']];
/** Packages of npm that a package may import. @type {Record<string, string[]>} */
const externals = { syscall: ['koffi'], cgroups: ['@homebridge/dbus-native'] };

/** @type {string[]} */
const problems = [];
const packages = readdirSync(join(root, 'packages')).filter((name) => existsSync(join(root, 'packages', name, 'package.json')));

/** The packages that each package's sources import. */
const imports = new Map(packages.map((name) => [name, importsOf(name)]));
for (const name of packages) {
  const layer = layers.findIndex((names) => names.includes(name));
  if (layer < 0) problems.push(`packages/${name} is in no layer: name it in tools/check-boundaries.mjs`);
  const allowed = [
    ...layers
      .slice(0, layer)
      .flat()
      .map((below) => `@ctr/${below}`),
    ...(externals[name] ?? []),
  ];
  for (const [imported, file] of imports.get(name) ?? [])
    if (!allowed.includes(imported)) problems.push(`${file} imports ${imported}: @ctr/${name} may import only ${allowed.join(', ') || 'Node’s modules'}`);
  const { dependencies = {} } = JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8'));
  compare(`packages/${name}/package.json: dependencies`, Object.keys(dependencies), `the imports of packages/${name}/src`, importedBy(name));
}
compareWithArchitecture();

for (const problem of problems) console.error(problem);
process.exit(problems.length > 0 ? 1 : 0);

/**
 * The packages that the sources of a package import, each with the first file that does. Relative imports must stay inside of it.
 *
 * @param {string} name
 */
function importsOf(name) {
  const source = join(root, 'packages', name, 'src');
  /** @type {Map<string, string>} */
  const found = new Map();
  for (const file of readdirSync(source, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts')) continue;
    const path = join(source, file);
    const text = readFileSync(path, 'utf8');
    const specifiers = ts.preProcessFile(text, true, true).importedFiles.map((imported) => imported.fileName);
    // What createRequire makes is no import to TypeScript.
    for (const external of Object.values(externals).flat()) if (text.includes(`'${external}'`)) specifiers.push(external);
    for (const specifier of specifiers) {
      if (specifier.startsWith('node:')) continue;
      const target = specifier.startsWith('.') ? relative(source, resolve(dirname(path), specifier)) : specifier;
      if (specifier.startsWith('.') && !target.startsWith('..')) continue;
      const packageName = specifier.startsWith('.') ? specifier : specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
      if (!found.has(packageName)) found.set(packageName, relative(root, path));
    }
  }
  return found;
}

/** @param {string} name */
function importedBy(name) {
  return [...(imports.get(name)?.keys() ?? [])];
}

/** The rows "| `@ctr/fs` | … | `@ctr/syscall` |" of the page, of which the last column names what a package imports. */
function compareWithArchitecture() {
  const page = 'docs/architecture.md';
  if (!existsSync(join(root, page))) return;
  const rows = new Map(
    [...readFileSync(join(root, page), 'utf8').matchAll(/^\|\s*`@ctr\/([\w-]+)`\s*\|.*\|([^|]*)\|\s*$/gm)].map(([, name = '', last = '']) => [
      name,
      [...last.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? ''),
    ]),
  );
  compare(`${page}: the packages of its table`, [...rows.keys()], 'packages/', packages);
  for (const [name, named] of rows) if (packages.includes(name)) compare(`${page}: the imports of @ctr/${name}`, named, 'its sources', importedBy(name));
}

/**
 * @param {string} what
 * @param {string[]} actual
 * @param {string} reference
 * @param {string[]} expected
 */
function compare(what, actual, reference, expected) {
  const missing = expected.filter((name) => !actual.includes(name));
  const extra = actual.filter((name) => !expected.includes(name));
  if (missing.length > 0) problems.push(`${what} lack ${missing.join(', ')}, found in ${reference}`);
  if (extra.length > 0) problems.push(`${what} name ${extra.join(', ')}, not found in ${reference}`);
}
