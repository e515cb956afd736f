// The installed package in every runtime: the same checks, the same transcript; and the feed's client over a stub.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { startFeedStub } from './feed_stub.js';
import { Project } from './installed_package.js';
import { hasChromium, runChromium } from './runtimes/chromium.js';
import { runEdge } from './runtimes/edge.js';
import { bun, deno, runBun, runDeno, runNode } from './runtimes/processes.js';
import { followFeed } from './runtimes/program.js';
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

// Each connection of the stub's ends behind two entries.
const FOLLOWED = ['resumed at k3f9-0', 'entry 1', 'entry 2', 'resumed at k3f9-2', 'entry 3', 'entry 4',
  'resumed at k3f9-4', 'entry 5'];
const SSE = { sse: FOLLOWED };
const BOTH = { sse: FOLLOWED, websocket: FOLLOWED };

async function expectFollowed(run, expected) {
  const stub = await startFeedStub();
  try {
    assert.deepEqual(JSON.parse(await run(project, followFeed(JSON.stringify(stub.url)))), expected);
  } finally {
    await stub.stop();
  }
}

// Node.js 22 has a WebSocket.
test('Node: a feed', () => expectFollowed(runNode, typeof WebSocket === 'undefined' ? SSE : BOTH));

test('Deno: a feed', needs(deno, 'Deno'), () => expectFollowed(runDeno, BOTH));

test('Bun: a feed', needs(bun, 'Bun'), () => expectFollowed(runBun, BOTH));

test('workerd: a feed', () => expectFollowed(runWorkerd, BOTH));

test('edge-runtime: a feed', () => expectFollowed(runEdge, BOTH));

for (const where of ['page', 'worker']) {
  test(`Chromium, ${where}: a feed`, needs(hasChromium, 'Chromium'), async () => {
    const { transcript } = await runChromium(project, where, {}, followFeed('location.origin'));
    assert.deepEqual(JSON.parse(transcript), BOTH);
  });
}
