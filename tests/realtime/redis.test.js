// Instances that share a Redis: what it brings while it is there, and that nothing is lost, doubled or stopped when it isn't.
// What each client sees is compared with the log, whichever way it came.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { readPrometheusText, sampleValue } from '../api/harness/prometheus_text.js';
import { request } from '../integration/harness/http_client.js';
import { ServerProcess } from '../integration/harness/server_process.js';
import { serverEnvironment, startStack } from '../integration/harness/stack.js';
import { waitFor } from '../integration/harness/wait.js';
import { UpgradeRefused, WsClient, seqOf } from '../integration/harness/ws_client.js';
import { RedisServer } from './harness/redis_server.js';

const metric = async (server, name, labels = {}) => {
  const { text } = await request(`${server.baseUrl}/metrics`);
  return Number(sampleValue(readPrometheusText(text), name, labels));
};
const health = async (server) => (await request(`${server.baseUrl}/health`)).json;
const redisIs = (server, state) => waitFor(async () => (await health(server)).dependencies.redis === state, {
  what: `Redis to be ${state}`, describe: () => server.logs.slice(-10),
});

/** The instances that say of themselves that they publish. @param {ServerProcess[]} servers */
async function publishers(servers) {
  const told = await Promise.all(servers.map((server) => metric(server, 'fluxora_live_bus_publishes')));
  return servers.filter((_, index) => told[index] === 1);
}

/** @param {ServerProcess[]} servers */
const onePublisher = (servers) => waitFor(async () => {
  const found = await publishers(servers);
  return found.length === 1 && found[0];
}, { what: 'exactly one instance to publish', describe: () => servers.map((server) => server.logs.slice(-5)) });

/** A client of each instance that sees everything from now on. */
class Watchers {
  /** @param {import('../integration/harness/stack.js').Stack} stack @param {ServerProcess[]} servers */
  static async open(stack, servers) {
    const watchers = new Watchers();
    watchers.stack = stack;
    watchers.clients = await Promise.all(servers.map((server) => WsClient.open(server.wsUrl)));
    watchers.from = await Promise.all(watchers.clients.map(async (client) => seqOf((await client.subscribe({ streamId: '*' })).cursor)));
    return watchers;
  }

  /** Ledgers with changes, as many as that. @param {number} ledgers */
  async rounds(ledgers) {
    for (let i = 0; i < ledgers; i += 1) {
      this.stack.runScenario(1, { actionsPerLedger: 5 });
      await this.stack.settle();
    }
  }

  /** Every client that is still there has seen the log, each entry once and in order, and nothing else. */
  async check() {
    const { seq } = await this.stack.head();
    const log = await this.stack.allEvents();
    for (const [index, client] of this.clients.entries()) {
      if (client.closed) continue;
      await client.waitForSeq(seq);
      await client.barrier();
      const upTo = client.updates().filter((entry) => entry.seq <= seq);
      assert.deepEqual(upTo, log.filter((entry) => entry.seq > this.from[index] && entry.seq <= seq), `client ${index}`);
      assert.deepEqual(client.strays, []);
    }
  }

  async close() {
    await Promise.all(this.clients.filter((client) => !client.closed).map((client) => client.close()));
  }
}

