import assert from 'node:assert/strict';
import { test } from 'node:test';

import { needsVectors, newCore, readCases, readLines, withCode } from './support.js';

const core = newCore();

/** The event's JSON, when it says of its XDR what the vector says. */
function decoded({ topic, value, topicJson, valueJson }) {
  const event = JSON.parse(core.contractEventToJson({ topics: topic, value }));
  assert.deepEqual(event.topics, topicJson);
  assert.deepEqual(event.value, valueJson);
  assert.equal(event.kind, topicJson[0]?.symbol ?? null);
  return event;
}

test('events that the real host wrote', needsVectors, () => {
  for (const vector of readLines('contract-events/host_events.jsonl')) decoded(vector);
});

test('events of the newest shapes', needsVectors, () => {
  const names = new Set();
  for (const vector of readLines('contract-events/generated_events.jsonl')) {
    const event = decoded(vector);
    names.add(event.event);
    if (event.event === 'stream.created' && event.streamNumber !== null) {
      assert.deepEqual(vector.topicJson[1], { u64: event.streamNumber });
    }
  }
  for (const name of ['stream.created', 'stream.updated', 'stream.cancelled', 'stream.completed', 'protocol.event']) {
    assert.ok(names.has(name), `no ${name} among ${[...names]}`);
  }
});

test('every event of the replayed runs', needsVectors, () => {
  for (const { events } of readLines('contract-events/host_replay.jsonl')) {
    for (const { topic, value, failedCall } of events) {
      const text = core.contractEventToJson({ topics: topic, value, inSuccessfulContractCall: !failedCall });
      if (failedCall) assert.equal(JSON.parse(text).event, 'chain.event');
    }
  }
});

test('real and generated ScVals', needsVectors, () => {
  for (const file of ['scval/real_pubnet_scvals.jsonl', 'scval/generated_scvals.jsonl']) {
    for (const { base64, json } of readLines(file)) {
      const ours = JSON.parse(core.scvalToJson(base64));
      // Where the vector has no JSON, its own writer gave up on the depth.
      if (json !== null) assert.deepEqual(ours, json);
    }
  }
});

test('malformed ScVals are errors with a code', needsVectors, () => {
  for (const vector of readLines('scval/invalid_scvals.jsonl')) {
    if (vector.rustWasm27 !== 'rejects') continue;
    assert.throws(() => core.scvalToJson(vector.base64), (error) => {
      assert.match(error.code, /^(XDR_|BASE64_)/, vector.label);
      return true;
    }, vector.label);
  }
});

test('StrKeys of the standard', needsVectors, () => {
  const valid = readCases('strkey/strkey_vectors.json', (file) => [...file.sep23_valid, ...file.generated_valid]);
  for (const { strkey, payloadHex, version } of valid) {
    const { kind, payload } = core.strkey.decode(strkey);
    assert.equal(Buffer.from(payload).toString('hex'), payloadHex);
    assert.equal(core.strkey.encode(kind, payload), strkey);
    assert.equal(core.strkey.isValid(strkey), true);
    assert.equal(core.strkey.isStreamParty(strkey), /^[GC]/.test(strkey));
    assert.equal(core.strkey.isContractId(strkey), strkey.startsWith('C'));
    if (version !== undefined) assert.equal('ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(strkey[0]), version >> 3);
  }
  const invalid = readCases('strkey/strkey_vectors.json', (file) => [...file.sep23_invalid, ...file.mutated_invalid]);
  for (const { strkey, comment } of invalid) {
    assert.throws(() => core.strkey.decode(strkey), { name: 'FluxoraError' }, comment);
    assert.equal(core.strkey.isValid(strkey), false);
    assert.equal(core.strkey.isStreamParty(strkey), false);
  }
});

test('a StrKey goes there and back, and its parts are checked', () => {
  const payload = Uint8Array.from({ length: 32 }, (_, i) => i);
  for (const kind of ['account', 'seed', 'pre_auth_tx', 'hash_x', 'contract', 'liquidity_pool']) {
    assert.deepEqual(core.strkey.decode(core.strkey.encode(kind, payload)), { kind, payload });
  }
  assert.throws(() => core.strkey.encode('account', new Uint8Array(31)), withCode('STRKEY_INVALID_PAYLOAD'));
  assert.throws(() => core.strkey.encode('key', payload), withCode('ARGUMENT_INVALID'));
  assert.throws(() => core.strkey.encode('toString', payload), withCode('ARGUMENT_INVALID'));
  assert.throws(() => core.strkey.encode('account', [...payload]), withCode('ARGUMENT_INVALID'));
});

test('an event says which it is', () => {
  // topics: symbol "paused", u64 7; value: void
  const event = { topics: ['AAAADwAAAAZwYXVzZWQAAA==', 'AAAABQAAAAAAAAAH'], value: 'AAAAAQ==' };
  assert.deepEqual(JSON.parse(core.contractEventToJson(event)), {
    event: 'stream.updated', kind: 'paused', streamNumber: '7',
    topics: [{ symbol: 'paused' }, { u64: '7' }], value: 'void',
  });
  const failed = JSON.parse(core.contractEventToJson({ ...event, inSuccessfulContractCall: false }));
  assert.equal(failed.event, 'chain.event');
  const bare = JSON.parse(core.contractEventToJson({ topics: [], value: 'AAAAAQ==' }));
  assert.deepEqual(bare, { event: 'chain.event', kind: null, streamNumber: null, topics: [], value: 'void' });
});

test('cursors', () => {
  assert.deepEqual(core.cursor.parse('k3f9-1042'), { epoch: 'k3f9', seq: 1042n });
  assert.equal(core.cursor.format({ epoch: 'k3f9', seq: 0 }), 'k3f9-0');
  assert.equal(core.cursor.format({ epoch: 'k3f9', seq: 9223372036854775807n }), 'k3f9-9223372036854775807');
  for (const text of ['', '-1', 'k3f9', 'k3f9-', 'k3f9-01', 'K3F9-1', 'k3f9--1', 'k3f9-9223372036854775808',
    `${'a'.repeat(17)}-1`, 'k3f9-1 ']) assert.throws(() => core.cursor.parse(text), withCode('CURSOR_INVALID'), text);
  for (const epoch of ['', 'A', 'a-b', 'a'.repeat(17), 'é']) {
    assert.throws(() => core.cursor.format({ epoch, seq: 1 }), withCode('CURSOR_INVALID'), epoch);
  }
  assert.throws(() => core.cursor.format({ epoch: 'a', seq: 1n << 63n }), withCode('CURSOR_INVALID'));
  assert.throws(() => core.cursor.format({ epoch: 'a', seq: -1 }), withCode('ARGUMENT_INVALID'));
});

test('stream ids', () => {
  const contract = core.strkey.encode('contract', new Uint8Array(32));
  assert.equal(core.isStreamId(`${contract}-7`), true);
  assert.equal(core.isStreamId('api-0190b5f0-0000-7000-8000-000000000000'), true);
  for (const text of ['', contract, `${contract}-`, `${contract}-18446744073709551616`, 'api-7', null, 7]) {
    assert.equal(core.isStreamId(text), false);
  }
});
