// Streams that are made and changed through the API.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { CONTRACT, RECIPIENT, SENDER, TERMS, cancel, checkFold, create, parseSeconds, send, setStatus } from './harness/api_streams.js';
import { checkLogOrder } from './harness/log_checks.js';
import { ServerProcess } from './harness/server_process.js';
import { serverEnvironment, startStack } from './harness/stack.js';
import { waitFor } from './harness/wait.js';

const NO_LIMIT = { WRITE_RATE_LIMIT: '0' };
const UUID_V7 = /^api-[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const FAR = 4_000_000_000;

/** @param {any} answer @param {number} status @param {string} error */
function expectProblem(answer, status, error) {
  assert.equal(answer.status, status, answer.text);
  assert.equal(answer.headers['content-type'], 'application/problem+json');
  assert.equal(answer.json.error, error);
  return answer.json;
}

describe('one server, no chain', () => {
  /** @type {import('./harness/stack.js').Stack} */
  let stack;
  before(async () => { stack = await startStack({ simulator: false, server: { env: NO_LIMIT } }); });
  after(() => stack.stop());

  test('a stream from its creation to its cancellation: answers, reads, log and WebSocket agree', async () => {
    const client = await stack.openWebSocket();
    await client.subscribe({ sender: SENDER });
    const all = await stack.openWebSocket();
    await all.subscribe({ streamId: '*' });

    const created = await create(stack.baseUrl, { cliffTime: FAR, endTime: FAR + 10, startTime: FAR - 10 });
    assert.equal(created.status, 201, created.text);
    const { id, version } = created.json;
    assert.match(id, UUID_V7);
    const { epoch } = await stack.head();
    assert.equal(created.headers.location, `/api/streams/${id}`);
    assert.equal(created.headers['x-fluxora-version'], String(version));
    assert.equal(created.headers['x-fluxora-cursor'], `${epoch}-${version}`);
    assert.equal(created.headers.etag, `"${epoch}-${version}-${created.json.asOf}"`);
    assert.equal(created.json.status, 'scheduled');
    assert.equal(created.json.source, 'api');
    for (const name of ['ledger', 'txHash', 'contractId', 'token']) assert.equal(created.json[name], null, name);
    const read = await stack.get(`/api/streams/${id}`);
    assert.deepEqual({ ...read, asOf: 0 }, { ...created.json, asOf: 0 });

    const steps = [created];
    for (const [status, expected] of [['paused', 'paused'], ['active', 'scheduled']]) {
      const answer = await setStatus(stack.baseUrl, id, status);
      assert.equal(answer.status, 200, answer.text);
      assert.equal(answer.json.status, expected);
      steps.push(answer);
    }
    const gone = await cancel(stack.baseUrl, id);
    assert.equal(gone.status, 200, gone.text);
    assert.equal(gone.json.status, 'cancelled');
    steps.push(gone);

    const { events } = await stack.get(`/api/streams/${id}/events`);
    assert.deepEqual(events.map(({ event }) => event), ['stream.created', 'stream.updated', 'stream.updated', 'stream.cancelled']);
    assert.deepEqual(events.map(({ kind }) => kind), ['created', 'paused', 'resumed', 'cancelled']);
    assert.deepEqual(events.map(({ eventId }) => eventId), events.map(({ seq }) => `api-${seq}`));
    assert.deepEqual(events.map(({ seq }) => seq), steps.map(({ json }) => json.version));
    for (const [index, entry] of events.entries()) {
      for (const name of ['ledger', 'ledgerHash', 'txHash', 'contractId']) assert.equal(entry[name], null, name);
      assert.equal(entry.prevSeq, index === 0 ? null : events[index - 1].seq);
      assert.equal(entry.raw, undefined);
    }
    assert.deepEqual(events[1].change, { status: ['active', 'paused'] });
    assert.deepEqual(events[3].change.status, ['active', 'cancelled']);
    for (const subscriber of [client, all]) {
      await subscriber.waitForSeq(events[3].seq);
      assert.deepEqual(subscriber.updates(), events);
      await subscriber.close();
    }
    // The past as it was: the entries' seconds may be the same, then the last of them counts.
    const last = events.filter(({ closedAt }) => closedAt === events[0].closedAt).at(-1);
    const at = Number(parseSeconds(events[0].closedAt));
    assert.equal((await stack.get(`/api/streams/${id}`, { at })).version, last.seq);
    await checkFold(stack);
  });

  test('what is not given follows from the rest', async () => {
    const from = Math.floor(Date.now() / 1000);
    const { json } = await create(stack.baseUrl, { depositAmount: '10', ratePerSecond: '3' });
    const until = Math.floor(Date.now() / 1000);
    assert.ok(json.startTime >= from && json.startTime <= until);
    assert.equal(json.cliffTime, json.startTime);
    assert.equal(json.endTime, json.startTime + 4, 'ten by three, rounded up');
    const exact = await create(stack.baseUrl, { depositAmount: '9', ratePerSecond: '3', startTime: 100, cliffTime: null });
    assert.equal(exact.json.endTime, 103);
    assert.equal(exact.json.streamedAmount, '9.0000000');
    assert.equal(exact.json.status, 'active', 'only an event ends a stream');
  });

  test('times above 2^53 - 1 are strings, to the last u64', async () => {
    const { status, json } = await create(stack.baseUrl, { startTime: '9007199254740993', endTime: '18446744073709551615' });
    assert.equal(status, 201);
    assert.equal(json.startTime, '9007199254740993');
    assert.equal(json.endTime, '18446744073709551615');
    const edge = await create(stack.baseUrl, { startTime: Number.MAX_SAFE_INTEGER });
    assert.equal(edge.json.startTime, Number.MAX_SAFE_INTEGER);
    assert.equal(edge.json.endTime, String(BigInt(Number.MAX_SAFE_INTEGER) + 2000n));
  });

  const max = '17014118346046923173168730371588.4105727';
  const bad = [
    ['no sender', { sender: undefined }, { sender: 'VALIDATION_ERROR' }],
    ['a sender that is no text', { sender: 7 }, { sender: 'VALIDATION_ERROR' }],
    ['a sender with a wrong checksum', { sender: `${SENDER.slice(0, -1)}A` }, { sender: 'VALIDATION_ERROR' }],
    ['a secret as recipient', { recipient: 'SBU2RRGLXH3E5CQHTD3ODLDF2BWDCYUSSBLLZ5GNW7JXHDIYKXZWHOKR' }, { recipient: 'VALIDATION_ERROR' }],
    ['itself', { recipient: SENDER }, { recipient: 'VALIDATION_ERROR' }],
    ['no deposit', { depositAmount: undefined }, { depositAmount: 'DECIMAL_EMPTY_VALUE' }],
    ['null as deposit', { depositAmount: null }, { depositAmount: 'DECIMAL_EMPTY_VALUE' }],
    ['an empty deposit', { depositAmount: '' }, { depositAmount: 'DECIMAL_EMPTY_VALUE' }],
    ['a blank rate', { ratePerSecond: '  ' }, { ratePerSecond: 'DECIMAL_EMPTY_VALUE' }],
    ['a number as deposit', { depositAmount: 5 }, { depositAmount: 'DECIMAL_INVALID_TYPE' }],
    ['an object as rate', { ratePerSecond: {} }, { ratePerSecond: 'DECIMAL_INVALID_TYPE' }],
    ['an exponent', { depositAmount: '1e3' }, { depositAmount: 'DECIMAL_INVALID_FORMAT' }],
    ['a space', { depositAmount: ' 1' }, { depositAmount: 'DECIMAL_INVALID_FORMAT' }],
    ['eight decimals', { ratePerSecond: '0.00000001' }, { ratePerSecond: 'DECIMAL_OUT_OF_RANGE' }],
    ['more than i128', { depositAmount: '99999999999999999999999999999999' }, { depositAmount: 'DECIMAL_OUT_OF_RANGE' }],
    ['nothing to stream', { depositAmount: '0.0000000' }, { depositAmount: 'VALIDATION_ERROR' }],
    ['less than nothing', { depositAmount: '-1' }, { depositAmount: 'VALIDATION_ERROR' }],
    ['no rate at all', { ratePerSecond: '-0' }, { ratePerSecond: 'VALIDATION_ERROR' }],
    ['a start that is no time', { startTime: -1 }, { startTime: 'VALIDATION_ERROR' }],
    ['a fraction of a second', { startTime: 1.5 }, { startTime: 'VALIDATION_ERROR' }],
    ['a number that has lost digits', { startTime: 9007199254740993 }, { startTime: 'VALIDATION_ERROR' }],
    ['more than u64', { endTime: '18446744073709551616' }, { endTime: 'VALIDATION_ERROR' }],
    ['a date', { cliffTime: '2026-01-01T00:00:00Z' }, { cliffTime: 'VALIDATION_ERROR' }],
    ['a cliff before the start', { startTime: 100, cliffTime: 99 }, { cliffTime: 'VALIDATION_ERROR' }],
    ['a cliff after the end', { startTime: 100, cliffTime: 201, endTime: 200 }, { cliffTime: 'VALIDATION_ERROR' }],
    ['an end at the start', { startTime: 100, endTime: 100 }, { endTime: 'VALIDATION_ERROR' }],
    ['an end beyond u64', { startTime: '18446744073709551000' }, { endTime: 'VALIDATION_ERROR' }],
    ['an end beyond u64 by far', { depositAmount: max, ratePerSecond: '0.0000001' }, { endTime: 'VALIDATION_ERROR' }],
    ['what nobody knows', { memo: 'x' }, { memo: 'VALIDATION_ERROR' }],
    ['everything at once', { sender: 'G', recipient: 5, depositAmount: true, ratePerSecond: 'x', startTime: 'y', cliffTime: [], endTime: {}, z: 1 }, {
      sender: 'VALIDATION_ERROR', recipient: 'VALIDATION_ERROR', depositAmount: 'DECIMAL_INVALID_TYPE', ratePerSecond: 'DECIMAL_INVALID_FORMAT',
      startTime: 'VALIDATION_ERROR', cliffTime: 'VALIDATION_ERROR', endTime: 'VALIDATION_ERROR', z: 'VALIDATION_ERROR',
    }],
  ];
  for (const [what, terms, expected] of bad) {
    test(`400: ${what}`, async () => {
      const problem = expectProblem(await create(stack.baseUrl, terms), 400, 'VALIDATION_ERROR');
      assert.deepEqual(Object.fromEntries(problem.errors.map(({ field, code }) => [field, code])), expected);
      assert.equal(problem.errors.length, Object.keys(expected).length, 'one entry a field');
    });
  }

  test('the largest amounts go in and come out', async () => {
    const { status, json } = await create(stack.baseUrl, { depositAmount: max, ratePerSecond: max, startTime: 5 });
    assert.equal(status, 201);
    assert.deepEqual([json.depositAmount, json.ratePerSecond, json.endTime], [max, max, 6]);
  });

  test('bodies that are none, and media types', async () => {
    const url = `${stack.baseUrl}/api/streams`;
    const good = JSON.stringify(TERMS);
    const bodies = [
      '', '{', 'null', '[]', '"x"', '1', `${good}x`, `${good}${good}`, '{"a":1,}', "{'a':1}", '{"a":NaN}', '{"a":1e999}', '{"a":01}',
      '{"sender":1,"sender":2}', '{"a":{"b":1,"b":1}}', '{"a":"\\u0000"}', '{"\\u0000":1}', Buffer.from('{"a":"\0"}'), '{"a":"\\ud800"}',
      Buffer.from([0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, 0xff, 0x22, 0x7d]), Buffer.from([0x7b, 0x22, 0xc0, 0xaf, 0x22, 0x3a, 0x31, 0x7d]),
      `{"a":${'['.repeat(20)}${']'.repeat(20)}}`, '['.repeat(100_000), `${'{"a":'.repeat(30_000)}1${'}'.repeat(30_000)}`,
    ];
    for (const body of bodies) expectProblem(await send(url, 'POST', body), 400, 'VALIDATION_ERROR');
    const deep = await send(url, 'POST', `{"a":${'['.repeat(19)}${']'.repeat(19)}}`);
    assert.ok(deep.json.errors.some(({ field }) => field === 'a'), 'twenty levels are read');
    expectProblem(await send(url, 'POST', `{"a":"${'x'.repeat(256 * 1024)}"}`), 413, 'PAYLOAD_TOO_LARGE');
    for (const type of ['text/plain', 'application/jsonx', 'application/json; charset=latin1', '', 'application/problem+json']) {
      expectProblem(await send(url, 'POST', good, { 'content-type': type }), 415, 'UNSUPPORTED_MEDIA_TYPE');
    }
    for (const type of ['application/json', 'Application/JSON; charset=UTF-8', 'application/json;charset="utf-8"']) {
      assert.equal((await send(url, 'POST', good, { 'content-type': type })).status, 201, type);
    }
    assert.equal((await send(url, 'POST', ` \r\n\t${good}\n`)).status, 201);
    const many = await send(url, 'POST', `{${Array.from({ length: 20_000 }, (_, index) => `"f${index}":0`).join(',')}}`);
    assert.ok(many.text.length < 10_000, 'a small answer to a large body');
    expectProblem(await send(`${url}?x=1`, 'POST', good), 400, 'VALIDATION_ERROR');
  });

  test('pause, resume and cancel by the rules of section 2', async () => {
    const { id, version } = (await create(stack.baseUrl)).json;
    const same = await setStatus(stack.baseUrl, id, 'active');
    assert.equal(same.status, 200);
    assert.equal(same.json.version, version, 'no entry for what is so already');
    const paused = await setStatus(stack.baseUrl, id, 'paused');
    assert.equal((await setStatus(stack.baseUrl, id, 'paused')).json.version, paused.json.version);
    for (const body of [{}, { status: 'cancelled' }, { status: 1 }, { status: null }, { status: 'paused', x: 1 }]) {
      expectProblem(await send(`${stack.baseUrl}/api/streams/${id}`, 'PATCH', body), 400, 'VALIDATION_ERROR');
    }
    expectProblem(await send(`${stack.baseUrl}/api/streams/${id}`, 'PATCH', { status: 'active' }, { 'content-type': 'text/plain' }), 415, 'UNSUPPORTED_MEDIA_TYPE');
    const cancelled = await cancel(stack.baseUrl, id);
    assert.equal(cancelled.json.cancelledAt, Number(parseSeconds(cancelled.json.updatedAt)));
    expectProblem(await cancel(stack.baseUrl, id), 409, 'CONFLICT');
    for (const status of ['paused', 'active']) expectProblem(await setStatus(stack.baseUrl, id, status), 409, 'CONFLICT');
    const unknown = 'api-01890a5d-ac96-774b-bcce-b302099a8057';
    for (const other of [unknown, `${CONTRACT}-1`, 'api-1', 'nonsense', '%00']) {
      assert.ok([400, 404].includes((await setStatus(stack.baseUrl, other, 'paused')).status), other);
      assert.ok([400, 404].includes((await cancel(stack.baseUrl, other)).status), other);
    }
    expectProblem(await setStatus(stack.baseUrl, unknown, 'paused'), 404, 'NOT_FOUND');
  });

  test('If-Match compares epoch and version', async () => {
    const created = await create(stack.baseUrl);
    const { id, version } = created.json;
    const { epoch } = await stack.head();
    const etag = String(created.headers.etag);
    const paused = await setStatus(stack.baseUrl, id, 'paused', { 'if-match': etag });
    assert.equal(paused.status, 200);
    const refused = [etag, `W/${paused.headers.etag}`, `"${epoch}x-${paused.json.version}-1"`, '"x"', `"${epoch}-${version}"`];
    for (const tag of refused) expectProblem(await setStatus(stack.baseUrl, id, 'active', { 'if-match': tag }), 412, 'PRECONDITION_FAILED');
    expectProblem(await cancel(stack.baseUrl, id, { 'if-match': etag }), 412, 'PRECONDITION_FAILED');
    for (const tag of ['x', '"x', `${etag} ${etag}`, ',']) {
      const { errors } = expectProblem(await setStatus(stack.baseUrl, id, 'active', { 'if-match': tag }), 400, 'VALIDATION_ERROR');
      assert.equal(errors[0].field, 'If-Match');
    }
    const other = `"${epoch}-${paused.json.version}-77"`;
    assert.equal((await setStatus(stack.baseUrl, id, 'active', { 'if-match': `"a", ${other}` })).status, 200, 'asOf does not count');
    assert.equal((await cancel(stack.baseUrl, id, { 'if-match': '*' })).status, 200);
  });

  test('lookup: each once, in the order asked for', async () => {
    const ids = [];
    for (let i = 0; i < 3; i += 1) ids.push((await create(stack.baseUrl)).json.id);
    const url = `${stack.baseUrl}/api/streams/lookup`;
    const unknown = 'api-01890a5d-ac96-774b-bcce-b302099a8057';
    const answer = await send(url, 'POST', { ids: [ids[2], unknown, ids[0], ids[2], 'nonsense', unknown, "x'); --"] });
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.json.streams.map(({ id }) => id), [ids[2], ids[0]]);
    assert.deepEqual(answer.json.missing, [unknown, 'nonsense', "x'); --"]);
    assert.deepEqual({ ...answer.json.streams[0], asOf: 0 }, { ...await stack.get(`/api/streams/${ids[2]}`), asOf: 0 });
    assert.deepEqual((await send(url, 'POST', { ids: [] })).json, { streams: [], missing: [] });
    assert.equal((await send(url, 'POST', { ids: Array(100).fill(ids[0]) })).json.streams.length, 1);
    for (const wrong of [{}, { ids: 'x' }, { ids: [1] }, { ids: Array(101).fill('x') }, { ids: [], more: 1 }]) {
      expectProblem(await send(url, 'POST', wrong), 400, 'VALIDATION_ERROR');
    }
  });

  test('read your writes: a version that is not there yet is 503, nonsense is 400', async () => {
    const { headers, json } = await create(stack.baseUrl);
    const version = Number(headers['x-fluxora-version']);
    const paths = ['/api/streams', `/api/streams/${json.id}`, `/api/streams/${json.id}?at=${FAR}`, '/api/events', `/api/streams/${json.id}/events`];
    for (const path of paths) {
      const ask = (value) => stack.request(path, { headers: { 'x-fluxora-min-version': String(value) } });
      assert.equal((await ask(version)).status, 200, path);
      const early = await ask(version + 1_000_000);
      expectProblem(early, 503, 'SERVICE_UNAVAILABLE');
      assert.match(String(early.headers['retry-after']), /^\d+$/);
      for (const wrong of ['', 'x', '-1', '1.5', '9223372036854775808']) expectProblem(await ask(wrong), 400, 'VALIDATION_ERROR');
    }
    const early = await send(`${stack.baseUrl}/api/streams/lookup`, 'POST', { ids: [] }, { 'x-fluxora-min-version': String(version + 1_000_000) });
    assert.equal(early.status, 503);
  });

  test('an Idempotency-Key: the same answer again, another body is refused', async () => {
    const headers = { 'idempotency-key': 'order:1_a-Z' };
    const first = await create(stack.baseUrl, {}, headers);
    assert.equal(first.status, 201);
    assert.equal(first.headers['idempotency-replayed'], undefined);
    await setStatus(stack.baseUrl, first.json.id, 'paused');
    const again = await create(stack.baseUrl, {}, headers);
    assert.equal(again.status, 201);
    assert.equal(again.headers['idempotency-replayed'], 'true');
    assert.equal(again.text, first.text, 'the first answer, not the stream as it is now');
    for (const name of ['location', 'etag', 'x-fluxora-version', 'x-fluxora-cursor']) assert.equal(again.headers[name], first.headers[name], name);
    expectProblem(await create(stack.baseUrl, { depositAmount: '1000.0' }, headers), 422, 'VALIDATION_ERROR');
    for (const key of ['', 'a b', 'ä', 'x'.repeat(129), 'a/b']) {
      const answer = await create(stack.baseUrl, {}, { 'idempotency-key': Buffer.from(key).toString('latin1') });
      assert.equal(answer.status, 400, key);
    }
    assert.equal((await create(stack.baseUrl, {}, { 'idempotency-key': 'x'.repeat(128) })).status, 201);

    // A good request whose end has passed since it came first.
    const soon = { ...TERMS, endTime: Math.floor(Date.now() / 1000) + 2 };
    const short = { 'idempotency-key': 'short' };
    const before = await create(stack.baseUrl, soon, short);
    assert.equal(before.status, 201);
    await waitFor(async () => (await create(stack.baseUrl, soon)).status === 400, { what: 'the end to pass' });
    assert.equal((await create(stack.baseUrl, soon, short)).text, before.text);
  });

  test('a key is forgotten after a day', async () => {
    const headers = { 'idempotency-key': 'yesterday' };
    const first = await create(stack.baseUrl, {}, headers);
    await stack.db.rows("UPDATE idempotency_keys SET created_at = now() - interval '25 hours' WHERE key = 'yesterday'");
    const next = await create(stack.baseUrl, { depositAmount: '2' }, headers);
    assert.equal(next.status, 201);
    assert.notEqual(next.json.id, first.json.id);
    assert.equal((await create(stack.baseUrl, { depositAmount: '2' }, headers)).text, next.text);
  });

  test('lists and the log show them like any others', async () => {
    const { json } = await create(stack.baseUrl, { recipient: CONTRACT });
    const listed = (await stack.get('/api/streams', { recipient: CONTRACT, status: 'active' })).streams;
    assert.ok(listed.some(({ id }) => id === json.id));
    const { events } = await stack.get('/api/events', { streamId: json.id, event: 'stream.created' });
    assert.deepEqual(events.map(({ seq }) => seq), [json.version]);
    checkLogOrder(await stack.allEvents(), (await stack.head()).epoch);
    await checkFold(stack);
  });
});

