// What stands in the place of the table of streams, and what is said of a connection that isn't there.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { isTrying, listState, staleNote, unreachableText } from '../../../web-demo/compiled/streams/list_state.js';

test('what is shown goes by whether streams were read, and how many there are', () => {
  const state = (phase, wasRead, count, before = 'loading') => listState(before, { phase }, wasRead, count);
  for (const phase of ['connecting', 'refetching']) {
    assert.equal(state(phase, false, 0), 'loading');
    assert.equal(state(phase, false, 0, 'unreachable'), 'unreachable', 'another try is no news');
    assert.equal(state(phase, true, 0, 'unreachable'), 'empty');
  }
  for (const phase of ['waiting', 'cut', 'refused']) {
    assert.equal(state(phase, false, 0), 'unreachable');
    assert.equal(state(phase, true, 3), 'streams');
  }
  assert.equal(state('live', true, 0), 'empty');
  assert.equal(state('live', true, 1), 'streams');
});

test('figures that go on without a connection say from where, until there is one again', () => {
  const note = (state) => staleNote(state, 'k-7');
  for (const state of [
    { phase: 'cut' }, { phase: 'waiting', until: 0, cause: '' }, { phase: 'refused', code: '', message: 'No.' },
  ]) {
    assert.match(note(state), /k-7/);
    assert.equal(isTrying(state), false);
  }
  assert.equal(note({ phase: 'live', resume: 'resumed' }), '');
  assert.equal(isTrying({ phase: 'live', resume: 'resumed' }), false);
  assert.equal(isTrying({ phase: 'connecting' }) && isTrying({ phase: 'refetching', reason: 'gap' }), true);
});

test('a try that is to come counts down', () => {
  const text = (now) => unreachableText({ phase: 'waiting', until: 5_000, cause: 'It is away.' }, now);
  assert.deepEqual(text(1_200), { why: 'It is away.', next: 'The next try is in 4 s.' });
  assert.equal(text(5_000).next, 'Trying again…');
  assert.equal(text(9_000).next, 'Trying again…');
  assert.deepEqual(unreachableText({ phase: 'connecting' }, 0), { why: '', next: 'Trying again…' });
  assert.equal(unreachableText({ phase: 'refused', code: 'X', message: 'Wrong.' }, 0).why, 'Wrong.');
});
