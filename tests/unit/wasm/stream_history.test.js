import assert from 'node:assert/strict';
import { test } from 'node:test';

import { needsVectors, newCore, readLines, withCode } from './support.js';

const core = newCore();
const CLOSED_AT = '2026-03-29T09:31:27Z';
const SECONDS = 1774776687;
const API_STREAM = 'api-0195f3a2-7c1e-7b3d-8f00-0123456789ab';
const TOKEN_KEY = Buffer.alloc(32, 5);

// XDR of the few ScVals that the service writes itself.
const u32 = (value) => Buffer.from([value >>> 24, value >>> 16, value >>> 8, value].map((byte) => byte & 255));
const u64 = (value) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
};
const base64 = (...parts) => Buffer.concat(parts).toString('base64');
const symbolXdr = (text) =>
  base64(u32(15), u32(text.length), Buffer.from(text), Buffer.alloc((4 - text.length % 4) % 4));
const u64Xdr = (value) => base64(u32(5), u64(value));
const contractXdr = (key) => base64(u32(18), u32(1), key);
const VOID_XDR = base64(u32(1));

/** The streams' events of a replayed run of the contract, each with its stream's id. */
const eventsOf = ({ events }) => events.map(({ name, contractId, topic, value, failedCall }) => {
  const xdr = { topics: topic, value };
  const { event, streamNumber } = JSON.parse(core.contractEventToJson(xdr));
  return { name, event, contractId, number: streamNumber, streamId: `${contractId}-${streamNumber}`, xdr,
    inSuccessfulContractCall: !failedCall };
}).filter(({ number }) => number !== null);

const runs = needsVectors.skip === undefined ? readLines('contract-events/host_replay.jsonl').map(eventsOf) : [];

/** The newest event of that name of any run, and the one that created its stream. */
function anEvent(name) {
  for (const run of runs) {
    const found = run.findLast((event) => event.name === name && event.inSuccessfulContractCall);
    const created = run.find((event) => event.name === 'created' && event.streamId === found?.streamId
      && event.inSuccessfulContractCall);
    if (created !== undefined) return { event: found, created };
  }
  throw new Error(`no ${name}`);
}

/** A history, and its next entries: each follows the one before. */
function aHistory(streamId) {
  const history = core.streamHistory(streamId);
  let prevSeq = null;
  const place = (changes) => {
    const entry = { streamId, seq: (prevSeq ?? 6) + 1, prevSeq, closedAt: CLOSED_AT, ledger: 51000294,
      txHash: 'ab'.repeat(32), xdr: null, ...changes };
    prevSeq = entry.seq;
    return entry;
  };
  const fold = (changes, split) => history.fold(place(changes), split);
  const show = () => JSON.parse(history.stream.toJson(SECONDS));
  const created = (name = 'paused') => fold(anEvent(name).created);
  const time = () => fold({ event: 'stream.ended', txHash: null });
  const retract = (retracts) => fold({ event: 'stream.retracted', retracts });
  return { history, place, fold, show, created, time, retract };
}

test('every event of the replayed runs folds as fold() does, byte for byte', needsVectors, () => {
  let compared = 0;
  let refused = 0;
  for (const run of runs) {
    const histories = new Map();
    const streams = new Map();
    let seq = 0;
    const historyOf = (id) => {
      if (!histories.has(id)) histories.set(id, { history: core.streamHistory(id), last: null });
      return histories.get(id);
    };
    const enter = (id, entry, split) => {
      const one = historyOf(id);
      const folded = one.history.fold({ ...entry, streamId: id, prevSeq: one.last, closedAt: CLOSED_AT, ledger: 7,
        txHash: 'cd'.repeat(32) }, split);
      one.last = entry.seq;
      return folded;
    };
    for (const { streamId: id, contractId, ...event } of run) {
      seq += 2;
      let expected = null;
      try {
        expected = core.fold(streams.get(id) ?? null, { ...event.xdr, ...event },
          { contractId, ledger: 7, txHash: 'cd'.repeat(32), closedAt: SECONDS, seq });
        streams.set(id, expected.stream);
      } catch (error) {
        refused += 1;
        expected = { stream: streams.get(id) ?? null, child: null, change: {}, refused: error.code };
      }
      const folded = enter(id, { ...event, seq });
      assert.equal(folded.refused, expected.refused ?? null);
      assert.deepEqual(folded.stream?.bytes, expected.stream?.bytes);
      assert.deepEqual(folded.child?.bytes, expected.child?.bytes);
      assert.deepEqual(folded.change, expected.change);
      compared += 1;
      if (folded.child === null) continue;
      const child = JSON.parse(folded.child.toJson(0)).id;
      streams.set(child, expected.child);
      enter(child, { ...event, event: 'stream.created', seq: seq + 1 }, folded.child);
      assert.deepEqual(historyOf(child).history.stream.bytes, expected.child.bytes);
      assert.deepEqual(historyOf(child).history.fold({ event: 'stream.retracted', streamId: child, seq: seq + 2,
        prevSeq: seq + 1, retracts: seq + 1 }).stream, null);
      histories.delete(child);
      enter(child, { ...event, event: 'stream.created', seq: seq + 1 }, folded.child);
    }
  }
  assert.ok(compared > 800 && refused > 10, `${compared} compared, ${refused} refused`);
});

