// The Durable Object in workerd, asked as a Worker would ask it.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { durableObjectStore } from '../../edge/src/durable_object.js';
import { loadMiniflare } from '../packaging/runtimes/libraries.js';
import { checkStore, realTime } from '../unit/edge/store_rules.js';

const source = (name) => readFileSync(fileURLToPath(new URL(`../../edge/src/${name}`, import.meta.url)), 'utf8');

// As a Worker exports it, with one path more: what its alarm leaves.
const WORKER = `
import { SeenDeliveries } from './durable_object.js';
export class Seen extends SeenDeliveries {
  constructor(state) { super(state); this.storage = state.storage; }
  async fetch(request) {
    if (new URL(request.url).pathname !== '/sweep') return super.fetch(request);
    await this.storage.deleteAlarm();
    await this.alarm();
    const [{ rows }] = this.storage.sql.exec('SELECT count(*) AS rows FROM seen');
    return Response.json({ rows, alarm: await this.storage.getAlarm(), now: Date.now() });
  }
}
export default { fetch: () => new Response(null, { status: 404 }) };
`;

let workerd;
let namespace;
before(async () => {
  const { Miniflare } = await loadMiniflare();
  workerd = new Miniflare({
    compatibilityDate: '2025-01-01',
    modules: [
      { type: 'ESModule', path: 'worker.js', contents: WORKER },
      ...['durable_object.js', 'whole_number.js'].map((path) => ({ type: 'ESModule', path, contents: source(path) })),
    ],
    durableObjects: { SEEN: { className: 'Seen', useSQLite: true } },
  });
  namespace = await workerd.getDurableObjectNamespace('SEEN');
});
after(() => workerd?.dispose());

checkStore('Durable Object', () => ({ store: durableObjectStore(namespace), passed: realTime }));

test('Durable Object: two prefixes are two memories', async () => {
  const id = randomUUID();
  for (const prefix of ['a:', 'b:']) {
    const store = durableObjectStore(namespace, { prefix });
    const { state, token } = await store.claim(id, { leaseMs: 60_000 });
    assert.equal(state, 'new');
    assert.equal((await store.claim(id, { leaseMs: 60_000 })).state, 'busy');
    assert.equal(await store.complete(id, token, { keepMs: 60_000 }), true);
    assert.equal((await store.claim(id, { leaseMs: 60_000 })).state, 'done');
  }
});

test('Durable Object: a claim that is asked for again, because its answer was lost, is its own', async () => {
  const again = {
    idFromName: (name) => namespace.idFromName(name),
    get: (object) => ({
      async fetch(...asked) {
        const stub = namespace.get(object);
        await (await stub.fetch(...asked)).arrayBuffer();
        return stub.fetch(...asked);
      },
    }),
  };
  const id = randomUUID();
  const { state, token } = await durableObjectStore(again).claim(id, { leaseMs: 60_000 });
  assert.equal(state, 'new');
  const store = durableObjectStore(namespace);
  assert.equal((await store.claim(id, { leaseMs: 60_000 })).state, 'busy');
  assert.equal(await store.complete(id, token, { keepMs: 60_000 }), true);
  assert.deepEqual(await durableObjectStore(again).claim(id, { leaseMs: 60_000 }), { state: 'done' });
});

test('Durable Object: its alarm removes what has served its time and keeps the rest', async () => {
  const store = durableObjectStore(namespace, { shards: 1 });
  const object = namespace.get(namespace.idFromName('shard-0'));
  const sweep = async () => (await object.fetch('https://seen/sweep', { method: 'POST', body: '{}' })).json();
  // What the tests before have left is there for minutes and longer.
  const kept = (await sweep()).rows;
  const claims = { short: { leaseMs: 1, keepMs: 1 }, long: { leaseMs: 600_000, keepMs: 86_400_000 } };
  for (const options of [claims.short, claims.long]) {
    for (let i = 0; i < 20; i += 1) {
      const id = randomUUID();
      const { token } = await store.claim(id, options);
      if (i % 2) await store.complete(id, token, options);
    }
  }
  await realTime(1);
  const swept = await sweep();
  assert.equal(swept.rows, kept + 20);
  assert.ok(swept.alarm > swept.now, 'it goes on while there are rows');
});

test('Durable Object: a question that is none is refused', async () => {
  const object = namespace.get(namespace.idFromName('shard-0'));
  assert.equal((await object.fetch('https://seen/other', { method: 'POST', body: '{}' })).status, 404);
});
