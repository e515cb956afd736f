// Three real ledgers of a public network, replayed by the simulator: whatever contracts do, the log keeps it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkLogOrder } from './harness/log_checks.js';
import { scValJsonFromBase64 } from './harness/sep51.js';
import { startStack } from './harness/stack.js';
import { needsVectors, readVectors, vectorPath } from './harness/vectors.js';

const EVENTS = 'rpc/pubnet_events.jsonl';
const LEDGERS = 'rpc/pubnet_ledgers.jsonl';
/** The first topic where it is a symbol. @param {string[]} topics */
const kindOf = ([first]) => (first === undefined ? null : scValJsonFromBase64(first).symbol ?? null);

test('every event of the real ledgers is in the log once, in order, decoded as the official SDK decodes it', needsVectors, async () => {
  const cases = readVectors(EVENTS);
  const ledgers = new Map(readVectors(LEDGERS).map((ledger) => [ledger.sequence, ledger]));
  const expected = [...cases].sort((a, b) => (a.id < b.id ? -1 : 1));
  assert.equal(new Set(expected.map(({ id }) => id)).size, cases.length, 'the ids are unique');

  const stack = await startStack({
    simulator: { seed: 'replay' },
    replay: { eventsFile: vectorPath(EVENTS), ledgersFile: vectorPath(LEDGERS) },
    server: { env: { CONTRACT_IDS: '*', INDEXER_BATCH_LEDGERS: '10000' } },
  });
  await stack.waitForLedger();
  const entries = await stack.allEvents();
  checkLogOrder(entries, (await stack.head()).epoch);
  assert.deepEqual(entries.map(({ eventId }) => eventId), expected.map(({ id }) => id));

  entries.forEach((entry, index) => {
    const event = expected[index];
    const where = `entry ${entry.seq}, ${event.id}`;
    assert.deepEqual(entry.raw, { topics: event.topic.map(scValJsonFromBase64), value: scValJsonFromBase64(event.value) }, where);
    assert.equal(entry.kind, kindOf(event.topic), where);
    assert.equal(entry.ledger, event.ledger, where);
    assert.equal(entry.ledgerHash, ledgers.get(event.ledger).hash, where);
    assert.equal(entry.txHash, event.txHash, where);
    assert.equal(entry.closedAt, event.ledgerClosedAt, where);
    assert.equal(entry.contractId, event.contractId, where);
    assert.equal(entry.inSuccessfulContractCall ?? true, event.inSuccessfulContractCall, where);
    assert.equal(entry.stream ?? null, null, `${where}: nothing is folded with CONTRACT_IDS=*`);
    if (!event.inSuccessfulContractCall) assert.equal(entry.event, 'chain.event', where);
  });
  const transfers = entries.filter(({ kind }) => kind === 'transfer');
  assert.ok(transfers.length > 100);
  assert.deepEqual([...new Set(transfers.map(({ event }) => event))], ['chain.event'], 'a topic that is not the stream contract’s');
  assert.deepEqual(await stack.get('/api/streams'), { streams: [], has_more: false, next_cursor: null });

  // From the start again: everything is met once more, and nothing is added.
  const before = await stack.db.rows('SELECT * FROM events ORDER BY seq');
  const head = await stack.head();
  await stack.server.stop();
  await stack.db.rows('UPDATE indexer_checkpoint SET ledger = NULL, ledger_hash = NULL, closed_at = NULL');
  await stack.server.restart();
  await stack.waitForLedger();
  assert.deepEqual(await stack.db.rows('SELECT * FROM events ORDER BY seq'), before);
  assert.deepEqual(await stack.head(), head);
  await stack.stop();
});
