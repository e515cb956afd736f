// What events don't say is read from the contract's storage, and what disagrees with it is found and named.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { nativeToScVal, xdr } from '@stellar/stellar-sdk';
import { KIND } from '../chain-sim/src/simulator.js';
import { streamKey, streamScVal } from '../chain-sim/src/contract_storage.js';
import { struct, symbol, u32 } from '../chain-sim/src/scval.js';
import { adminHeaders } from './harness/admin.js';
import { checkExact } from './harness/exactness.js';
import { storedStream } from './harness/expected_streams.js';
import { streamJson } from './harness/independent_fold.js';
import { checkLogOrder, standing } from './harness/log_checks.js';
import { checkDatabase } from './harness/log_database.js';
import { startStack } from './harness/stack.js';
import { waitFor } from './harness/wait.js';

const SECRET = randomBytes(24).toString('hex');
/** A pass of the audit follows the other. */
const AUDITED = { JWT_SECRET: SECRET, INDEXER_AUDIT_INTERVAL_MS: '100' };
const KINDS = ['linear', 'cliffOnly', 'cliffSlope'];

/** @param {import('./harness/stack.js').Stack} stack @param {string} [query] */
async function reconciliation(stack, query = '') {
  const answer = await stack.request(`/admin/reconciliation${query}`, { headers: adminHeaders(SECRET) });
  assert.equal(answer.status, 200, answer.text);
  return answer.json;
}

/** The audit's report as soon as a pass that began from now on is completed. @param {import('./harness/stack.js').Stack} stack */
async function nextPass(stack) {
  const { lastPass, pass } = await reconciliation(stack);
  const running = [lastPass?.startedAt, pass?.startedAt];
  return waitFor(async () => {
    const now = await reconciliation(stack);
    return now.lastPass && !running.includes(now.lastPass.startedAt) && now;
  }, { what: 'a pass of the audit', describe: () => reconciliation(stack) });
}

test('every kind of stream, and both ways to change a rate, are shown as the contract holds them', async () => {
  const stack = await startStack({
    simulator: { seed: 'observed', kinds: KINDS, uncheckpointedRates: true, streams: 30, keeperGraceSeconds: 600 },
  });
  for (let round = 0; round < 8; round += 1) {
    stack.runScenario(4, { actionsPerLedger: 6 });
    await stack.settle();
    await checkExact(stack);
  }
  await checkDatabase(stack.db);
  const streams = await stack.allStreams();
  assert.deepEqual([...new Set(streams.map(({ kind }) => kind))].sort(), ['cliff_only', 'cliff_slope', 'linear']);
  assert.ok(streams.every(({ token }) => token === stack.sim.tokenId));
  const observed = standing(await stack.allEvents()).filter(({ event }) => event === 'stream.observed');
  assert.ok(observed.some(({ change }) => 'checkpointedAmount' in change), 'no rate was changed without a checkpoint');
  assert.equal(stack.server.logs.filter(({ event }) => event === 'audit_difference').length, 0);
  await stack.stop();
});

test('of a forked chain too', async () => {
  const stack = await startStack({ simulator: { seed: 'observed forks', kinds: KINDS, streams: 15 } });
  for (const depth of [2, 4, 7]) {
    stack.runScenario(5, { actionsPerLedger: 5 });
    await stack.settle();
    stack.sim.fork(depth);
    stack.sim.closeLedger();
    await stack.settle();
    const shown = new Map((await stack.allStreams()).map((stream) => [stream.id, stream]));
    for (const entry of stack.sim.contractStorage()) {
      const { id, kind } = storedStream(stack.sim.contractId, entry);
      assert.deepEqual([shown.get(id).kind, shown.get(id).token], [kind, stack.sim.tokenId], id);
    }
    checkLogOrder(await stack.allEvents(), (await stack.head()).epoch);
  }
  assert.equal((await stack.server.linesOf('rolled_back', 3)).length, 3);
  await checkDatabase(stack.db);
  await stack.stop();
});

