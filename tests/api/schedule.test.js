// GET /api/streams/{id}/schedule, against streams that were folded a second time at every point. SPEC section 5.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { cancel, create, setStatus } from '../integration/harness/api_streams.js';
import { withQuery } from '../integration/harness/http_client.js';
import { balancesAt, formatAmount, formatSeconds } from '../integration/harness/independent_fold.js';
import { checkSecurityHeaders } from '../integration/harness/security_headers.js';
import { startStack } from '../integration/harness/stack.js';
import { stateHistories } from '../integration/harness/state_history.js';

/** @type {import('../integration/harness/stack.js').Stack} */
let stack;
/** @type {ReturnType<typeof stateHistories>} */
let histories;
before(async () => {
  stack = await startStack({ simulator: { seed: 'schedule', streams: 12 } });
  stack.runScenario(40, { actionsPerLedger: 5 });
  await stack.settle();
  histories = stateHistories(stack.expected.fold);
});
after(() => stack.stop());

const schedule = (id, query = {}) => withQuery(`/api/streams/${id}/schedule`, query);
const ZERO = formatAmount(0n);

/** Evenly spaced, rounded down, in BigInt. */
function momentsOf(from, to, points) {
  const steps = to - from < BigInt(points - 1) ? to - from : BigInt(points - 1);
  if (steps === 0n) return [from];
  return Array.from({ length: Number(steps) + 1 }, (_, i) => from + ((to - from) * BigInt(i)) / steps);
}

/** @param {any} stream of the fold at that second, or undefined @param {bigint} at */
function expectedPoint(stream, at) {
  if (!stream) return { at: formatSeconds(at), status: null, streamedAmount: ZERO, withdrawableAmount: ZERO, withdrawnAmount: ZERO, remainingAmount: ZERO };
  const { streamed, withdrawable, remaining } = balancesAt(stream, at);
  return {
    at: formatSeconds(at),
    status: stream.status === 'active' && at < stream.start ? 'scheduled' : stream.status,
    streamedAmount: formatAmount(streamed),
    withdrawableAmount: formatAmount(withdrawable),
    withdrawnAmount: formatAmount(stream.withdrawn),
    remainingAmount: formatAmount(remaining),
  };
}

/** The curve, each point by the last state that began by then. */
function expectedPoints(id, from, to, points) {
  return momentsOf(from, to, points).map((at) => expectedPoint(histories.get(id)?.findLast(({ since }) => since <= at)?.stream, at));
}

test('is the stream as it was, and as it will be, at each point', async () => {
  for (const stream of await stack.allStreams()) {
    const folded = stack.expected.fold.streams.get(stream.id);
    const whole = await stack.request(schedule(stream.id, { points: 40 }));
    assert.equal(whole.headers['x-fluxora-cursor'], (await stack.head()).cursor);
    checkSecurityHeaders(whole.headers, 'a schedule');
    assert.deepEqual(whole.json, {
      streamId: stream.id,
      from: formatSeconds(folded.start),
      to: formatSeconds(folded.end),
      asOf: stream.asOf,
      points: expectedPoints(stream.id, folded.start, folded.end, 40),
    });
  }
});

test('shows every second of the past', async () => {
  const asOf = BigInt((await stack.allStreams())[0].asOf);
  for (const stream of await stack.allStreams()) {
    const from = BigInt(Math.floor(Date.parse(stream.createdAt) / 1000)) - 7n;
    const to = asOf + 7n < from + 150n ? asOf + 7n : from + 150n;
    const { points } = await stack.get(schedule(stream.id, { from: String(from), to: String(to), points: 1000 }));
    assert.deepEqual(points, expectedPoints(stream.id, from, to, 1000));
    assert.equal(points.length, Number(to - from) + 1);
    assert.deepEqual(points.slice(0, 7).map(({ status }) => status), Array(7).fill(null), 'before its creation');
  }
});

test('takes ranges of any size', async () => {
  const [{ id }] = await stack.allStreams();
  const last = (1n << 64n) - 1n;
  for (const [from, to, points] of [[0n, last, 2], [0n, last, 1000], [last - 1n, last, 5], [last, last, 5], [5n, 5n, 2], [100n, 102n, 1000]]) {
    const answer = await stack.get(schedule(id, { from: String(from), to: String(to), points }));
    assert.deepEqual(answer.points.map(({ at }) => at), momentsOf(from, to, points).map(formatSeconds));
    assert.deepEqual(answer.points, expectedPoints(id, from, to, points));
  }
  const { endTime, startTime } = (await stack.get(`/api/streams/${id}`));
  assert.deepEqual((await stack.get(schedule(id, { from: endTime + 100 }))).points.length, 1);
  assert.deepEqual((await stack.get(schedule(id, { to: startTime - 100 }))).points.map(({ at }) => at), [startTime - 100]);
  assert.equal((await stack.get(schedule(id, { from: startTime }))).points.length, Math.min(100, endTime - startTime + 1));
});

test('follows a stream of the API through its changes', async () => {
  const { json: { id, startTime } } = await create(stack.baseUrl, { startTime: 1_700_000_000, endTime: 1_700_002_000, depositAmount: '1000', ratePerSecond: '0.5' });
  await setStatus(stack.baseUrl, id, 'paused');
  await cancel(stack.baseUrl, id);
  const changes = await stack.all(`/api/streams/${id}/events`, 'events', {}, 'after');
  const created = Math.floor(Date.parse(changes[0].closedAt) / 1000);
  const last = Math.floor(Date.parse(changes.at(-1).closedAt) / 1000);
  const { points, asOf } = await stack.get(schedule(id, { from: created - 1, to: last, points: 1000 }));
  assert.equal(asOf, last);
  assert.equal(points[0].status, null, 'its start is past, and it wasn’t there');
  assert.equal(points.at(-1).status, 'cancelled');
  assert.equal(points.at(-1).streamedAmount, '1000.0000000');
  assert.equal(startTime, 1_700_000_000);
});

test('refuses what is wrong by name, and knows what it hasn’t', async () => {
  const [{ id }] = await stack.allStreams();
  const { seq } = await stack.head();
  for (const [query, fields] of [
    [{ from: 'x', to: -1, points: 1, limit: 3 }, ['from', 'to', 'points', 'limit']],
    [{ points: 1001 }, ['points']],
    [{ to: '18446744073709551616' }, ['to']],
    [{ from: 11, to: 10 }, ['from']],
  ]) {
    const answer = await stack.request(schedule(id, query));
    assert.equal(answer.status, 400);
    assert.deepEqual(answer.json.errors.map(({ field }) => field), fields);
  }
  for (const unknown of ['x', stack.streamId(999_999), 'api-0195a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b']) {
    assert.equal((await stack.request(schedule(unknown))).status, 404, unknown);
  }
  assert.equal((await stack.request(schedule(id), { headers: { 'x-fluxora-min-version': String(seq + 1000) } })).status, 503);
});
