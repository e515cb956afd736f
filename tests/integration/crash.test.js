// kill -9 of the server while it ingests a long chain: nothing is lost, nothing is there twice.
import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { test } from 'node:test';
import { checkExact } from './harness/exactness.js';
import { assertSameDump, checkDatabase, dumpDatabase } from './harness/log_database.js';
import { ServerProcess } from './harness/server_process.js';
import { seededRandom } from './harness/seeded_random.js';
import { Stack, newDatabase, serverEnvironment, startStack } from './harness/stack.js';
import { waitFor } from './harness/wait.js';

const KILLS = 20;
const MIN_EVENTS = 15_000;
const LEDGERS = 900;
const BATCH_LEDGERS = 4;
const SEED = process.env.FLUXORA_TEST_SEED ?? 'crash';

/** Batches that the server has asked the chain for. */
const asked = (sim) => sim.calls.get('getEvents') ?? 0;

test(`kill -9, ${KILLS} times in one ingest`, async (t) => {
  t.diagnostic(`seed ${SEED}`);
  const random = seededRandom(SEED);
  const settings = { INDEXER_BATCH_LEDGERS: String(BATCH_LEDGERS) };

  // The first server goes through undisturbed.
  const calm = await startStack({
    simulator: { seed: SEED, streams: 120, tokenEvents: false },
    prepare: (sim) => {
      sim.runScenario(LEDGERS, { actionsPerLedger: 20 });
      sim.closeLedger();
    },
    server: { env: settings },
  });
  const { sim } = calm;
  const total = sim.events({ contractId: sim.contractId }).length;
  assert.ok(total >= MIN_EVENTS, `only ${total} events`);
  await calm.waitForLedger();
  await checkDatabase(calm.db);
  await calm.server.stop();

  // The second dies again and again: after a batch was asked for, and then some turns of the event loop later, which
  // lands it in decoding, in folding, in a transaction or between two.
  const db = await newDatabase();
  const server = new ServerProcess({ env: { ...serverEnvironment(db, sim), ...settings } });
  const heads = [];
  let moving = 0;
  for (let kill = 0; kill < KILLS; kill += 1) {
    await server.start();
    const until = asked(sim) + random(2, Math.floor((LEDGERS / BATCH_LEDGERS / KILLS) * 1.5));
    await waitForTurn(() => asked(sim) >= until || !server.running);
    for (let turn = random(0, 60); turn > 0; turn -= 1) await nextTurn();
    assert.ok(server.running, `the server ended by itself: ${server.outcome()}`);
    await server.kill9();
    const { head } = await checkDatabase(db);
    if (head > (heads.at(-1) ?? 0) && head < total) moving += 1;
    heads.push(head);
  }
  t.diagnostic(`heads at the kills, of ${total}: ${heads.join(' ')}`);
  assert.ok(moving >= KILLS / 2, `only ${moving} kills landed in the middle of the ingest`);
  assert.deepEqual([...heads].sort((a, b) => a - b), heads, 'what was committed stays');

  await server.start();
  const disturbed = new Stack(db, sim, server, async () => {});
  await disturbed.waitForLedger();
  await checkDatabase(db);
  assertSameDump(await dumpDatabase(db), await dumpDatabase(calm.db));

  // And both are what the events say.
  disturbed.expected.take();
  await checkExact(disturbed);
  await server.stop();
  await calm.stop();
});

/** Like waitFor, but looking at every turn of the event loop: the simulator answers in this process. @param {() => boolean} check */
async function waitForTurn(check) {
  let seen = false;
  const watching = waitFor(() => seen, { what: 'the next batch to be asked for' });
  let failed = false;
  watching.catch(() => { failed = true; });
  while (!failed && !(seen = check())) await nextTurn();
  await watching;
}
