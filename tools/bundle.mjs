// Bundles a package that is a program, so that it starts quickly. Runs in its directory (packages/cli, packages/oci), as the second half of its build. It makes
// - program.cjs, which is all of it: one script, whose compiled code can be kept, and CommonJS, since a process that loads any ES module starts 5 ms later;
// - bin.cjs, the bin, which runs the program with the code that it has kept (packages/runtime/src/code-cache.ts);
// - bundle-program.cjs of the cli, which is loaded by `ctr run --oci` alone;
// - index.js, which is what importers get.
import { build } from 'esbuild';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** @param {string} name of the package */
const sourceOf = (name) => fileURLToPath(new URL(`../packages/${name}/src/`, import.meta.url));
/** What Node gives to a CommonJS module. */
const scope = 'exports,require,module,__filename,__dirname';
/**
 * The second line of a bin, after `#!/usr/bin/env sh`, the only kind of first line that publint takes: to a shell, Node in its place; to Node, a string and a comment.
 * Without `--`, Node takes an `--env-file` for its own even behind the name of a script, be it an option of the program or a word of a container's command,
 * and obeys the NODE_OPTIONS in that file, which may be a stranger's. `env -S` could pass `--`, but BusyBox has none.
 * At SIGUSR1, until a program handles it, Node listens for a debugger on a port of the host: without the id, which it would publish there, nobody else can use that.
 */
const byNode = `':' //; exec node --inspect-publish-uid=stderr -- "$0" "$@"`;
/** What Node has loaded by itself before a program begins. */
const loadedAtStart = ['events', 'fs', 'path', 'util'];

/**
 * Makes bin.cjs and program.cjs.
 *
 * @param {string} outdir
 * @param {string} name of the package
 */
export async function bundle(outdir, name = 'cli') {
  const source = sourceOf(name);
  /** @type {import('esbuild').BuildOptions} */
  const options = {
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node20.19',
    conditions: ['@ctr/source'],
    define: { 'import.meta.dirname': '__dirname' },
    // What require finds when it is called.
    external: ['@ctr/syscall/package.json', '@ctr/cgroups/package.json'],
    legalComments: 'none',
    // Less to read at each start: with short names, too, 1.5 ms of 25. No trace of the stack is shown unless it is asked for.
    minify: true,
    charset: 'ascii',
    logLevel: 'warning',
    // A script has require, and no import().
    supported: { 'dynamic-import': false },
  };
  const { outputFiles } = await build({
    ...options,
    entryPoints: [join(source, 'program.ts')],
    write: false,
    plugins: [externalsOfPackages, scriptsOfTheirOwn],
    // As a script it is the function that Node would make of it, without another copy of the text; as a module it calls that.
    banner: {
      js: `((load)=>typeof module==='object'?load(${scope}):load)(function(${scope}){"use strict";const lazily=(name)=>new Proxy({},{get:(_,key)=>require(name)[key]});`,
    },
    footer: { js: '})' },
  });
  const program = loadLazily(outputFiles[0]?.text ?? '');
  mkdirSync(outdir, { recursive: true });
  writeFileSync(join(outdir, 'program.cjs'), program);
  if (existsSync(join(source, 'bundle-program.ts')))
    await build({ ...options, entryPoints: [join(source, 'bundle-program.ts')], outfile: join(outdir, 'bundle-program.cjs'), plugins: [externalsOfPackages] });
  const digest = createHash('sha256').update(program).digest('hex').slice(0, 32);
  await build({
    ...options,
    entryPoints: [join(source, 'bin.ts')],
    outfile: join(outdir, 'bin.cjs'),
    banner: { js: byNode },
    define: { ...options.define, PROGRAM_DIGEST: JSON.stringify(digest) },
  });
}

/** Who loads which package by createRequire. */
const loaders = [
  { file: /\/syscall\/src\/ffi\.ts$/, external: 'koffi', by: '@ctr/syscall' },
  { file: /\/cgroups\/src\/systemd\/bus\.ts$/, external: '@homebridge/dbus-native', by: '@ctr/cgroups' },
];

/**
 * A program depends on these through the packages that load them. Where dependencies are not hoisted, they are found from there alone.
 *
 * @type {import('esbuild').Plugin}
 */
const externalsOfPackages = {
  name: 'externals-of-ctr-packages',
  setup(bundler) {
    for (const { file, external, by } of loaders)
      bundler.onLoad({ filter: file }, async ({ path }) => {
        const code = await readFile(path, 'utf8');
        const contents = code.replace(
          'createRequire(import.meta.url)',
          `((name) => (name === '${external}' ? createRequire(require.resolve('${by}/package.json')) : require)(name))`,
        );
        if (contents === code) throw new Error(`${path} no longer loads ${external} by createRequire(import.meta.url): change tools/bundle.mjs as well`);
        return { contents, loader: 'ts' };
      });
  },
};

/**
 * What few commands need is not in the script that all of them read.
 *
 * @type {import('esbuild').Plugin}
 */
const scriptsOfTheirOwn = {
  name: 'scripts-of-their-own',
  setup(bundler) {
    bundler.onResolve({ filter: /\/bundle-program\.js$/ }, () => ({ path: './bundle-program.cjs', external: true }));
  },
};

/**
 * Modules of Node's are loaded when something of them is used: node:net alone, which few commands need, takes 2 ms.
 *
 * @param {string} code
 */
function loadLazily(code) {
  if (/__toESM\(require\("node:/.test(code)) throw new Error('a module of Node’s is imported as a whole, which loads it at once: name what is used of it');
  return code.replaceAll(/\brequire\("node:([^"]+)"\)/g, (call, name) => (loadedAtStart.includes(name) ? call : call.replace('require', 'lazily')));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const out = 'dist';
  const name = basename(process.cwd());
  const isLibrary = name !== 'cli';
  // Where tsc writes only declarations, every script is of an earlier bundle.
  for (const file of existsSync(out) ? readdirSync(out) : []) if ((isLibrary ? /\.cjs$/ : /\.c?js(\.map)?$/).test(file)) rmSync(join(out, file));
  await bundle(out, name);
  if (!isLibrary) writeFileSync(join(out, 'index.js'), "import program from './program.cjs';\nexport const { main } = program;\n");
}