test('streams that were closed before the server came still have their token, once', async () => {
  const closed = [];
  const stack = await startStack({
    simulator: { seed: 'closed before', streams: 12 },
    prepare: (sim) => {
      sim.runScenario(8, { actionsPerLedger: 5 });
      for (let i = 0; i < 3; i += 1) closed.push(sim.createStream({ depositAmount: 1_000n, ratePerSecond: 1n, startDelay: 500n, duration: 1_000n }));
      sim.closeLedger();
      for (const id of closed) sim.cancel(id);
      sim.closeLedger();
      for (const id of closed) sim.close(id);
      sim.closeLedger();
      sim.closeLedger();
    },
  });
  await stack.settle();
  await checkExact(stack);
  const entries = await stack.allEvents();
  for (const number of closed) {
    const id = stack.streamId(number);
    const shown = await stack.get(`/api/streams/${id}`);
    assert.deepEqual([shown.archived, shown.token], [true, stack.sim.tokenId]);
    const observed = entries.filter(({ streamId, event }) => streamId === id && event === 'stream.observed');
    assert.equal(observed.length, 1);
    assert.deepEqual(observed[0].change, { token: [null, stack.sim.tokenId] });
    assert.equal(observed[0].ledger, shown.ledger);
  }
  stack.runScenario(3, { actionsPerLedger: 4 });
  await stack.settle();
  await checkExact(stack);
  const ids = closed.map((number) => stack.streamId(number));
  const later = (await stack.allEvents()).slice(entries.length);
  assert.deepEqual(later.filter(({ streamId }) => ids.includes(streamId)), [], 'nothing more is said of them');
  await checkDatabase(stack.db);
  await stack.stop();
});

test('a stream from before the first ledger is observed, and followed exactly from there', async () => {
  let first = 0;
  const stack = await startStack({
    simulator: { seed: 'from before', kinds: KINDS, streams: 12 },
    prepare: (sim) => {
      sim.runScenario(20, { actionsPerLedger: 5 });
      first = sim.closeLedger().sequence;
      sim.runScenario(12, { actionsPerLedger: 8 });
      sim.closeLedger();
    },
    server: { env: { INDEXER_START_LEDGER: undefined, ...AUDITED } },
  });
  await stack.server.stop();
  await stack.db.rows('TRUNCATE events, streams, ledgers, observation_list');
  await stack.db.rows('UPDATE log_head SET seq = 0');
  await stack.db.rows('UPDATE indexer_checkpoint SET ledger = NULL, ledger_hash = NULL, closed_at = NULL');
  await stack.server.restart({ INDEXER_START_LEDGER: String(first) });
  await stack.waitForLedger();
  const touched = new Set((await stack.allEvents()).filter(({ streamId }) => streamId).map(({ streamId }) => streamId));
  for (let round = 0; round < 4; round += 1) {
    stack.sim.runScenario(4, { actionsPerLedger: 8 });
    const { sequence, closedAt } = stack.sim.latest;
    stack.sim.closeLedger();
    await stack.waitForLedger(sequence);
    const shown = new Map((await stack.allStreams()).map((stream) => [stream.id, stream]));
    let compared = 0;
    for (const entry of stack.sim.contractStorage()) {
      const stored = storedStream(stack.sim.contractId, entry);
      const stream = shown.get(stored.id);
      if (!stream) {
        assert.ok(entry.lastModifiedLedger < first, `${stored.id} was changed, and isn't held`);
        continue;
      }
      const expected = streamJson(
        { ...stored, contractId: stack.sim.contractId, token: stack.sim.tokenId, settled: 0n, archived: false, createdAt: 0n, updatedAt: 0n, ledger: 0, txHash: '' },
        BigInt(closedAt),
      );
      for (const name of ['createdAt', 'updatedAt', 'ledger', 'txHash', 'settledAmount', 'withdrawableAmount', 'remainingAmount', 'asOf', 'streamedAmount']) {
        delete expected[name];
      }
      assert.deepEqual(Object.fromEntries(Object.keys(expected).map((name) => [name, stream[name]])), expected, stored.id);
      compared += 1;
    }
    assert.ok(compared >= 5, `only ${compared} streams were compared`);
  }
  assert.ok(touched.size >= 5);
  const { differences } = await nextPass(stack);
  assert.deepEqual(differences, []);
  await checkDatabase(stack.db);
  await stack.stop();
});