test('an observation makes a stream what the contract stores of it', needsVectors, () => {
  let observed = 0;
  for (const { events, finalStreams } of readLines('contract-events/host_replay.jsonl')) {
    for (const { val } of finalStreams) {
      const stored = Object.fromEntries(JSON.parse(core.scvalToJson(val)).map
        .map((field) => [field.key.symbol, field.val]));
      const number = stored.stream_id.u64;
      const id = `${events[0].contractId}-${number}`;
      const { fold, show, time } = aHistory(id);
      const topics = [symbolXdr('observed'), u64Xdr(number), contractXdr(TOKEN_KEY)];
      assert.deepEqual(fold({ event: 'stream.observed', txHash: null, xdr: { topics, value: val } }).change, {});
      const shown = show();
      assert.equal(shown.id, id);
      assert.equal(shown.kind, ['linear', 'cliff_only', 'cliff_slope'][stored.kind?.u32 ?? 0]);
      assert.equal(shown.token, core.strkey.encode('contract', TOKEN_KEY));
      assert.equal(String(core.amounts.parse(shown.depositAmount)), stored.deposit_amount.i128);
      assert.equal(shown.txHash, null);
      const again = fold({ event: 'stream.observed', txHash: null,
        xdr: { topics: [...topics.slice(0, 2), VOID_XDR], value: val } });
      assert.deepEqual(again.change, {});
      assert.equal(time().refused, null);
      assert.deepEqual(show(), { ...shown, version: shown.version + 2 });
      observed += 1;
    }
  }
  assert.ok(observed > 100, `only ${observed} streams were observed`);
});

test('an observation of the token alone brings it to the stream that is held, and makes none', needsVectors, () => {
  const { event: { streamId, number } } = anEvent('paused');
  const token = { event: 'stream.observed', txHash: null,
    xdr: { topics: [symbolXdr('observed'), u64Xdr(number), contractXdr(TOKEN_KEY)], value: VOID_XDR } };
  const empty = aHistory(streamId);
  assert.deepEqual(empty.fold(token), { stream: null, child: null, change: {}, refused: 'FOLD_UNKNOWN_STREAM' });
  const { created, fold, show } = aHistory(streamId);
  created();
  assert.deepEqual(fold(token).change, { token: [null, core.strkey.encode('contract', TOKEN_KEY)] });
  assert.equal(show().token, core.strkey.encode('contract', TOKEN_KEY));
});

test('changes through the API fold into their stream, which is of no contract', needsVectors, () => {
  const { event: paused, created } = anEvent('paused');
  const { fold, show } = aHistory(API_STREAM);
  const entry = ({ event, xdr }, topic) => ({ event, ledger: null, txHash: null,
    xdr: { topics: [symbolXdr(topic), u64Xdr(0)], value: xdr.value } });
  assert.equal(fold(entry(created, 'created')).refused, null);
  assert.deepEqual(fold(entry(paused, 'paused')).change, { status: ['active', 'paused'] });
  assert.equal(fold({ event: 'stream.cliff_reached', txHash: null }).refused, null);
  const shown = show();
  assert.deepEqual(shown, { ...shown, id: API_STREAM, source: 'api', status: 'paused', contractId: null, ledger: null,
    txHash: null, version: 9, updatedAt: '2026-03-29T09:31:27.000Z' });
});

test('a retraction puts back what its entry found, newest first', needsVectors, () => {
  const { event: paused, created: creation } = anEvent('paused');
  const { history, fold, show, created, retract } = aHistory(paused.streamId);
  created();
  const first = show();
  assert.equal(fold(paused).stream, history.stream);
  const { change, refused } = retract(8);
  assert.deepEqual({ change, refused }, { change: { status: ['paused', 'active'] }, refused: null });
  assert.deepEqual(show(), { ...first, version: 9 });
  assert.equal(fold(paused).refused, null);
  retract(10);
  assert.deepEqual(retract(7).change, { sender: [first.sender, null], recipient: [first.recipient, null] });
  assert.equal(history.stream, null);
  fold(creation);
  assert.deepEqual(show(), { ...first, version: 13 });
});

