// Who may do what: tokens, API keys, scopes, rate limits, CORS, proxies, the audit log. SPEC sections 5 and 11.
import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { before, describe, test } from 'node:test';
import { TERMS } from './harness/api_streams.js';
import { request } from './harness/http_client.js';
import { exchange, parseResponse } from './harness/raw_http.js';
import { checkSecurityHeaders } from './harness/security_headers.js';
import { ServerProcess, runCommand } from './harness/server_process.js';
import { serverEnvironment, startStack } from './harness/stack.js';
import { waitFor } from './harness/wait.js';

const SECRET = `planted-jwt-secret-${randomBytes(24).toString('hex')}`;
const ORIGIN = 'https://app.example';
const SCOPES = ['streams:write', 'webhooks:manage', 'indexer:write', 'admin'];
const KEY = /^flx_[0-9a-f]{16}_[A-Za-z0-9_-]{43}$/;
/** Every secret that was ever in play: none may be found anywhere afterwards. */
const planted = new Set([SECRET]);

/** @type {import('./harness/stack.js').Stack} */
let stack;
/** @type {Record<string, string>} */
let env;
let addresses = 0;

before(async () => {
  env = {
    AUTH_REQUIRED: 'true', JWT_SECRET: SECRET, CORS_ORIGINS: `${ORIGIN},http://localhost:5173`, TRUSTED_PROXIES: '127.0.0.0/8',
    WRITE_RATE_LIMIT: '5', LOG_LEVEL: 'debug',
  };
  stack = await startStack({ simulator: false, server: { env } });
});

const base64url = (value) => Buffer.from(value).toString('base64url');

/** A token of these parts; text is taken as it is. */
function token(claims, { header = { alg: 'HS256', typ: 'JWT' }, secret = SECRET, hash = 'sha256' } = {}) {
  const text = (value) => (typeof value === 'string' ? value : JSON.stringify(value));
  const signed = `${base64url(text(header))}.${base64url(text(claims))}`;
  const whole = `${signed}.${createHmac(hash, secret).update(signed).digest('base64url')}`;
  planted.add(whole);
  return whole;
}

/** Each call is another client, unless told which. */
function ask(path, { method = 'GET', headers = {}, body, as, server = stack.server } = {}) {
  addresses += 1;
  const from = as ?? `198.51.${Math.floor(addresses / 250)}.${addresses % 250}`;
  const type = body === undefined ? {} : { 'content-type': 'application/json' };
  return request(server.baseUrl + path, { method, body, headers: { 'x-forwarded-for': from, ...type, ...headers } });
}

const bearer = (text) => ({ authorization: `Bearer ${text}` });
const keyHeader = (key) => ({ 'x-api-key': key });
/** Each call is another one, so that they don't use up each other's writes. */
const administrator = (sub = `admin-${addresses += 1}`) => bearer(token({ sub, scope: 'admin' }));

async function keysCommand(...args) {
  const result = await runCommand(['keys', ...args], { DATABASE_URL: stack.db.url });
  const json = result.stdout.trim() === '' ? undefined : JSON.parse(result.stdout);
  if (json?.key) planted.add(json.key);
  return { ...result, json };
}

async function createKey(scopes, { as, ...more } = {}) {
  const answer = await ask('/admin/api-keys', {
    method: 'POST', headers: administrator(as), body: JSON.stringify({ name: 'made by a test', scopes, ...more }),
  });
  assert.equal(answer.status, 201, answer.text);
  planted.add(answer.json.key);
  return answer.json;
}

function checkDenied(answer, status, challenge, what) {
  assert.equal(answer.status, status, `${what}: ${answer.text}`);
  assert.equal(answer.headers['content-type'], 'application/problem+json', what);
  assert.match(String(answer.headers['www-authenticate']), challenge, what);
  checkSecurityHeaders(answer.headers);
}

