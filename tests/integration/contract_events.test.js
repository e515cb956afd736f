// Events of the chain that others send: POST /internal/indexer/contract-events. SPEC sections 4 and 9.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { after, before, describe, test } from 'node:test';
import { StrKey } from '@stellar/stellar-sdk';
import { KIND } from '../chain-sim/src/simulator.js';
import { standing } from './harness/log_checks.js';
import { checkDatabase } from './harness/log_database.js';
import { seededRandom } from './harness/seeded_random.js';
import { MAX_EVENTS, PATH, WORKER_TOKEN, digestsOf, ledgerHashes, post, send, sentEvent, startTaker, streamsOf } from './harness/sent_events.js';
import { request } from './harness/http_client.js';
import { runCommand } from './harness/server_process.js';
import { startStack } from './harness/stack.js';
import { needsVectors, readVectors, vectorPath } from './harness/vectors.js';
import { waitFor } from './harness/wait.js';

const SEED = process.env.FLUXORA_TEST_SEED ?? 'contract events';
const CONTRACT = 'CAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAD2KM';
const hashOf = (...parts) => createHash('sha256').update(parts.join('/')).digest('hex');

/** An event by hand: ledgers close five seconds apart. */
function eventAt(ledger, index = 0, changes = {}) {
  return {
    eventId: `${String(BigInt(ledger) << 32n).padStart(19, '0')}-${String(index).padStart(10, '0')}`,
    ledger,
    ledgerHash: hashOf('ledger', ledger),
    contractId: CONTRACT,
    txHash: hashOf('tx', ledger, index),
    txIndex: 1,
    operationIndex: 0,
    eventIndex: index,
    happenedAt: new Date(1_700_000_000_000 + ledger * 5_000).toISOString().replace('.000Z', 'Z'),
    topics: [{ symbol: 'gl_pause' }],
    value: { u32: index },
    ...changes,
  };
}

/**
 * The events in batches of every size, each of which begins before the last one ended, in an order that is near the chain's,
 * and mixed up within: `rounds` times over.
 */
function* batchesOf(events, random, rounds) {
  const near = events.map((event, at) => ({ event, at: at + random(0, 150) })).sort((a, b) => a.at - b.at).map(({ event }) => event);
  let size = 0;
  for (let round = 0; round < rounds; round += 1) {
    for (let from = 0; from < near.length;) {
      size = (size % MAX_EVENTS) + 1;
      const batch = near.slice(Math.max(0, from - random(0, 3)), from + size).slice(-MAX_EVENTS);
      from += size;
      yield batch.map((event) => ({ event, at: random(0, 1_000) })).sort((a, b) => a.at - b.at).map(({ event }) => event);
    }
  }
}

/** Sends all of them to servers that share a database, each taking the next batch when it is done with its own. */
async function sendAll(servers, batches) {
  const sizes = new Set();
  await Promise.all(servers.map(async (server) => {
    for (let next = batches.next(); !next.done; next = batches.next()) {
      sizes.add(next.value.length);
      await send(server, next.value);
    }
  }));
  return sizes;
}

/** Reads a recorded history through an RPC and, as sent events, through two servers: the logs must say the same. */
async function compareWays(t, { replay, contracts }) {
  t.diagnostic(`seed ${SEED}`);
  const random = seededRandom(SEED);
  const read = await startStack({ simulator: { seed: SEED }, replay, server: { env: { CONTRACT_IDS: contracts } } });
  await read.waitForLedger();
  const hashes = await ledgerHashes(read.db);
  const followed = new Set(contracts.split(','));
  const items = read.sim.events().filter(({ contractId }) => contracts === '*' || followed.has(contractId));
  const digests = await digestsOf(read.db);
  const streams = await streamsOf(read.db);
  await read.stop();

  const first = await startTaker(contracts);
  const second = await startTaker(contracts, {}, first.db);
  const events = items.map((item, index) => sentEvent(item, hashes.get(item.ledger), { json: index % 2 === 1 }));
  const sizes = await sendAll([first.server, second.server], batchesOf(events, random, 2));
  const log = await checkDatabase(first.db);
  t.diagnostic(`${events.length} events in batches of ${sizes.size} sizes; ${log.head} entries, ${log.standing} of them stand`);
  assert.deepEqual(await digestsOf(first.db), digests);
  assert.deepEqual(await streamsOf(first.db), streams);
  // Once more, by either: nothing new.
  await sendAll([second.server], batchesOf(events, random, 1));
  assert.equal((await checkDatabase(first.db)).head, log.head);
  await Promise.all([first.server.stop(), second.server.stop()]);
  return { events, streams, sizes };
}

