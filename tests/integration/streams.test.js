// Streams by REST: what is served equals the independent fold of the chain's events.
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { checkListing } from './harness/exactness.js';
import { parseSeconds } from './harness/independent_fold.js';
import { withQuery } from './harness/http_client.js';
import { checkLogAgainstChain, checkLogOrder } from './harness/log_checks.js';
import { startStack } from './harness/stack.js';

const STATUSES = ['scheduled', 'active', 'paused', 'completed', 'cancelled'];
const UNITS = 10_000_000n;

describe('a scenario of many ledgers', () => {
  /** @type {import('./harness/stack.js').Stack} */
  let stack;

  before(async () => {
    stack = await startStack({ simulator: { seed: 'streams', streams: 30, keeperGraceSeconds: 600 } });
  });

  test('at every few ledgers all pages equal the fold in every field', async () => {
    for (let i = 0; i < 4; i += 1) {
      const { id } = stack.sim.submit({ op: 'createStream', ...stack.sim.scenario.abandonedStream() });
      stack.sim.scenario.abandoned.add(id);
    }
    stack.sim.createStream({ depositAmount: 1_000_000n, ratePerSecond: 10n, startDelay: 86_400n, duration: 1_000n });
    for (let round = 0; round < 12; round += 1) {
      // Halfway, seven hours pass at once: the abandoned streams end, and the keeper may come.
      if (round === 6) stack.sim.closeLedger({ closedAt: stack.sim.latest.closedAt + 7 * 3600 });
      stack.runScenario(4, { actionsPerLedger: 6 });
      await stack.settle();
      await checkListing(stack, { limit: 7 });
    }
  });

  test('the scenario was worth comparing', async () => {
    const streams = await stack.allStreams();
    const statuses = new Set(streams.map(({ status }) => status));
    assert.deepEqual([...statuses].sort(), [...STATUSES].sort());
    assert.ok(streams.some(({ archived }) => archived), 'none is archived');
    assert.ok(streams.some(({ settledAmount }) => settledAmount !== '0.0000000'), 'no keeper has settled any');
    assert.ok(streams.some(({ checkpointedAmount }) => checkpointedAmount !== '0.0000000'), 'no rate was changed');
    assert.ok(streams.length > 40, `only ${streams.length} streams`);
  });

  test('the log tells every step as the fold does', async () => {
    const entries = await stack.allEvents();
    const { epoch, seq } = await stack.head();
    assert.equal(entries.length, seq);
    checkLogOrder(entries, epoch);
    checkLogAgainstChain(entries, stack.expected.events, stack.sim);
  });

  test('each stream by itself is what the listing shows, with an ETag of epoch, version and asOf', async () => {
    const { epoch } = await stack.head();
    for (const listed of await stack.allStreams()) {
      const answer = await stack.request(`/api/streams/${listed.id}`);
      assert.equal(answer.status, 200);
      assert.deepEqual(answer.json, listed);
      assert.equal(answer.headers.etag, `"${epoch}-${listed.version}-${listed.asOf}"`);
    }
  });

  test('?at= answers the past as it was, and the future as it will be', async () => {
    const entries = await stack.allEvents();
    const ofStream = groupByStream(entries);
    // The streams with the longest histories have most to say.
    const longest = [...ofStream].sort(([, a], [, b]) => b.length - a.length).slice(0, 8);
    let compared = 0;
    for (const [id, history] of longest) {
      const moments = new Set(history.flatMap(({ closedAt }) => [Number(parseSeconds(closedAt)), Number(parseSeconds(closedAt)) + 2]));
      const end = Number(history.at(-1).stream.endTime);
      for (const at of [...moments, end, end + 86_400]) {
        const { seq: version, stream: { token } } = history.filter(({ closedAt }) => Number(parseSeconds(closedAt)) <= at).at(-1);
        const answer = await stack.get(`/api/streams/${id}`, { at });
        // The token is known from the observation on, which the log's own test looks at.
        const expected = { ...stack.expected.getAt(id, at), token, version };
        assert.deepEqual(answer, expected, `${id} at ${at}`);
        compared += 1;
      }
      const created = Number(parseSeconds(history[0].closedAt));
      assert.equal((await stack.request(`/api/streams/${id}?at=${created - 1}`)).status, 404, 'before it was created');
    }
    assert.ok(compared > 60, `only ${compared} moments were compared`);
  });

  test('a stream’s own events are its entries of the log, in order', async () => {
    const entries = await stack.allEvents();
    for (const { id } of (await stack.allStreams()).slice(0, 12)) {
      const { events } = await stack.get(`/api/streams/${id}/events`);
      assert.deepEqual(events, entries.filter(({ streamId }) => streamId === id));
    }
    assert.equal((await stack.request(`/api/streams/${stack.streamId(999_999)}/events`)).status, 404);
  });

  test('filters select what they say, alone and together', async () => {
    const everything = await stack.allStreams();
    const pick = (name) => [...new Set(everything.map((stream) => stream[name]))];
    for (const status of STATUSES) {
      const found = await stack.allStreams({ status, limit: 5 });
      assert.deepEqual(found, everything.filter((stream) => stream.status === status), status);
    }
    for (const name of ['sender', 'recipient']) {
      for (const address of pick(name)) {
        const found = await stack.allStreams({ [name]: address, limit: 3 });
        assert.deepEqual(found, everything.filter((stream) => stream[name] === address), `${name} ${address}`);
      }
    }
    const { sender, recipient, status } = everything[3];
    const found = await stack.allStreams({ sender, recipient, status, limit: 1 });
    assert.deepEqual(found, everything.filter((one) => one.sender === sender && one.recipient === recipient && one.status === status));
    assert.ok(found.length > 0);
  });

  test('total is counted when asked for, over all pages', async () => {
    const everything = await stack.allStreams();
    const page = await stack.get('/api/streams', { include_total: true, limit: 2 });
    assert.equal(page.total, everything.length);
    assert.equal(page.streams.length, 2);
    const completed = everything.filter(({ status }) => status === 'completed').length;
    assert.equal((await stack.get('/api/streams', { include_total: true, status: 'completed' })).total, completed);
    assert.ok(!Object.hasOwn(await stack.get('/api/streams', { limit: 2 }), 'total'));
    assert.ok(!Object.hasOwn(await stack.get('/api/streams', { limit: 2, include_total: false }), 'total'));
  });

  test('limit: 20 unless told, 100 at most', async () => {
    const everything = await stack.allStreams();
    assert.equal((await stack.get('/api/streams')).streams.length, 20);
    assert.equal((await stack.get('/api/streams', { limit: 1 })).streams.length, 1);
    assert.equal((await stack.get('/api/streams', { limit: 100 })).streams.length, Math.min(100, everything.length));
  });

  test('no matches are an empty page', async () => {
    const stranger = stack.sim.people.admin;
    assert.deepEqual(await stack.get('/api/streams', { sender: stranger, include_total: true }),
      { streams: [], has_more: false, next_cursor: null, total: 0 });
  });

  test('a cursor goes on where its page ended, whatever is created meanwhile', async () => {
    const before = (await stack.allStreams()).map(({ id }) => id);
    const first = await stack.get('/api/streams', { limit: 10 });
    for (let i = 0; i < 5; i += 1) stack.sim.submit({ op: 'createStream', ...stack.sim.scenario.newStream() });
    stack.sim.closeLedger();
    await stack.settle();
    const rest = await stack.allStreams({ limit: 10, cursor: first.next_cursor });
    assert.deepEqual([...first.streams, ...rest].map(({ id }) => id), before);
    assert.equal((await stack.allStreams()).length, before.length + 5);
  });

  test('a cursor that was tampered with, or that belongs to other filters, is refused', async () => {
    const { next_cursor: cursor } = await stack.get('/api/streams', { limit: 2 });
    const { next_cursor: filtered } = await stack.get('/api/streams', { limit: 1, status: 'active' });
    const flip = (text, index) => text.slice(0, index) + (text[index] === 'A' ? 'B' : 'A') + text.slice(index + 1);
    const tampered = [...cursor].map((_, index) => flip(cursor, index));
    const bad = [
      ...tampered, '', 'x', `${cursor}A`, cursor.slice(0, -1), cursor.slice(1), `${cursor}=`, cursor.toUpperCase() + cursor, 'ff'.repeat(2_000),
    ];
    for (const text of bad) await refused(stack, { cursor: text }, 'cursor');
    await refused(stack, { cursor: filtered }, 'cursor');
    await refused(stack, { cursor: filtered, status: 'paused' }, 'cursor');
    await refused(stack, { cursor, status: 'active' }, 'cursor');
    await refused(stack, { cursor, sender: stack.sim.people.treasuries[0] }, 'cursor');
    assert.equal((await stack.request(withQuery('/api/streams', { cursor: filtered, status: 'active', limit: 7 }))).status, 200);
  });

  test('bad query parameters are 400 and name the field', async () => {
    const account = stack.sim.people.recipients[0];
    for (const limit of ['0', '101', '-1', '1.5', 'ten', '', ' 5', '1e1', '99999999999999999999']) await refused(stack, { limit }, 'limit');
    for (const status of ['', 'Active', 'archived', 'active,paused']) await refused(stack, { status }, 'status');
    const bent = account.slice(0, -1) + (account.endsWith('A') ? 'B' : 'A');
    for (const address of ['', 'GABC', bent, account.toLowerCase(), `${account} `, 'S'.repeat(56)]) {
      await refused(stack, { sender: address }, 'sender');
      await refused(stack, { recipient: address }, 'recipient');
    }
    await refused(stack, { include_total: 'perhaps' }, 'include_total');
    await refused(stack, { colour: 'red' }, 'colour');
    await refused(stack, { Limit: '5' }, 'Limit');
    const problems = await stack.request(withQuery('/api/streams', { limit: 0, status: 'no', sender: 'x', colour: 'red' }));
    assert.equal(problems.status, 400);
    assert.deepEqual(problems.json.errors.map(({ field }) => field).sort(), ['colour', 'limit', 'sender', 'status']);
    const id = (await stack.get('/api/streams', { limit: 1 })).streams[0].id;
    for (const at of ['-1', 'now', '', '1.5', '18446744073709551616']) await refused(stack, { at }, 'at', `/api/streams/${id}`);
    await refused(stack, { when: '5' }, 'when', `/api/streams/${id}`);
  });

  test('what is not there is 404', async () => {
    const absent = [stack.streamId(999_999), stack.streamId(0).replace(/^C/, 'G'), 'api-01890a5d-ac96-774b-bcce-b302099a8057', 'x', '%20', stack.sim.contractId];
    for (const id of absent) {
      const answer = await stack.request(`/api/streams/${id}`);
      assert.equal(answer.status, 404, id);
      assert.equal(answer.json.error, 'NOT_FOUND', id);
    }
  });
});

