import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { xdr } from '@stellar/stellar-sdk';
import { formatCursor, parseCursor } from '../src/event_cursor.js';
import { closeMetaXdr, headerEntryXdr } from '../src/ledger_header.js';
import { Simulator, startSimulator } from '../src/simulator.js';
import { allEvents, call } from './rpc_client.js';

test('an event id is the TOID and the index, and parses back', () => {
  assert.equal(formatCursor({ ledger: 51000294, tx: 0, op: 0, event: 3 }), '0219044594816385024-0000000003');
  assert.equal(formatCursor({ ledger: 3727845, tx: 5, op: 0, event: 1 }), '0016010972359577600-0000000001');
  const cursor = { ledger: 2 ** 31 - 1, tx: 1048575, op: 4095, event: 4294967295 };
  assert.deepEqual(parseCursor(formatCursor(cursor)), cursor);
  for (const bad of ['', '12', 'a-1', '1-b', '9223372036854775808-0', '1-4294967296']) assert.throws(() => parseCursor(bad), bad);
});

test('each ledger is hashed by its header, links to the one before and decodes', () => {
  const sim = new Simulator({ seed: 1, startLedger: 77 });
  sim.runScenario(30);
  let before;
  for (let sequence = 77; sequence <= sim.latest.sequence; sequence += 1) {
    const ledger = sim.chain.ledger(sequence);
    const entry = xdr.LedgerHeaderHistoryEntry.fromXDR(headerEntryXdr(ledger), 'base64');
    const header = entry.header();
    assert.equal(createHash('sha256').update(header.toXDR()).digest('hex'), entry.hash().toString('hex'));
    assert.equal(header.ledgerSeq(), sequence);
    assert.equal(Number(header.scpValue().closeTime().toString()), ledger.closedAt);
    if (before) {
      assert.deepEqual(header.previousLedgerHash(), before.hash);
      assert.ok(ledger.closedAt > before.closedAt);
    }
    const meta = xdr.LedgerCloseMeta.fromXDR(closeMetaXdr(ledger), 'base64');
    assert.equal(meta.v2().ledgerHeader().header().ledgerSeq(), sequence);
    before = ledger;
  }
});

test('events stand in id order, a transaction each call, indexes counted inside it', () => {
  const sim = new Simulator({ seed: 2 });
  sim.runScenario(100);
  const events = sim.events();
  assert.deepEqual(events.map((event) => event.id), events.map((event) => event.id).sort());
  const hashes = new Map();
  for (const event of events) {
    const { ledger, tx, op, event: index } = parseCursor(event.id);
    assert.deepEqual([ledger, tx, op], [event.ledger, event.transactionIndex, event.operationIndex]);
    assert.match(event.txHash, /^[0-9a-f]{64}$/);
    assert.match(event.ledgerClosedAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert.ok(tx >= 1 && op === 0);
    assert.equal(index, hashes.get(event.txHash) ?? 0);
    hashes.set(event.txHash, index + 1);
  }
});

test('the retention window moves on and bounds what is kept', async () => {
  const sim = await startSimulator({ seed: 4, retentionLedgers: 50 });
  try {
    sim.runScenario(500);
    assert.equal(sim.oldest.sequence, sim.latest.sequence - 49);
    assert.ok(sim.chain.ledgers.length <= 2 * 50 + 64);
    assert.ok(sim.chain.eventsByLedger.size <= 2 * 50 + 64);
    assert.equal(sim.chain.eventLedgers.length, sim.chain.eventsByLedger.size);
    await assert.rejects(call(sim.url, 'getEvents', { startLedger: sim.oldest.sequence - 1 }), {
      code: -32600,
      message: `startLedger must be within the ledger range: ${sim.oldest.sequence} - ${sim.latest.sequence}`,
    });
    const { events } = await allEvents(sim.url, { startLedger: sim.oldest.sequence, limit: 7 });
    assert.deepEqual(events, sim.events());
  } finally {
    await sim.stop();
  }
});

test('a close time must be later than the one before', () => {
  const sim = new Simulator({ startTime: 100 });
  assert.throws(() => sim.closeLedger({ closedAt: 100 }), /strictly increase/);
  assert.throws(() => sim.closeLedger({ closedAt: 101.5 }), /strictly increase/);
  assert.equal(sim.closeLedger({ closedAt: 101 }).closedAt, 101);
});

test('a fork with the same transactions keeps ids and storage under other hashes', () => {
  const sim = new Simulator({ seed: 5 });
  sim.runScenario(60);
  const [before, events, storage] = [sim.latest, sim.events(), sim.contractStorage()];
  const parent = sim.chain.ledger(before.sequence - 7).hash;
  assert.deepEqual(sim.fork(7), { from: before.sequence - 6, to: before.sequence });
  assert.notEqual(sim.latest.hash, before.hash);
  assert.equal(sim.latest.closedAt, before.closedAt);
  assert.deepEqual(sim.chain.ledger(before.sequence - 6).previousHash, parent);
  assert.deepEqual(sim.events(), events);
  assert.deepEqual(sim.contractStorage(), storage);
});

test('a fork that drops the transactions undoes what they did', () => {
  const sim = new Simulator({ seed: 6 });
  sim.runScenario(40);
  const [at, storage, instance] = [sim.latest.sequence, sim.contractStorage(), sim.contract.instance];
  sim.runScenario(12);
  assert.notDeepEqual(sim.contractStorage(), storage);
  sim.fork(12, { content: 'empty' });
  assert.deepEqual(sim.contractStorage(), storage);
  assert.deepEqual(sim.contract.instance, instance);
  assert.equal(sim.latest.sequence, at + 12);
  sim.runScenario(12);
  sim.fork(12, { content: 'none' });
  assert.equal(sim.latest.sequence, at + 12);
  assert.throws(() => sim.fork(100_000), RangeError);
});

test('appended events keep their bytes, and their transaction', () => {
  const sim = new Simulator({});
  const topics = [xdr.ScVal.scvSymbol('odd').toXDR('base64')];
  const value = xdr.ScVal.scvU32(7).toXDR('base64');
  const { txHash } = sim.appendEvents([{ topics, value }, { topics, value, inSuccessfulContractCall: false, contractId: sim.tokenId }]);
  sim.closeLedger();
  assert.deepEqual(
    sim.events().map((e) => [e.contractId, e.topic, e.value, e.inSuccessfulContractCall, e.txHash, e.id.slice(-10)]),
    [
      [sim.contractId, topics, value, true, txHash, '0000000000'],
      [sim.tokenId, topics, value, false, txHash, '0000000001'],
    ],
  );
});

test('a long scenario gives twenty thousand events', () => {
  const { events } = new Simulator({ seed: 8 }).runScenario(2000, { actionsPerLedger: 6 });
  assert.ok(events >= 20_000, `${events} events`);
});

test('by itself it closes ledgers at wall-clock seconds', async (t) => {
  const now = 1_774_780_287;
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: now * 1000 + 400 });
  const sim = await startSimulator({ seed: 11, closeEveryMs: 1500, scenario: true });
  try {
    const first = sim.latest;
    assert.equal(first.closedAt, now);
    const closed = [];
    for (let ledger = 1; ledger <= 3; ledger += 1) {
      t.mock.timers.tick(1499);
      assert.equal(sim.latest.sequence, first.sequence + ledger - 1);
      t.mock.timers.tick(1);
      assert.equal(sim.latest.sequence, first.sequence + ledger);
      closed.push(sim.latest.closedAt);
    }
    assert.deepEqual(closed, [now + 1, now + 3, now + 4]);
    assert.ok(sim.events().length > 0);
  } finally {
    await sim.stop();
  }
});