describe('what is sent and what is read come to the same', () => {
  const folder = mkdtempSync(join(tmpdir(), 'fluxora-sent-'));
  after(() => rmSync(folder, { recursive: true }));

  test('every event of three real ledgers', needsVectors, async (t) => {
    const replay = { eventsFile: vectorPath('rpc/pubnet_events.jsonl'), ledgersFile: vectorPath('rpc/pubnet_ledgers.jsonl') };
    const { events } = await compareWays(t, { replay, contracts: '*' });
    assert.ok(events.length > 2_000);
  });

  test('the runs of the real contract host, one behind the other', needsVectors, async (t) => {
    const contracts = Array.from({ length: 25 }, (_, i) => StrKey.encodeContract(Buffer.alloc(32, i + 1)));
    // Every other one: headers are made up here, and a made-up ledger between two of them links to both.
    const ledger = (at) => 1_000 + 2 * Math.floor(at / 3);
    const items = readVectors('contract-events/host_replay.jsonl').flatMap((run, number) => {
      const stream = new Set(run.finalStreams.map(({ contract }) => contract));
      return run.events.filter(({ contractId }) => stream.has(contractId)).map((event) => ({ ...event, run: number }));
    }).map(({ run, topic, value, failedCall }, at) => ({
      ledger: ledger(at),
      ledgerClosedAt: new Date((1_700_000_000 + 5 * ledger(at)) * 1_000).toISOString().replace('.000Z', 'Z'),
      contractId: contracts[run % contracts.length],
      id: `${String((BigInt(ledger(at)) << 32n) | BigInt((at % 3) + 1) << 12n).padStart(19, '0')}-0000000000`,
      txHash: hashOf('run', run, at),
      topic,
      value,
      inSuccessfulContractCall: !failedCall,
    }));
    const eventsFile = join(folder, 'host_replay.jsonl');
    writeFileSync(eventsFile, items.map((item) => `${JSON.stringify(item)}\n`).join(''));
    const { streams } = await compareWays(t, { replay: { eventsFile }, contracts: [...contracts].sort().join(',') });
    assert.ok(streams.length >= 20, `only ${streams.length} streams`);
  });

  test('a simulated contract with forks', async (t) => {
    t.diagnostic(`seed ${SEED}`);
    const random = seededRandom(SEED);
    const read = await startStack({ simulator: { seed: SEED, streams: 40 } });
    const { sim } = read;
    const { server, db } = await startTaker(sim.contractId, { NETWORK_PASSPHRASE: sim.networkPassphrase });
    /** Events with their ledgers' hashes, as the chain is now. */
    const standing = () => sim.events({ contractId: sim.contractId }).map((item) => {
      const { hash } = sim.chain.ledger(item.ledger);
      return sentEvent(item, Buffer.isBuffer(hash) ? hash.toString('hex') : hash, { json: item.ledger % 2 === 0 });
    });
    let sent = 0;
    for (let round = 0; round < 12; round += 1) {
      read.runScenario(random(5, 15), { actionsPerLedger: 6 });
      const events = standing();
      await sendAll([server], batchesOf(events.slice(sent), random, 1));
      sent = events.length;
      if (round % 3 === 2) {
        const { from } = sim.fork(random(1, 6));
        const again = standing().filter(({ ledger }) => ledger >= from);
        // The first ledger of the branch comes first: with its other hash it says that there is one.
        for (let at = 0; at < again.length; at += MAX_EVENTS) await send(server, again.slice(at, at + MAX_EVENTS));
      }
    }
    await read.settle();
    await checkDatabase(db);
    assert.deepEqual(await digestsOf(db), await digestsOf(read.db));
    assert.deepEqual(await streamsOf(db), await streamsOf(read.db));
    const reorgs = await server.linesOf('reorg_detected');
    assert.ok(reorgs.some(({ existingHash, incomingHash }) => existingHash?.length === 64 && incomingHash?.length === 64));
    await server.stop();
    await read.stop();
  });
});