describe('instances with a Redis', () => {
  /** @type {RedisServer} */
  let redis;
  /** @type {import('../integration/harness/stack.js').Stack} */
  let stack;
  /** @type {ServerProcess[]} */
  let servers;

  before(async () => {
    redis = await RedisServer.start();
    stack = await startStack({ simulator: { seed: 'redis', streams: 10 }, server: { env: { REDIS_URL: redis.url() } } });
    const env = { ...serverEnvironment(stack.db, stack.sim), REDIS_URL: redis.url() };
    servers = [stack.server, await ServerProcess.start(env), await ServerProcess.start(env)];
    for (const server of servers) await redisIs(server, 'healthy');
  });

  after(async () => {
    await Promise.all(servers.slice(1).map((server) => server.end()));
    await stack.stop();
    await redis.end();
  });

  test('one publishes, and the clients of all see each entry once and in order', async () => {
    const publisher = await onePublisher(servers);
    const watchers = await Watchers.open(stack, servers);
    const others = servers.filter((server) => server !== publisher);
    await watchers.rounds(10);
    await watchers.check();
    assert.ok(await metric(publisher, 'fluxora_live_bus_pages_total', { outcome: 'published' }) > 0);
    for (const server of others) {
      assert.ok(await metric(server, 'fluxora_live_bus_pages_total', { outcome: 'received' }) > 0);
      assert.ok(await metric(server, 'fluxora_log_tail_reads_total', { source: 'bus' }) > 0);
    }
    assert.equal((await health(publisher)).status, 'ok');
    await watchers.close();
  });

  test('a stream of the API reaches the clients of all instances, whichever wrote it', async () => {
    const watchers = await Watchers.open(stack, servers);
    const [{ sender, recipient }] = await stack.allStreams();
    for (const server of servers) {
      const body = JSON.stringify({ sender, recipient, depositAmount: '100', ratePerSecond: '0.1' });
      const answer = await request(`${server.baseUrl}/api/streams`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
      assert.equal(answer.status, 201, answer.text);
    }
    await watchers.check();
    await watchers.close();
  });

  test('messages of strangers are refused, counted, and disturb nobody', async () => {
    const watchers = await Watchers.open(stack, servers);
    const channel = /fluxora:1:\{[0-9a-f]+\}:log/.exec(await redis.command('PUBSUB', 'CHANNELS', 'fluxora:*'))?.[0];
    assert.ok(channel);
    const refused = async () => (await Promise.all(servers.map((server) => metric(server, 'fluxora_live_bus_refused_messages_total'))))
      .reduce((sum, count) => sum + count);
    const before = await refused();
    const epoch = Buffer.from((await stack.head()).epoch);
    const forged = Buffer.concat([Buffer.from('FLN1'), randomBytes(8), Buffer.from([0, 0, 0, epoch.length]), epoch,
      Buffer.from([0, 0, 255, 255, 255, 255, 255, 255]), Buffer.alloc(4)]);
    const messages = [Buffer.alloc(0), Buffer.from('hello'), randomBytes(1_000), Buffer.concat([forged, randomBytes(9)]),
      forged.subarray(0, 20), Buffer.concat([forged.subarray(0, -4), Buffer.from([255, 255, 255, 255])]), randomBytes(2 ** 20 + 1)];
    for (const message of messages) {
      assert.equal(await redis.command('PUBLISH', channel, message), `:${servers.length}`);
      assert.equal(await redis.command('PUBLISH', channel.replace(':log', ':connections'), message), `:${servers.length}`);
    }
    // One that is well formed: the log goes on far beyond its end.
    assert.equal(await redis.command('PUBLISH', channel, forged), `:${servers.length}`);
    await watchers.rounds(3);
    await watchers.check();
    await waitFor(async () => await refused() >= before + 2 * messages.length * servers.length, { what: 'each to be counted' });
    await watchers.rounds(2);
    await watchers.check();
    await onePublisher(servers);
    await watchers.close();
  });

  test('a Redis that hangs keeps nobody waiting', async () => {
    const watchers = await Watchers.open(stack, servers);
    await watchers.rounds(2);
    redis.pause();
    await watchers.rounds(4);
    await watchers.check();
    for (const server of servers) await redisIs(server, 'unhealthy');
    redis.resume();
    for (const server of servers) await redisIs(server, 'healthy');
    await onePublisher(servers);
    await watchers.rounds(4);
    await watchers.check();
    await watchers.close();
  });

  test('a Redis that dies and comes back empty loses nothing', async () => {
    const watchers = await Watchers.open(stack, servers);
    await watchers.rounds(2);
    const outages = (server) => server.logs.filter(({ event }) => event === 'redis_unavailable').length;
    const before = servers.map(outages);
    await redis.kill9();
    await watchers.rounds(4);
    await watchers.check();
    for (const server of servers) {
      await redisIs(server, 'unhealthy');
      assert.equal((await health(server)).status, 'degraded');
      assert.equal(await metric(server, 'fluxora_redis_up'), 0);
    }
    for (const [at, server] of servers.entries()) {
      const lines = await server.linesOf('redis_unavailable', before[at] + 1);
      assert.equal(lines.length, before[at] + 1, 'an outage is told once');
    }
    await redis.start();
    for (const server of servers) await redisIs(server, 'healthy');
    await onePublisher(servers);
    await watchers.rounds(4);
    await watchers.check();
    await watchers.close();
  });

  test('when the publisher is killed another one publishes, and nobody misses anything', async () => {
    const publisher = await onePublisher(servers);
    const others = servers.filter((server) => server !== publisher);
    stack.server = others[0];
    const watchers = await Watchers.open(stack, servers);
    await watchers.rounds(2);
    await publisher.kill9();
    await watchers.rounds(4);
    await onePublisher(others);
    await watchers.rounds(2);
    await watchers.check();
    await publisher.start();
    await redisIs(publisher, 'healthy');
    const late = await Watchers.open(stack, servers);
    await watchers.rounds(2);
    await watchers.check();
    await late.check();
    await Promise.all([watchers.close(), late.close()]);
  });
});

describe('a Redis that refuses us', () => {
  test('is told of without its password, and the service goes on', async () => {
    const redis = await RedisServer.start();
    const wrong = 'not-the-p@ssword';
    const stack = await startStack({ simulator: { seed: 'refused', streams: 5 }, server: { env: { REDIS_URL: redis.url(wrong) } } });
    await stack.server.waitForLog(({ event }) => event === 'redis_unavailable', 'the outage to be told');
    const watchers = await Watchers.open(stack, [stack.server]);
    await watchers.rounds(3);
    await watchers.check();
    assert.equal((await stack.health()).dependencies.redis, 'unhealthy');
    assert.equal(await metric(stack.server, 'fluxora_live_bus_publishes'), 0);
    const told = `${stack.server.stdout}${stack.server.stderr}`;
    assert.match(told, /WRONGPASS/);
    for (const secret of [wrong, encodeURIComponent(wrong)]) assert.ok(!told.includes(secret));
    await watchers.close();
    await stack.stop();
    await redis.end();
  });
});

describe('connections of an address', () => {
  const LIMIT = 5;
  /** @type {RedisServer} */
  let redis;
  /** @type {import('../integration/harness/stack.js').Stack} */
  let stack;
  /** @type {ServerProcess[]} */
  let servers;

  before(async () => {
    redis = await RedisServer.start();
    const own = { REDIS_URL: redis.url(), WS_MAX_CONNECTIONS_PER_IP: String(LIMIT) };
    stack = await startStack({ simulator: false, server: { env: own } });
    servers = [stack.server, await ServerProcess.start({ ...serverEnvironment(stack.db, null), ...own })];
    for (const server of servers) await redisIs(server, 'healthy');
  });

  after(async () => {
    await servers[1].end();
    await stack.stop();
    await redis.end();
  });

  /** Waits until that instance takes another one. @param {ServerProcess} server */
  const eventuallyOpen = (server) => waitFor(() => WsClient.open(server.wsUrl), { what: 'a place to be free' });
  /** Waits until it takes none; what it took meanwhile is closed again. @param {ServerProcess} server */
  const eventuallyRefused = (server) => waitFor(async () => {
    try {
      await (await WsClient.open(server.wsUrl)).close();
      return false;
    } catch (error) {
      return error instanceof UpgradeRefused && error.status === 429;
    }
  }, { what: 'the upgrade to be refused with 429' });

  test('are limited over all instances', async () => {
    const [one, other] = servers;
    const clients = [];
    for (const server of [one, one, one, other, other]) clients.push(await eventuallyOpen(server));
    await eventuallyRefused(one);
    await eventuallyRefused(other);
    await clients[0].close();
    clients[0] = await eventuallyOpen(other);
    await eventuallyRefused(one);
    await Promise.all(clients.map((client) => client.close()));
    await waitFor(async () => (await Promise.all(servers.map((server) => metric(server, 'fluxora_shared_addresses')))).every((count) => count === 0),
      { what: 'both to know that there is none left' });
  });

  test('are forgotten with the instance that had them', async () => {
    const [one, other] = servers;
    for (let i = 0; i < LIMIT; i += 1) await eventuallyOpen(other);
    await eventuallyRefused(one);
    await other.kill9();
    await (await eventuallyOpen(one)).close();
    await other.start();
  });

  test('are limited by each instance for itself while Redis is away', async () => {
    const [one, other] = servers;
    await redis.kill9();
    for (const server of servers) await redisIs(server, 'unhealthy');
    const clients = [];
    for (let i = 0; i < LIMIT; i += 1) clients.push(await eventuallyOpen(one), await eventuallyOpen(other));
    await eventuallyRefused(one);
    await eventuallyRefused(other);
    await Promise.all(clients.map((client) => client.close()));
    await redis.start();
  });
});
