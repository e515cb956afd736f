// Three instances behind the load balancer that ships, on one database with a streaming replica and a Redis: limits,
// feeds, leadership, reads of one's own writes, and restarts under load. SPEC section 11, "Scale-out".
//
// FLEET_SECONDS says how long the load lasts at least, FLEET_SEED runs its chances again.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { readPrometheusText, sampleValue } from '../api/harness/prometheus_text.js';
import { create, send, TERMS } from '../integration/harness/api_streams.js';
import { request } from '../integration/harness/http_client.js';
import { checkDatabase } from '../integration/harness/log_database.js';
import { seededRandom } from '../integration/harness/seeded_random.js';
import { ServerProcess } from '../integration/harness/server_process.js';
import { newDatabase, serverEnvironment } from '../integration/harness/stack.js';
import { waitFor } from '../integration/harness/wait.js';
import { WsClient, seqOf } from '../integration/harness/ws_client.js';
import { ChaosClient } from '../realtime/harness/chaos_client.js';
import { expectedSeqs, readLog } from '../realtime/harness/log_filter.js';
import { RedisServer } from '../realtime/harness/redis_server.js';
import { NodeReceiver, entryOf } from '../webhooks/harness/node_receiver.js';
import { WebhookApi, webhookEnvironment } from '../webhooks/harness/webhook_server.js';
import { wantedSeqs } from '../webhooks/harness/wanted_entries.js';
import { Fleet, INSTANCES } from './harness/fleet.js';
import { RestLoad } from './harness/rest_load.js';

const SECONDS = Number(process.env.FLEET_SECONDS ?? 10);
const SEED = process.env.FLEET_SEED ?? String(Date.now());
const WRITERS = 6;
const FEEDS = 16;
/** The log may grow once more while it is compared: an observation that was late. */
const MAX_ROUNDS = 5;

/** A feed's client that counts how often nobody took it. */
class Feed extends ChaosClient {
  refusals = 0;

  /** A connection that was being opened on an instance when it was killed has failed, like any request there. */
  trouble(what) {
    if (!/refused with 502/.test(what)) super.trouble(what);
  }

  /** @param {string} baseUrl */
  async connect(baseUrl) {
    const taken = await super.connect(baseUrl);
    if (!taken) this.refusals += 1;
    return taken;
  }
}

const metric = async ({ baseUrl }, name, labels = {}) => {
  const { text } = await request(`${baseUrl}/metrics`);
  return Number(sampleValue(readPrometheusText(text), name, labels));
};

