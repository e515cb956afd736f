// A real Redis through the clients that people use.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';

import { Redis as IoRedis } from 'ioredis';
import { createClient } from 'redis';

import { createReceiver } from '../../edge/src/index.js';
import { redisStore } from '../../edge/src/redis.js';
import { waitFor } from '../integration/harness/wait.js';
import { RedisServer } from '../realtime/harness/redis_server.js';
import { headersOf, SECRET, WAYS } from '../unit/edge/deliveries.js';
import { checkStore, realTime } from '../unit/edge/store_rules.js';
import { checkCrashes } from './store_crashes.js';
import { serveRedisOverHttp } from './redis_over_http.js';

let server;
let http;
const clients = {};
/** How each is asked, as edge/src/redis.d.ts says it. */
const COMMANDS = {
  redis: (words) => clients.redis.sendCommand(words),
  ioredis: ([name, ...rest]) => clients.ioredis.call(name, ...rest),
  'Redis over HTTP': async (words) => {
    const { KV_REST_API_URL: url, KV_REST_API_TOKEN: token } = http.env;
    const headers = { authorization: `Bearer ${token}` };
    const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(words) });
    return (await response.json()).result;
  },
};

before(async () => {
  server = await RedisServer.start();
  http = await serveRedisOverHttp(server);
  clients.redis = createClient({ url: server.url(), disableOfflineQueue: true, socket: { reconnectStrategy: 50 } });
  clients.ioredis = new IoRedis(server.url(), {
    enableOfflineQueue: false, lazyConnect: true, maxRetriesPerRequest: 0, retryStrategy: () => 50,
  });
  for (const client of Object.values(clients)) {
    client.on('error', () => {}); // the server is taken away below; each command says so
    await client.connect();
  }
});
after(async () => {
  clients.redis?.destroy();
  clients.ioredis?.disconnect();
  http?.stop();
  await server?.end();
});

for (const [name, command] of Object.entries(COMMANDS)) {
  checkStore(name, () => ({ store: redisStore(command), passed: realTime }));
}

test('two prefixes are two memories', async () => {
  const id = randomUUID();
  for (const prefix of ['a:', 'b:']) {
    const store = redisStore(COMMANDS.redis, { prefix });
    assert.equal((await store.claim(id, { leaseMs: 60_000 })).state, 'new');
    assert.equal((await store.claim(id, { leaseMs: 60_000 })).state, 'busy');
  }
});

test('a claim that the client sends again, having lost the reply, is its own', async () => {
  const again = async (words) => {
    await COMMANDS.redis(words);
    return COMMANDS.redis(words);
  };
  const id = randomUUID();
  const { state, token } = await redisStore(again).claim(id, { leaseMs: 60_000 });
  assert.equal(state, 'new');
  const store = redisStore(COMMANDS.redis);
  assert.equal((await store.claim(id, { leaseMs: 60_000 })).state, 'busy');
  assert.equal(await store.complete(id, token, { keepMs: 60_000 }), true);
  assert.deepEqual(await redisStore(again).claim(id, { leaseMs: 60_000 }), { state: 'done' });
});

test('nothing is kept for ever', async () => {
  const id = randomUUID();
  const store = redisStore(COMMANDS.redis, { prefix: 'ttl:' });
  const left = async () => Number(await COMMANDS.redis(['PTTL', `ttl:${id}`]));
  const { token } = await store.claim(id, { leaseMs: 60_000 });
  assert.ok(await left() > 0 && await left() <= 60_000);
  await store.complete(id, token, { keepMs: 86_400_000 });
  assert.ok(await left() > 60_000 && await left() <= 86_400_000);
});

checkCrashes('redis', () => ({ environment: { REDIS_URL: server.url() }, store: redisStore(COMMANDS.redis) }));

test('while Redis is away nothing is handled; back without its memory it lets a copy in again', async () => {
  let handled = 0;
  const receiver = createReceiver({
    secret: SECRET, seen: redisStore(COMMANDS.redis), onEvent() { handled += 1; }, onReject() {},
  });
  const headers = headersOf({ id: randomUUID(), timestamp: Math.floor(Date.now() / 1000) });
  assert.equal((await WAYS.fetch(receiver, headers)).status, 200);
  await server.kill9();
  await waitFor(() => !clients.redis.isReady, { what: 'the client to notice' });
  const away = await WAYS.fetch(receiver, headers);
  assert.deepEqual([away.status, away.answer.error, handled], [503, 'store_unavailable', 1]);
  await server.start();
  await waitFor(() => clients.redis.isReady, { what: 'the client to connect again' });
  assert.deepEqual((await WAYS.fetch(receiver, headers)).answer, { ok: true });
  assert.equal(handled, 2);
});