describe('one server', () => {
  /** @type {Awaited<ReturnType<typeof startTaker>>} */
  let taker;
  before(async () => {
    taker = await startTaker(CONTRACT, { INDEXER_STALL_THRESHOLD_MS: '1000' });
    await send(taker.server, [eventAt(100), eventAt(100, 1), eventAt(200)]);
  });
  after(() => taker.server.stop());

  const dump = async () => ({
    events: await taker.db.rows('SELECT * FROM events ORDER BY seq'),
    ledgers: await taker.db.rows('SELECT * FROM ledgers ORDER BY sequence'),
    checkpoint: await taker.db.rows('SELECT ledger, ledger_hash, closed_at FROM indexer_checkpoint'),
    audit: await taker.db.rows('SELECT * FROM audit_log ORDER BY position'),
  });

  /** Whatever is asked changes nothing. */
  async function changesNothing(ask) {
    const earlier = await dump();
    await ask();
    assert.deepEqual(await dump(), earlier);
  }

  test('a batch answers what it did, and readers can wait for it', async () => {
    const answer = await post(taker.server, { events: [eventAt(300), eventAt(100, 1), eventAt(300)] });
    assert.equal(answer.status, 200, answer.text);
    const [first, again] = [eventAt(300).eventId, eventAt(100, 1).eventId];
    assert.deepEqual(answer.json, { insertedCount: 1, duplicateCount: 2, insertedIds: [first], duplicateIds: [again, first] });
    const [head] = await taker.db.rows('SELECT epoch, seq FROM log_head');
    assert.equal(answer.headers['x-fluxora-version'], String(head.seq));
    assert.equal(answer.headers['x-fluxora-cursor'], `${head.epoch}-${head.seq}`);
    const read = await request(`${taker.server.baseUrl}/api/streams`, { headers: { 'x-fluxora-min-version': String(head.seq) } });
    assert.equal(read.status, 200);
  });

  test('health tells of it, without an RPC', async () => {
    const health = await waitFor(async () => {
      const { json } = await request(`${taker.server.baseUrl}/health`);
      return json.indexer.lastLedger >= 200 && json;
    }, { what: 'health to know the last ledger' });
    assert.equal(health.status, 'ok');
    assert.equal(health.indexer.status, 'healthy');
    assert.equal(health.dependencies.rpc, 'not_configured');
  });

  test('half of a batch that is bad: nothing of it is written', () => changesNothing(async () => {
    const answer = await post(taker.server, { events: [eventAt(400), eventAt(401, 0, { ledgerHash: undefined }), { ...eventAt(402), x: 1 }] });
    assert.equal(answer.status, 400);
    assert.deepEqual(answer.json.errors.map(({ field }) => field), ['events[1].ledgerHash', 'events[2].x']);
    const late = await post(taker.server, { events: [eventAt(400), eventAt(150, 0, { happenedAt: eventAt(200).happenedAt })] });
    assert.deepEqual(late.json.errors.map(({ field }) => field), ['events[1].happenedAt']);
    const other = await post(taker.server, { events: [eventAt(400), eventAt(100, 0, { value: 'void' })] });
    assert.deepEqual(other.json.errors.map(({ field }) => field), ['events[1].eventId']);
  }));

  test('ids that contradict their ledger, contracts that are not followed, values without types', () => changesNothing(async () => {
    const wrong = {
      eventId: eventAt(401).eventId,
      contractId: StrKey.encodeContract(Buffer.alloc(32, 7)),
      ledgerHash: 'zz',
      happenedAt: '29 March 2026',
      topics: ['created', 7, { u64: 7 }, { i128: 7 }, { symbol: 'two words' }, 'AAAA'],
      value: 5,
    };
    for (const [field, value] of Object.entries(wrong)) {
      const values = Array.isArray(value) ? value.map((one) => [one]) : [value];
      for (const one of values) {
        const answer = await post(taker.server, { events: [eventAt(400, 0, { [field]: one })] });
        assert.equal(answer.status, 400, `${field} ${JSON.stringify(one)}`);
        assert.ok(answer.json.errors.every((error) => error.field.startsWith(`events[0].${field}`)), answer.text);
      }
    }
  }));

  test('bodies that are no batch, too large, or hostile', () => changesNothing(async () => {
    const nested = (depth) => `{"events":[{"value":${'{"vec":['.repeat(depth)}${']}'.repeat(depth)}}]}`;
    for (const body of ['', '{', '[]', 'null', '{"events":{}}', '{"events":[]}', '{"events":[[]]}', nested(30), nested(10_000),
      '{"events":[{}],"events":[]}', `{"events":[${'{},'.repeat(99)}{}]}`, '\u0000', randomBytes(1_000)]) {
      assert.equal((await post(taker.server, body)).status, 400, String(body).slice(0, 60));
    }
    assert.equal((await post(taker.server, { events: Array.from({ length: 101 }, (_, i) => eventAt(400, i)) })).status, 413);
    assert.equal((await post(taker.server, { events: [eventAt(400, 0, { value: { bytes: 'ab'.repeat(131_072) } })] })).status, 413);
    // Ten megabytes: refused before they are read; the connection may end while they are sent.
    const huge = await post(taker.server, Buffer.alloc(10 * 1024 * 1024, 'a')).catch((error) => error);
    assert.ok(huge.status === 413 || ['ECONNRESET', 'EPIPE'].includes(huge.code), String(huge));
  }));

  test('silence is no stall, and metrics count', async () => {
    // Silent for longer than INDEXER_STALL_THRESHOLD_MS, and for as long as whatever watches for a stall needs to see it.
    const { json: { indexer: { lastSuccessfulSyncAt } } } = await request(`${taker.server.baseUrl}/health`);
    await delay(Math.max(0, Date.parse(lastSuccessfulSyncAt) + 3_000 - Date.now()));
    const { json: health } = await request(`${taker.server.baseUrl}/health`);
    // The instance's own time of the last batch, or the database's of the same.
    assert.ok(Date.parse(health.indexer.lastSuccessfulSyncAt) < Date.parse(lastSuccessfulSyncAt) + 1_000, 'nothing was sent meanwhile');
    assert.deepEqual([health.status, health.indexer.status, health.indexer.operatorAction], ['ok', 'healthy', 'none']);

    const count = async () => {
      const { text } = await request(`${taker.server.baseUrl}/metrics`);
      const value = (name) => {
        const line = text.split('\n').find((one) => one.startsWith(`${name} `));
        assert.ok(line, name);
        return Number(line.split(' ')[1]);
      };
      return {
        batches: value('fluxora_intake_batches_total'),
        inserted: value('fluxora_intake_events_total{outcome="inserted"}'),
        duplicates: value('fluxora_intake_events_total{outcome="duplicate"}'),
        refused: value('fluxora_intake_refused_batches_total{reason="contradicts_log"}'),
        forks: value('fluxora_intake_reorgs_total'),
      };
    };
    const earlier = await count();
    await send(taker.server, [eventAt(9_000), eventAt(9_000, 1)]);
    await send(taker.server, [eventAt(9_000, 1), eventAt(9_001)]);
    assert.equal((await post(taker.server, { events: [eventAt(9_001, 0, { value: 'void' })] })).status, 400);
    await send(taker.server, [eventAt(9_001, 0, { ledgerHash: hashOf('another branch') })]);
    const grown = Object.fromEntries(Object.entries(await count()).map(([name, value]) => [name, value - earlier[name]]));
    assert.deepEqual(grown, { batches: 3, inserted: 4, duplicates: 1, refused: 1, forks: 1 });
  });
});

