import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createReceiver } from '../../../edge/src/index.js';
import { memoryStore } from '../../../edge/src/memory.js';
import { durableObjectStore } from '../../../edge/src/durable_object.js';
import { postgresSchema, postgresStore } from '../../../edge/src/postgres.js';
import { redisStore } from '../../../edge/src/redis.js';
import { workersKvStore } from '../../../edge/src/workers_kv.js';
import { handClock, headersOf, NOW, SECRET, WAYS } from './deliveries.js';
import { checkStore } from './store_rules.js';

checkStore('memory', () => {
  const { clock, advance } = handClock();
  return { store: memoryStore(), passed: async (ms) => advance(ms), now: clock };
});

const MINUTE = 60_000;

/** KV as Cloudflare describes it: writes are seen elsewhere a minute later, and one key takes one write a second. */
class FakeKv {
  constructor(clock) {
    this.clock = clock;
    this.values = new Map();
    this.written = new Map();
    this.fails = { get: false, put: false };
  }

  /** A binding as an isolate at a place has it. What a place has read, it goes on seeing for a minute. */
  at(place) {
    const cache = new Map();
    return {
      get: async (key) => {
        await null;
        if (this.fails.get) throw new Error('KV GET failed: 500');
        const cached = cache.get(key);
        if (cached?.until > this.clock()) return cached.value;
        const stored = this.values.get(key);
        const isHere = stored?.place === place || stored?.at + MINUTE <= this.clock();
        const isSeen = isHere && stored.until > this.clock();
        const value = isSeen ? stored.value : null;
        cache.set(key, { value, until: this.clock() + MINUTE });
        return value;
      },
      put: async (key, value, { expirationTtl }) => {
        await null;
        if (this.fails.put) throw new Error('KV PUT failed: 500');
        if (new TextEncoder().encode(key).length > 512) throw new Error('KV PUT failed: 414');
        if (!(Number.isInteger(expirationTtl) && expirationTtl >= 60)) throw new Error('KV PUT failed: 400');
        if (this.written.get(key) > this.clock() - 1000) throw new Error('KV PUT failed: 429 Too Many Requests');
        this.written.set(key, this.clock());
        const stored = { value, place, at: this.clock(), until: this.clock() + expirationTtl * 1000 };
        this.values.set(key, stored);
        if (cache.has(key)) cache.set(key, { value, until: stored.until });
      },
    };
  }
}

function kvReceivers(places) {
  const { clock, advance } = handClock();
  const kv = new FakeKv(clock);
  const made = { kv, advance, handled: 0, onEvent: async () => {} };
  const receivers = places.map((place) => createReceiver({
    secret: SECRET, clock, seen: workersKvStore(kv.at(place)), onReject() {},
    onEvent: () => { made.handled += 1; return made.onEvent(); },
  }));
  const timestamp = () => Math.floor(clock() / 1000);
  made.send = async (i) => {
    const { status, answer } = await WAYS.fetch(receivers[i], headersOf({ timestamp: timestamp() }));
    return answer.duplicate ? 'duplicate' : status;
  };
  return made;
}

test('Workers KV: within an isolate a delivery is handled once, fifty copies or not', async () => {
  const made = kvReceivers(['AMS']);
  const codes = await Promise.all(Array.from({ length: 50 }, () => made.send(0)));
  assert.equal(made.handled, 1);
  assert.equal(codes.filter((code) => code === 200).length, 1);
  assert.equal(await made.send(0), 'duplicate');
});

test('Workers KV: elsewhere it is known once KV shows it, and may be handled again before', async () => {
  const made = kvReceivers(['AMS', 'AMS', 'SIN', 'SYD']);
  assert.equal(await made.send(0), 200);
  assert.equal(await made.send(1), 'duplicate');
  made.advance(2000);
  assert.equal(await made.send(2), 200); // nothing there yet: once too often, never too seldom
  assert.equal(made.handled, 2);
  made.advance(MINUTE);
  assert.equal(await made.send(3), 'duplicate');
  assert.equal(await made.send(2), 'duplicate');
});

test('Workers KV: what failed is not acknowledged anywhere, and comes again at once', async () => {
  const made = kvReceivers(['AMS', 'SIN']);
  made.onEvent = async () => { throw new Error('failed'); };
  for (const i of [0, 1, 0, 1]) assert.equal(await made.send(i), 500);
  made.onEvent = async () => {};
  assert.equal(await made.send(1), 200);
  assert.equal(await made.send(1), 'duplicate');
});

test('Workers KV: what can’t be read isn’t handled, what can’t be written isn’t acknowledged', async () => {
  const made = kvReceivers(['AMS']);
  made.kv.fails.get = true;
  assert.equal(await made.send(0), 503);
  assert.equal(made.handled, 0);
  made.kv.fails = { get: false, put: true };
  assert.equal(await made.send(0), 500);
  assert.equal(await made.send(0), 500);
  made.kv.fails.put = false;
  assert.equal(await made.send(0), 200);
  assert.equal(await made.send(0), 'duplicate');
});

