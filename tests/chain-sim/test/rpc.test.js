import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { scValToNative, xdr } from '@stellar/stellar-sdk';
import { contractDataKey, streamKey } from '../src/contract_storage.js';
import { endOfLedger, formatCursor } from '../src/event_cursor.js';
import { startSimulator } from '../src/simulator.js';
import { allEvents, call, post } from './rpc_client.js';

let sim;
const rpc = (method, params) => call(sim.url, method, params);
const symbol = (text) => xdr.ScVal.scvSymbol(text).toXDR('base64');
const refused = (params, code, message, method = 'getEvents') =>
  assert.rejects(rpc(method, params), (error) => {
    assert.deepEqual([error.code, error.message], [code, message]);
    return true;
  });

before(async () => {
  sim = await startSimulator({ seed: 'rpc', startLedger: 5000 });
  sim.runScenario(300);
});
after(() => sim.stop());

test('health, network and latest ledger', async () => {
  const { oldest, latest } = sim;
  assert.deepEqual(await rpc('getHealth'), {
    status: 'healthy',
    latestLedger: latest.sequence,
    latestLedgerCloseTime: latest.closedAt,
    oldestLedger: oldest.sequence,
    oldestLedgerCloseTime: oldest.closedAt,
    ledgerRetentionWindow: 120_960,
  });
  assert.deepEqual(await rpc('getNetwork'), { passphrase: sim.networkPassphrase, protocolVersion: 23 });
  const ledger = await rpc('getLatestLedger');
  assert.deepEqual([ledger.id, ledger.sequence, ledger.closeTime], [latest.hash, latest.sequence, String(latest.closedAt)]);
  assert.equal(xdr.LedgerHeader.fromXDR(ledger.headerXdr, 'base64').ledgerSeq(), latest.sequence);
  assert.equal(xdr.LedgerCloseMeta.fromXDR(ledger.metadataXdr, 'base64').switch(), 2);
});

test('getEvents gives the default page and its cursor', async () => {
  const page = await rpc('getEvents', { startLedger: 5000 });
  assert.equal(page.events.length, 100);
  assert.equal(page.cursor, page.events[99].id);
  assert.deepEqual([page.latestLedger, page.oldestLedger], [sim.latest.sequence, 5000]);
  assert.deepEqual([page.latestLedgerCloseTime, page.oldestLedgerCloseTime], [String(sim.latest.closedAt), String(sim.oldest.closedAt)]);
  assert.deepEqual(Object.keys(page.events[0]).sort(), ['contractId', 'id', 'inSuccessfulContractCall', 'ledger', 'ledgerClosedAt',
    'operationIndex', 'topic', 'transactionIndex', 'txHash', 'type', 'value']);
});

test('paging by cursor gives every event once, whatever the page', async () => {
  for (const limit of [1000, 100, 33]) {
    const { events } = await allEvents(sim.url, { startLedger: 5000, limit });
    assert.deepEqual(events, sim.events());
  }
});

test('a page that does not fill ends at its span, and at the tip can be asked again', async () => {
  const tip = sim.latest.sequence;
  const filters = [{ topics: [[symbol('no_such')]] }];
  const page = await rpc('getEvents', { startLedger: 5000, filters });
  assert.deepEqual([page.events, page.cursor], [[], endOfLedger(tip)]);
  assert.equal((await rpc('getEvents', { filters, pagination: { cursor: page.cursor } })).cursor, page.cursor);
});

test('an empty page moves on by 10,000 ledgers', async () => {
  const far = await startSimulator({ seed: 1 });
  try {
    for (let i = 0; i < 25_000; i += 1) far.closeLedger();
    const id = far.createStream({ depositAmount: 100n, ratePerSecond: 1n, duration: 100 });
    far.closeLedger();
    const first = await call(far.url, 'getEvents', { startLedger: 1000 });
    assert.equal(first.cursor, endOfLedger(10_999));
    const second = await call(far.url, 'getEvents', { pagination: { cursor: first.cursor } });
    // A cursor's span counts from the ledger it names, of which nothing is left.
    assert.equal(second.cursor, endOfLedger(20_998));
    const { events, pages } = await allEvents(far.url, { startLedger: 1000, limit: 100 });
    assert.equal(pages, 3);
    assert.deepEqual(events.map((e) => e.contractId), [far.tokenId, far.contractId]);
    assert.equal(id, 0n);
  } finally {
    await far.stop();
  }
});