test('streams of the chain are the chain\'s, and both kinds share one log', async () => {
  const stack = await startStack({ simulator: { seed: 'writes', streams: 5 }, server: { env: NO_LIMIT } });
  stack.runScenario(2, { actionsPerLedger: 3 });
  await stack.settle();
  const id = stack.streamId(1);
  expectProblem(await setStatus(stack.baseUrl, id, 'paused'), 409, 'CONFLICT');
  expectProblem(await cancel(stack.baseUrl, id), 409, 'CONFLICT');
  const writing = Promise.all(Array.from({ length: 30 }, () => create(stack.baseUrl)));
  for (let i = 0; i < 5; i += 1) {
    stack.runScenario(1, { actionsPerLedger: 3 });
    await stack.settle();
  }
  assert.ok((await writing).every(({ status }) => status === 201));
  checkLogOrder(await stack.allEvents(), (await stack.head()).epoch);
  await checkFold(stack);
  await stack.stop();
});

test('a key whose first request still runs: 409 with Retry-After after ten seconds, on both servers', async () => {
  const stack = await startStack({ simulator: false, server: { env: NO_LIMIT } });
  const second = await ServerProcess.start({ ...serverEnvironment(stack.db, null), ...NO_LIMIT });
  // Someone holds the key, as a server does that works on it.
  const holder = stack.db.cluster.client(stack.db.name);
  await holder.connect();
  await holder.query('BEGIN');
  await holder.query("SELECT pg_advisory_xact_lock(1768187245, hashtext('address:127.0.0.1 held'))");
  const held = [stack.baseUrl, second.baseUrl].map((url) => create(url, {}, { 'idempotency-key': 'held' }));
  assert.equal((await create(stack.baseUrl)).status, 201, 'the others go on');
  for (const answer of await Promise.all(held)) {
    expectProblem(answer, 409, 'CONFLICT');
    assert.match(String(answer.headers['retry-after']), /^\d+$/);
  }
  const waiting = create(stack.baseUrl, {}, { 'idempotency-key': 'held' });
  await holder.query('COMMIT');
  assert.equal((await waiting).status, 201);
  await holder.end();
  await second.stop();
  await stack.stop();
});