test('Workers KV: of two isolates that are done within a second one is refused, and hears of a duplicate', async () => {
  const made = kvReceivers(['AMS', 'SIN']);
  assert.equal(await made.send(0), 200);
  assert.equal(await made.send(1), 500); // KV: 429
  made.advance(MINUTE);
  assert.equal(await made.send(1), 'duplicate');
});

test('Workers KV: stores made of one binding are one, as with a store for each request', async () => {
  const { clock } = handClock();
  const binding = new FakeKv(clock).at('AMS');
  const [first, second] = [workersKvStore(binding), workersKvStore(binding)];
  assert.equal((await first.claim('a', { leaseMs: 1000, keepMs: MINUTE, now: clock() })).state, 'new');
  assert.equal((await second.claim('a', { leaseMs: 1000, keepMs: MINUTE, now: clock() })).state, 'busy');
});

test('Workers KV: two prefixes are two memories, also within an isolate', async () => {
  const { clock } = handClock();
  const binding = new FakeKv(clock).at('AMS');
  const options = { leaseMs: 1000, keepMs: MINUTE, now: clock() };
  const [a, b, again] = ['a:', 'b:', 'b:'].map((prefix) => workersKvStore(binding, { prefix }));
  const claimed = await a.claim('id', options);
  assert.equal(claimed.state, 'new');
  const other = await b.claim('id', options);
  assert.equal(other.state, 'new');
  await a.complete('id', claimed.token, options);
  assert.equal((await again.claim('id', options)).state, 'busy');
  await b.release('id', other.token);
  assert.equal((await a.claim('id', options)).state, 'done');
  assert.equal((await again.claim('id', options)).state, 'new');
});

test('memory: what it holds is bounded, the oldest is forgotten first', () => {
  const store = memoryStore({ maxEntries: 3 });
  const at = (now) => ({ leaseMs: 1000, keepMs: MINUTE, now });
  for (const id of ['a', 'b', 'c', 'd']) {
    const { token } = store.claim(id, at(0));
    store.complete(id, token, at(0));
  }
  assert.deepEqual(['a', 'b', 'c', 'd'].map((id) => store.claim(id, at(1)).state), ['new', 'done', 'done', 'done']);
  assert.equal(store.claim('e', at(1)).state, 'new');
  assert.equal(store.claim('f', at(1)).state, 'new');
  assert.throws(() => store.claim('g', at(1)), /Too many/);
  assert.equal(store.claim('g', at(1001)).state, 'new'); // those of before have ended
  assert.throws(() => memoryStore({ maxEntries: 0 }), TypeError);
});

test('a receiver without a store has one of its own', async () => {
  const { clock } = handClock();
  const receivers = [1, 2].map(() => createReceiver({ secret: SECRET, clock, onEvent() {} }));
  for (const receiver of receivers) {
    assert.deepEqual((await WAYS.fetch(receiver, headersOf({ timestamp: NOW }))).answer, { ok: true });
    assert.deepEqual((await WAYS.fetch(receiver, headersOf({ timestamp: NOW }))).answer, { ok: true, duplicate: true });
  }
});

test('Redis: replies that are none of ours are errors, bytes are as good as texts', async () => {
  const options = { leaseMs: 1000, keepMs: MINUTE, now: 0 };
  for (const reply of [null, [], ['maybe'], 'OK', 5]) {
    await assert.rejects(redisStore(async () => reply).claim('a', options));
  }
  const bytes = redisStore(async () => [Buffer.from('busy'), Buffer.from('250')]);
  assert.deepEqual(await bytes.claim('a', options), { state: 'busy', retryAfterMs: 250 });
  assert.throws(() => redisStore({}), TypeError);
});

test('PostgreSQL: a table’s name is a name', () => {
  const query = async () => [];
  for (const table of ['', 'a b', 'a;b', 'a"', 'A', '1a', 'a.b.c', 'x'.repeat(52), 5, null]) {
    assert.throws(() => postgresStore(query, { table }), TypeError);
    assert.throws(() => postgresSchema({ table }), TypeError);
  }
  assert.match(postgresSchema({ table: 'webhooks.seen' }), /INDEX IF NOT EXISTS seen_expires_at ON webhooks\.seen/);
  assert.throws(() => postgresStore({}), TypeError);
});

test('Durable Objects: an id is always the same object’s, and an object’s error is an error', async () => {
  const asked = [];
  const namespaceOf = (response) => ({
    idFromName: (name) => name,
    get: (name) => ({ fetch: async () => { asked.push(name); return response(); } }),
  });
  const ok = durableObjectStore(namespaceOf(() => Response.json({ state: 'done' })), { shards: 4 });
  for (let i = 0; i < 400; i += 1) await ok.claim(`msg_${i >> 1}`, { leaseMs: 1 });
  for (let i = 0; i < 200; i += 1) assert.equal(asked[i * 2], asked[i * 2 + 1]);
  assert.deepEqual([...new Set(asked)].sort(), ['shard-0', 'shard-1', 'shard-2', 'shard-3']);
  const broken = durableObjectStore(namespaceOf(() => new Response(null, { status: 500 })));
  await assert.rejects(broken.claim('a', { leaseMs: 1 }), /answered 500/);
  for (const shards of [0, 1001, 1.5]) assert.throws(() => durableObjectStore({}, { shards }), TypeError);
});