test('endLedger is excluded, and may lie before the start', async () => {
  const page = await rpc('getEvents', { startLedger: 5001, endLedger: 5003, pagination: { limit: 10_000 } });
  assert.deepEqual([...new Set(page.events.map((e) => e.ledger))].filter((l) => l > 5002), []);
  assert.equal(page.cursor, endOfLedger(5002));
  const none = await rpc('getEvents', { startLedger: 5010, endLedger: 5002 });
  assert.deepEqual([none.events, none.cursor], [[], endOfLedger(5001)]);
});

test('filters by contract, type and topics', async () => {
  const all = sim.events();
  const get = async (filters) => (await rpc('getEvents', { startLedger: 5000, filters, pagination: { limit: 10_000 } })).events;
  const id = all.find((e) => e.contractId === sim.contractId).topic[1];
  assert.deepEqual(await get([{ contractIds: [sim.contractId] }]), all.filter((e) => e.contractId === sim.contractId));
  assert.deepEqual(await get([{ type: 'system' }]), []);
  assert.deepEqual(await get([{ type: 'contract,system' }]), all);
  assert.deepEqual(await get([{ topics: [[symbol('withdrew'), '*']] }]), all.filter((e) => e.topic[0] === symbol('withdrew')));
  assert.deepEqual(await get([{ topics: [[symbol('withdrew')]] }]), []);
  assert.deepEqual(await get([{ topics: [['*', id]] }]), all.filter((e) => e.topic.length === 2 && e.topic[1] === id));
  assert.deepEqual(await get([{ topics: [[symbol('transfer'), '**']] }]), all.filter((e) => e.topic[0] === symbol('transfer')));
  assert.deepEqual(await get([{ topics: [['**']] }]), all);
  assert.deepEqual(
    await get([{ contractIds: [sim.contractId], topics: [[symbol('paused'), '**'], [symbol('resumed'), '*']] }]),
    all.filter((e) => [symbol('paused'), symbol('resumed')].includes(e.topic[0])),
  );
});

test('getEvents refuses what the server refuses, in its words', async () => {
  const { oldest, latest } = sim;
  const outside = `startLedger must be within the ledger range: ${oldest.sequence} - ${latest.sequence}`;
  const cursor = formatCursor({ ledger: 5001, tx: 1, op: 0, event: 0 });
  await refused({}, -32602, 'startLedger must be positive');
  await refused({ startLedger: 4999 }, -32600, outside);
  await refused({ startLedger: latest.sequence + 1 }, -32600, outside);
  await refused({ pagination: { cursor: endOfLedger(latest.sequence + 1) } }, -32600, outside);
  await refused({ startLedger: 5000, pagination: { cursor } }, -32602, 'ledger ranges and cursor cannot both be set');
  await refused({ endLedger: 5001, pagination: { cursor } }, -32602, 'ledger ranges and cursor cannot both be set');
  await refused({ startLedger: 5000, pagination: { limit: 10_001 } }, -32602, 'limit must not exceed 10000');
  await refused({ startLedger: 5000, filters: Array(6).fill({}) }, -32602, 'maximum 5 filters per request');
  await refused({ startLedger: 5000, filters: [{ contractIds: Array(6).fill(sim.contractId) }] }, -32602,
    'filter 1 invalid: maximum 5 contract IDs per filter');
  await refused({ startLedger: 5000, filters: [{ contractIds: ['C123'] }] }, -32602, 'filter 1 invalid: contract ID 1 invalid');
  await refused({ startLedger: 5000, filters: [{ topics: Array(6).fill(['*']) }] }, -32602, 'filter 1 invalid: maximum 5 topics per filter');
  await refused({ startLedger: 5000, filters: [{}, { topics: [[]] }] }, -32602,
    'filter 2 invalid: topic 1 invalid: topic must have at least 1 segment');
  await refused({ startLedger: 5000, filters: [{ topics: [['**', '*']] }] }, -32602,
    "filter 1 invalid: topic 1 invalid: segment 1 invalid: wildcard '**' is only allowed as the last segment");
  await refused({ startLedger: 5000, filters: [{ topics: [Array(5).fill('*')] }] }, -32602,
    'filter 1 invalid: topic 1 invalid: topic cannot have more than 4 segments');
  await refused({ startLedger: 5000, filters: [{ type: 'diagnostic' }] }, -32602,
    "filter 1 invalid: filter type invalid: if set, type must be either 'system' or 'contract'");
  await refused({ startLedger: 5000, xdrFormat: 'hex' }, -32602, "got 'hex': expected base64, json for optional 'xdrFormat'");
  await refused({ startLedger: '5000' }, -32602, 'invalid parameters');
  await refused({ pagination: { cursor: 'nonsense' } }, -32602, 'invalid parameters');
  await refused({ startLedger: 5000, filters: [{ topics: [['AAAA']] }] }, -32602, 'invalid parameters');
  await refused([], -32602, 'invalid parameters');
});

