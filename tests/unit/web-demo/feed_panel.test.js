// What the feed's panel says of an answer, which cursors it breaks, and which entries are wanted.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { load } from '../../../wasm/package/src/node.js';
import { brokenCursors } from '../../../web-demo/compiled/feed/broken_cursors.js';
import { isWanted } from '../../../web-demo/compiled/feed/entry_filter.js';
import { outcomeText } from '../../../web-demo/compiled/feed/outcome_text.js';
import { Resumption } from '../../../web-demo/compiled/live/resumption.js';

const core = await load();

/** A resumption behind position 10: so many entries came, the log's head was at `head`, the page held up to `held`. */
function resumedAt10({ head, came, held = 10n }) {
  const resumption = new Resumption('resumed', 'ep-10');
  for (let seq = 11n; seq <= came; seq += 1n) resumption.take(seq, seq <= held);
  resumption.head = head;
  return resumption;
}

test('what was replayed is what came and was there before the connection', () => {
  assert.equal(resumedAt10({ head: 24n, came: 24n }).replayed, 14n);
  assert.equal(resumedAt10({ head: 24n, came: 30n }).replayed, 14n);
  assert.equal(resumedAt10({ head: 24n, came: 12n }).replayed, 2n);
  assert.equal(resumedAt10({ head: 10n, came: 12n }).replayed, 0n);
  assert.equal(resumedAt10({ head: null, came: 12n }).replayed, 0n);
  assert.equal(resumedAt10({ head: 24n, came: 10n }).replayed, 0n);
});

test('a resumption is told with its counts', () => {
  const text = (about) => outcomeText(resumedAt10(about));
  assert.equal(text({ head: 24n, came: 24n }), 'Resumed from ep-10: 14 missed entries replayed, none twice.');
  assert.equal(text({ head: 11n, came: 11n }), 'Resumed from ep-10: 1 missed entry replayed, none twice.');
  assert.equal(text({ head: 10n, came: 10n }), 'Resumed from ep-10: nothing was missed.');
  assert.equal(text({ head: null, came: 10n }), 'Resumed from ep-10.');
  assert.equal(text({ head: 24n, came: 24n, held: 24n }),
    'Resumed from ep-10: 14 entries replayed, all of them in the balances already. No stream went back, and no row is doubled.');
  assert.equal(text({ head: 24n, came: 24n, held: 20n }),
    'Resumed from ep-10: 14 entries replayed, 4 missed, 10 that the balances held already. No stream went back, and no row is doubled.');
  const skipping = resumedAt10({ head: 30n, came: 10n });
  skipping.skipped = 3n;
  skipping.reset = { cursor: 'ep-30', streams: 7, gap: null };
  assert.equal(outcomeText(skipping),
    'Resumed from ep-10, 3 entries ahead of this page. All 7 streams were read again, and the log goes on from ep-30.');
});

test('a reset is told with its reason, before the state is there and after', () => {
  const answered = (answer, reset = null) => {
    const resumption = new Resumption(answer, 'ep-10');
    resumption.reset = reset;
    return outcomeText(resumption);
  };
  const reset = { cursor: 'ep-90', streams: 1, gap: null };
  assert.equal(answered('start', reset), 'Began with 1 stream, and follows the log from ep-90.');
  assert.equal(answered('gap', { ...reset, gap: { from: 11, to: 80 } }), 'ep-10 lies before what is kept: '
    + 'entries 11 to 80 of the log were pruned. The one stream was read again, and the log goes on from ep-90.');
  assert.match(answered('gap', { ...reset, gap: { from: 11, to: 11 } }), /: entry 11 of the log was pruned\./);
  assert.match(answered('gap'), /were pruned\. All streams are being read again\.$/);
  assert.match(answered('epoch_changed', reset), /^ep-10 is no position of this log: .* goes on from ep-90\.$/);
  assert.match(answered('inconsistent', reset), /contradicted each other/);
});

test('broken cursors are cursors of the core’s, but the one that is none', () => {
  const cursors = Object.fromEntries(brokenCursors({ epoch: 'x1', seq: 60n }).map(({ name, cursor }) => [name, cursor]));
  const { none, ...others } = cursors;
  assert.deepEqual(others, { back: 'x1-10', first: 'x1-0', ahead: 'x1-1000060', epoch: 'y1-60' });
  for (const cursor of Object.values(others)) core.cursor.parse(cursor);
  assert.throws(() => core.cursor.parse(none), { code: 'CURSOR_INVALID' });
  assert.equal(brokenCursors({ epoch: 'a', seq: 7n })[0].cursor, 'a-0');
});

test('entries are found by event, and by a part of stream, sender or recipient', () => {
  const item = { type: 'entry', entry: { event: 'stream.updated', streamId: 'CABC-7', stream: { sender: 'GS', recipient: 'GR' } } };
  const isFound = (event, stream) => isWanted(item, { event, stream });
  assert.deepEqual([['', ''], ['stream.updated', ''], ['stream.created', '']].map(([event]) => isFound(event, '')), [true, true, false]);
  assert.deepEqual([' cabc ', 'gs', 'GR', 'GX'].map((stream) => isFound('', stream)), [true, true, true, false]);
  assert.equal(isWanted({ type: 'reset' }, { event: 'stream.created', stream: 'GX' }), true);
  assert.equal(isWanted({ type: 'entry', entry: { event: 'protocol.event', streamId: null, stream: null } }, { event: '', stream: 'x' }), false);
});
