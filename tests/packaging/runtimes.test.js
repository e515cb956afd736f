// The installed package in every runtime: the same self-test, the same transcript.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { Project } from './installed_package.js';
import { hasChromium, runChromium } from './runtimes/chromium.js';
import { runEdge } from './runtimes/edge.js';
import { bun, deno, runBun, runDeno, runNode } from './runtimes/processes.js';
import { runWorkerd } from './runtimes/workerd.js';

let project;
let expected;

before(async () => {
  project = new Project();
  expected = JSON.parse(await runNode(project));
});
after(() => project?.remove());

function expectSame(text) {
  assert.deepEqual(JSON.parse(text), expected);
}

const needs = (there, what) => (there ? {} : { skip: `no ${what} for this machine` });

test('Node: what is known comes out', () => {
  for (const [entry, { lines, wrong }] of Object.entries(expected)) {
    assert.deepEqual(wrong, [], entry);
    assert.ok(lines.length > 10, `${entry} has ${lines.length} checks`);
  }
});

test('Deno, without a network', needs(deno, 'Deno'), async () => expectSame(await runDeno(project)));

test('Bun', needs(bun, 'Bun'), async () => expectSame(await runBun(project)));

test('workerd (Cloudflare Workers)', async () => expectSame(await runWorkerd(project)));

test('edge-runtime (Vercel)', async () => expectSame(await runEdge(project)));

for (const where of ['page', 'worker']) {
  for (const [server, types] of [['', {}], [', from a server that calls the module text', { '.wasm': 'text/plain' }]]) {
    test(`Chromium, ${where}${server}`, needs(hasChromium, 'Chromium'), async () => {
      const { transcript, evalIsForbidden } = await runChromium(project, where, types);
      expectSame(transcript);
      assert.ok(evalIsForbidden, 'the policy must be the strict one');
    });
  }
}