test('getLedgers gives linked headers, pages by cursor and keeps its limits', async () => {
  const page = await rpc('getLedgers', { startLedger: 5000 });
  assert.equal(page.ledgers.length, 50);
  assert.equal(page.cursor, '5049');
  const next = await rpc('getLedgers', { pagination: { cursor: page.cursor, limit: 200 } });
  assert.equal(next.ledgers.length, 200);
  const ledgers = [...page.ledgers, ...next.ledgers];
  ledgers.forEach((ledger, i) => {
    const entry = xdr.LedgerHeaderHistoryEntry.fromXDR(ledger.headerXdr, 'base64');
    assert.equal(entry.hash().toString('hex'), ledger.hash);
    assert.equal(ledger.sequence, 5000 + i);
    assert.equal(typeof ledger.ledgerCloseTime, 'string');
    if (i > 0) assert.equal(entry.header().previousLedgerHash().toString('hex'), ledgers[i - 1].hash);
  });
  assert.equal(page.latestLedgerCloseTime, sim.latest.closedAt);

  const tip = sim.latest.sequence;
  const bounds = `the oldest ledger: 5000 and the latest ledger: ${tip} for this rpc instance`;
  assert.equal((await rpc('getLedgers', { startLedger: tip, pagination: { limit: 5 } })).ledgers.length, 1);
  await refused({ startLedger: 4999 }, -32600, `start ledger (4999) must be between ${bounds}`, 'getLedgers');
  await refused({}, -32600, `start ledger (0) must be between ${bounds}`, 'getLedgers');
  await refused({ startLedger: 5000, pagination: { limit: 201 } }, -32600, 'limit must not exceed 200', 'getLedgers');
  await refused({ startLedger: 5000, pagination: { cursor: '5001' } }, -32600, 'startLedger (5000) and cursor (5001) cannot both be set', 'getLedgers');
  await refused({ pagination: { cursor: String(tip) } }, -32602, `cursor ('${tip}') must be between ${bounds}`, 'getLedgers');
});

test('getLedgerEntries serves streams, and agrees with the storage', async () => {
  const streams = sim.contractStorage();
  const keys = streams.map((stream) => contractDataKey(sim.contractId, streamKey(stream.streamId)).toXDR('base64'));
  const absent = contractDataKey(sim.contractId, streamKey(999_999n)).toXDR('base64');
  const { entries, latestLedger } = await rpc('getLedgerEntries', { keys: [absent, ...keys] });
  assert.equal(latestLedger, sim.latest.sequence);
  assert.deepEqual(entries.map((entry) => entry.key), keys);
  entries.forEach((entry, i) => {
    const data = xdr.LedgerEntryData.fromXDR(entry.xdr, 'base64').contractData();
    const fields = scValToNative(data.val());
    assert.equal(Object.keys(fields).length, 29);
    assert.deepEqual(Object.keys(fields), Object.keys(fields).sort());
    const stream = streams[i];
    assert.deepEqual(
      [fields.stream_id, fields.sender, fields.deposit_amount, fields.withdrawn_amount, fields.checkpointed_amount, fields.status, fields.kind],
      [stream.streamId, stream.sender, stream.depositAmount, stream.withdrawnAmount, stream.checkpointedAmount, stream.status, stream.kind],
    );
    assert.equal(entry.lastModifiedLedgerSeq, stream.lastModifiedLedger);
    assert.ok(entry.liveUntilLedgerSeq >= latestLedger);
  });
});

