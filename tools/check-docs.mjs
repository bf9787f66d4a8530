// The documentation has to be true:
// - every public symbol is described, every public function and class has an example, and the types that they name are public too
// - every ```ts block of the pages and of the doc comments type-checks and, unless marked ```ts no-run, runs to its end
// `node tools/check-docs.mjs packages/fs docs/limits.md` looks only at what lies there.
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import ts from 'typescript';

import { root } from './setup.mjs';

/** @typedef {{ where: string, path: string, runs: boolean }} Example */

/** How long an example may take to run. */
const TIMEOUT_MS = 30_000;

/** @type {string[]} */
const problems = [];
// Inside of the repository, so that the packages are found.
const cache = join(root, 'node_modules/.cache/check-docs');
rmSync(cache, { recursive: true, force: true });
mkdirSync(cache, { recursive: true });

const packages = readdirSync(join(root, 'packages'));
const pages = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', ...below('docs', '.md'), ...packages.map((name) => `packages/${name}/README.md`)];
const sources = packages.flatMap((name) => below(`packages/${name}/src`, '.ts'));
const chosen = process.argv.slice(2);
const isChosen = (/** @type {string} */ file) => chosen.length === 0 || chosen.some((path) => file.startsWith(path));
const examples = [...pages, ...sources].filter(isChosen).flatMap(extract);
const program = ts.createProgram(
  [...examples.map(({ path }) => path), ...packages.map((name) => join(root, 'packages', name, 'src/index.ts'))],
  compilerOptions(),
);
const sound = examples.filter(typeChecks);
for (const name of packages) if (isChosen(`packages/${name}/src`)) checkPublicSymbols(`packages/${name}/src/index.ts`);
await runAll();

for (const problem of problems) console.error(problem);
process.exit(problems.length > 0 ? 1 : 0);

/**
 * Writes every ```ts block of a file into a module of its own, on the lines on which it stands in the file.
 *
 * @param {string} file
 * @returns {Example[]}
 */
function extract(file) {
  if (!existsSync(join(root, file))) return [];
  /** @type {Example[]} */
  const found = [];
  const prefix = file.endsWith('.ts') ? /^\s*\* ?/ : /^/;
  /** @type {{ line: number, fence: RegExpExecArray, code: string[] } | undefined} */
  let open;
  for (const [index, text] of readFileSync(join(root, file), 'utf8').split('\n').entries()) {
    const line = text.replace(prefix, '');
    if (!open) {
      const fence = /^(\s*)```ts( .*)?$/.exec(line);
      if (fence && (!file.endsWith('.ts') || prefix.test(text))) open = { line: index + 1, fence, code: [] };
    } else if (line.trimEnd() === `${open.fence[1]}\`\`\``) {
      const path = join(cache, `${file.replaceAll('/', '-')}-${open.line}.mts`);
      writeFileSync(path, `${'\n'.repeat(open.line)}${open.code.join('\n')}\nexport {};\n`);
      found.push({ where: `${file}:${open.line}`, path, runs: !/\bno-run\b/.test(open.fence[2] ?? '') });
      open = undefined;
    } else open.code.push(line);
  }
  return found;
}

function compilerOptions() {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.base.json'), (path) => ts.sys.readFile(path));
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root);
  return { ...options, composite: false, declaration: false, declarationMap: false, incremental: false, noEmit: true };
}

/** @param {Example} example */
function typeChecks({ where, path }) {
  const source = program.getSourceFile(path);
  const diagnostics = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
  for (const { start, messageText } of diagnostics) {
    const line = source?.getLineAndCharacterOfPosition(start ?? 0).line ?? 0;
    problems.push(`${where.replace(/\d+$/, String(line + 1))}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`);
  }
  return diagnostics.length === 0;
}