describe('a limit over all instances', () => {
  const LIMIT = 40;
  const WINDOW_MS = 10_000;
  const TRIES = 5;
  /** @type {RedisServer} */
  let redis;
  /** @type {ServerProcess[]} */
  let servers;
  let clients = 0;

  before(async () => {
    redis = await RedisServer.start();
    const db = await newDatabase();
    const env = { ...serverEnvironment(db, null), REDIS_URL: redis.url(), TRUSTED_PROXIES: '127.0.0.1', WRITE_RATE_LIMIT: String(LIMIT) };
    servers = [];
    for (let i = 0; i < INSTANCES; i += 1) servers.push(await ServerProcess.start(env));
    for (const server of servers) await redisIs(server, 'healthy');
  });

  after(async () => {
    await Promise.all(servers.map((server) => server.end()));
    await redis.end();
  });

  const redisIs = (server, state) => waitFor(async () => (await request(`${server.baseUrl}/health`)).json.dependencies.redis === state, {
    what: `Redis to be ${state}`, describe: () => server.logs.slice(-5),
  });

  /**
   * What `use` says of a client of its own that makes its requests within one window: on a machine that stands still for
   * longer another client tries again.
   * @template T
   * @param {(ask: (server: number) => Promise<import('../integration/harness/http_client.js').Answer>, client: string) => Promise<T>} use
   */
  async function withinAWindow(use) {
    for (let tries = 0; tries < TRIES; tries += 1) {
      clients += 1;
      const client = `203.0.113.${clients}`;
      const begun = Date.now();
      const used = await use((server) => create(servers[server % INSTANCES].baseUrl, {}, { 'x-forwarded-for': client }), client);
      if (Date.now() - begun < WINDOW_MS - 1_000) return used;
    }
    throw new Error(`${TRIES} times longer than a window`);
  }

  const counted = (server) => metric(server, 'fluxora_shared_rate_counts_total', { scope: 'fleet' });

  /**
   * One request after another, to each instance in turn, each when Redis has answered for the one before.
   * @param {(server: number) => Promise<import('../integration/harness/http_client.js').Answer>} ask
   * @param {number} count
   */
  async function inTurn(ask, count) {
    const answers = [];
    const known = await Promise.all(servers.map(counted));
    for (let i = 0; i < count; i += 1) {
      const [server, index] = [servers[i % INSTANCES], i % INSTANCES];
      const answer = await ask(i);
      answers.push(answer);
      if (answer.status === 429) continue;
      known[index] += 1;
      await waitFor(async () => await counted(server) >= known[index], { what: 'the fleet’s count' });
    }
    return answers;
  }

  test('holds for a client that goes from one to the next, and the headers say so', async () => {
    const answers = await withinAWindow((ask) => inTurn(ask, LIMIT + 3 * INSTANCES));
    const admitted = answers.filter(({ status }) => status === 201).length;
    // An instance may let one more through that hasn't heard yet of what the others did meanwhile.
    assert.ok(admitted >= LIMIT && admitted < LIMIT + INSTANCES, `${admitted} of ${LIMIT}`);
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([201, 429]));
    const left = answers.map(({ headers }) => Number(headers['ratelimit-remaining']));
    assert.ok(left[0] >= LIMIT - 1 && left.at(-1) === 0, String(left));
    for (const [index, remaining] of left.entries()) {
      // As far as it was known: the others' last requests may be on their way.
      const counted = LIMIT - Math.min(index + 1, LIMIT);
      assert.ok(remaining >= counted && remaining <= counted + INSTANCES - 1, `${remaining} left after ${index + 1}`);
    }
    const refused = answers.filter(({ status }) => status === 429);
    for (const { headers } of refused) assert.match(String(headers['retry-after']), /^([1-9]|10)$/);
  });

  test('holds for a burst to all at once, too', async (t) => {
    const [burst, later] = await withinAWindow(async (ask) => [
      await Promise.all(Array.from({ length: 4 * LIMIT }, (_, index) => ask(index))),
      await Promise.all(Array.from({ length: INSTANCES }, (_, index) => ask(index))),
    ]);
    const admitted = burst.filter(({ status }) => status === 201).length;
    t.diagnostic(`${admitted} of ${burst.length} at once were let through, where ${LIMIT} may be`);
    assert.ok(admitted >= LIMIT && admitted < LIMIT + INSTANCES, `${admitted} of ${LIMIT}`);
    assert.deepEqual(later.map(({ status }) => status), later.map(() => 429), 'and then none');
  });

  test('of bad credentials holds, too', async () => {
    const answers = await withinAWindow((_, client) => {
      const headers = { 'x-forwarded-for': client, authorization: 'Bearer nonsense' };
      return inTurn((server) => send(`${servers[server % INSTANCES].baseUrl}/api/streams`, 'POST', TERMS, headers), LIMIT + 2 * INSTANCES);
    });
    const guesses = answers.filter(({ status }) => status === 401).length;
    assert.ok(guesses >= LIMIT && guesses < LIMIT + INSTANCES, `${guesses} guesses`);
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([401, 429]));
  });

  test('is each instance’s own while Redis hangs, and what was sent to it is answered', async () => {
    redis.pause();
    const admitted = await withinAWindow(async (ask) => {
      const answers = await Promise.all(Array.from({ length: INSTANCES * (LIMIT + 2) }, (_, index) => ask(index)));
      return answers.filter(({ status }) => status === 201).length;
    });
    assert.equal(admitted, INSTANCES * LIMIT);
    for (const server of servers) {
      await redisIs(server, 'unhealthy');
      assert.ok(await metric(server, 'fluxora_shared_rate_counts_total', { scope: 'instance' }) > 0);
    }
    redis.resume();
    for (const server of servers) await redisIs(server, 'healthy');
    const again = await withinAWindow((ask) => inTurn(ask, LIMIT + INSTANCES));
    const shared = again.filter(({ status }) => status === 201).length;
    assert.ok(shared >= LIMIT && shared < LIMIT + INSTANCES, `${shared} of ${LIMIT}`);
  });
});

