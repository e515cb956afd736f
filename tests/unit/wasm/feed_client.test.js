import assert from 'node:assert/strict';
import { test } from 'node:test';

import { newCore, withCode } from './support.js';

const core = newCore();
const at = (seq, streamId = 's', prevSeq = null) => ({ cursor: `ep-${seq}`, streamId, prevSeq });

test('each entry is applied once, and a hole is asked for', () => {
  const feed = core.feedClient({ scope: 'whole_log' });
  assert.equal(feed.cursor, null);
  assert.equal(feed.opened({ resume: 'live', cursor: 'ep-5' }), true);
  assert.equal(feed.cursor, 'ep-5');
  assert.deepEqual(feed.entry(at(6)), { action: 'apply' });
  assert.deepEqual(feed.entry(at(6)), { action: 'drop' });
  assert.deepEqual(feed.entry(at(9)), { action: 'ask', after: 'ep-6', to: 'ep-9', streamId: null });
  assert.equal(feed.cursor, 'ep-6');
  for (const seq of [7, 8, 9]) assert.deepEqual(feed.entry(at(seq)), { action: 'apply' });
  assert.deepEqual(feed.replayed('resumed'), { action: 'drop' });
  assert.equal(feed.cursor, 'ep-9');
  feed.dispose();
  assert.throws(() => feed.cursor, withCode('DISPOSED'));
  assert.throws(() => feed.entry(at(10)), withCode('DISPOSED'));
});

test('a party’s streams each have a chain of their own', () => {
  const feed = core.feedClient({ scope: 'party', from: 'ep-10' });
  assert.equal(feed.opened({ resume: 'resumed', cursor: 'ep-10' }), true);
  assert.equal(feed.entry(at(12, 'a', 3)).action, 'apply');
  assert.equal(feed.entry(at(15, 'b', null)).action, 'apply');
  assert.deepEqual(feed.entry(at(20, 'a', 17)), { action: 'ask', after: 'ep-12', to: 'ep-20', streamId: 'a' });
  assert.equal(feed.entry(at(17, 'a', 12n)).action, 'apply');
  assert.equal(feed.entry(at(20, 'a', '17')).action, 'apply');
});

test('what can not be gone on from is fetched again', () => {
  const feed = core.feedClient({ scope: 'whole_log', from: 'ep-5' });
  assert.equal(feed.opened({ resume: 'epoch_changed', cursor: 'new-1' }), false);
  assert.deepEqual(feed.entry({ cursor: 'new-2' }), { action: 'refetch' });
  feed.refetched('new-2');
  assert.equal(feed.cursor, 'new-2');
  assert.equal(feed.opened({ resume: 'resumed', cursor: 'new-2' }), true);
  assert.deepEqual(feed.entry({ cursor: 'new-3' }), { action: 'apply' });
});

test('wrong arguments are refused by name', () => {
  for (const options of [undefined, null, {}, { scope: 'all' }, { scope: 'party', from: 5 }]) {
    assert.throws(() => core.feedClient(options), withCode('ARGUMENT_INVALID'));
  }
  assert.throws(() => core.feedClient({ scope: 'party', from: 'x' }), withCode('CURSOR_INVALID'));
  const feed = core.feedClient({ scope: 'party' });
  assert.throws(() => feed.opened({ resume: 'no', cursor: 'ep-1' }), withCode('ARGUMENT_INVALID'));
  assert.throws(() => feed.opened({ resume: 'live', cursor: 'ep-01' }), withCode('CURSOR_INVALID'));
  assert.throws(() => feed.replayed('no'), withCode('ARGUMENT_INVALID'));
  assert.throws(() => feed.refetched(undefined), withCode('ARGUMENT_INVALID'));
  for (const entry of [undefined, {}, { cursor: 5 }, { cursor: 'ep-1', streamId: 5 }, { cursor: 'ep-1', prevSeq: -1 }]) {
    assert.throws(() => feed.entry(entry), withCode('ARGUMENT_INVALID'));
  }
  assert.throws(() => feed.entry({ cursor: 'ep-1', streamId: 'x'.repeat(300) }), withCode('INPUT_TOO_LONG'));
});

test('a party of very many streams stays within memory', () => {
  const feed = core.feedClient({ scope: 'party', from: 'ep-0' });
  feed.opened({ resume: 'resumed', cursor: 'ep-0' });
  for (let seq = 1; seq <= 30_000; seq += 1) {
    assert.equal(feed.entry(at(seq, `stream-${seq}-${'x'.repeat(200)}`)).action, 'apply');
  }
  assert.equal(feed.cursor, 'ep-30000');
});
