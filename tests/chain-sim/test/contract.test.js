import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { StrKey } from '@stellar/stellar-sdk';
import { KIND, scheduled } from '../src/accrual.js';
import { Simulator } from '../src/simulator.js';
import { decode, fold } from './fold.js';
import { unlessPresent, vectorsPath } from './rpc_client.js';

const quiet = (options) => new Simulator({ seed: 'contract', tokenEvents: false, ...options });

/** One call in one ledger; its failure, if any. */
function run(sim, submit, closedAt) {
  submit();
  const { failed, events } = sim.closeLedger(closedAt === undefined ? {} : { closedAt });
  return { code: failed[0]?.error.code, events: events.map((event) => decode(event)) };
}

test('the accrual agrees with the contract on its own cases', { skip: unlessPresent('accrual', 'contract_differential.jsonl') }, () => {
  const kinds = { Linear: KIND.linear, CliffOnly: KIND.cliffOnly, CliffSlope: KIND.cliffSlope };
  const lines = readFileSync(join(vectorsPath, 'accrual', 'contract_differential.jsonl'), 'utf8').trim().split('\n');
  let checked = 0;
  for (const line of lines) {
    const c = JSON.parse(line);
    const stream = {
      kind: kinds[c.kind],
      checkpointedAmount: BigInt(c.checkpointed_amount),
      checkpointedAt: BigInt(c.checkpointed_at),
      cliffTime: BigInt(c.cliff_time),
      endTime: BigInt(c.end_time),
      ratePerSecond: BigInt(c.rate_per_second),
      depositAmount: BigInt(c.deposit_amount),
    };
    assert.equal(scheduled(stream, BigInt(c.now)), BigInt(c.expected), line);
    checked += 1;
  }
  assert.equal(checked, lines.length);
});

test('storage equals a fold of the events, over every kind of event', () => {
  const sim = new Simulator({ seed: 'fold', keeperGraceSeconds: 60, startTime: 1_750_000_000 });
  sim.runHistory({ ledgers: 600, until: 1_750_000_000 + 40_000 });
  sim.runScenario(600);
  const events = sim.events({ contractId: sim.contractId });
  const seen = new Set(events.map((event) => decode(event).name));
  const expected = ['created', 'withdrew', 'wdraw_to', 'paused', 'resumed', 'top_up', 'rate_upd', 'rate_dec', 'end_ext',
    'end_shrt', 'recp_upd', 'sndr_xfr', 'cancelled', 'kp_cncl', 'completed', 'closed'];
  assert.deepEqual(expected.filter((name) => !seen.has(name)), []);

  const folded = fold(events);
  const stored = sim.contractStorage();
  assert.ok(stored.length >= 10);
  assert.equal(folded.size, stored.length);
  for (const stream of stored) {
    const ours = folded.get(stream.streamId);
    for (const [field, value] of Object.entries(ours)) assert.equal(value, stream[field], `stream ${stream.streamId} ${field}`);
  }
});

test('what the contract owes is what its streams still hold', () => {
  const sim = new Simulator({ seed: 'owed' });
  sim.runScenario(800, { actionsPerLedger: 4 });
  const owed = sim.contractStorage().reduce((sum, s) => {
    const streamedNow = s.status === 3 ? scheduled(s, s.cancelledAt) : s.depositAmount;
    return sum + streamedNow - s.withdrawnAmount;
  }, 0n);
  assert.equal(sim.contract.instance.totalLiabilities, owed);
});

test('a whole life: create, withdraw, complete, close', () => {
  const sim = quiet();
  const id = sim.createStream({ depositAmount: 1000n, ratePerSecond: 10n, duration: 100 });
  sim.closeLedger();
  const start = sim.latest.closedAt;
  assert.deepEqual(run(sim, () => sim.withdraw(id), start + 40).events.map((e) => [e.name, e.payload.amount]), [['withdrew', 400n]]);
  const drained = run(sim, () => sim.withdraw(id), start + 500);
  assert.deepEqual(drained.events.map((e) => e.name), ['withdrew', 'completed']);
  assert.deepEqual(drained.events[1].payload, ['StreamCompleted', id]);
  assert.equal(run(sim, () => sim.withdraw(id)).code, 'InvalidState');
  assert.deepEqual(run(sim, () => sim.close(id)).events.map((e) => e.name), ['closed']);
  assert.equal(sim.contractStorage().length, 0);
});