test('a write and its audit record are there together or not at all', async () => {
  const stack = await startStack({ simulator: false, server: { env: NO_LIMIT } });
  await stack.db.rows("CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'refused'; END $$");
  // One fails at its commit, when everything is written; whoever shared its transaction is written again without it.
  await stack.db.rows(`CREATE CONSTRAINT TRIGGER refuse_at_commit AFTER INSERT ON idempotency_keys DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.key LIKE 'refused-%') EXECUTE FUNCTION refuse()`);
  const keys = Array.from({ length: 40 }, (_, index) => (index % 10 === 5 ? `refused-${index}` : `good-${index}`));
  const answers = await Promise.all(keys.map((key) => create(stack.baseUrl, {}, { 'idempotency-key': key })));
  assert.deepEqual(answers.map(({ status }) => status), keys.map((key) => (key.startsWith('good') ? 201 : 500)));
  assert.equal((await checkFold(stack)).length, 36);

  await stack.db.rows(`CREATE TRIGGER refuse_record BEFORE INSERT ON audit_log
    FOR EACH ROW WHEN (NEW.action = 'stream.pause') EXECUTE FUNCTION refuse()`);
  const { id, version } = answers[0].json;
  assert.equal((await setStatus(stack.baseUrl, id, 'paused')).status, 500);
  assert.equal((await stack.get(`/api/streams/${id}`)).version, version, 'no record, no change');
  assert.equal((await cancel(stack.baseUrl, id)).status, 200);
  assert.equal((await checkFold(stack)).length, 37);
  await stack.stop();
});