/** @param {any[]} entries @returns {Map<string, any[]>} */
function groupByStream(entries) {
  const groups = new Map();
  for (const entry of entries) groups.set(entry.streamId, [...(groups.get(entry.streamId) ?? []), entry]);
  return groups;
}

async function refused(stack, query, field, path = '/api/streams') {
  const answer = await stack.request(withQuery(path, query));
  const what = `${path} ${JSON.stringify(query).slice(0, 150)}`;
  assert.equal(answer.status, 400, what);
  assert.equal(answer.headers['content-type'], 'application/problem+json', what);
  assert.equal(answer.json.error, 'VALIDATION_ERROR', what);
  assert.ok(answer.json.errors.some((problem) => problem.field === field), `${what} names ${JSON.stringify(answer.json.errors)}`);
}

describe('one stream, by hand', () => {
  /** @type {import('./harness/stack.js').Stack} */
  let stack;
  let start = 0;

  before(async () => {
    stack = await startStack({ simulator: { seed: 'by hand', keeperGraceSeconds: 100 } });
  });

  /** Closes a ledger at so many seconds after the streams' creation, and waits for it. */
  async function at(seconds) {
    stack.sim.closeLedger({ closedAt: start + seconds });
    await stack.settle();
    return start + seconds;
  }

  const shown = async (id, when) => {
    const { status, archived, streamedAmount, withdrawnAmount, withdrawableAmount, remainingAmount, settledAmount, cancelledAt } =
      await stack.get(`/api/streams/${stack.streamId(id)}`, { at: when });
    return { status, archived, streamedAmount, withdrawnAmount, withdrawableAmount, remainingAmount, settledAmount, cancelledAt };
  };

  test('scheduled, active, paused, completed, cancelled, settled by a keeper, archived', async () => {
    start = stack.sim.latest.closedAt + 10;
    const terms = { depositAmount: 1_000n * UNITS, ratePerSecond: 10n * UNITS, duration: 100n };
    const open = () => stack.sim.createStream(terms);
    const [drained, cancelled, paused, kept] = [open(), open(), open(), open()];
    const later = stack.sim.createStream({ ...terms, startDelay: 50n });
    let now = await at(0);
    const nothing = {
      archived: false, streamedAmount: '0.0000000', withdrawnAmount: '0.0000000', withdrawableAmount: '0.0000000',
      remainingAmount: '1000.0000000', settledAmount: '0.0000000', cancelledAt: null,
    };
    assert.deepEqual(await shown(drained, now), { ...nothing, status: 'active' });
    assert.deepEqual(await shown(later, now), { ...nothing, status: 'scheduled' });
    assert.deepEqual(await shown(later, start + 50), { ...nothing, status: 'active' });

    stack.sim.pause(paused);
    stack.sim.withdraw(drained);
    now = await at(30);
    assert.deepEqual(await shown(drained, now), { ...nothing, status: 'active', streamedAmount: '300.0000000', withdrawnAmount: '300.0000000', remainingAmount: '700.0000000' });
    assert.deepEqual(await shown(paused, now), { ...nothing, status: 'paused', streamedAmount: '300.0000000' }, 'a pause does not stop accrual, but nothing can be withdrawn');
    assert.equal((await shown(paused, start + 100)).withdrawableAmount, '1000.0000000', 'from its end on it can');

    stack.sim.cancel(cancelled);
    now = await at(40);
    const cut = { ...nothing, status: 'cancelled', streamedAmount: '400.0000000', withdrawableAmount: '400.0000000', remainingAmount: '400.0000000', cancelledAt: now };
    assert.deepEqual(await shown(cancelled, now), cut);
    assert.deepEqual(await shown(cancelled, now + 1_000), cut, 'nothing accrues after a cancellation');

    stack.sim.withdraw(cancelled);
    now = await at(60);
    const paid = { ...cut, withdrawnAmount: '400.0000000', withdrawableAmount: '0.0000000', remainingAmount: '0.0000000' };
    assert.deepEqual(await shown(cancelled, now), paid);

    stack.sim.withdraw(drained);
    stack.sim.close(cancelled);
    now = await at(110);
    const spent = { ...nothing, status: 'completed', streamedAmount: '1000.0000000', withdrawnAmount: '1000.0000000', remainingAmount: '0.0000000' };
    assert.deepEqual(await shown(drained, now), spent);
    assert.deepEqual(await shown(cancelled, now), { ...paid, archived: true });

    stack.sim.keeperCancel(kept);
    stack.sim.close(drained);
    now = await at(210);
    assert.deepEqual(await shown(kept, now), { ...nothing, status: 'cancelled', streamedAmount: '1000.0000000', settledAmount: '1000.0000000', remainingAmount: '0.0000000', cancelledAt: now });
    assert.deepEqual(await shown(drained, now), { ...spent, archived: true });
    assert.equal((await stack.allStreams()).length, 5, 'archived streams stay listed');
    assert.deepEqual((await shown(cancelled, start + 50)), cut, 'the past stays as it was');
  });

  test('If-None-Match: 304 for the same state, 200 for another', async () => {
    const path = `/api/streams/${stack.streamId(0)}`;
    const first = await stack.request(path);
    const { etag } = first.headers;
    const ask = (value) => stack.request(path, { headers: { 'If-None-Match': value } });
    for (const value of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const answer = await ask(value);
      assert.equal(answer.status, 304, value);
      assert.equal(answer.text, '');
      assert.equal(answer.headers.etag, etag);
    }
    for (const value of ['"other"', etag.replaceAll('"', '') + 'x', '""']) assert.equal((await ask(value)).status, 200, value);
    // Time goes on, and with it asOf: another representation.
    stack.sim.closeLedger();
    await stack.settle();
    const later = await ask(etag);
    assert.equal(later.status, 200);
    assert.notEqual(later.headers.etag, etag);
    assert.equal((await stack.request(`${path}?at=${start}`, { headers: { 'If-None-Match': later.headers.etag } })).status, 200);
  });

  test('HEAD answers as GET does, without the body', async () => {
    const path = `/api/streams/${stack.streamId(1)}`;
    const full = await stack.request(path);
    const head = await stack.request(path, { method: 'HEAD' });
    assert.equal(head.status, 200);
    assert.equal(head.text, '');
    for (const name of ['etag', 'content-type', 'content-length']) assert.equal(head.headers[name], full.headers[name], name);
    assert.equal(Number(full.headers['content-length']), Buffer.byteLength(full.text));
    assert.equal((await stack.request(path, { method: 'HEAD', headers: { 'If-None-Match': full.headers.etag } })).status, 304);
    assert.equal((await stack.request(`/api/streams/${stack.streamId(777)}`, { method: 'HEAD' })).status, 404);
  });
});