describe('tokens', () => {
  const now = Math.floor(Date.now() / 1000);
  const good = { sub: 'kim', scope: 'admin' };

  test('a good one opens, by its scope', async () => {
    for (const claims of [good, { ...good, exp: now + 600 }, { ...good, nbf: now - 600 }, { scope: 'a admin b' }]) {
      assert.equal((await ask('/admin/audit', { headers: bearer(token(claims)) })).status, 200, JSON.stringify(claims));
    }
    checkDenied(await ask('/admin/audit', { headers: bearer(token({ ...good, scope: 'admins administer' })) }), 403,
      /error="insufficient_scope", scope="admin"/, 'another scope');
  });

  const [header, claims, signature] = token(good).split('.');
  const attacks = {
    'alg none': `${base64url('{"alg":"none"}')}.${claims}.`,
    'alg None': `${base64url('{"alg":"None"}')}.${claims}.${signature}`,
    'alg none with a signature': token(good, { header: { alg: 'none' } }),
    'HS384': token(good, { header: { alg: 'HS384' }, hash: 'sha384' }),
    'HS512': token(good, { header: { alg: 'HS512' }, hash: 'sha512' }),
    'HS384 that says HS256': token(good, { hash: 'sha384' }),
    'RS256 signed with the secret': token(good, { header: { alg: 'RS256' } }),
    'no alg': token(good, { header: { typ: 'JWT' } }),
    'alg twice': token(good, { header: '{"alg":"none","alg":"HS256"}' }),
    'an array of algs': token(good, { header: { alg: ['HS256'] } }),
    'crit': token(good, { header: { alg: 'HS256', crit: ['exp'] } }),
    'another key': token(good, { secret: 'another-secret-of-more-than-32-bytes' }),
    'an empty key': token(good, { secret: '' }),
    'a key of its own': token(good, { header: { alg: 'HS256', jwk: { kty: 'oct', k: base64url('attacker') } }, secret: 'attacker' }),
    'no signature': `${header}.${claims}.`,
    'two parts': `${header}.${claims}`,
    'four parts': `${header}.${claims}.${signature}.${signature}`,
    'other claims': `${header}.${base64url('{"scope":"admin","sub":"eve"}')}.${signature}`,
    'padding': `${header}.${claims}.${signature}=`,
    'expired': token({ ...good, exp: now - 1 }),
    'exp as text': token({ ...good, exp: String(now + 600) }),
    'not yet': token({ ...good, nbf: now + 600 }),
    'scope twice': token('{"scope":"","sub":"kim","scope":"admin"}'),
    'sub twice': token('{"scope":"admin","sub":"kim","sub":"eve"}'),
    'scope as a list': token({ ...good, scope: ['admin'] }),
    'claims that are no object': token('["admin"]'),
    'claims that are no JSON': token('admin'),
  };
  for (const [what, text] of Object.entries(attacks)) {
    test(`refused: ${what}`, async () => {
      checkDenied(await ask('/admin/audit', { headers: bearer(text) }), 401, /^Bearer realm="fluxora", error="invalid_token"/, what);
    });
  }

  test('a token of 200 KiB is refused before it is looked at', async () => {
    const { status } = parseResponse(await exchange(stack.server.port,
      `GET /admin/audit HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${'a'.repeat(200 * 1024)}\r\nConnection: close\r\n\r\n`));
    assert.equal(status, 431);
    assert.equal((await ask('/health')).status, 200);
  });

  test('credentials that are unclear are 400, another scheme is 401', async () => {
    const one = token(good);
    const raw = (fields) => exchange(stack.server.port, `GET /admin/audit HTTP/1.1\r\nHost: a\r\n${fields}Connection: close\r\n\r\n`).then(parseResponse);
    assert.equal((await raw(`Authorization: Bearer ${one}\r\nAuthorization: Bearer ${one}\r\n`)).status, 400);
    assert.equal((await raw(`Authorization: Bearer ${one}\r\nAuthorization: Basic dTpw\r\n`)).status, 400);
    assert.equal((await raw('X-API-Key: a\r\nx-api-key: b\r\n')).status, 400);
    for (const headers of [{ ...bearer(one), ...keyHeader('flx_x') }, { authorization: 'Bearer' }, { authorization: 'Bearer a b' }]) {
      checkDenied(await ask('/admin/audit', { headers }), 400, /error="invalid_request"/, JSON.stringify(headers));
    }
    for (const authorization of ['Basic dTpw', 'bearer2 x', one, 'Digest x']) {
      checkDenied(await ask('/admin/audit', { headers: { authorization } }), 401, /^Bearer realm="fluxora"$/, authorization);
    }
    checkDenied(await ask('/admin/audit'), 401, /^Bearer realm="fluxora"$/, 'nothing');
  });
});

