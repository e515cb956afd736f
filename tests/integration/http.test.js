// HTTP: health, headers, request ids, errors, and the log by REST. SPEC sections 4, 5 and 10.
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { withQuery } from './harness/http_client.js';
import { exchange, parseResponse } from './harness/raw_http.js';
import { checkSecurityHeaders } from './harness/security_headers.js';
import { startStack } from './harness/stack.js';
import { UpgradeRefused } from './harness/ws_client.js';

const UUID_OR_TOKEN = /^[A-Za-z0-9._-]{1,128}$/;

/** @type {import('./harness/stack.js').Stack} */
let stack;

before(async () => {
  stack = await startStack({ simulator: { seed: 'http', streams: 20 } });
  stack.runScenario(10, { actionsPerLedger: 5 });
  await stack.settle();
});

/** @param {import('./harness/http_client.js').Answer} answer */
function checkProblem(answer, status, code, path) {
  assert.equal(answer.status, status, path);
  assert.equal(answer.headers['content-type'], 'application/problem+json', path);
  const { type, title, detail, instance, error, requestId, errors, ...rest } = answer.json;
  assert.deepEqual(rest, { status }, path);
  for (const [name, text] of Object.entries({ type, title, detail, instance })) {
    assert.equal(typeof text, 'string', `${path}: ${name}`);
    assert.notEqual(text, '', `${path}: ${name}`);
  }
  assert.equal(error, code, path);
  assert.equal(requestId, answer.headers['x-request-id'], path);
  if (errors !== undefined) {
    for (const problem of errors) {
      assert.deepEqual(Object.keys(problem).sort(), ['code', 'field', 'message'], path);
      for (const text of Object.values(problem)) assert.equal(typeof text, 'string', path);
    }
  }
  assert.doesNotMatch(answer.text, /SELECT|pqxx|\.cpp|std::/, `${path}: an inside word in the answer`);
}

describe('health and the root', () => {
  test('GET / names the service, its version and where to go', async () => {
    const { name, version, links } = await stack.get('/');
    assert.equal(name, 'fluxora');
    assert.match(version, /^\d+\.\d+\.\d+/);
    assert.equal(typeof links, 'object');
    const targets = Object.values(links);
    for (const wanted of ['/health', '/api/streams', '/api/events', '/ws/streams']) {
      assert.ok(targets.some((target) => String(target.href ?? target).endsWith(wanted)), `no link to ${wanted}`);
    }
  });

  test('GET /health has the shape of SPEC section 10', async () => {
    const health = await stack.health();
    assert.equal(health.status, 'ok');
    assert.equal(health.service, 'fluxora');
    assert.equal(health.version, (await stack.get('/')).version);
    assert.ok(Math.abs(Date.parse(health.timestamp) - Date.now()) < 3_600_000, health.timestamp);
    assert.equal(health.network, stack.sim.networkPassphrase);
    assert.equal(health.wsConnections, 0);
    const { indexer } = health;
    assert.equal(indexer.status, 'healthy');
    assert.ok(Number.isInteger(indexer.lagMs) && indexer.lagMs >= 0);
    assert.equal(indexer.thresholdMs, 300_000);
    assert.ok(!Number.isNaN(Date.parse(indexer.lastSuccessfulSyncAt)));
    assert.equal(typeof indexer.summary, 'string');
    assert.equal(indexer.clientImpact, 'none');
    assert.equal(indexer.operatorAction, 'none');
    assert.equal(indexer.lastLedger, stack.sim.latest.sequence - 1);
    assert.equal(indexer.lastSafeLedger, stack.sim.latest.sequence - 1);
    assert.equal(indexer.reorgDetected, false);
    assert.equal(health.dependencies.postgres, 'healthy');
    assert.equal(health.dependencies.rpc, 'healthy');
    assert.equal(health.dependencies.redis, 'not_configured');
  });

  test('liveness and readiness', async () => {
    assert.equal((await stack.request('/health/live')).status, 200);
    assert.equal((await stack.request('/health/ready')).status, 200);
  });

  test('without a chain the indexer is not configured and everything else works', async () => {
    const bare = await startStack({ simulator: false });
    const health = await bare.health();
    assert.equal(health.status, 'ok');
    assert.equal(health.indexer.status, 'not_configured');
    assert.equal((await bare.request('/health/ready')).status, 200);
    assert.deepEqual(await bare.get('/api/streams'), { streams: [], has_more: false, next_cursor: null });
    await bare.stop();
  });
});