test('by itself it replaces its last ledgers now and then, the same ones for the same seed', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_774_780_287_400 });
  /** Which ledgers got another hash before which one, and how many events that left, over twenty ledgers. */
  const forksOf = async (seed) => {
    const sim = await startSimulator({ seed, closeEveryMs: 1000, scenario: true, forkEvery: 5 });
    const forks = [];
    const hashes = new Map();
    try {
      for (let i = 0; i < 20; i += 1) {
        t.mock.timers.tick(1000);
        const { latest } = sim;
        const replaced = [...hashes].filter(([sequence, hash]) => sim.chain.ledger(sequence).hash.toString('hex') !== hash);
        for (const [sequence] of replaced) hashes.set(sequence, sim.chain.ledger(sequence).hash.toString('hex'));
        hashes.set(latest.sequence, latest.hash);
        if (replaced.length > 0) forks.push({ before: latest.sequence, replaced: replaced.map(([sequence]) => sequence), events: sim.events().length });
      }
    } finally {
      await sim.stop();
    }
    return forks;
  };
  const forks = await forksOf('forks');
  assert.deepEqual(forks.map(({ before }) => before), [1005, 1010, 1015, 1020]);
  for (const { before, replaced } of forks) {
    const depth = replaced.length;
    assert.ok(depth === 2 || depth === 3, `${depth} deep`);
    assert.deepEqual(replaced, Array.from({ length: depth }, (_, i) => before - depth + i));
  }
  assert.deepEqual(await forksOf('forks'), forks);
  assert.notDeepEqual(await forksOf('others'), forks);
  assert.throws(() => new Simulator({ closeEveryMs: 1000, forkEvery: 3 }), /forkEvery must be 0, or more than 3/);
});

test('its own forks find what they take back in the smallest window', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_774_780_287_400 });
  const options = { seed: 'window', closeEveryMs: 1000, scenario: true, forkEvery: 4 };
  assert.throws(() => new Simulator({ ...options, retentionLedgers: 3 }), /retentionLedgers must be more than 3 with forkEvery/);
  const sim = await startSimulator({ ...options, retentionLedgers: 4 });
  try {
    // Past several prunings.
    for (let i = 0; i < 300; i += 1) t.mock.timers.tick(1000);
    assert.equal(sim.latest.sequence, 1300);
  } finally {
    await sim.stop();
  }
});