describe('API keys', () => {
  test('over HTTP: made, shown once, used, listed, revoked', async () => {
    const { key, id, ...made } = await createKey(['admin'], { expiresAt: '2100-01-01T00:00:00Z' });
    assert.match(key, KEY);
    assert.equal(key.slice(4, 20), id);
    assert.deepEqual(made.scopes, ['admin']);
    assert.equal(made.expiresAt, '2100-01-01T00:00:00.000Z');
    assert.equal((await ask('/admin/audit', { headers: keyHeader(key) })).status, 200);

    const listed = await ask('/admin/api-keys', { headers: administrator() });
    const shown = listed.json.keys.find((entry) => entry.id === id);
    assert.equal(shown.name, 'made by a test');
    assert.equal(typeof shown.lastUsedAt, 'string');
    assert.equal(shown.key, undefined);
    assert.ok(!listed.text.includes(key.slice(21)));

    assert.equal((await ask(`/admin/api-keys/${id}`, { method: 'DELETE', headers: administrator() })).status, 204);
    checkDenied(await ask('/admin/audit', { headers: keyHeader(key) }), 401, /invalid_token/, 'revoked');
    assert.equal((await ask('/admin/api-keys/ffffffffffffffff', { method: 'DELETE', headers: administrator() })).status, 404);
  });

  test('on the command line: created, listed, replaced, revoked, in JSON', async () => {
    const { code, json, stderr } = await keysCommand('create', '--name', 'operator', '--scope', 'admin', '--scope', 'streams:write');
    assert.equal(code, 0, stderr);
    assert.match(json.key, KEY);
    assert.deepEqual(json.scopes, ['admin', 'streams:write']);
    assert.equal((await ask('/admin/audit', { headers: keyHeader(json.key) })).status, 200);

    const replaced = await keysCommand('create', '--name', 'operator', '--scope', 'admin', '--replace');
    assert.equal(replaced.json.id, json.id, 'the key keeps its id');
    assert.equal((await ask('/admin/audit', { headers: keyHeader(replaced.json.key) })).status, 200);
    checkDenied(await ask('/admin/audit', { headers: keyHeader(json.key) }), 401, /invalid_token/, 'the secret before');

    const list = await keysCommand('list');
    assert.equal(list.code, 0);
    assert.equal(list.json.keys.filter(({ name }) => name === 'operator').length, 1);
    assert.ok(!list.stdout.includes(replaced.json.key.slice(21)));

    const revoked = await keysCommand('revoke', json.id);
    assert.deepEqual([revoked.code, revoked.json], [0, { id: json.id, revoked: true }]);
    // This instance may remember it for five seconds.
    await waitFor(async () => (await ask('/admin/audit', { headers: keyHeader(replaced.json.key) })).status === 401,
      { what: 'the revoked key to be refused' });
  });

  test('on the command line: what is wrong is said, with exit code 1 or 2', async () => {
    assert.equal((await keysCommand('create', '--name', 'x', '--scope', 'root')).code, 2);
    assert.equal((await keysCommand('create', '--name', ' ', '--scope', 'admin')).code, 2);
    assert.equal((await keysCommand('revoke', 'flx_nothing')).code, 2);
    const unknown = await keysCommand('revoke', 'ffffffffffffffff');
    assert.deepEqual([unknown.code, unknown.json.success], [1, false]);
    assert.equal((await runCommand(['keys', 'list'], {})).code, 2);
    const away = await runCommand(['keys', 'list'], { DATABASE_URL: 'postgres://nobody:planted-password@127.0.0.1:1/none' });
    assert.equal(away.code, 1);
    assert.equal(JSON.parse(away.stdout).message, "The database can't be reached.");
    assert.ok(!`${away.stdout}${away.stderr}`.includes('planted-password'));
    const help = await runCommand(['keys', '--help']);
    assert.equal(help.code, 0);
    assert.match(help.stdout, /create[\s\S]*list[\s\S]*revoke/);
  });

  test('a key revoked on one instance ends on another within seconds', async () => {
    const other = await ServerProcess.start({ ...serverEnvironment(stack.db, null), ...env });
    const { key, id } = await createKey(['admin']);
    assert.equal((await ask('/admin/audit', { headers: keyHeader(key), server: other })).status, 200);
    await ask(`/admin/api-keys/${id}`, { method: 'DELETE', headers: administrator() });
    await waitFor(async () => (await ask('/admin/audit', { headers: keyHeader(key), server: other })).status === 401,
      { what: 'the other instance to refuse the key' });
    await other.end();
  });

  test('the database holds no key, and its hash is of the secret alone', async () => {
    const { key, id } = await createKey(['admin']);
    const row = await stack.db.row("SELECT secret_hash = sha256(convert_to($2, 'UTF8')) AS same FROM api_keys WHERE id = $1", [id, key.slice(21)]);
    assert.equal(row.same, true);
  });
});