test('getLedgerEntries serves the contract and its token', async () => {
  const instanceKey = (contractId) => contractDataKey(contractId, xdr.ScVal.scvLedgerKeyContractInstance()).toXDR('base64');
  const { entries } = await rpc('getLedgerEntries', { keys: [instanceKey(sim.contractId), instanceKey(sim.tokenId)] });
  const storage = entries.map((entry) => xdr.LedgerEntryData.fromXDR(entry.xdr, 'base64').contractData().val().instance().storage());
  const config = storage[0].find((item) => scValToNative(item.key())[0] === 'Config');
  assert.equal(scValToNative(config.val()).token, sim.tokenId);
  const metadata = storage[1].find((item) => item.key().switch().name === 'scvSymbol');
  assert.equal(scValToNative(metadata.key()), 'METADATA');
  assert.equal(scValToNative(metadata.val()).decimal, 7);

  const account = xdr.LedgerKey.ttl(new xdr.LedgerKeyTtl({ keyHash: Buffer.alloc(32) })).toXDR('base64');
  await refused({ keys: [account] }, -32602, 'ledger ttl entries cannot be queried directly', 'getLedgerEntries');
  await refused({ keys: ['AAAA'] }, -32602, 'cannot unmarshal key value AAAA at index 0', 'getLedgerEntries');
  await refused({ keys: Array(201).fill(account) }, -32602, 'key count (201) exceeds maximum supported (200)', 'getLedgerEntries');
});

test('entries can be put there by hand', async () => {
  const key = streamKey(123_456n).toXDR('base64');
  sim.setEntry({ key, val: xdr.ScVal.scvU32(1).toXDR('base64') });
  const ledgerKey = contractDataKey(sim.contractId, streamKey(123_456n)).toXDR('base64');
  const { entries } = await rpc('getLedgerEntries', { keys: [ledgerKey] });
  assert.equal(entries[0].lastModifiedLedgerSeq, sim.latest.sequence);
  sim.setEntry({ key });
  assert.deepEqual((await rpc('getLedgerEntries', { keys: [ledgerKey] })).entries, []);
});

test('JSON-RPC and HTTP errors', async () => {
  const error = async (body) => (await (await post(sim.url, body)).json()).error;
  assert.equal((await error({ jsonrpc: '2.0', id: 1, method: 'nope' })).code, -32601);
  assert.equal((await error({ jsonrpc: '2.0', id: 1, method: 'constructor' })).code, -32601);
  assert.equal((await error({ id: 1, method: 'getHealth' })).code, -32600);
  assert.equal((await error('7')).code, -32700);
  assert.equal((await post(sim.url, '{nope')).status, 500);
  assert.equal((await post(sim.url, '{}', { 'content-type': 'text/plain' })).status, 415);
  assert.equal((await fetch(sim.url)).status, 405);
  assert.equal((await post(sim.url, 'x'.repeat(512 * 1024 + 1))).status, 413);
  assert.equal((await post(sim.url, { jsonrpc: '2.0', method: 'getHealth' })).status, 204);
  const batch = await (await post(sim.url, [1, 2].map((id) => ({ jsonrpc: '2.0', id, method: 'getNetwork' })))).json();
  assert.deepEqual(batch.map((one) => one.id), [1, 2]);
});

test('faults come when asked for, as often as asked for', async () => {
  const health = { jsonrpc: '2.0', id: 1, method: 'getHealth' };
  sim.faults.add({ kind: 'http', count: 2, status: 503 });
  assert.deepEqual([(await post(sim.url, health)).status, (await post(sim.url, health)).status], [503, 503]);
  sim.faults.add({ kind: 'garbage', methods: ['getEvents'] });
  assert.equal((await rpc('getHealth')).status, 'healthy');
  await assert.rejects(rpc('getEvents', { startLedger: 5000 }), SyntaxError);
  sim.faults.add({ kind: 'truncated' });
  await assert.rejects(rpc('getEvents', { startLedger: 5000 }));
  sim.faults.add({ kind: 'reset' });
  await assert.rejects(rpc('getHealth'));
  sim.faults.add({ kind: 'timeout', delayMs: 50 });
  await assert.rejects(rpc('getHealth'));
  sim.faults.add({ kind: 'rpcError' });
  await assert.rejects(rpc('getHealth'), { code: -32603 });
  sim.faults.add({ kind: 'wrongId' });
  assert.equal((await (await post(sim.url, health)).json()).id, 'not-1');
  assert.equal(sim.faults.pending, 0);
  assert.equal((await rpc('getHealth')).status, 'healthy');
  assert.throws(() => sim.faults.add({ kind: 'boredom' }), RangeError);
});

test('a lagging server answers from a lower tip', async () => {
  sim.lagBehind(10);
  const { latestLedger } = await rpc('getHealth');
  assert.equal(latestLedger, sim.latest.sequence - 10);
  const page = await rpc('getEvents', { startLedger: 5000, pagination: { limit: 10_000 } });
  assert.equal(page.cursor, endOfLedger(latestLedger));
  assert.ok(page.events.every((event) => event.ledger <= latestLedger));
  sim.lagBehind(0);
});
