import assert from 'node:assert/strict';
import { test } from 'node:test';

import { needsVectors, newCore, readLines, withCode } from './support.js';

const core = newCore();
const PLACE = { ledger: 51000294, txHash: 'ab'.repeat(32), closedAt: 1774776687 };

test('every event of the replayed runs folds into what the contract stored', needsVectors, () => {
  const NAMES = { depositAmount: 'deposit_amount', withdrawnAmount: 'withdrawn_amount', ratePerSecond: 'rate_per_second' };
  let compared = 0;
  for (const { events, finalStreams, ledgerTimestampAtEnd } of readLines('contract-events/host_replay.jsonl')) {
    // JSON.parse rounds the largest u64 up.
    const end = Number.isSafeInteger(ledgerTimestampAtEnd) ? ledgerTimestampAtEnd : (1n << 64n) - 1n;
    const streams = new Map();
    let seq = 0;
    for (const { contractId, topic, value, failedCall } of events) {
      const event = { topics: topic, value, inSuccessfulContractCall: !failedCall };
      const { streamNumber } = JSON.parse(core.contractEventToJson(event));
      if (failedCall || streamNumber === null) continue;
      const id = `${contractId}-${streamNumber}`;
      seq += 2;
      const place = { ...PLACE, closedAt: end, contractId, seq };
      const before = streams.get(id) ?? null;
      try {
        const { stream, child, change } = core.fold(before, event, place);
        streams.set(id, stream);
        if (child !== null) streams.set(JSON.parse(child.toJson(0)).id, child);
        if (before === null) assert.deepEqual(change, {});
      } catch (error) {
        assert.match(error.code, /^(FOLD_UNKNOWN_STREAM|EVENT_PAYLOAD_UNREADABLE)$/, error.stack);
      }
    }
    for (const { val } of finalStreams) {
      const stored = Object.fromEntries(JSON.parse(core.scvalToJson(val)).map
        .map((entry) => [entry.key.symbol, entry.val]));
      const number = stored.stream_id.u64;
      const [stream] = [...streams].filter(([id]) => id.endsWith(`-${number}`)).map(([, one]) => one);
      if (stream === undefined) continue;
      const ours = JSON.parse(stream.toJson(end));
      for (const [name, key] of Object.entries(NAMES)) {
        assert.equal(String(core.amounts.parse(ours[name])), stored[key].i128, `${name} of ${number}`);
      }
      assert.equal(ours.sender, stored.sender.address);
      assert.equal(ours.recipient, stored.recipient.address);
      compared += 1;
    }
  }
  assert.ok(compared > 100, `only ${compared} streams were compared`);
});

test('a fold changes nothing that it is given, and its bytes come back as the same stream', needsVectors, () => {
  const vector = readLines('contract-events/host_replay.jsonl').find(({ events }) =>
    events.some(({ name, failedCall }) => name === 'created' && !failedCall)
      && events.some(({ name, failedCall }) => name === 'paused' && !failedCall));
  const of = (name) => vector.events.find((event) => event.name === name && !event.failedCall);
  const input = ({ topic, value }) => ({ topics: topic, value });
  const place = { ...PLACE, contractId: of('created').contractId, seq: 5 };
  const { stream, child, change } = core.fold(null, input(of('created')), place);
  assert.equal(child, null);
  assert.deepEqual(change, {});
  const before = stream.bytes;
  const paused = core.fold(stream, input(of('paused')), { ...place, seq: '18446744073709551615' });
  assert.deepEqual(paused.change, { status: ['active', 'paused'] });
  assert.deepEqual(stream.bytes, before);
  const { version, status } = JSON.parse(paused.stream.toJson(PLACE.closedAt + 1e9));
  assert.equal(status, 'paused');
  assert.ok(version > 5);
  assert.equal(core.streamFromBytes(before).toJson(9), stream.toJson(9));
  assert.deepEqual(core.fold(before, input(of('paused')), place).stream.bytes,
    core.fold(core.streamFromBytes(before), input(of('paused')), place).stream.bytes);
  assert.deepEqual(newCore().fold(stream, input(of('paused')), place).change, paused.change);

  stream.bytes.fill(0);
  assert.deepEqual(stream.bytes, before);
  const other = { ...place, contractId: 'CAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAD2KM' };
  if (other.contractId !== place.contractId) {
    assert.throws(() => core.fold(stream, input(of('paused')), other), withCode('FOLD_UNKNOWN_STREAM'));
  }
  assert.throws(() => core.fold(null, input(of('paused')), place), withCode('FOLD_UNKNOWN_STREAM'));
  assert.throws(() => core.fold(stream, input(of('created')), place), withCode('FOLD_DUPLICATE_STREAM'));
  assert.throws(() => core.fold(stream, { ...input(of('paused')), inSuccessfulContractCall: false }, place),
    withCode('EVENT_PAYLOAD_UNREADABLE'));
  assert.throws(() => core.streamFromBytes(before.subarray(1)), { name: 'FluxoraError' });
  for (const changes of [{ contractId: 'C' }, { ledger: -1 }, { ledger: 2 ** 32 }, { txHash: 'ab' }, { seq: -1 },
    { closedAt: 1.5 }, { contractId: `${place.contractId.slice(0, -1)}A` }]) {
    assert.throws(() => core.fold(stream, input(of('paused')), { ...place, ...changes }), withCode('ARGUMENT_INVALID'));
  }
  for (const wrong of [undefined, 5, 'x', {}, new Uint8Array(5000)]) {
    assert.throws(() => core.fold(wrong, input(of('paused')), place), withCode('ARGUMENT_INVALID'));
  }
});