describe('scopes', () => {
  const routes = [
    ['streams:write', 'POST', '/api/streams'],
    ['streams:write', 'PATCH', '/api/streams/api-0190163d-8694-739b-aea5-966c26f8ad91'],
    ['streams:write', 'DELETE', '/api/streams/api-0190163d-8694-739b-aea5-966c26f8ad91'],
    ['admin', 'GET', '/admin/api-keys'],
    ['admin', 'POST', '/admin/api-keys'],
    ['admin', 'DELETE', '/admin/api-keys/ffffffffffffffff'],
    ['admin', 'GET', '/admin/audit'],
    ['admin', 'GET', '/admin/replay'],
    ['admin', 'POST', '/admin/replay'],
    ['admin', 'POST', '/admin/replay/1/pause'],
    ['admin', 'POST', '/admin/replay/1/resume'],
    ['admin', 'DELETE', '/admin/replay/1'],
    ['admin', 'GET', '/admin/indexer'],
    ['admin', 'POST', '/admin/indexer/alarms/1/acknowledge'],
    ['admin', 'GET', '/admin/reconciliation'],
    ['webhooks:manage', 'GET', '/api/webhooks/endpoints'],
    ['webhooks:manage', 'POST', '/api/webhooks/endpoints'],
    ['webhooks:manage', 'GET', '/api/webhooks/endpoints/1'],
    ['webhooks:manage', 'PATCH', '/api/webhooks/endpoints/1'],
    ['webhooks:manage', 'DELETE', '/api/webhooks/endpoints/1'],
    ['webhooks:manage', 'POST', '/api/webhooks/endpoints/1/rotate-secret'],
    ['webhooks:manage', 'POST', '/api/webhooks/endpoints/1/test'],
    ['webhooks:manage', 'GET', '/api/webhooks/endpoints/1/deliveries'],
    ['webhooks:manage', 'GET', '/api/webhooks/deliveries/wt_1_1'],
    ['webhooks:manage', 'POST', '/api/webhooks/deliveries/wt_1_1/redeliver'],
    ['webhooks:manage', 'GET', '/api/webhooks/replay'],
    ['webhooks:manage', 'POST', '/api/webhooks/replay'],
    ['webhooks:manage', 'GET', '/api/webhooks/replay/1'],
    ['webhooks:manage', 'DELETE', '/api/webhooks/replay/1'],
    ['webhooks:manage', 'POST', '/api/webhooks/replay/1/pause'],
    ['webhooks:manage', 'POST', '/api/webhooks/replay/1/resume'],
    ['admin', 'GET', '/admin/webhooks/dead-letters'],
    ['admin', 'POST', '/admin/webhooks/dead-letters/redeliver'],
  ];
  for (const [needed, method, path] of routes) {
    test(`${method} ${path} needs ${needed}`, async () => {
      const body = ['POST', 'PATCH'].includes(method) ? '{}' : undefined;
      checkDenied(await ask(path, { method, body }), 401, /^Bearer realm="fluxora"$/, 'nobody');
      for (const scope of SCOPES) {
        const { key } = await createKey([scope]);
        for (const headers of [keyHeader(key), bearer(token({ scope }))]) {
          const answer = await ask(path, { method, body, headers });
          if (scope === needed) assert.ok(![401, 403].includes(answer.status), `${scope}: ${answer.text}`);
          else checkDenied(answer, 403, new RegExp(`insufficient_scope", scope="${needed}"`), scope);
        }
      }
    });
  }

  test('reads are public', async () => {
    const open = ['/', '/health', '/health/live', '/health/ready', '/metrics', '/openapi.json', '/docs',
      '/api/streams', '/api/streams/export', '/api/events', `/api/accounts/${TERMS.sender}`, `/api/accounts/${TERMS.sender}/statement`];
    for (const path of open) assert.equal((await ask(path)).status, 200, path);
    // Of a stream that isn't there, or with no chain to ask: let in, and told so.
    const stream = '/api/streams/api-0190163d-8694-739b-aea5-966c26f8ad91';
    for (const path of [stream, `${stream}/events`, `${stream}/schedule`, `${stream}/proof`]) {
      assert.ok([404, 503].includes((await ask(path)).status), path);
    }
    const looked = await ask('/api/streams/lookup', { method: 'POST', body: '{"ids":["api-0190163d-8694-739b-aea5-966c26f8ad91"]}' });
    assert.equal(looked.status, 200, looked.text);
  });

  test('where writes are public a bad credential is noticed all the same', async () => {
    const open = await ServerProcess.start({ ...serverEnvironment(stack.db, null), ...env, AUTH_REQUIRED: 'false' });
    const post = (headers) => ask('/api/streams', { method: 'POST', body: '{}', headers, server: open });
    assert.equal((await post({})).status, 400, 'nobody may write, and sends no stream');
    assert.equal((await post(bearer('a.b.c'))).status, 401);
    assert.equal((await post(keyHeader('flx_no'))).status, 401);
    assert.equal((await post(bearer(token({ scope: 'streams:write' })))).status, 400);
    assert.equal((await ask('/admin/audit', { server: open })).status, 401, 'administration is never public');
    await open.end();
  });
});

