// The fold that other tests compare the server with, checked itself: against the real contract host's storage.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scValToNative, xdr } from '@stellar/stellar-sdk';
import { Simulator } from '../chain-sim/src/simulator.js';
import { ExpectedStreams, storedStream } from './harness/expected_streams.js';
import { IndependentFold, balancesAt, decodeStoredStream, formatAmount, streamedAt } from './harness/independent_fold.js';
import { needsVectors, readVectors } from './harness/vectors.js';

/** 9999-12-31T23:59:59Z: a few runs turn the clock to its very end, which no date can show. */
const LAST_SECOND = 253_402_300_799;

/** What a run's events determine. Runs carry no close time per event, so times taken from it are left out. */
function determined(stream, stored, hasCheckpoints) {
  const pick = ({ id, status, sender, recipient, deposit, rate, withdrawn, start, cliff, end }) =>
    ({ id, status, sender, recipient, deposit, rate, withdrawn, start, cliff, end });
  const [ours, theirs] = [pick(stream), pick(stored)];
  if (!hasCheckpoints) return [ours, theirs];
  return [
    { ...ours, checkpointAmount: stream.checkpointAmount, checkpointAt: stream.checkpointAt },
    { ...theirs, checkpointAmount: stored.checkpointAmount, checkpointAt: stored.checkpointAt },
  ];
}

test('folding the events of the real host gives the contract’s own storage', needsVectors, () => {
  const runs = readVectors('contract-events/host_replay.jsonl');
  let compared = 0;
  for (const run of runs) {
    // The oldest `created` names a deposit and nothing else; such a stream is only logged.
    const unfoldable = new Set(run.events
      .filter(({ name, value }) => name === 'created' && xdr.ScVal.fromXDR(value, 'base64').switch().name === 'scvI128')
      .map(({ contractId, topic }) => `${contractId}-${scValToNative(xdr.ScVal.fromXDR(topic[1], 'base64'))}`));
    const closedAt = new Date(Math.min(Number(run.ledgerTimestampAtEnd), LAST_SECOND) * 1000).toISOString();
    const fold = new IndependentFold({ token: null });
    run.events.forEach((event, index) => fold.apply({
      ...event,
      ledger: 1,
      ledgerClosedAt: closedAt,
      txHash: String(index),
      inSuccessfulContractCall: !event.failedCall,
    }));
    const open = new Map([...fold.streams].filter(([, stream]) => !stream.archived));
    for (const { contract, key, val } of run.finalStreams) {
      const number = xdr.ScVal.fromXDR(key, 'base64').vec()[1].u64().toBigInt();
      const stored = decodeStoredStream(contract, number, xdr.ScVal.fromXDR(val, 'base64'));
      if (unfoldable.has(stored.id)) continue;
      const stream = fold.streams.get(stored.id);
      assert.ok(stream, `${run.snapshot}: ${stored.id} was not folded`);
      const [ours, theirs] = determined(stream, stored, stored.checkpointAmount !== undefined);
      assert.deepEqual(ours, theirs, run.snapshot);
      open.delete(stored.id);
      compared += 1;
    }
    assert.deepEqual([...open.keys()], [], `${run.snapshot}: streams that the contract doesn’t store`);
  }
  assert.ok(compared > 100, `only ${compared} streams were compared`);
});

test('amounts and accrual by hand', () => {
  assert.equal(formatAmount(116n), '0.0000116');
  assert.equal(formatAmount(-10_000_001n), '-1.0000001');
  const stream = {
    kind: 'linear', status: 'active', deposit: 1_000n, rate: 10n, withdrawn: 100n, settled: 0n, start: 1_000n, cliff: 1_010n,
    end: 1_100n, cancelledAt: null, checkpointAmount: 0n, checkpointAt: 1_000n,
  };
  const at = (now, changes = {}) => streamedAt(/** @type {any} */ ({ ...stream, ...changes }), now);
  assert.equal(at(1_009n), 0n, 'nothing before the cliff');
  assert.equal(at(1_010n), 100n, 'the cliff pays what ran up to it');
  assert.equal(at(1_050n), 500n);
  assert.equal(at(9_999n), 1_000n, 'the end caps');
  assert.equal(at(1_050n, { cancelledAt: 1_020n, status: 'cancelled' }), 200n);
  assert.equal(at(1_050n, { kind: 'cliff_only' }), 1_000n);
  assert.equal(at(1_050n, { kind: 'cliff_slope' }), 400n);
  assert.equal(at(1_050n, { checkpointAmount: 30n, checkpointAt: 1_040n }), 130n);
  assert.equal(at(1_050n, { rate: (1n << 126n) }), 1_000n, 'a product that does not fit is the deposit');
  const paused = balancesAt(/** @type {any} */ ({ ...stream, status: 'paused' }), 1_050n);
  assert.deepEqual(paused, { streamed: 500n, withdrawable: 0n, remaining: 900n });
  const kept = balancesAt(/** @type {any} */ ({ ...stream, status: 'cancelled', cancelledAt: 1_050n, settled: 400n }), 2_000n);
  assert.deepEqual(kept, { streamed: 500n, withdrawable: 0n, remaining: 0n });
});

test('folding the simulator’s events gives its contract’s storage, ledger by ledger', () => {
  const sim = new Simulator({
    seed: 'independent fold', kinds: ['linear', 'cliffOnly', 'cliffSlope'], uncheckpointedRates: true, streams: 40, keeperGraceSeconds: 600,
  });
  const expected = new ExpectedStreams(sim);
  const kindsSeen = new Set();
  let compared = 0;
  for (let step = 0; step < 400; step += 1) {
    sim.runScenario(1, { actionsPerLedger: 6 });
    expected.take();
    const open = new Set([...expected.fold.streams.values()].filter(({ archived }) => !archived).map(({ id }) => id));
    for (const entry of sim.contractStorage()) {
      const stored = storedStream(sim.contractId, entry);
      const stream = expected.fold.streams.get(stored.id);
      assert.deepEqual({ ...stream, ...stored }, stream, stored.id);
      open.delete(stored.id);
      compared += 1;
    }
    assert.equal(open.size, 0, 'the storage lacks streams that the fold holds open');
  }
  for (const event of expected.events) kindsSeen.add(scValToNative(xdr.ScVal.fromXDR(event.topic[0], 'base64')));
  assert.deepEqual([...kindsSeen].sort(), [
    'cancelled', 'closed', 'completed', 'created', 'end_ext', 'end_shrt', 'paused', 'rate_dec', 'rate_upd', 'recp_upd', 'resumed',
    'sndr_xfr', 'top_up', 'wdraw_to', 'withdrew',
  ]);
  assert.ok(compared > 5_000, `only ${compared} comparisons`);
});