/** @param {string} index */
function checkPublicSymbols(index) {
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(join(root, index));
  const module = source && checker.getSymbolAtLocation(source);
  if (!module) return; // a package that exports nothing yet
  const resolved = (/** @type {ts.Symbol} */ symbol) => (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol);
  const symbols = new Set(checker.getExportsOfModule(module).map(resolved));
  for (const symbol of symbols) {
    const declaration = symbol.declarations?.[0];
    if (!declaration) continue;
    const file = declaration.getSourceFile();
    const where = `${relative(root, file.fileName)}:${file.getLineAndCharacterOfPosition(declaration.getStart()).line + 1}: ${symbol.name}`;
    if (symbol.getDocumentationComment(checker).length === 0) problems.push(`${where} is public and has no description`);
    if (!symbol.getJsDocTags(checker).some((tag) => tag.name === 'example') && symbol.flags & (ts.SymbolFlags.Function | ts.SymbolFlags.Class))
      problems.push(`${where} is public and has no @example`);
    for (const name of namedTypes(declaration)) {
      const type = checker.getSymbolAtLocation(name);
      const target = type && resolved(type);
      if (!target || symbols.has(target) || target.flags & ts.SymbolFlags.TypeParameter) continue;
      const from = target.declarations?.[0]?.getSourceFile().fileName;
      if (from?.startsWith(join(root, index, '..'))) problems.push(`${where} is public, but the type ${target.name}, which it names, is not`);
    }
  }
}

/**
 * The names of the types in a declaration, but for those of what is private in it.
 *
 * @param {ts.Node} node
 * @returns {ts.EntityName[]}
 */
function namedTypes(node) {
  if (ts.isBlock(node) || (ts.isExpression(node) && !ts.isExpressionWithTypeArguments(node))) return [];
  if (ts.isClassElement(node) && node.name && ts.isPrivateIdentifier(node.name)) return [];
  /** @type {ts.EntityName[]} */
  const names = ts.isTypeReferenceNode(node) ? [node.typeName] : [];
  ts.forEachChild(node, (child) => void names.push(...namedTypes(child)));
  return names;
}

/** Runs the examples against the built packages, each in a mount namespace of its own. */
async function runAll() {
  const queue = sound.filter((example) => example.runs);
  if (process.getuid?.() !== 0) {
    for (const { where } of queue) console.log(`skipped: the example ${where} (needs root)`);
    return;
  }
  const worker = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) await run(next);
  };
  await Promise.all([worker(), worker()]);
}

/** @param {Example} example */
async function run({ where, path }) {
  const { outputText } = ts.transpileModule(readFileSync(path, 'utf8'), {
    compilerOptions: { ...compilerOptions(), noEmit: false, sourceMap: false, module: ts.ModuleKind.ESNext },
  });
  const script = path.replace(/\.mts$/, '.mjs');
  writeFileSync(script, outputText);
  const cwd = mkdtempSync(join(tmpdir(), 'ctr-example-'));
  await new Promise((resolve) => {
    const child = execFile(
      'unshare',
      ['--mount', '--propagation', 'private', process.execPath, script],
      { cwd, timeout: TIMEOUT_MS, killSignal: 'SIGKILL' },
      (error, stdout, stderr) => {
        if (error)
          problems.push(
            `${where}: the example ${error.killed ? `did not end in ${TIMEOUT_MS} ms` : `failed (exit code ${error.code})`}\n${indented(stdout + stderr)}`,
          );
        resolve(undefined);
      },
    );
    child.stdin?.end();
  });
  rmSync(cwd, { recursive: true, force: true });
}

/** @param {string} output */
function indented(output) {
  return output.split('\n', 12).join('\n').trim().replaceAll(/^/gm, '    ');
}

/**
 * @param {string} directory
 * @param {string} extension
 */
function below(directory, extension) {
  if (!existsSync(join(root, directory))) return [];
  return readdirSync(join(root, directory), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(extension) && !file.startsWith('api/'))
    .map((file) => join(directory, file));
}