describe('rate limits', () => {
  const post = (options) => ask('/admin/api-keys', { method: 'POST', body: '{}', ...options });

  test('count a caller down, refuse with Retry-After, and let others be', async () => {
    const headers = bearer(token({ sub: 'busy', scope: 'admin' }));
    for (const left of [4, 3, 2, 1, 0]) {
      const answer = await post({ headers });
      assert.equal(answer.status, 400);
      assert.equal(answer.headers['ratelimit-limit'], '5');
      assert.equal(answer.headers['ratelimit-remaining'], String(left));
      assert.match(String(answer.headers['ratelimit-reset']), /^([1-9]|10)$/);
      assert.equal(answer.headers['ratelimit-policy'], '5;w=10');
    }
    const refused = await post({ headers });
    assert.equal(refused.status, 429);
    assert.equal(refused.json.error, 'TOO_MANY_REQUESTS');
    assert.match(String(refused.headers['retry-after']), /^([1-9]|10)$/);
    assert.equal((await post({ headers: bearer(token({ sub: 'calm', scope: 'admin' })) })).status, 400);
    const read = await ask('/admin/audit', { headers });
    assert.equal(read.status, 200, 'reads are not counted');
    assert.equal(read.headers['ratelimit-limit'], undefined);
  });

  test('bad credentials are counted by address, which is the proxy\'s word', async () => {
    const guess = (as) => ask('/admin/audit', { headers: keyHeader(`flx_0123456789abcdef_${'x'.repeat(43)}`), as });
    for (let i = 0; i < 5; i += 1) assert.equal((await guess('203.0.113.7')).status, 401);
    assert.equal((await guess('203.0.113.7')).status, 429);
    assert.equal((await guess('8.8.8.8, 203.0.113.7')).status, 429, 'a client can\'t choose its address');
    assert.equal((await guess('203.0.113.8')).status, 401);
    assert.equal((await guess('2001:db8:0:1::1')).status, 401);
  });

  test('a proxy that isn\'t trusted is a client like any other', async () => {
    const plain = await ServerProcess.start({ ...serverEnvironment(stack.db, null), JWT_SECRET: SECRET });
    await ask('/health', { server: plain, as: '203.0.113.9' });
    const line = await plain.waitForLog(({ event, path }) => event === 'request' && path === '/health', 'the request');
    assert.equal(line.ip, '127.0.0.1');
    await plain.end();
    await ask('/health?proxied', { as: '203.0.113.9' });
    await stack.server.waitForLog(({ event, ip }) => event === 'request' && ip === '203.0.113.9', 'the client\'s address');
  });
});