describe('three instances behind a load balancer', () => {
  /** @type {Fleet} */
  let fleet;
  /** @type {NodeReceiver} */
  let receiver;
  /** @type {WebhookApi} */
  let webhooks;

  before(async () => {
    fleet = await Fleet.start({ seed: SEED, env: webhookEnvironment() });
    receiver = await NodeReceiver.start();
    webhooks = new WebhookApi(() => fleet.baseUrl);
    console.log(`FLEET_SEED=${SEED}`);
  });

  after(async () => {
    await fleet.end();
    await receiver.end();
  });

  /** Ledgers with changes. @param {number} count */
  async function ledgers(count) {
    for (let i = 0; i < count; i += 1) {
      fleet.stack.runScenario(1, { actionsPerLedger: 5 });
      await fleet.stack.settle();
    }
  }

  test('the clients of each instance get every entry once and in order', async () => {
    const clients = await Promise.all([...fleet.servers, fleet.balancer].map(({ wsUrl }) => WsClient.open(wsUrl)));
    const from = [];
    for (const client of clients) from.push(seqOf((await client.subscribe({ streamId: '*' })).cursor));
    await ledgers(5);
    for (const { baseUrl } of fleet.servers) assert.equal((await create(baseUrl)).status, 201);
    await fleet.waitForReplay();
    const { seq } = await fleet.stack.head();
    const log = await fleet.stack.allEvents();
    for (const [index, client] of clients.entries()) {
      await client.waitForSeq(seq);
      await client.barrier();
      assert.deepEqual(client.updates().filter((entry) => entry.seq <= seq), log.filter((entry) => entry.seq > from[index] && entry.seq <= seq));
      await client.close();
    }
  });

  test('who names the version it wrote never reads less, whatever the replica lacks and whichever instance answers', async () => {
    await fleet.pauseReplay();
    const written = await create(fleet.baseUrl);
    assert.equal(written.status, 201, written.text);
    const version = String(written.headers['x-fluxora-version']);
    const path = `${fleet.baseUrl}/api/streams/${written.json.id}`;
    for (let i = 0; i < 2 * INSTANCES; i += 1) {
      assert.equal((await request(path)).status, 404, 'the replica answers who names none, and lacks it');
      const own = await request(path, { headers: { 'x-fluxora-min-version': version } });
      assert.deepEqual([own.status, own.json?.version], [200, Number(version)]);
    }
    await fleet.resumeReplay();
    await fleet.waitForReplay();

    // A replica that stands still and catches up again and again, under clients that write and read.
    const load = new RestLoad(fleet.baseUrl);
    const end = Date.now() + Math.min(SECONDS, 4) * 1000;
    const goesOn = () => Date.now() < end;
    const lag = async () => {
      while (goesOn()) {
        await fleet.pauseReplay();
        await sleep(200);
        await fleet.resumeReplay();
        await sleep(100);
      }
    };
    await Promise.all([lag(), ...Array.from({ length: WRITERS }, (_, index) => load.live(`lag-${index}`, goesOn, 0))]);
    assert.deepEqual([load.failures, load.stale], [[], []]);
    assert.ok(load.made.size > WRITERS);
    await fleet.waitForReplay();
  });

  test('when the leader is killed another one indexes on, and nobody misses an entry', async () => {
    const leader = await fleet.leader();
    const others = fleet.servers.filter((server) => server !== leader);
    const client = await WsClient.open(others[0].wsUrl);
    const from = seqOf((await client.subscribe({ streamId: '*' })).cursor);
    await ledgers(2);
    await leader.kill9();
    [fleet.stack.server] = others;
    await ledgers(3);
    assert.ok(others.includes(await fleet.leader()));
    await fleet.waitForReplay();
    const { seq } = await fleet.stack.head();
    await client.waitForSeq(seq);
    assert.deepEqual(client.updates(), (await fleet.stack.allEvents()).filter((entry) => entry.seq > from));
    await client.close();
    await fleet.startAgain(leader);
    await checkDatabase(fleet.stack.db);
  });

  /** Load of every kind while `trouble` goes on; what came of it. @param {string} name @param {() => Promise<void>} trouble */
  async function underLoad(name, trouble) {
    const path = `/${name}`;
    await fleet.waitForReplay();
    const { id: endpoint, cursor } = await webhooks.create({ url: receiver.url(path) });
    const load = new RestLoad(fleet.baseUrl);
    const texts = new Map();
    const { cursor: begin } = await fleet.stack.head();
    const anyServer = () => fleet.baseUrl;
    const feeds = Array.from({ length: FEEDS }, (_, index) => new Feed({
      name: `${name}, feed ${index}`,
      transport: index % 2 === 0 ? 'websocket' : 'sse',
      topic: index < 4 ? {} : { streamId: `${fleet.sim.contractId}-${index}` },
      after: begin,
      random: seededRandom(`${SEED}/${name}/${index}`),
      texts,
    }));
    let over = false;
    const goesOn = () => !over;
    const grow = async () => {
      while (goesOn()) {
        fleet.stack.runScenario(1, { actionsPerLedger: 4 });
        await sleep(150);
      }
    };
    const busy = [
      grow(),
      ...Array.from({ length: WRITERS }, (_, index) => load.live(`${name}-${index}`, goesOn, 20)),
      ...feeds.map((feed) => feed.live(anyServer, goesOn)),
    ];
    await trouble().finally(() => { over = true; });
    await Promise.all(busy);
    await fleet.stack.settle();

    let log = await readLog(fleet.stack.db);
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      log = await readLog(fleet.stack.db);
      const read = log;
      const count = (feed) => expectedSeqs(read, feed.topic, feed.begin).length;
      await Promise.all(feeds.map((feed) => feed.drain(anyServer, () => count(feed))));
      if ((await checkDatabase(fleet.stack.db)).head === read.length) break;
    }
    for (const feed of feeds) {
      assert.deepEqual(feed.applied, expectedSeqs(log, feed.topic, feed.begin), feed.name);
      feed.leave();
    }
    assert.deepEqual(feeds.flatMap(({ troubles }) => troubles), []);

    // Each key has made one stream, however often it was sent.
    const made = [...load.made.values()];
    assert.equal(new Set(made).size, load.made.size);
    const rows = await fleet.stack.db.rows("SELECT stream_id AS id FROM events WHERE event = 'stream.created' AND ledger IS NULL AND seq > $1", [seqOf(begin)]);
    assert.deepEqual(rows.map(({ id }) => id).sort(), made.sort());
    assert.deepEqual(load.stale, []);

    const wanted = wantedSeqs(log, {}, [{ after: seqOf(cursor) }]);
    const arrived = () => receiver.at(path).map((delivery) => entryOf(delivery).seq);
    await waitFor(() => new Set(arrived()).size >= wanted.length, {
      what: 'all webhooks to arrive', describe: () => ({ wanted: wanted.length, arrived: new Set(arrived()).size }),
    });
    await webhooks.change(endpoint, { enabled: false });
    const sums = {
      requests: load.requests,
      failed: load.failed,
      replayed: load.replayed,
      created: made.length,
      entries: log.filter(({ seq }) => seq > seqOf(begin)).length,
      connections: feeds.reduce((sum, { connections }) => sum + connections, 0),
      resumes: feeds.reduce((sum, { resumes }) => sum + resumes, 0),
      refusals: feeds.reduce((sum, { refusals }) => sum + refusals, 0),
      webhooks: arrived().length,
    };
    console.log(JSON.stringify({ name, ...sums }));
    return { ...sums, load, wanted, arrived: arrived() };
  }

  /** In the order that they were written in, for each stream. */
  function inOrder(path) {
    const last = new Map();
    for (const { streamId, seq } of receiver.at(path).map(entryOf)) {
      if (streamId === null) continue;
      assert.ok(seq > (last.get(streamId) ?? 0), `${seq} after ${last.get(streamId)} of ${streamId}`);
      last.set(streamId, seq);
    }
  }

  test('restarted one after another under load: no request fails, no entry and no webhook is lost or comes twice', async () => {
    const sums = await underLoad('rolling', async () => {
      const end = Date.now() + SECONDS * 1000;
      do {
        for (const server of fleet.servers) await fleet.restart(server);
      } while (Date.now() < end);
    });
    assert.deepEqual(sums.load.failures, []);
    assert.equal(sums.refusals, 0, 'a feed is taken at any time');
    assert.deepEqual(sums.arrived.sort((a, b) => a - b), sums.wanted);
    inOrder('/rolling');
    assert.ok(sums.resumes > FEEDS && sums.created > WRITERS, JSON.stringify(sums));
  });

  test('killed one after another under load: only what was on its way to the killed one fails, and nothing is lost', async () => {
    const kills = 2;
    const sums = await underLoad('killed', async () => {
      for (let kill = 0; kill < kills; kill += 1) {
        const victim = await fleet.leader();
        await sleep(500);
        await victim.kill9();
        await fleet.startAgain(victim);
      }
    });
    // A writer has one request on its way.
    assert.ok(sums.failed <= kills * WRITERS, JSON.stringify(sums.load.failures));
    assert.deepEqual([...new Set(sums.arrived)].sort((a, b) => a - b), sums.wanted);
  });
});
