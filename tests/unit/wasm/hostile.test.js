import assert from 'node:assert/strict';
import { test } from 'node:test';

import { FluxoraCore } from '../../../wasm/package/src/core.js';
import { aStream, newCore, newMemory, withCode } from './support.js';

const VOID = 'AAAAAQ==';
const word = (n) => Buffer.from([0, 0, 0, n]);

/** XDR of `depth` vectors, each the only element of the one around it. */
function nested(depth) {
  const vec = Buffer.concat([word(16), word(1), word(1)]);
  return Buffer.concat([...Array.from({ length: depth }, () => vec), word(1)]).toString('base64');
}

/** What a call throws is this package's own error: no trap, and no other surprise. */
function refuses(call) {
  try {
    call();
  } catch (error) {
    assert.equal(error.name, 'FluxoraError', error.stack);
    return;
  }
}

test('every text function takes every kind of value and text', () => {
  const core = newCore();
  const values = [undefined, null, 0, NaN, 1n, true, {}, [], () => {}, Symbol('s'), '', '\0', '\uD800', '\uFFFF',
    '💶'.repeat(1000), 'A'.repeat(100_000), '='.repeat(4), 'AAAA', '-'.repeat(64), 'é'.repeat(65)];
  const calls = [core.amounts.parse, core.strkey.decode, core.cursor.parse, core.strkey.isValid,
    core.strkey.isStreamParty, core.strkey.isContractId, (text) => core.isStreamId(text),
    (text) => core.scvalToJson(text), (text) => core.contractEventToJson({ topics: [text], value: VOID }),
    (text) => core.contractEventToJson({ topics: [VOID], value: text }),
    (text) => core.contractEventToJson({ topics: text, value: VOID }),
    (text) => core.cursor.format({ epoch: text, seq: 1 }), (text) => core.strkey.encode(text, new Uint8Array(32)),
    (text) => core.amounts.format(text), (text) => core.balancesAt(text, 1), (text) => core.accrued(text, 1)];
  for (const call of calls) for (const value of values) refuses(() => call(value));
  assert.equal(core.amounts.format(1n), '0.0000001');
});

test('lengths beyond the bounds are refused before anything is allocated for them', () => {
  const core = newCore();
  const long = 'A'.repeat(6 << 20);
  for (const call of [core.amounts.parse, core.strkey.decode, core.cursor.parse, (text) => core.scvalToJson(text)]) {
    assert.throws(() => call(long), withCode('INPUT_TOO_LONG'));
  }
  assert.throws(() => core.scvalToJson('A'.repeat((1 << 20) + 4)), withCode('INPUT_TOO_LONG'));
  assert.throws(() => core.contractEventToJson({ topics: Array(65).fill(VOID), value: VOID }),
    withCode('INPUT_TOO_LONG'));
  const half = 'A'.repeat(1 << 19);
  assert.throws(() => core.contractEventToJson({ topics: [half, half], value: VOID }), withCode('INPUT_TOO_LONG'));
  assert.throws(() => core.strkey.encode('account', new Uint8Array(17 << 20)), withCode('INPUT_TOO_LONG'));
  assert.throws(() => core.amounts.formatAll(Array(1 << 20).fill(1n)), withCode('INPUT_TOO_LONG'));
});

test('nesting is bounded', () => {
  const core = newCore();
  assert.throws(() => core.scvalToJson(nested(10_000)), withCode('XDR_TOO_DEEP'));
  assert.match(core.scvalToJson(nested(150)), /^(\{"vec":\[){150}"void"(\]\}){150}$/);
});

test('the largest values decode within the memory that there is', () => {
  const core = newCore();
  const elements = (512 * 1024 - 12) / 4;
  const length = Buffer.alloc(4);
  length.writeUInt32BE(elements);
  const voids = Buffer.concat([word(16), word(1), length, ...Array(elements).fill(word(1))]);
  assert.equal(JSON.parse(core.scvalToJson(voids.toString('base64'))).vec.length, elements);
  length.writeUInt32BE(512 * 1024 - 8);
  const text = Buffer.concat([word(14), length, Buffer.alloc(512 * 1024 - 8, 1)]);
  assert.equal(typeof JSON.parse(core.scvalToJson(text.toString('base64'))).string, 'string');
  length.writeUInt32BE(0xFFFFFFFF);
  for (const type of [13, 14, 15, 16, 17]) {
    const claim = Buffer.concat([word(type), ...(type >= 16 ? [word(1)] : []), length]);
    assert.throws(() => core.scvalToJson(claim.toString('base64')), { name: 'FluxoraError' });
  }
});

test('a full memory is an error, and what was there stays usable', () => {
  const memory = newMemory();
  const core = new FluxoraCore(memory);
  const kept = core.streamColumns();
  kept.set(aStream());
  const taken = [];
  for (const rows of [1_000_000, 10_000, 100]) {
    for (;;) {
      const handle = memory.exports.fluxora_columns_create();
      if (handle === 0) break;
      taken.push(handle);
      if (memory.exports.fluxora_columns_reserve(handle, 0, rows) !== 0) break;
    }
  }
  assert.ok(taken.length > 4);
  assert.throws(() => {
    for (let i = 2; ; i += 1) kept.set(aStream({ id: `s-${i}` }));
  }, withCode('OUT_OF_MEMORY'));
  assert.equal(kept.balancesOf('s-1', 150n).streamed, '25.0000000');
  assert.equal(core.amounts.parse('1.5'), 15000000n);
  assert.throws(() => core.scvalToJson(Buffer.alloc(300_000, 1).toString('base64')), withCode('OUT_OF_MEMORY'));
  assert.equal(kept.balancesOf('s-1', 151n).streamed, '25.5000000');
  for (const handle of taken) memory.exports.fluxora_columns_destroy(handle);
  assert.equal(JSON.parse(core.scvalToJson(VOID)), 'void');
  assert.equal(kept.accrue(150n).streamed(0), '25.0000000');
});

test('a stream whose properties answer differently each time is read once', () => {
  const core = newCore();
  const columns = core.streamColumns();
  let reads = 0;
  const stream = { ...aStream(), get depositAmount() {
    reads += 1;
    core.amounts.format(BigInt(reads));
    return reads === 1 ? '5' : 'x';
  } };
  columns.set(stream);
  assert.equal(columns.accrue(5000n).streamed(0), '5.0000000');
});

test('seeded bytes never get past the decoders’ errors', () => {
  const core = newCore();
  let state = 0x9E3779B9;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 8;
  };
  let decoded = 0;
  for (let i = 0; i < 20_000; i += 1) {
    const bytes = Buffer.from(Array.from({ length: 4 * (1 + next() % 24) }, (_, j) =>
      (j % 4 === 3 ? next() % 24 : next() % 8 === 0 ? next() & 0xFF : 0)));
    try {
      JSON.parse(core.scvalToJson(bytes.toString('base64')));
      decoded += 1;
    } catch (error) {
      assert.equal(error.name, 'FluxoraError', `${bytes.toString('hex')}: ${error.stack}`);
    }
  }
  assert.ok(decoded > 100, `only ${decoded} of the seeded values decode, so this shows little`);
});