test('what the contract refuses changes nothing and emits nothing', () => {
  const sim = quiet();
  const refuse = (args) => run(sim, () => sim.createStream({ depositAmount: 1000n, ratePerSecond: 10n, duration: 100, ...args }));
  assert.equal(refuse({ depositAmount: 999n }).code, 'InsufficientDeposit');
  assert.equal(refuse({ depositAmount: 0n }).code, 'InvalidParams');
  assert.equal(refuse({ startTime: 1 }).code, 'StartTimeInPast');
  assert.equal(refuse({ cliffDelay: 101 }).code, 'InvalidParams');
  assert.equal(refuse({ sender: sim.people.keeper, recipient: sim.people.keeper }).code, 'InvalidParams');
  assert.equal(sim.events().length, 0);
  assert.equal(sim.contractStorage().length, 0);

  const id = sim.createStream({ depositAmount: 2000n, ratePerSecond: 10n, duration: 100 });
  sim.closeLedger();
  assert.equal(run(sim, () => sim.keeperCancel(id)).code, 'KeeperGracePeriodNotElapsed');
  assert.equal(run(sim, () => sim.updateRate(id, 5n)).code, 'InvalidParams');
  assert.equal(run(sim, () => sim.updateRate(id, 21n)).code, 'InsufficientDeposit');
  assert.equal(run(sim, () => sim.updateRate(id, 20n)).code, undefined);
  assert.equal(run(sim, () => sim.decreaseRate(id, 10n)).code, 'RateCooldownActive');
  assert.equal(run(sim, () => sim.pause(id)).code, undefined);
  assert.equal(run(sim, () => sim.resume(id)).code, 'PauseCooldownActive');
  assert.equal(run(sim, () => sim.withdraw(id)).code, 'InvalidState');
  assert.equal(run(sim, () => sim.close(id)).code, 'InvalidState');
});

test('a keeper pays out without it counting as withdrawn', () => {
  const sim = quiet({ keeperGraceSeconds: 10 });
  const id = sim.createStream({ depositAmount: 3000n, ratePerSecond: 10n, duration: 100 });
  sim.closeLedger();
  const { events } = run(sim, () => sim.keeperCancel(id), sim.latest.closedAt + 200);
  assert.equal(events[0].name, 'kp_cncl');
  assert.deepEqual(
    [events[0].payload.recipient_amount, events[0].payload.keeper_fee, events[0].payload.sender_refund],
    [1000n, 10n, 1990n],
  );
  assert.equal(sim.contractStorage()[0].withdrawnAmount, 0n);
});

test('only storage tells a rate change without a checkpoint from one with', () => {
  const sim = quiet();
  const id = sim.createStream({ depositAmount: 100_000n, ratePerSecond: 10n, duration: 1000 });
  sim.closeLedger();
  const { events } = run(sim, () => sim.updateRateUncheckpointed(id, 20n), sim.latest.closedAt + 100);
  assert.equal(events[0].name, 'rate_upd');
  const [stream] = sim.contractStorage();
  assert.deepEqual([stream.ratePerSecond, stream.checkpointedAmount], [20n, 0n]);
});

test('the same seed gives the same chain, another seed another', () => {
  const ids = (seed) => {
    const sim = new Simulator({ seed });
    sim.runScenario(50);
    return [sim.latest.hash, sim.contractId, JSON.stringify(sim.events())];
  };
  assert.deepEqual(ids('a'), ids('a'));
  assert.notDeepEqual(ids('a'), ids('b'));
});

test('every address is a valid StrKey', () => {
  const sim = new Simulator({ seed: 9 });
  for (const address of [sim.contractId, sim.tokenId, ...sim.people.treasuries, ...sim.people.recipients, sim.people.keeper]) {
    assert.ok(StrKey.isValidEd25519PublicKey(address) || StrKey.isValidContract(address), address);
  }
});

test('the scenario can open other kinds of stream', () => {
  const sim = new Simulator({ seed: 3, kinds: ['linear', 'cliffOnly', 'cliffSlope'] });
  sim.runScenario(200);
  assert.deepEqual([...new Set(sim.contractStorage().map((stream) => stream.kind))].sort(), [0, 1, 2]);
});