describe('the log of requests', () => {
  const line = (id) => stack.server.waitForLog(({ event, requestId }) => event === 'request' && requestId === id, `the line of ${id}`);

  test('has the filters of a read, and nothing else of its query', async () => {
    const headers = { 'x-request-id': 'filtered' };
    const key = `flx_0123456789abcdef_${'s'.repeat(43)}`;
    await ask(`/api/streams?status=active&limit=5&sender=${key}&recipient=some%20words&cursor=secret`, { headers });
    const logged = await line('filtered');
    assert.deepEqual(logged.filters, { status: 'active', sender: 'flx_', limit: '5' });
    assert.ok(!JSON.stringify(logged).includes('secret') && !JSON.stringify(logged).includes('words'));
    await ask('/api/streams?cursor=secret', { headers: { 'x-request-id': 'unfiltered' } });
    assert.equal('filters' in await line('unfiltered'), false);
  });

  test('has a request whose client left, and /metrics counts it apart', async () => {
    const socket = connect(stack.server.port, '127.0.0.1');
    socket.write('POST /api/streams HTTP/1.1\r\nHost: a\r\nX-Request-Id: left\r\nContent-Length: 9\r\n\r\nhalf', () => socket.end());
    const logged = await line('left');
    assert.equal(logged.aborted, true);
    assert.equal('status' in logged, false);
    assert.match((await ask('/metrics')).text, /^fluxora_http_requests_total\{method="POST",route="[^"]*",status="aborted"\} 1$/m);
  });
});

describe('CORS', () => {
  const preflight = (path, origin, method = 'POST') => ask(path, {
    method: 'OPTIONS', headers: { origin, 'access-control-request-method': method, 'access-control-request-headers': 'content-type' },
  });

  test('a known origin\'s preflight is told what it may', async () => {
    const answer = await preflight('/api/streams', ORIGIN);
    assert.equal(answer.status, 204);
    assert.equal(answer.headers['access-control-allow-origin'], ORIGIN);
    assert.match(String(answer.headers['access-control-allow-methods']), /GET.*POST/);
    for (const name of ['authorization', 'content-type', 'idempotency-key', 'if-match', 'x-api-key']) {
      assert.ok(String(answer.headers['access-control-allow-headers']).toLowerCase().split(', ').includes(name), name);
    }
    assert.match(String(answer.headers['access-control-max-age']), /^\d+$/);
    assert.match(String(answer.headers.vary), /Origin/);
    assert.equal(answer.headers['access-control-allow-credentials'], undefined);
  });

  test('every answer can be read by a known origin, errors included', async () => {
    const headers = { origin: ORIGIN };
    const answers = {
      good: await ask('/api/streams', { headers }),
      400: await ask('/api/streams?x=1', { headers }),
      401: await ask('/admin/audit', { headers }),
      404: await ask('/nothing', { headers }),
      405: await ask('/api/events', { headers, method: 'PUT' }),
      413: await ask('/api/streams', { headers, method: 'POST', body: 'x'.repeat(300 * 1024) }).catch(() => null),
      426: await ask('/ws/streams', { headers }),
    };
    for (const [what, answer] of Object.entries(answers)) {
      if (answer === null) continue;  // the connection was cut while the body was still being sent
      assert.equal(answer.headers['access-control-allow-origin'], ORIGIN, what);
      assert.match(String(answer.headers['access-control-expose-headers']), /X-Request-Id/, what);
      assert.match(String(answer.headers.vary), /Origin/, what);
    }
  });

  test('others get none of it', async () => {
    for (const origin of ['https://evil.example', 'null', '*', `${ORIGIN}.evil.example`, `${ORIGIN}:8443`, 'http://app.example']) {
      for (const answer of [await preflight('/api/streams', origin), await ask('/api/streams', { headers: { origin } })]) {
        const named = Object.keys(answer.headers).filter((name) => name.startsWith('access-control-'));
        assert.deepEqual(named, [], origin);
        assert.match(String(answer.headers.vary), /Origin/, origin);
      }
    }
  });

  test('by default there is none', async () => {
    const plain = await ServerProcess.start({ ...serverEnvironment(stack.db, null) });
    const answer = await ask('/api/streams', { server: plain, headers: { origin: ORIGIN } });
    assert.deepEqual(Object.keys(answer.headers).filter((name) => name.startsWith('access-control-')), []);
    await plain.end();
  });
});

describe('the audit log', () => {
  test('says who did what to keys, and who was denied', async () => {
    const { id } = await createKey(['streams:write'], { as: 'kim' });
    await ask(`/admin/api-keys/${id}`, { method: 'DELETE', headers: administrator() });
    // Denials are recorded up to 100 a minute, which the tests before this one may have used up: a server with its own count.
    const own = await ServerProcess.start({ ...serverEnvironment(stack.db, null), ...env });
    await ask('/admin/api-keys', { as: '203.0.113.77', server: own });
    const read = async (query) => (await ask(`/admin/audit?${query}`, { headers: administrator() })).json;
    const [revoked, created] = (await read(`target=${id}`)).entries;
    assert.deepEqual([created.action, created.actor, revoked.action], ['key.create', 'jwt:kim', 'key.revoke']);
    assert.ok(created.requestId && created.address && Date.parse(created.at) > 0);
    const denied = await waitFor(async () => (await read('action=access.denied&actor=address:203.0.113.77')).entries[0], { what: 'the denial' });
    assert.deepEqual([denied.target, denied.detail], ['GET /admin/api-keys', { status: 401 }]);
    assert.ok((await read('actor=command')).entries.length > 0);
    await own.end();

    const all = [];
    let cursor = '';
    for (let page = await read('limit=3'); ; page = await read(`limit=3&cursor=${cursor}`)) {
      all.push(...page.entries.map(({ position }) => position));
      if (!page.has_more) break;
      cursor = page.next_cursor;
    }
    assert.deepEqual(all, [...new Set(all)].sort((a, b) => b - a), 'newest first, each once');
    assert.ok(all.length > 3);
  });

  test('says who changed which stream, and nothing of what changed none', async () => {
    const open = await ServerProcess.start({ ...serverEnvironment(stack.db, null), ...env, AUTH_REQUIRED: 'false', WRITE_RATE_LIMIT: '0' });
    const { key, id: keyId } = await createKey(['streams:write']);
    const callers = [
      { credentials: keyHeader(key), as: '203.0.113.80', actor: `key:${keyId}` },
      { credentials: bearer(token({ sub: 'kim', scope: 'streams:write' })), as: '203.0.113.81', actor: 'jwt:kim' },
      { credentials: {}, as: '203.0.113.82', actor: 'address:203.0.113.82' },
    ];
    for (const { credentials, as, actor } of callers) {
      const write = async (status, method, path, body, headers = {}) => {
        const text = body && JSON.stringify(body);
        const answer = await ask(path, { method, body: text, headers: { ...credentials, ...headers }, as, server: open });
        assert.equal(answer.status, status, answer.text);
        return answer;
      };
      const once = { 'idempotency-key': 'once' };
      const created = await write(201, 'POST', '/api/streams', TERMS, once);
      const path = `/api/streams/${created.json.id}`;
      const replayed = await write(201, 'POST', '/api/streams', TERMS, once);
      assert.equal(replayed.headers['idempotency-replayed'], 'true');
      await write(422, 'POST', '/api/streams', { ...TERMS, depositAmount: '7' }, once);
      const paused = await write(200, 'PATCH', path, { status: 'paused' });
      await write(200, 'PATCH', path, { status: 'paused' });
      await write(412, 'DELETE', path, undefined, { 'if-match': String(created.headers.etag) });
      const resumed = await write(200, 'PATCH', path, { status: 'active' });
      const cancelled = await write(200, 'DELETE', path);
      await write(409, 'DELETE', path);

      const changes = { 'stream.create': created, 'stream.pause': paused, 'stream.resume': resumed, 'stream.cancel': cancelled };
      const expected = Object.entries(changes).map(([action, answer]) => (
        { actor, action, target: created.json.id, address: as, requestId: answer.headers['x-request-id'], detail: { seq: answer.json.version } }
      ));
      for (const query of [`target=${created.json.id}`, `actor=${actor}&target=${created.json.id}`]) {
        const { entries } = (await ask(`/admin/audit?${query}`, { headers: administrator() })).json;
        assert.deepEqual(entries.map(({ position, at, ...record }) => record).reverse(), expected);
      }
    }
    await open.end();
  });

  test('can only grow', async () => {
    for (const change of ["UPDATE audit_log SET actor = 'nobody'", 'DELETE FROM audit_log', 'TRUNCATE audit_log']) {
      await assert.rejects(stack.db.rows(change), /append-only/, change);
    }
  });

  test('shows the chain\'s changes by reference to the log', async () => {
    const chained = await startStack({ simulator: { seed: 'audit', streams: 5 }, server: { env: { JWT_SECRET: SECRET } } });
    chained.runScenario(3, { actionsPerLedger: 3 });
    await chained.settle();
    const log = await chained.allEvents();
    const { json } = await ask('/admin/audit?source=chain&limit=100', { headers: administrator(), server: chained.server });
    assert.deepEqual(json.entries.map(({ position, action, target, detail }) => [position, action, target, detail.seq]).reverse(),
      log.slice(-100).map(({ seq, event, streamId }) => [seq, event, streamId ?? null, seq]));
    assert.equal((await chained.db.row('SELECT count(*)::int AS n FROM audit_log')).n, 0);
    await chained.stop();
  });
});

describe('the settings', () => {
  const refused = async (changes, says) => {
    const { code, stderr, stdout } = await runCommand(['check-config'], { DATABASE_URL: stack.db.url, ...changes });
    assert.equal(code, 2);
    assert.match(stderr, says);
    for (const value of Object.values(changes)) if (value.includes('planted')) assert.ok(!`${stderr}${stdout}`.includes(value));
  };
  test('are checked at the start, without repeating a secret', async () => {
    await refused({ JWT_SECRET: 'planted-but-too-short' }, /JWT_SECRET must have at least 32 bytes/);
    await refused({ AUTH_REQUIRED: 'yes' }, /AUTH_REQUIRED must be true or false/);
    await refused({ CORS_ORIGINS: '*' }, /CORS_ORIGINS must be origins/);
    await refused({ TRUSTED_PROXIES: '10.0.0.1/8' }, /TRUSTED_PROXIES must be/);
  });
  test('public writes beyond loopback are warned of', async () => {
    const open = await ServerProcess.start({ ...serverEnvironment(stack.db, null), HOST: '0.0.0.0' });
    await open.waitForLog(({ event, level }) => event === 'public_writes' && level === 'warn', 'the warning');
    await open.end();
    const closed = await ServerProcess.start({ ...serverEnvironment(stack.db, null), HOST: '0.0.0.0', AUTH_REQUIRED: 'true' });
    assert.ok(!closed.logs.some(({ event }) => event === 'public_writes'));
    await closed.end();
  });
});

// Last: whatever was used above is looked for everywhere.
test('no secret is in a log, an answer to others, or the database', async () => {
  const { key } = await createKey(['admin']);
  // Mistakes that people make: a key in a path, in a query, as a request id's neighbour.
  for (const path of [`/admin/api-keys/${key}`, `/api/streams/${key}`, `/api/streams?key=${key}`, `/${key}`]) {
    await ask(path, { headers: administrator() });
    await ask(path, { method: 'DELETE', headers: administrator() });
  }
  const metrics = (await ask('/metrics')).text;
  const { rows: tables } = await stack.db.cluster.query(stack.db.name, "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'");
  const dump = [];
  for (const { name } of tables) dump.push(...(await stack.db.rows(`SELECT t::text AS row FROM ${name} t`)).map(({ row }) => row));
  const { stdout: help } = await runCommand(['--help'], { DATABASE_URL: stack.db.url, ...env });
  await stack.stop();
  const places = { log: String(stack.server.stdout) + stack.server.logs.map((line) => JSON.stringify(line)).join('\n'), stderr: String(stack.server.stderr), metrics, database: dump.join('\n'), help };
  assert.ok(dump.length > 10 && places.log.length > 10_000);
  for (const secret of planted) {
    // Of a key the secret part is looked for, of a token its signature.
    const part = secret.startsWith('flx_') ? secret.slice(21) : secret.includes('.') ? secret.split('.')[2] : secret;
    for (const [place, text] of Object.entries(places)) assert.ok(!text.includes(part), `${secret} is in the ${place}`);
  }
});
