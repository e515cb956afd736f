import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { xdr } from '@stellar/stellar-sdk';
import { startSimulator } from '../src/simulator.js';
import { allEvents, call, unlessPresent, vectorsPath } from './rpc_client.js';

const eventsFile = join(vectorsPath, 'rpc', 'pubnet_events.jsonl');
const ledgersFile = join(vectorsPath, 'rpc', 'pubnet_ledgers.jsonl');
const skip = unlessPresent('rpc', 'pubnet_events.jsonl');
const lines = (path) => readFileSync(path, 'utf8').trim().split('\n').map((line) => JSON.parse(line));

test('a recorded network: events, headers and the stretches between', { skip }, async (t) => {
  const sim = await startSimulator({ replay: { eventsFile, ledgersFile }, networkPassphrase: 'Public Global Stellar Network ; September 2015' });
  t.after(() => sim.stop());
  const recorded = lines(eventsFile);
  const headers = lines(ledgersFile);
  const rpc = (method, params) => call(sim.url, method, params);
  const ledgerAt = async (sequence, limit = 1) => (await rpc('getLedgers', { startLedger: sequence, pagination: { limit } })).ledgers;
  const entryOf = (ledger) => xdr.LedgerHeaderHistoryEntry.fromXDR(ledger.headerXdr, 'base64');

  await t.test('all 2,038 events in id order, over spans of 10,000 ledgers', async () => {
    const health = await rpc('getHealth');
    assert.deepEqual([health.oldestLedger, health.latestLedger], [51000294, 63092988 + 5]);
    const { events, pages } = await allEvents(sim.url, { startLedger: health.oldestLedger, limit: 1000 });
    assert.equal(events.length, 2038);
    assert.ok(pages > 1200);
    const expected = [...recorded].sort((a, b) => (a.id < b.id ? -1 : 1));
    assert.deepEqual(events.map((e) => e.id), expected.map((e) => e.id));
    assert.deepEqual(events.map((e) => [e.topic, e.value, e.txHash]), expected.map((e) => [e.topic, e.value, e.txHash]));
    assert.ok(events.every((event) => event._src === undefined && event.stage === undefined));
  });

  await t.test('recorded ledgers keep their headers and hashes', async () => {
    for (const sequence of [51000294, 57500008, 63092988]) {
      const header = headers.find((one) => one.sequence === sequence);
      const [ledger] = await ledgerAt(sequence);
      assert.deepEqual([ledger.hash, ledger.headerXdr, ledger.ledgerCloseTime], [header.hash, header.headerXdr, String(header.closeTime)]);
    }
  });

  await t.test('links hold everywhere, and close times increase', async () => {
    for (const [from, count] of [[51000294, 200], [57499900, 200], [57500008, 100], [63092900, 94]]) {
      const ledgers = await ledgerAt(from, count);
      assert.equal(ledgers.length, count);
      for (let i = 1; i < ledgers.length; i += 1) {
        assert.equal(entryOf(ledgers[i]).header().previousLedgerHash().toString('hex'), ledgers[i - 1].hash, `ledger ${ledgers[i].sequence}`);
        assert.ok(Number(ledgers[i].ledgerCloseTime) > Number(ledgers[i - 1].ledgerCloseTime));
      }
    }
  });

  await t.test('what is made up is made up the same each time', async () => {
    const [before] = await ledgerAt(54_321_000);
    for (let sequence = 52_000_000; sequence < 56_000_000; sequence += 200_000) await ledgerAt(sequence);
    assert.deepEqual((await ledgerAt(54_321_000))[0], before);
  });

  await t.test('the chain goes on from the last recorded ledger', async () => {
    const { sequence, hash } = sim.closeLedger();
    const [ledger] = await ledgerAt(sequence);
    assert.equal(ledger.hash, hash);
    assert.equal(entryOf(ledger).header().ledgerVersion(), 26);
  });
});

test('a run of the contract can be replayed by appending', { skip: unlessPresent('contract-events', 'host_replay.jsonl') }, async (t) => {
  const sim = await startSimulator({});
  t.after(() => sim.stop());
  const [run] = lines(join(vectorsPath, 'contract-events', 'host_replay.jsonl'));
  sim.appendEvents(run.events.map(({ contractId, topic, value, failedCall }) => ({
    contractId, topics: topic, value, inSuccessfulContractCall: !failedCall,
  })));
  for (const { contract, key, val } of run.finalStreams) sim.setEntry({ contractId: contract, key, val });
  const { sequence } = sim.closeLedger();
  const page = await call(sim.url, 'getEvents', { startLedger: sequence });
  assert.deepEqual(page.events.map((e) => e.topic), run.events.map((e) => e.topic));
});