describe('who may', () => {
  /** @type {Awaited<ReturnType<typeof startTaker>>} */
  let taker;
  let ledger = 1_000;
  before(async () => { taker = await startTaker(CONTRACT, { AUTH_REQUIRED: 'true' }); });
  after(() => taker.server.stop());
  const next = (headers) => post(taker.server, { events: [eventAt(ledger += 1)] }, headers);

  test('the worker token lets events in, and nothing else', async () => {
    assert.equal((await next({ 'x-indexer-worker-token': WORKER_TOKEN })).status, 200);
    const headers = { 'x-indexer-worker-token': WORKER_TOKEN, 'content-type': 'application/json' };
    for (const [method, path] of [['POST', '/api/streams'], ['GET', '/admin/audit'], ['POST', '/admin/api-keys']]) {
      assert.equal((await request(taker.server.baseUrl + path, { method, headers, body: '{}' })).status, 401, path);
    }
  });

  test('without a credential, or with another one, nothing is taken', async () => {
    for (const headers of [{}, { 'x-indexer-worker-token': 'guess' }, { 'x-indexer-worker-token': WORKER_TOKEN.slice(0, -1) },
      { 'x-api-key': 'flx_x' }, { authorization: `Bearer ${WORKER_TOKEN}` }]) {
      assert.equal((await next(headers)).status, 401, JSON.stringify(headers));
    }
    assert.equal((await next({ 'x-indexer-worker-token': WORKER_TOKEN, authorization: 'Bearer x' })).status, 400);
  });

  test('a key with indexer:write is as good, one without it is not', async () => {
    for (const [scope, status] of [['indexer:write', 200], ['admin', 403], ['streams:write', 403]]) {
      const made = await runCommand(['keys', 'create', '--name', scope, '--scope', scope], { DATABASE_URL: taker.db.url });
      const answer = await next({ 'x-api-key': JSON.parse(made.stdout).key });
      assert.equal(answer.status, status, `${scope}: ${answer.text}`);
    }
  });

  test('each batch that is taken has its audit record', async () => {
    const answer = await next();
    const [record] = await taker.db.rows("SELECT actor, action, detail FROM audit_log WHERE action = 'chain.ingest' ORDER BY position DESC LIMIT 1");
    assert.equal(record.actor, 'worker');
    assert.deepEqual(JSON.parse(record.detail), {
      seq: Number(answer.headers['x-fluxora-version']), insertedCount: 1, duplicateCount: 0, retracted: 0,
    });
    ledger -= 1;
    const before = await taker.db.row('SELECT count(*) FROM audit_log');
    assert.equal((await next()).json.duplicateCount, 1);
    assert.deepEqual(await taker.db.row('SELECT count(*) FROM audit_log'), before, 'what changes nothing has none');
  });

  test('the token is in no log', () => {
    assert.ok(!String(taker.server.stdout).includes(WORKER_TOKEN));
    assert.ok(!String(taker.server.stderr).includes(WORKER_TOKEN));
  });

  test('a server that reads the chain itself, or follows nothing, takes none', async () => {
    const nothing = await startTaker('', { CONTRACT_IDS: undefined });
    const refused = await post(nothing.server, { events: [eventAt(1)] });
    assert.equal(refused.status, 409);
    assert.match(refused.json.detail, /CONTRACT_IDS/);
    await nothing.server.stop();
    const reader = await startStack({ server: { env: { INDEXER_WORKER_TOKEN: WORKER_TOKEN } } });
    const answer = await request(reader.baseUrl + PATH, {
      method: 'POST', headers: { 'x-indexer-worker-token': WORKER_TOKEN, 'content-type': 'application/json' }, body: '{}',
    });
    assert.equal(answer.status, 409);
    assert.match(answer.json.detail, /STELLAR_RPC_URL/);
    await reader.stop();
  });
});