describe('headers', () => {
  test('the security headers are on every kind of answer', async () => {
    const { id } = (await stack.get('/api/streams', { limit: 1 })).streams[0];
    const { etag } = (await stack.request(`/api/streams/${id}`)).headers;
    const kinds = [
      [200, '/'], [200, '/health'], [200, '/health/live'], [200, '/health/ready'], [200, '/api/streams'], [200, `/api/streams/${id}`],
      [200, `/api/streams/${id}/events`], [200, '/api/events'],
      [304, `/api/streams/${id}`, { headers: { 'If-None-Match': etag } }],
      [200, '/', { method: 'HEAD' }],
      [400, '/api/streams?limit=0'], [404, '/no/such/path'], [404, '/api/streams/none'], [405, '/health', { method: 'DELETE' }],
      [426, '/ws/streams'],
    ];
    for (const [status, path, options] of /** @type {[number, string, any][]} */ (kinds)) {
      const answer = await stack.request(path, options);
      assert.equal(answer.status, status, path);
      checkSecurityHeaders(answer.headers, `${status} ${path}`);
      assert.equal(answer.headers['access-control-allow-origin'], undefined, 'CORS is off unless configured');
    }
    await assert.rejects(
      async () => (await import('./harness/ws_client.js')).WsClient.open(`${stack.baseUrl.replace('http', 'ws')}/ws/none`),
      (error) => {
        assert.ok(error instanceof UpgradeRefused);
        checkSecurityHeaders(error.headers, 'a refused upgrade');
        return true;
      },
    );
  });

  test('they are on answers to what is no proper HTTP, too, and those end the connection', async () => {
    const long = 'a'.repeat(20_000);
    const cases = [
      [400, 'no http at all\r\n\r\n'],
      [400, 'GET / HTTP/1.1\r\n\r\n', 'a request without Host'],
      [400, 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', 'two hosts'],
      [400, 'GET / HTTP/1.1\r\nHost: a\r\nBad Name: x\r\n\r\n', 'a space in a name'],
      [400, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 'two lengths'],
      [400, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n', 'no number'],
      [413, `POST /api/streams HTTP/1.1\r\nHost: a\r\nContent-Length: ${256 * 1024 + 1}\r\n\r\n`, 'a body over 256 KiB'],
      [431, `GET / HTTP/1.1\r\nHost: a\r\nX-Long: ${long}\r\n\r\n`, 'a header block over 16 KiB'],
      [505, 'GET / HTTP/3.0\r\nHost: a\r\n\r\n', 'another version'],
    ];
    for (const [status, bytes, what = bytes.trim()] of /** @type {[number, string, string?][]} */ (cases)) {
      const answer = parseResponse(await exchange(stack.server.port, bytes));
      assert.equal(answer.status, status, what);
      checkSecurityHeaders(answer.headers, what);
      assert.equal(answer.headers['content-type'], 'application/problem+json', what);
      const problem = JSON.parse(answer.body);
      assert.equal(problem.status, status, what);
      assert.equal(problem.requestId, answer.headers['x-request-id'], what);
    }
  });

  test('a public https address asks browsers to upgrade insecure requests', async () => {
    const secure = await startStack({ simulator: false, server: { env: { PUBLIC_URL: 'https://fluxora.example' } } });
    const { headers } = await secure.request('/');
    assert.match(String(headers['content-security-policy']), /; upgrade-insecure-requests$/);
    await secure.stop();
  });

  test('X-Request-Id: the client’s when it is well formed, else a new one', async () => {
    const ask = async (id, path = '/health/live') => (await stack.request(path, { headers: { 'X-Request-Id': id } })).headers['x-request-id'];
    for (const id of ['a', 'A-b_c.9', 'x'.repeat(128)]) {
      assert.equal(await ask(id), id);
      assert.equal(await ask(id, '/no/such/path'), id);
    }
    const given = new Set();
    for (const id of ['', 'x'.repeat(129), 'a b', 'a/b', 'é', '"a"', '<x>']) {
      const answer = await ask(id);
      assert.notEqual(answer, id);
      assert.match(String(answer), UUID_OR_TOKEN);
      given.add(answer);
    }
    for (let i = 0; i < 20; i += 1) given.add((await stack.request('/health/live')).headers['x-request-id']);
    assert.equal(given.size, 27, 'new ids are unique');
  });
});

describe('errors', () => {
  test('an unknown path is 404 as problem+json', async () => {
    for (const path of ['/nothing', '/api', '/api/', '/api/stream', '/api/streams/a/b/c', '/health/x', '//', '/..%2f..%2fetc/passwd']) {
      checkProblem(await stack.request(path), 404, 'NOT_FOUND', path);
    }
  });

  test('a known path with another method is 405 and says what is allowed', async () => {
    for (const [method, path] of [['DELETE', '/health'], ['POST', '/api/events'], ['PUT', '/api/streams/x'], ['PATCH', '/']]) {
      const answer = await stack.request(path, { method });
      checkProblem(answer, 405, 'METHOD_NOT_ALLOWED', `${method} ${path}`);
      assert.match(String(answer.headers.allow), /\bGET\b/, path);
    }
  });

  test('validation errors name their fields', async () => {
    const answer = await stack.request('/api/streams?limit=0&status=x');
    checkProblem(answer, 400, 'VALIDATION_ERROR', 'two problems');
    assert.equal(answer.json.instance, '/api/streams');
    assert.deepEqual(answer.json.errors.map(({ field }) => field).sort(), ['limit', 'status']);
  });

  test('requests are logged with their id, without bodies and credentials', async () => {
    const id = 'watch-this-one';
    await stack.request('/api/streams?limit=3', { headers: { 'X-Request-Id': id, Authorization: 'Bearer secret-token-value' } });
    const line = await stack.server.waitForLog(({ requestId }) => requestId === id, 'the request’s line');
    assert.equal(line.status, 200);
    assert.equal(line.method, 'GET');
    const everything = String(stack.server.stdout) + String(stack.server.stderr);
    assert.ok(!everything.includes('secret-token-value'), 'a credential in the log');
    assert.ok(!everything.includes(stack.db.cluster.password), 'the database’s password in the log');
  });
});

describe('/api/events', () => {
  /** @type {any[]} */
  let entries;
  let epoch = '';

  before(async () => {
    entries = await stack.allEvents();
    ({ epoch } = await stack.head());
    assert.ok(entries.length > 50);
  });

  test('pages of any size put together are the log', async () => {
    for (const limit of [1, 7, 50, 1000]) {
      const paged = [];
      let after = `${epoch}-0`;
      for (let more = true; more;) {
        const page = await stack.get('/api/events', { after, limit });
        assert.equal(page.resume.outcome, 'resumed');
        assert.ok(page.events.length <= limit);
        assert.equal(page.next_cursor, page.events.at(-1)?.cursor ?? after);
        paged.push(...page.events);
        assert.equal(page.has_more, paged.length < entries.length);
        after = page.next_cursor;
        more = page.has_more;
      }
      assert.deepEqual(paged, entries, `limit ${limit}`);
    }
  });

  test('without a cursor the newest entries are given, and the cursor to go on from', async () => {
    const page = await stack.get('/api/events', { limit: 5 });
    assert.equal(page.resume.outcome, 'live');
    assert.deepEqual(page.events, entries.slice(-5));
    assert.equal(page.next_cursor, entries.at(-1).cursor);
    assert.equal(page.has_more, false);
  });

  test('at the head there is nothing, and the cursor stays', async () => {
    const { cursor } = entries.at(-1);
    const page = await stack.get('/api/events', { after: cursor });
    assert.deepEqual([page.events, page.has_more, page.next_cursor, page.resume.outcome], [[], false, cursor, 'resumed']);
  });

  test('filters by stream and by event', async () => {
    const { streamId } = entries.find(({ kind }) => kind === 'withdrew');
    assert.deepEqual(await stack.allEvents({ streamId, limit: 2 }), entries.filter((entry) => entry.streamId === streamId));
    for (const event of ['stream.created', 'stream.updated', 'stream.cancelled', 'stream.completed', 'stream.retracted', 'chain.event', 'protocol.event']) {
      assert.deepEqual(await stack.allEvents({ event, limit: 9 }), entries.filter((entry) => entry.event === event), event);
    }
    const both = { streamId, event: 'stream.updated' };
    assert.deepEqual(await stack.allEvents(both), entries.filter((entry) => entry.streamId === streamId && entry.event === both.event));
  });

  test('an unknown epoch, or a position above the head: epoch_changed, and where to go on', async () => {
    const { cursor } = entries.at(-1);
    for (const after of ['zzzz-3', 'zzzz-0', `${epoch}-${entries.length + 1}`]) {
      const page = await stack.get('/api/events', { after });
      assert.equal(page.resume.outcome, 'epoch_changed', after);
      assert.deepEqual([page.events, page.has_more, page.next_cursor], [[], false, cursor], after);
    }
  });

  test('bad parameters are 400 and name the field', async () => {
    const cases = [
      ['limit', ['0', '1001', '-1', 'x', '']],
      ['after', ['', 'x', '-1', `${epoch}-`, `${epoch}-01`, `${epoch}--1`, `-5`, `${epoch}-9223372036854775808`, `${epoch.toUpperCase()}!-1`]],
      ['event', ['', 'created', 'stream.exploded', 'Stream.created']],
      ['streamId', ['', 'x', `${stack.sim.contractId}-`, `${stack.sim.contractId}-x`]],
      ['sort', ['asc']],
    ];
    for (const [field, values] of /** @type {[string, string[]][]} */ (cases)) {
      for (const value of values) {
        const path = withQuery('/api/events', { [field]: value });
        const answer = await stack.request(path);
        checkProblem(answer, 400, 'VALIDATION_ERROR', path);
        assert.ok(answer.json.errors.some((problem) => problem.field === field), path);
      }
    }
  });

  test('lists say how far the log was: X-Fluxora-Cursor', async () => {
    for (const path of ['/api/streams', '/api/events']) {
      assert.equal((await stack.request(path)).headers['x-fluxora-cursor'], entries.at(-1).cursor, path);
    }
  });

  test('events that change no stream are there with their decoded XDR', async () => {
    const { nativeToScVal, xdr } = await import('@stellar/stellar-sdk');
    const base64 = (value) => value.toXDR('base64');
    const [unknown, number] = [xdr.ScVal.scvSymbol('brand_new'), nativeToScVal(7n, { type: 'u64' })];
    const entry = (key, val) => new xdr.ScMapEntry({ key: xdr.ScVal.scvSymbol(key), val });
    const value = xdr.ScVal.scvMap([entry('amount', nativeToScVal(5n, { type: 'u64' })), entry('note', xdr.ScVal.scvString('text'))]);
    const created = xdr.ScVal.scvSymbol('created');
    stack.sim.appendEvents([
      { topics: [base64(unknown), base64(number)], value: base64(value) },
      { topics: [base64(number)], value: base64(xdr.ScVal.scvVoid()) },
      { topics: [base64(created), base64(nativeToScVal(999n, { type: 'u64' }))], value: base64(nativeToScVal(5n, { type: 'i128' })) },
      { topics: [base64(xdr.ScVal.scvSymbol('paused')), base64(nativeToScVal(0n, { type: 'u64' }))], value: base64(xdr.ScVal.scvVoid()), inSuccessfulContractCall: false },
      { topics: [base64(xdr.ScVal.scvSymbol('gl_pause'))], value: base64(xdr.ScVal.scvBool(true)) },
    ]);
    const before = (await stack.get(`/api/streams/${stack.streamId(0)}`)).status;
    stack.sim.closeLedger();
    await stack.settle();
    const fresh = (await stack.allEvents()).slice(entries.length);
    assert.deepEqual(fresh.map(({ event, kind }) => [event, kind]), [
      ['chain.event', 'brand_new'], ['chain.event', null], ['stream.created', 'created'], ['chain.event', 'paused'], ['protocol.event', 'gl_pause'],
    ]);
    assert.deepEqual(fresh[0].raw, {
      topics: [{ symbol: 'brand_new' }, { u64: '7' }],
      value: { map: [{ key: { symbol: 'amount' }, val: { u64: '5' } }, { key: { symbol: 'note' }, val: { string: 'text' } }] },
    });
    assert.deepEqual(fresh[2].raw, { topics: [{ symbol: 'created' }, { u64: '999' }], value: { i128: '5' } });
    assert.ok(fresh.every(({ stream }) => stream === undefined || stream === null), 'none of them has changed a stream');
    assert.equal(fresh[3].inSuccessfulContractCall, false);
    assert.equal((await stack.get(`/api/streams/${stack.streamId(0)}`)).status, before);
    assert.equal((await stack.request(`/api/streams/${stack.streamId(999)}`)).status, 404, 'the oldest creation is only logged');
  });
});
