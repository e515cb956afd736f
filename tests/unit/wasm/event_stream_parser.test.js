// Server-sent events, as the HTML Standard has them interpreted.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { EVENT_MAX, EventStreamParser } from '../../../wasm/package/src/event_stream_parser.js';
import { seeded } from './feed_service.js';
import { withCode } from './support.js';

/** The events of a text that comes in these pieces. */
function eventsOf(...pieces) {
  const parser = new EventStreamParser();
  return pieces.flatMap((piece) => [...parser.push(piece)]);
}

const message = (data, id = '', name = 'message') => ({ name, data, id });

const CASES = {
  'an event': ['data: a\n\n', [message('a')]],
  'each end of a line': ['data: a\r\rdata: b\n\ndata: c\r\n\r\n', [message('a'), message('b'), message('c')]],
  'several lines of data': ['data: a\ndata:b\ndata\ndata:  c\n\n', [message('a\nb\n\n c')]],
  'empty data is data': ['data:\n\ndata\n\n', [message(''), message('')]],
  'no data, no event': ['event: x\nid: 1\n\ndata: a\n\n', [message('a', '1')]],
  'its name': ['event: x\ndata: a\n\ndata: b\n\n', [message('a', '', 'x'), message('b')]],
  'an id stays until another comes': ['id: 1\ndata: a\n\ndata: b\n\nid\ndata: c\n\n',
    [message('a', '1'), message('b', '1'), message('c')]],
  'an id with NUL is none': ['id: 1\ndata: a\n\nid: 2\u00003\ndata: b\n\n', [message('a', '1'), message('b', '1')]],
  'comments and unknown fields': [': hello\n:\nnext: x\n Data: x\ndata : x\ndata: a\n\n', [message('a')]],
  'an event that does not end': ['data: a\n\ndata: b\n', [message('a')]],
  'one space is taken away': ['data:  a \n\n', [message(' a ')]],
  'a colon in the data': ['data: a:b: c\n\n', [message('a:b: c')]],
  'other white space is data': ['data:\u00a0a\u2028b\u0085\n\n', [message('\u00a0a\u2028b\u0085')]],
};

for (const [name, [text, expected]] of Object.entries(CASES)) {
  test(`${name}, whole and in pieces of every size`, () => {
    assert.deepEqual(eventsOf(text), expected);
    for (let size = 1; size < text.length; size += 1) {
      const count = Math.ceil(text.length / size);
      const pieces = Array.from({ length: count }, (_, i) => text.slice(i * size, (i + 1) * size));
      assert.deepEqual(eventsOf(...pieces), expected, `pieces of ${size}`);
      assert.deepEqual(eventsOf(...pieces.flatMap((piece) => ['', piece])), expected, `pieces of ${size} and of 0`);
    }
  });
}

test('the pause before reconnecting is a number, or it is ignored', () => {
  const parser = new EventStreamParser();
  for (const [text, expected] of [['1500', 1500], ['-1', 1500], ['1e3', 1500], ['', 1500], [' 7', 1500], ['7', 7]]) {
    assert.deepEqual([...parser.push(`retry: ${text}\n`)], []);
    assert.equal(parser.retryMs, expected, text);
  }
});

test('an event, and a line, have a bound', () => {
  const half = 'x'.repeat(EVENT_MAX / 2 - 100);
  const parser = new EventStreamParser();
  const events = [`data: ${half}\ndata: `, half, '\n\n'].flatMap((piece) => [...parser.push(piece)]);
  assert.deepEqual(events.map(({ data }) => data.length), [2 * half.length + 1]);
  assert.throws(() => [...parser.push(`data: ${half}\ndata: ${half}\ndata: ${half}\n`)], withCode('INPUT_TOO_LONG'));
  const endless = new EventStreamParser();
  assert.throws(() => { for (let i = 0; i < 4; i += 1) [...endless.push(half)]; }, withCode('INPUT_TOO_LONG'));
});

test('random texts give the same events however they are cut', () => {
  const random = seeded(7);
  const pick = (list) => list[Math.floor(random() * list.length)];
  const parts = ['data', 'id', 'event', 'retry', ':', ' ', '\n', '\r', '\r\n', '\n\n', 'a', '\0', '5', 'ü'];
  for (let i = 0; i < 2_000; i += 1) {
    const text = Array.from({ length: 30 }, () => pick(parts)).join('');
    const pieces = [];
    for (let at = 0; at < text.length;) {
      const size = 1 + Math.floor(random() * 4);
      pieces.push(text.slice(at, at + size));
      at += size;
    }
    assert.deepEqual(eventsOf(...pieces), eventsOf(text), JSON.stringify(text));
  }
});
