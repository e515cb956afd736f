// Two instances on one database, one of them killed with -9 every few seconds, while the chain grows and forks. What is
// left is what a run without any of it leaves.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';
import { startSimulator } from '../../chain-sim/src/simulator.js';
import { checkExact } from '../harness/exactness.js';
import { ExpectedStreams } from '../harness/expected_streams.js';
import { assertSameDump, checkDatabase } from '../harness/log_database.js';
import { ownHere } from '../harness/ownership.js';
import { ServerProcess } from '../harness/server_process.js';
import { seededRandom } from '../harness/seeded_random.js';
import { Stack, newDatabase, serverEnvironment } from '../harness/stack.js';

const SECONDS = Number(process.env.TAKEOVER_SECONDS ?? 120);
/** It goes on for longer until there were so many of each. */
const [MIN_KILLS, MIN_FORKS] = [Math.ceil(SECONDS / 6), Math.ceil(SECONDS / 12)];
const SEED = process.env.FLUXORA_TEST_SEED ?? 'takeover';
const MAX_FORK = 30;

test(`kill -9 of two instances in turn for ${SECONDS} s of ingest with forks`, { timeout: (2 * SECONDS + 600) * 1000 }, async (t) => {
  t.diagnostic(`seed ${SEED}`);
  const random = seededRandom(SEED);
  const sim = await startSimulator({ seed: SEED, streams: 100, tokenEvents: false });
  ownHere(() => sim.stop());
  sim.runScenario(100, { actionsPerLedger: 20 });
  const db = await newDatabase();
  const settings = { ...serverEnvironment(db, sim), INDEXER_BATCH_LEDGERS: '3' };
  const servers = [0, 1].map(() => new ServerProcess({ env: settings }));
  for (const server of servers) await server.start();

  const end = Date.now() + SECONDS * 1000;
  const counts = { kills: 0, killsWhileMoving: 0, forks: 0, ledgers: 0 };
  const goesOn = () => Date.now() < end || counts.kills < MIN_KILLS || counts.forks < MIN_FORKS || counts.killsWhileMoving === 0;
  const chain = (async () => {
    while (goesOn()) {
      sim.runScenario(random(1, 6), { actionsPerLedger: random(0, 25) });
      if (random(0, 9) === 0) {
        sim.fork(random(1, MAX_FORK), { content: random(0, 1) === 0 ? 'same' : 'empty' });
        counts.forks += 1;
      }
      await sleep(random(5, 60));
    }
  })();
  const deaths = (async () => {
    while (goesOn()) {
      await sleep(random(1_000, 4_000));
      const victim = servers[random(0, 1)];
      const before = (await db.row('SELECT seq::int FROM log_head')).seq;
      await sleep(random(0, 80));
      const { head } = await checkDatabase(db);
      await victim.kill9();
      counts.kills += 1;
      if (head > before) counts.killsWhileMoving += 1;
      await victim.start();
    }
  })();
  await Promise.all([chain, deaths]);
  counts.ledgers = sim.latest.sequence - sim.oldest.sequence;
  t.diagnostic(JSON.stringify(counts));

  const disturbed = new Stack(db, sim, servers[0], async () => {});
  sim.closeLedger();
  const last = sim.latest.sequence - 1;
  await disturbed.waitForLedger(last);
  const log = await checkDatabase(db);
  assert.ok(log.entries > log.standing, 'forks were undone');
  disturbed.expected = new ExpectedStreams(sim);
  disturbed.expected.take(last);
  await checkExact(disturbed);

  // A third instance reads what the chain is now, undisturbed.
  const calmDb = await newDatabase();
  const calm = new Stack(calmDb, sim, await ServerProcess.start(serverEnvironment(calmDb, sim)), async () => {});
  await calm.waitForLedger(last);
  await checkDatabase(calmDb);
  assertSameDump(await whatStands(db), await whatStands(calmDb));

  for (const server of servers) await server.stop();
  await calm.server.stop();
  await sim.stop();
});

/**
 * What doesn't depend on the way there: the standing entries, the fold but for its places in the log, the digests. Which
 * ledger's close a time entry names does: headers are read of the ledgers with events and of each batch's ends alone. So
 * do the fields that only the contract's storage knows: who comes late finds a closed stream's entry gone.
 * @param {import('../harness/stack.js').Database} db
 */
async function whatStands(db) {
  const standing = 'retracts IS NULL AND NOT EXISTS (SELECT FROM events r WHERE r.retracts = e.seq)';
  const ofTime = "event IN ('stream.cliff_reached', 'stream.ended')";
  return {
    events: await db.rows(`
      SELECT event, kind, stream_id, event_id, contract_id, ledger, ledger_hash, tx_hash, closed_at, in_successful_call, topics, value, change
      FROM events e WHERE ${standing} AND NOT ${ofTime} AND event <> 'stream.observed' ORDER BY ledger, event_id, stream_id`),
    times: await db.rows(`SELECT event, stream_id, event_id FROM events e WHERE ${standing} AND ${ofTime} ORDER BY stream_id, event_id`),
    streams: (await db.rows('SELECT * FROM streams ORDER BY id')).map(({ version, created_seq: created, kind, token, ...fold }) => fold),
    digests: await db.rows('SELECT sequence, digest FROM ledgers WHERE digest IS NOT NULL ORDER BY sequence'),
  };
}
