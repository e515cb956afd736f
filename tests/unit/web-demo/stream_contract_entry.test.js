// What a contract holds of a stream, cut out of the service's proof and compared with the stream.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { load } from '../../../wasm/package/src/node.js';
import { compareStored, readStored } from '../../../web-demo/compiled/stream/contract_entry.js';

const core = await load();
const bytes = (base64) => Buffer.from(base64, 'base64');
const base64 = (...parts) => Buffer.concat(parts.map((part) => Buffer.from(part))).toString('base64');
const CONTRACT = core.strkey.encode('contract', new Uint8Array(32).fill(7));

// {"stream_id": 7} and {"other": 7}, as ScVals.
const STREAM = bytes('AAAAEQAAAAEAAAABAAAADwAAAAlzdHJlYW1faWQAAAAAAAAFAAAAAAAAAAc=');
const OTHER = bytes('AAAAEQAAAAEAAAABAAAADwAAAAVvdGhlcgAAAAAAAAUAAAAAAAAABw==');

test('what is stored is what an entry has behind its key, and the contract is the key’s', () => {
  const type = [0, 0, 0, 6];
  const key = Buffer.concat([Buffer.from([0, 0, 0, 1]), Buffer.alloc(32, 7), Buffer.from('key and durability')]);
  const read = ({ extension = [0, 0, 0, 0], its = key, value = STREAM }) =>
    readStored(core, { key: base64(type, key), xdr: base64(type, extension, its, value) });
  const found = read({});
  assert.equal(found.contract, CONTRACT);
  assert.deepEqual([...found.fields], [['stream_id', { u64: '7' }]]);
  assert.equal(read({ extension: [0, 0, 0, 1] }), null);
  assert.equal(read({ its: 'another contract’s' }), null);
  assert.equal(read({ value: OTHER }), null);
  assert.equal(read({ value: STREAM.subarray(0, 20) }), null);
  assert.equal(readStored(core, { key: '*', xdr: '*' }), null);
});

const stream = { id: 'CABC-7', sender: 'GA', recipient: 'GB', depositAmount: '500.0000000', ratePerSecond: '0.5000000',
  withdrawnAmount: '20.0000000', startTime: 1000, cliffTime: 1000, endTime: '18446744073709551615', cancelledAt: null,
  status: 'scheduled', kind: 'cliff_slope', checkpointedAmount: '0.0000000', checkpointedAt: 1000 };

const stored = { stream_id: { u64: '7' }, sender: { address: 'GA' }, recipient: { address: 'GB' }, deposit_amount: { i128: '5000000000' },
  rate_per_second: { i128: '5000000' }, withdrawn_amount: { i128: '200000000' }, start_time: { u64: '1000' },
  cliff_time: { u64: '1000' }, end_time: { u64: '18446744073709551615' }, cancelled_at: 'void', status: { u32: 0 },
  kind: { u32: 2 }, checkpointed_amount: { i128: '0' }, checkpointed_at: { u64: '1000' }, witness: 'void' };

const holding = (fields, contract = 'CABC') => ({ contract, fields: new Map(Object.entries(fields)) });
const differing = (fields, shown = stream) => compareStored(core, holding(fields), shown)
  .filter(({ isEqual }) => !isEqual).map(({ name, ours, theirs }) => [name, ours, theirs]);

test('everything that both say is compared', () => {
  assert.equal(compareStored(core, holding(stored), stream).length, 14);
  assert.deepEqual(differing(stored), []);
  assert.deepEqual(differing({ ...stored, deposit_amount: { i128: '5000000001' } }),
    [['depositAmount', '500.0000000', '500.0000001']]);
  assert.deepEqual(differing({ ...stored, cancelled_at: { u64: '7' }, status: { u32: 3 } }),
    [['cancelledAt', 'null', '7'], ['status', 'active', 'cancelled']]);
  assert.deepEqual(differing({ ...stored, stream_id: { u64: '8' } }), [['id', 'CABC-7', 'CABC-8']]);
  const [id] = compareStored(core, holding(stored, 'CXYZ'), stream);
  assert.deepEqual(id, { name: 'id', ours: 'CABC-7', theirs: 'CXYZ-7', isEqual: false });
  assert.deepEqual(differing({ ...stored, recipient: { address: 'GC' } }), [['recipient', 'GB', 'GC']]);
});

test('what an older contract doesn’t store isn’t compared', () => {
  const { kind, checkpointed_amount, checkpointed_at, ...older } = stored;
  assert.ok(kind && checkpointed_amount && checkpointed_at);
  const names = compareStored(core, holding(older), stream).map(({ name }) => name);
  assert.deepEqual(names.filter((name) => /kind|check/.test(name)), []);
});

test('a completed stream counts as wholly withdrawn', () => {
  const completed = { ...stream, status: 'completed', withdrawnAmount: '500.0000000' };
  assert.deepEqual(differing({ ...stored, status: { u32: 2 } }, completed), []);
});
