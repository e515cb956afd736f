import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import ts from 'typescript';

const PACKAGE = fileURLToPath(new URL('../../../edge/', import.meta.url));
const { exports } = JSON.parse(readFileSync(`${PACKAGE}package.json`, 'utf8'));
const entries = Object.values(exports).filter((entry) => typeof entry === 'object');

function programOf(files) {
  return ts.createProgram(files, {
    strict: true, exactOptionalPropertyTypes: true, noEmit: true, skipLibCheck: false, types: [],
    target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext,
    lib: ['lib.es2022.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
  });
}

test('the declarations of @fluxora/edge take what is right and refuse what is wrong', () => {
  const program = programOf([fileURLToPath(new URL('types.check.ts', import.meta.url))]);
  const problems = ts.getPreEmitDiagnostics(program).map((problem) => {
    const text = ts.flattenDiagnosticMessageText(problem.messageText, '\n');
    return `${problem.file?.fileName}:${problem.start}: ${text}`;
  });
  assert.deepEqual(problems, []);
});

test('what @fluxora/edge declares is there, and what is there is declared', async () => {
  const program = programOf(entries.map(({ types }) => `${PACKAGE}${types}`));
  const checker = program.getTypeChecker();
  for (const { types, default: source } of entries) {
    const file = program.getSourceFile(`${PACKAGE}${types}`);
    assert.ok(file, types);
    const declared = checker.getExportsOfModule(checker.getSymbolAtLocation(file));
    const values = declared.filter((symbol) => {
      const { flags } = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
      return flags & ts.SymbolFlags.Value;
    });
    const given = Object.keys(await import(`${PACKAGE}${source}`));
    assert.deepEqual(given.sort(), values.map(({ name }) => name).sort(), source);
  }
});

test('each code that a receiver answers with is declared', () => {
  const messages = readFileSync(`${PACKAGE}src/receiver.js`, 'utf8').split('const MESSAGES = {')[1].split('\n};')[0];
  const codes = [...messages.matchAll(/^ {2}(\w+):/gm)].map(([, code]) => code);
  const declarations = readFileSync(`${PACKAGE}src/receiver.d.ts`, 'utf8');
  const declared = declarations.split('export type ReceiverCode =')[1].split(';')[0];
  const own = [...declared.matchAll(/\| '(\w+)'/g)].map(([, code]) => code);
  const cores = readFileSync(fileURLToPath(new URL('../../../wasm/package/src/index.d.ts', import.meta.url)), 'utf8')
    .split('export type WebhookCode =')[1].split(';')[0];
  const verdicts = [...cores.matchAll(/\| '(\w+)'/g)].map(([, code]) => code).filter((code) => code !== 'ok');
  assert.deepEqual(codes.sort(), [...own, ...verdicts].sort());
});

test('@fluxora/edge uses @fluxora/core and nothing else', () => {
  const { dependencies, ...manifest } = JSON.parse(readFileSync(`${PACKAGE}package.json`, 'utf8'));
  assert.deepEqual(Object.keys(dependencies), ['@fluxora/core']);
  for (const kind of ['peerDependencies', 'optionalDependencies', 'scripts']) assert.equal(manifest[kind], undefined);
  const files = readdirSync(`${PACKAGE}src`);
  const importsOf = (text) => [...text.matchAll(/\bfrom '([^']+)'|\bimport\(/g)].map(([, name]) => name);
  const imports = files.flatMap((file) => importsOf(readFileSync(`${PACKAGE}src/${file}`, 'utf8')));
  assert.ok(imports.length > 20);
  assert.deepEqual(imports.filter((name) => !/^(\.\/\w+\.js|@fluxora\/core\/(verify|ed25519|feed))$/.test(name)), []);
  // Two files are declarations alone.
  const alone = files.filter((file) => !existsSync(`${PACKAGE}src/${file.replace(/\.d\.ts$/, '.js')}`));
  assert.deepEqual(alone, ['events.d.ts', 'seen.d.ts']);
});