test('a retraction of what changed nothing leaves what came after it', needsVectors, () => {
  const { event: paused } = anEvent('paused');
  const { fold, show, created, time, retract } = aHistory(paused.streamId);
  created();
  time();
  const failed = fold({ ...paused, event: 'chain.event', inSuccessfulContractCall: false });
  assert.equal(failed.refused, 'EVENT_PAYLOAD_UNREADABLE');
  fold(paused);
  const after = show();
  for (const seq of [8, 9]) {
    assert.deepEqual(retract(seq).change, {});
    assert.deepEqual(show(), { ...after, version: seq + 3 });
  }
});

test('what can not be folded leaves the stream alone and says why', needsVectors, () => {
  const { event: paused, created: creation } = anEvent('paused');
  const { history, fold, created } = aHistory(paused.streamId);
  assert.equal(fold(paused).refused, 'FOLD_UNKNOWN_STREAM');
  assert.equal(history.stream, null);
  created();
  const before = history.stream;
  const refusals = [[creation, 'FOLD_DUPLICATE_STREAM'],
    [{ ...paused, xdr: { topics: [symbolXdr('news')], value: VOID_XDR } }, 'EVENT_PAYLOAD_UNREADABLE'],
    [{ ...paused, xdr: { topics: [symbolXdr('paused')], value: 'AAAA' } }, 'XDR_TRUNCATED'],
    [{ ...paused, event: 'stream.observed' }, 'OBSERVATION_UNREADABLE']];
  for (const [entry, code] of refusals) {
    assert.deepEqual(fold(entry), { stream: before, child: null, change: {}, refused: code });
  }
});

test('a wrong entry names its field and changes nothing', needsVectors, () => {
  const { event: paused } = anEvent('paused');
  const { history, place, created } = aHistory(paused.streamId);
  created();
  const before = history.stream;
  const entry = place(paused);
  const wrong = { event: ['stream.moved', undefined, 5], streamId: [null, `${paused.streamId}1`], seq: [-1, 7, '', 1.5],
    prevSeq: [undefined, null, 5, 8], closedAt: [undefined, 5, '2026-02-30T00:00:00Z', '2026-03-29T09:31:27.000Z',
      '2026-13-01T00:00:00Z', '1969-12-31T23:59:59Z'], ledger: [undefined, -1, 2 ** 32], txHash: [undefined, 'ab'],
    xdr: [undefined, null, 'x'] };
  for (const [field, values] of Object.entries(wrong)) {
    for (const value of values) {
      assert.throws(() => history.fold({ ...entry, [field]: value }), (error) => {
        assert.equal(error.field, field, `${field} ${value}: ${error.message}`);
        return withCode('ARGUMENT_INVALID')(error);
      });
    }
  }
  const retraction = { ...entry, event: 'stream.retracted' };
  for (const retracts of [undefined, 8, 6, 'x']) {
    assert.throws(() => history.fold({ ...retraction, retracts }), { code: 'ARGUMENT_INVALID', field: 'retracts' });
  }
  for (const split of [null, {}, before]) {
    assert.throws(() => history.fold(entry, split), { code: 'ARGUMENT_INVALID', field: 'split' });
  }
  for (const value of ['&', 'AAAAAQ=']) {
    const spoiled = { ...entry, xdr: { ...entry.xdr, value } };
    assert.throws(() => history.fold(spoiled), { code: 'BASE64_INVALID', field: 'xdr' });
  }
  assert.throws(() => history.fold(null), withCode('ARGUMENT_INVALID'));
  for (const id of [undefined, '', 'api-7', paused.contractId]) {
    assert.throws(() => core.streamHistory(id), { code: 'ARGUMENT_INVALID', field: 'id' });
  }
  assert.equal(history.stream, before);
  assert.equal(history.fold(entry).refused, null);
});

test('the newest 10,000 entries can be undone', needsVectors, () => {
  const { streamId } = anEvent('paused').event;
  const { history, show, created, time, retract } = aHistory(streamId);
  created();
  for (let i = 0; i < 10_000; i += 1) time();
  assert.throws(() => retract(7), { code: 'ARGUMENT_INVALID', field: 'retracts' });
  assert.equal(show().version, 10_007);
  const retraction = { event: 'stream.retracted', streamId, seq: 20_000, prevSeq: 10_007, retracts: 8 };
  assert.equal(history.fold(retraction).refused, null);
});
