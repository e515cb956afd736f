// How amounts, times, ids and entries are written to be read.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { shortAddress, shortStreamId } from '../../../web-demo/compiled/text/addresses.js';
import { groupAmount, plainAmount, splitAmount, steadyLength } from '../../../web-demo/compiled/text/amounts.js';
import { streamsText } from '../../../web-demo/compiled/text/counts.js';
import { changeText, entryTitle } from '../../../web-demo/compiled/text/entries.js';
import { statusAt, statusNote } from '../../../web-demo/compiled/text/streams.js';
import { axisTime, dateTime, duration, fileTime, timeOfDay } from '../../../web-demo/compiled/text/times.js';

const aStream = (changes = {}) =>
  ({ status: 'active', archived: false, startTime: 100, cliffTime: 100, endTime: 2100, ...changes });

test('amounts are cut to be read, digit for digit', () => {
  assert.deepEqual(splitAmount('1234567.8901234'), ['1,234,567.89', '01234']);
  assert.equal(groupAmount('-1234.0000000'), '-1,234.0000000');
  assert.equal(plainAmount('1000.0000000'), '1,000');
  assert.equal(plainAmount('0.0000116'), '0.0000116');
  assert.equal(plainAmount('0.0000000'), '0');
});

test('counts are grouped, and one is one', () => {
  assert.equal(streamsText(1), '1 stream');
  assert.equal(streamsText(0), '0 streams');
  assert.equal(streamsText(12_345), '12,345 streams');
});

test('digits that don’t change on the way to the next amount are those that both begin with', () => {
  assert.equal(steadyLength('1,234.5600000', '1,234.5700000'), 7);
  assert.equal(steadyLength('999.0000000', '1,000.0000000'), 0);
  assert.equal(steadyLength('0.0000000', '0.0000000'), 9);
});

test('addresses and ids keep what tells them apart', () => {
  const contract = `C${'A'.repeat(55)}`;
  assert.equal(shortAddress(contract), 'CAAA…AAAA');
  assert.equal(shortAddress('treasury'), 'treasury');
  assert.equal(shortStreamId(`${contract}-7`), 'CAAA…-7');
  assert.equal(shortStreamId('6f3d6f0e-8a9b-4a53-9d8f-0123456789ab'), 'api…456789ab');
});

test('times go past any calendar', () => {
  assert.equal(dateTime(1774776687), '29 Mar 2026, 09:31:27 UTC');
  assert.equal(dateTime('18446744073709551615'), 'beyond any calendar');
  assert.equal(timeOfDay(1774776687), '09:31:27');
  assert.equal(timeOfDay('18446744073709551615'), '');
  assert.equal(fileTime(1774776687), '2026-03-29T093127Z');
  assert.equal(fileTime('18446744073709551615'), '18446744073709551615');
  assert.equal(axisTime(1774776687, 86_400), '09:31:27 UTC');
  assert.equal(axisTime(1774776687, 86_400 * 3), '29 Mar 2026');
  assert.equal(axisTime('18446744073709551615', 1), '');
});

test('durations are whole units, rounded down', () => {
  assert.deepEqual([0, 59, 60, 3_600, 86_399, 86_400 * 3].map(duration),
    ['under a minute', 'under a minute', '1 minute', '1 hour', '23 hours', '3 days']);
  assert.equal(duration(1.8e19), 'over a century');
});

test('a stream is scheduled until its start, whatever the list said when it was read', () => {
  assert.equal(statusAt(aStream(), 99), 'scheduled');
  assert.equal(statusAt(aStream({ status: 'scheduled' }), 100), 'active');
  assert.equal(statusAt(aStream({ status: 'paused' }), 99), 'paused');
});

test('a note says what the status alone doesn’t', () => {
  assert.equal(statusNote(aStream({ startTime: 400, cliffTime: 400 }), 100), 'starts in 5 minutes');
  assert.equal(statusNote(aStream({ cliffTime: 200 }), 110), 'cliff in 1 minute');
  assert.equal(statusNote(aStream(), 100), 'ends in 33 minutes');
  assert.equal(statusNote(aStream(), 2_100), 'ended');
  assert.equal(statusNote(aStream({ status: 'paused' }), 200), 'still accruing');
  assert.equal(statusNote(aStream({ status: 'cancelled' }), 200), '');
  assert.equal(statusNote(aStream({ archived: true }), 200), 'closed on chain');
});

test('an entry says what happened and what it changed', () => {
  const change = { ratePerSecond: ['0.0000116', '0.0000232'], version: [1, 2] };
  const entry = { event: 'stream.updated', kind: 'rate_upd', change };
  assert.equal(entryTitle(entry), 'Rate changed');
  assert.equal(changeText(entry), 'per second 0.0000116 → 0.0000232');
  assert.equal(entryTitle({ event: 'stream.updated', kind: 'decomm' }), 'Stream changed');
  assert.equal(entryTitle({ event: 'later.invention', kind: null }), 'later.invention');
  assert.equal(changeText({ event: 'stream.ended' }), '');
  assert.equal(changeText({ event: 'stream.updated', kind: 'end_ext', change: { endTime: [0, '18446744073709551615'] } }),
    'ends beyond any calendar');
  assert.equal(changeText({ event: 'stream.observed', change: { token: [null, `C${'A'.repeat(55)}`] } }), 'token none → CAAA…AAAA');
});
