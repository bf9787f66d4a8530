// Writes each package's api.md: the declarations of its public names, in alphabetical order, from the built .d.ts files.
// A change of the public surface is then a diff to review. With --check it only compares, and fails where a report is stale.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

import { root } from './setup.mjs';

const check = process.argv.includes('--check');
let stale = false;
for (const name of readdirSync(join(root, 'packages'))) {
  const entry = join(root, 'packages', name, 'dist/index.d.ts');
  if (!existsSync(entry)) continue; // a package that is only a program
  const page = `packages/${name}/api.md`;
  const text = report(`@ctr/${name}`, entry);
  const before = existsSync(join(root, page)) ? readFileSync(join(root, page), 'utf8') : undefined;
  if (before === text) continue;
  if (check) {
    console.error(`${page} is stale: run node tools/api-report.mjs, and look at the difference`);
    stale = true;
  } else writeFileSync(join(root, page), text);
}
process.exit(stale ? 1 : 0);

/**
 * @param {string} packageName
 * @param {string} entry
 */
function report(packageName, entry) {
  const program = ts.createProgram([entry], {
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ES2023,
    types: ['node'],
  });
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(entry);
  const module = source && checker.getSymbolAtLocation(source);
  const printer = ts.createPrinter({ removeComments: true });
  const declarations = (module ? checker.getExportsOfModule(module) : []).map((exported) => {
    const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
    // A variable's statement is two levels above it.
    const nodes = (symbol.declarations ?? []).map((node) => (ts.isVariableDeclaration(node) ? node.parent.parent : node));
    return {
      name: exported.name,
      text: nodes.map((node) => printer.printNode(ts.EmitHint.Unspecified, withSortedUnions(node), node.getSourceFile())).join('\n'),
    };
  });
  declarations.sort((a, b) => (a.name < b.name ? -1 : 1));
  const body = declarations.map(({ text }) => text.replaceAll(/^export (declare )?/gm, '')).join('\n\n');
  return `# ${packageName}: its public surface\n\nWritten by \`tools/api-report.mjs\` from the built declarations; not meant to be edited.\n\n\`\`\`ts\n${body}\n\`\`\`\n`;
}

/**
 * The members of an inferred union of literals stand in an order that depends on what tsc has seen before: here they are sorted.
 *
 * @param {ts.Node} declaration
 */
function withSortedUnions(declaration) {
  const { transformed } = ts.transform(declaration, [
    (context) => (root) => {
      /** @type {ts.Visitor} */
      const visit = (node) => {
        const visited = ts.visitEachChild(node, visit, context);
        if (!ts.isUnionTypeNode(visited) || !visited.types.every((type) => ts.isLiteralTypeNode(type))) return visited;
        return ts.factory.createUnionTypeNode(visited.types.toSorted((a, b) => (a.getText() < b.getText() ? -1 : 1)));
      };
      return ts.visitEachChild(root, visit, context);
    },
  ]);
  return transformed[0] ?? declaration;
}