test('what a late event takes back of the contract’s storage is read again', async () => {
  const stack = await startStack({ simulator: { seed: 'late' } });
  const { sim } = stack;
  const before = sim.closeLedger();
  const id = stack.streamId(sim.createStream({ depositAmount: 5_000n, ratePerSecond: 0n, kind: KIND.cliffOnly, cliffDelay: 50n, duration: 100n }));
  sim.closeLedger();
  await stack.settle();
  const observed = async () => standing(await stack.allEvents()).filter(({ event }) => event === 'stream.observed');
  assert.deepEqual((await observed()).map(({ streamId }) => streamId), [id]);
  await stack.server.stop();

  const taker = await startTaker(sim.contractId, {}, stack.db);
  await send(taker.server, [eventAt(before.sequence, 0, {
    ledgerHash: before.hash.toString('hex'),
    contractId: sim.contractId,
    happenedAt: new Date(before.closedAt * 1000).toISOString().replace('.000Z', 'Z'),
  })]);
  await taker.server.stop();
  assert.deepEqual(await stack.db.rows('SELECT stream_id FROM observation_list'), [{ stream_id: id }]);
  assert.equal((await stack.db.row('SELECT kind FROM streams')).kind, 0, 'its creation is told again, and that doesn’t say it');

  await stack.server.restart();
  await stack.waitForObservations();
  assert.equal((await observed()).length, 1);
  assert.equal((await stack.get(`/api/streams/${id}`)).kind, 'cliff_only');
  await checkDatabase(stack.db);
  await stack.stop();
});

test('kill -9 in the middle of requests: what is sent again is there once', async (t) => {
  t.diagnostic(`seed ${SEED}`);
  const random = seededRandom(`${SEED} kill`);
  const { server, db } = await startTaker(CONTRACT);
  const events = Array.from({ length: 1_200 }, (_, i) => eventAt(10_000 + Math.floor(i / 7), i % 7));
  const batches = [];
  for (let from = 0; from < events.length; from += 40) batches.push(events.slice(from, from + 40));
  let killed = 0;
  for (const [number, batch] of batches.entries()) {
    const fate = post(server, { events: batch }).catch((error) => error);
    if (number % 3 === 1) {
      await new Promise((done) => { setTimeout(done, random(0, 12)); });
      await server.kill9();
      killed += 1;
      await fate;
      await checkDatabase(db);
      await server.start();
    } else {
      await fate;
    }
  }
  assert.ok(killed >= 10);
  for (const batch of batches) await send(server, batch);
  const { standing, head } = await checkDatabase(db);
  assert.equal(standing, events.length);
  t.diagnostic(`${killed} kills, ${head} entries`);
  const calm = await startTaker(CONTRACT);
  for (const batch of batches) await send(calm.server, batch);
  assert.deepEqual(await digestsOf(db), await digestsOf(calm.db));
  await Promise.all([server.stop(), calm.server.stop()]);
});