test('the audit finds a planted amount in the table and names it; what the contract says otherwise enters the log', async () => {
  const stack = await startStack({ simulator: { seed: 'audited', streams: 10 }, server: { env: AUDITED } });
  stack.runScenario(6, { actionsPerLedger: 4 });
  stack.sim.closeLedger();
  await stack.settle();
  assert.equal((await stack.request('/admin/reconciliation')).status, 401);
  const clean = await nextPass(stack);
  const open = (await stack.allStreams()).filter(({ archived }) => !archived);
  assert.deepEqual(clean.differences, []);
  assert.equal(clean.lastPass.streams, open.length);
  assert.equal(clean.waiting, 0);

  const [victim, other] = open;
  const units = (text) => BigInt(text.replace('.', ''));
  const { seq } = await stack.head();
  await stack.db.rows('UPDATE streams SET deposit = deposit + 1 WHERE id = $1', [victim.id]);
  const found = await waitFor(async () => {
    const now = await reconciliation(stack, '?limit=1');
    return now.differences.length > 0 && now;
  }, { what: 'the planted amount to be found' });
  const [difference] = found.differences;
  const wrong = `${victim.depositAmount.slice(0, -1)}${(Number(victim.depositAmount.at(-1)) + 1) % 10}`;
  assert.equal(units(wrong), units(victim.depositAmount) + 1n);
  assert.deepEqual({ ...difference, position: 0, foundAt: '' }, {
    position: 0,
    foundAt: '',
    streamId: victim.id,
    ledger: (await stack.health()).indexer.lastLedger,
    difference: 'table_differs_from_log',
    fields: { depositAmount: [wrong, victim.depositAmount] },
    action: 'none',
  });
  const [warning] = await stack.server.linesOf('audit_difference');
  assert.deepEqual([warning.level, warning.streamId, warning.fields], ['warn', victim.id, difference.fields]);
  assert.equal((await stack.head()).seq, seq, 'nothing is mended by appending');
  assert.equal((await stack.get(`/api/streams/${victim.id}`)).depositAmount, wrong);
  await stack.db.rows('UPDATE streams SET deposit = deposit - 1 WHERE id = $1', [victim.id]);

  // The contract's entry says otherwise, as of the ledger of the stream's last change.
  const number = BigInt(other.id.split('-')[1]);
  const { stream, modifiedLedger } = stack.sim.contract.entries.get(number);
  stack.sim.setEntry({
    key: streamKey(number).toXDR('base64'),
    val: streamScVal({ ...stream, withdrawnAmount: stream.withdrawnAmount + 3n }).toXDR('base64'),
    lastModifiedLedger: modifiedLedger,
  });
  await waitFor(async () => (await stack.head()).seq > seq, { what: 'an observation' });
  const entry = (await stack.allEvents()).at(-1);
  assert.equal(entry.event, 'stream.observed');
  assert.equal(entry.streamId, other.id);
  assert.deepEqual(Object.keys(entry.change), ['withdrawnAmount']);
  const [told] = (await reconciliation(stack, '?limit=1')).differences;
  assert.deepEqual([told.streamId, told.difference, told.fields, told.action], [other.id, 'log_differs_from_contract', entry.change, 'observed']);

  // A later entry that no event has announced is told and not entered.
  stack.sim.setEntry({
    key: streamKey(number).toXDR('base64'),
    val: streamScVal({ ...stream, withdrawnAmount: stream.withdrawnAmount + 9n }).toXDR('base64'),
    lastModifiedLedger: modifiedLedger + 1,
  });
  const last = (await stack.head()).seq;
  await nextPass(stack);
  const [unannounced] = (await reconciliation(stack, '?limit=1')).differences;
  assert.deepEqual([unannounced.streamId, unannounced.difference, unannounced.action], [other.id, 'changed_without_event', 'none']);
  assert.equal((await stack.head()).seq, last);

  const metrics = (await stack.request('/metrics')).text;
  assert.match(metrics, /^fluxora_audit_differences_total\{difference="table_differs_from_log"\} [1-9]/m);
  await stack.stop();
});

