import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import ts from 'typescript';

import { connectFeed } from '../../../wasm/package/src/feed.js';
import { newCore, newEd25519, newVerify } from './support.js';

const here = (file) => fileURLToPath(new URL(file, import.meta.url));

test('the declarations take what is right and refuse what is wrong', () => {
  const program = ts.createProgram([here('types.check.ts')], {
    strict: true, noEmit: true, skipLibCheck: false, types: [],
    target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext,
    lib: ['lib.es2022.d.ts', 'lib.dom.d.ts'],
  });
  const problems = ts.getPreEmitDiagnostics(program).map((problem) => {
    const text = ts.flattenDiagnosticMessageText(problem.messageText, '\n');
    return `${problem.file?.fileName}:${problem.start}: ${text}`;
  });
  assert.deepEqual(problems, []);
});

/** The members of a file's interfaces, by their names. */
function interfacesOf(file) {
  const source = ts.createSourceFile(file, readFileSync(here(`../../../wasm/package/src/${file}`), 'utf8'),
    ts.ScriptTarget.ES2022);
  const declared = {};
  source.forEachChild((node) => {
    if (ts.isInterfaceDeclaration(node)) {
      declared[node.name.text] = node.members.map((member) => member.name?.getText(source)).filter(Boolean);
    }
  });
  return declared;
}

test('what is declared is there, and what is there is declared', () => {
  const declared = { ...interfacesOf('index.d.ts'), ...interfacesOf('feed.d.ts') };
  const core = newCore();
  const membersOf = (value) => {
    const own = Object.keys(value);
    const inherited = Object.getOwnPropertyNames(Object.getPrototypeOf(value));
    return [...own, ...(Object.getPrototypeOf(value) === Object.prototype ? [] : inherited)]
      .filter((name) => name !== 'constructor').sort();
  };
  const columns = core.streamColumns();
  assert.deepEqual(membersOf(core), declared.FluxoraCore.sort());
  assert.deepEqual(membersOf(core.amounts), declared.Amounts.sort());
  assert.deepEqual(membersOf(core.strkey), declared.StrKeys.sort());
  assert.deepEqual(membersOf(core.cursor), declared.Cursors.sort());
  assert.deepEqual(membersOf(core.webhooks), [...declared.Webhooks, ...declared.WebhookVerifying].sort());
  assert.deepEqual(membersOf(newVerify().webhooks), declared.WebhookVerifying.sort());
  assert.deepEqual(membersOf(newEd25519().webhooks), declared.WebhookVerifying.sort());
  assert.deepEqual(membersOf(core.webhooks.verifier('')), declared.WebhookVerifier.sort());
  assert.deepEqual(membersOf(core.webhooks.verifier('').verify({ headers: {}, body: '' })),
    declared.WebhookVerdict.sort());
  assert.deepEqual(membersOf(core.feedClient({ scope: 'party' })), declared.FeedClient.sort());
  // What else it has is every iterator's: next, return, and itself.
  const feed = connectFeed({ core, url: 'http://service.test', all: true, transport: 'sse' });
  assert.deepEqual(membersOf(feed), [...declared.Feed, 'next', 'return'].sort());
  assert.equal(feed[Symbol.asyncIterator](), feed);
  assert.deepEqual(membersOf(columns), declared.StreamColumns.sort());
  assert.deepEqual(membersOf(columns.accrue(0n)), declared.ColumnBalances.sort());
});