test('a contract whose token has other decimals is not followed', async () => {
  const stack = await startStack({
    simulator: { seed: 'decimals', streams: 5 },
    prepare: (sim) => {
      sim.runScenario(3);
      sim.closeLedger();
      sim.setEntry({
        contractId: sim.tokenId,
        key: xdr.ScVal.scvLedgerKeyContractInstance().toXDR('base64'),
        val: xdr.ScVal.scvContractInstance(new xdr.ScContractInstance({
          executable: xdr.ContractExecutable.contractExecutableStellarAsset(),
          storage: [new xdr.ScMapEntry({ key: symbol('METADATA'), val: struct({ decimal: u32(8), name: nativeToScVal('Eight'), symbol: nativeToScVal('EGT') }) })],
        })).toXDR('base64'),
      });
    },
  });
  const halted = await stack.server.waitForLog(({ event }) => event === 'indexer_halted', 'the halt');
  assert.match(halted.message, new RegExp(`refuses to follow contract ${stack.sim.contractId}: its token ${stack.sim.tokenId} has 8 decimals`));
  assert.equal((await stack.health()).indexer.status, 'halted');
  assert.equal((await stack.head()).seq, 0);
  await stack.stop();
});

test('an RPC that serves no storage is followed all the same', async () => {
  const stack = await startStack({ simulator: { seed: 'no storage', kinds: KINDS, streams: 8 } });
  stack.sim.faults.add({ kind: 'rpcError', count: 1_000_000, methods: ['getLedgerEntries'] });
  stack.sim.runScenario(6, { actionsPerLedger: 4 });
  const { sequence } = stack.sim.latest;
  stack.sim.closeLedger();
  await waitFor(async () => (await stack.health()).indexer.lastLedger === sequence, { what: 'the events to be indexed' });
  assert.equal((await stack.health()).indexer.status, 'healthy');
  const { waiting } = await stack.db.row('SELECT count(*)::int AS waiting FROM observation_list');
  assert.ok(waiting > 0);
  stack.sim.faults.clear();
  await stack.waitForObservations();
  assert.ok((await stack.allStreams()).some(({ kind }) => kind !== 'linear'));
  await stack.stop();
});

test('the kind that was chosen by hand', async () => {
  const stack = await startStack({ simulator: { seed: 'by hand' } });
  const number = stack.sim.createStream({ depositAmount: 5_000n, ratePerSecond: 0n, kind: KIND.cliffOnly, cliffDelay: 50n, duration: 100n });
  stack.sim.closeLedger();
  await stack.settle();
  const shown = await stack.get(`/api/streams/${stack.streamId(number)}`);
  assert.deepEqual([shown.kind, shown.token, shown.streamedAmount], ['cliff_only', stack.sim.tokenId, '0.0000000']);
  const [created, observed] = (await stack.get(`/api/streams/${stack.streamId(number)}/events`)).events;
  assert.deepEqual([created.stream.kind, created.stream.token], ['linear', null], 'before the contract was asked');
  assert.deepEqual(observed.change, { token: [null, stack.sim.tokenId], kind: ['linear', 'cliff_only'] });
  assert.deepEqual([observed.ledger, observed.prevSeq, observed.txHash], [created.ledger, created.seq, null]);
  await stack.stop();
});
