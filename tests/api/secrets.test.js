// Secrets are planted wherever people put them, on purpose and by mistake; then everything that comes out is searched.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, createHmac, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { TERMS } from '../integration/harness/api_streams.js';
import { request } from '../integration/harness/http_client.js';
import { exchange } from '../integration/harness/raw_http.js';
import { PostgresCluster } from '../integration/harness/postgres_cluster.js';
import { runCommand } from '../integration/harness/server_process.js';
import { startStack } from '../integration/harness/stack.js';
import { waitFor } from '../integration/harness/wait.js';

const plant = (what) => `planted-${what}-${randomBytes(16).toString('hex')}`;
const JWT_SECRET = plant('jwt-secret');
const DB_PASSWORD = plant('database-password');
const RPC_PASSWORD = plant('rpc-key');
const COLLECTOR = plant('collector-token');
const BASIC = Buffer.from(`user:${plant('basic')}`).toString('base64');

/** Secret → the part of it that nobody else's text can hold. @type {Map<string, string>} */
const secrets = new Map([
  ['JWT_SECRET', JWT_SECRET],
  ['the database password', DB_PASSWORD],
  ['the RPC key', RPC_PASSWORD],
  ['the collector token', COLLECTOR],
  ['a password of HTTP basic', BASIC],
]);
/** What came out, by where. @type {Map<string, string>} */
const places = new Map();

/** @type {PostgresCluster} */
let cluster;
/** @type {import('../integration/harness/stack.js').Stack} */
let stack;
/** @type {string[]} */
const keys = [];

/** Of a key its secret part, of a token its signature: the rest is no secret. */
function keepKey(key) {
  keys.push(key);
  secrets.set(`API key ${keys.length}`, key.slice(21));
  return key;
}

function token(claims) {
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const input = `${encode({ alg: 'HS256' })}.${encode(claims)}`;
  const signature = createHmac('sha256', JWT_SECRET).update(input).digest('base64url');
  secrets.set(`token ${secrets.size}`, signature);
  return `${input}.${signature}`;
}

const collect = (place, text) => places.set(place, (places.get(place) ?? '') + text);

/**
 * One request, whose answer is kept, headers and all but the client's own X-Request-Id. `shows`: its answer is the only
 * place where a secret may be.
 */
async function ask(path, { method = 'GET', headers = {}, body, shows = false } = {}) {
  const type = body === undefined ? {} : { 'content-type': 'application/json' };
  const answer = await request(stack.baseUrl + path, { method, headers: { ...type, ...headers }, body });
  const { 'x-request-id': _, ...kept } = answer.headers;
  if (!shows) collect('answers', `${JSON.stringify(kept)}\n${answer.text}\n`);
  return answer;
}

const bearer = (text) => ({ authorization: `Bearer ${text}` });
const admin = () => bearer(token({ sub: 'operator', scope: 'admin streams:write' }));

/** Takes what is exported. Its credential comes in a header, where it belongs. */
const collector = createServer((incoming, outgoing) => {
  incoming.setEncoding('utf8').on('data', (text) => collect('exported spans', text));
  incoming.on('end', () => outgoing.setHeader('content-type', 'application/json').end('{}'));
});

before(async () => {
  await once(collector.listen(0, '127.0.0.1'), 'listening');
  cluster = await PostgresCluster.start({ fsync: false });
  stack = await startStack({
    cluster,
    simulator: { seed: 'secrets', streams: 3 },
    server: {
      env: {
        LOG_LEVEL: 'debug',
        AUTH_REQUIRED: 'true',
        JWT_SECRET,
        WRITE_RATE_LIMIT: '0',
        CORS_ORIGINS: 'https://app.example',
        OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${collector.address().port}`,
        OTEL_EXPORTER_OTLP_HEADERS: `authorization=${COLLECTOR}`,
      },
    },
  });
  await stack.db.rows(`CREATE ROLE planted LOGIN SUPERUSER PASSWORD '${DB_PASSWORD}'`);
  const url = new URL(stack.db.url);
  url.username = 'planted';
  url.password = DB_PASSWORD;
  // A provider's key in the RPC's address; the simulator answers at every path.
  await stack.server.restart({
    DATABASE_URL: String(url),
    STELLAR_RPC_URL: `${stack.sim.url.replace(/\/$/, '')}/${RPC_PASSWORD}?key=${RPC_PASSWORD}`,
  });
  stack.runScenario(2, { actionsPerLedger: 3 });
  stack.sim.closeLedger();
});

/** Everything that there is to ask, with a credential of each kind, where it belongs and where it doesn't. */
async function makeNoise() {
  const made = await ask('/admin/api-keys', {
    method: 'POST',
    headers: admin(),
    body: JSON.stringify({ name: 'partner', scopes: ['streams:write'] }),
    shows: true,
  });
  assert.equal(made.status, 201, made.text);
  const key = keepKey(made.json.key);
  const command = await runCommand(['keys', 'create', '--name', 'operator', '--scope', 'admin'], {
    DATABASE_URL: stack.server.env.DATABASE_URL,
  });
  const operator = keepKey(JSON.parse(command.stdout).key);
  collect('stderr of commands', command.stderr);

  // First of all, since denials are recorded up to a number: a key as a request's id, which logs and records show.
  await ask('/admin/audit', { headers: { 'x-request-id': key } });
  await ask('/api/streams', {
    method: 'POST',
    headers: { 'x-api-key': key, 'x-request-id': key },
    body: JSON.stringify(TERMS),
  });

  const { json: stream } = await ask('/api/streams', {
    method: 'POST',
    headers: { 'x-api-key': key },
    body: JSON.stringify(TERMS),
  });
  for (const credentials of [
    { 'x-api-key': key },
    { 'x-api-key': operator },
    admin(),
    bearer(token({ scope: '', exp: 1 })),
    bearer(`${key}.a.b`),
    { authorization: `Basic ${BASIC}` },
    { authorization: key },
    { 'x-api-key': JWT_SECRET },
    { 'x-api-key': `${key}x` },
    { ...admin(), 'x-api-key': key },
  ]) {
    for (const path of [
      '/',
      '/health',
      '/health/ready',
      '/metrics',
      '/openapi.json',
      '/docs',
      '/api/streams',
      `/api/streams/${stream.id}`,
      '/api/events',
      `/api/streams/${stack.streamId(0)}/proof`,
      '/api/streams/export',
      '/admin/api-keys',
      '/admin/audit',
      '/ws/streams',
      '/nothing',
    ]) {
      await ask(path, { headers: credentials });
    }
    await ask(`/api/streams/${stream.id}`, { method: 'PATCH', headers: credentials, body: '{"status":"paused"}' });
    await ask('/api/streams', { method: 'POST', headers: credentials, body: '{"sender":' });
  }

  // Mistakes: in a path, in a query, in headers that are for something else, in a body.
  for (const [path, headers] of [
    [`/${key}`, {}],
    [`/${token({ scope: 'admin' })}`, {}],
    [`/api/streams/${token({ scope: 'admin' })}/events`, {}],
    [`/admin/api-keys/${token({ scope: 'admin' })}`, admin()],
    [`/api/streams?token=${token({})}&${token({})}=1&status=${token({})}&limit=${token({})}`, {}],
    [`/api/events?streamId=${token({})}&event=${key}&${key}=1`, {}],
    [`/api/streams/${key}`, {}],
    [`/admin/api-keys/${key}`, admin()],
    [`/api/streams?key=${key}`, {}],
    [`/api/streams?api_key=${key}&cursor=${key}&status=${key}&sender=${key}`, {}],
    ['/api/streams', { 'x-request-id': key }],
    ['/admin/audit', { 'x-request-id': key }],
    [
      '/api/streams',
      {
        'user-agent': key,
        referer: `https://a.example/?${key}`,
        cookie: `key=${key}`,
        origin: `https://${key}.example`,
      },
    ],
    [
      '/api/streams',
      {
        'x-forwarded-for': key,
        'if-none-match': key,
        'x-fluxora-min-version': key,
        accept: key,
        traceparent: key,
        tracestate: `a=${key}`,
      },
    ],
    ['/api/events', { 'last-event-id': key }],
  ]) {
    for (const method of ['GET', 'DELETE', 'OPTIONS', 'POST']) await ask(path, { method, headers });
  }
  for (const body of [
    key,
    `{"${key}":1}`,
    `{"sender":"${key}","recipient":"${key}","depositAmount":"${key}","ratePerSecond":"${key}"}`,
    `{"name":"${key}","scopes":["${key}"]}`,
  ]) {
    await ask('/api/streams', { method: 'POST', headers: admin(), body });
    await ask('/admin/api-keys', {
      method: 'POST',
      headers: admin(),
      body: body.replace('name', 'title'),
    });
  }
  for (const bytes of [
    `${key}\r\n\r\n`,
    `GET /${key} HTTP/9.9\r\n\r\n`,
    `${key} /api/streams HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
    `${token({ scope: 'admin' })} / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
    `GET / HTTP/1.1\r\nHost: a\r\nX-API-Key: ${key}\r\nX-API-Key: ${operator}\r\n\r\n`,
    `GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token({ scope: 'admin' })}\r\nContent-Length: x\r\n\r\n`,
  ]) {
    collect('answers', await exchange(stack.server.port, bytes));
  }

  // Trouble: the RPC and the database go away while they are used.
  for (const kind of ['http', 'rpcError', 'reset', 'garbage']) stack.sim.faults.add({ kind, count: 2 });
  for (let i = 0; i < 4; i += 1) await ask(`/api/streams/${stack.streamId(0)}/proof`);
  stack.sim.faults.clear();
  await cluster.stop('immediate');
  for (const path of ['/api/streams', '/health', '/admin/api-keys', '/admin/audit', '/metrics'])
    await ask(path, { headers: { 'x-api-key': operator } });
  await ask('/api/streams', { method: 'POST', headers: { 'x-api-key': key }, body: JSON.stringify(TERMS) });
  await cluster.start();
  await waitFor(async () => (await request(`${stack.baseUrl}/health/ready`)).status === 200, {
    what: 'the database again',
  });
}

/** Commands and starts that go wrong, each over a secret. */
async function failToStart() {
  const { env } = stack.server;
  const url = String(env.DATABASE_URL);
  const attempts = [
    [['check-config'], env],
    [['--help'], env],
    [['version'], env],
    [['nonsense', JWT_SECRET.slice(0, 7)], env],
    [['check-config'], { ...env, JWT_SECRET: JWT_SECRET.slice(0, 20) }],
    [['serve'], { ...env, PORT: 'x', CORS_ORIGINS: '*', AUTH_REQUIRED: 'perhaps' }],
    [['serve'], { ...env, DATABASE_URL: url.replace(/:\d+\//, ':1/') }],
    [['serve'], { ...env, DATABASE_URL: url.replace('planted:', 'nobody:') }],
    [['serve'], { ...env, DATABASE_URL: url.replace(/\/[^/]*$/, '/nowhere') }],
    [['serve'], { ...env, DATABASE_URL: `${url}?nonsense=${DB_PASSWORD}` }],
    [['serve'], { ...env, DATABASE_URL: url.replace('@', '@@[') }],
    [['serve'], { ...env, DATABASE_URL: url.replace('postgres:', 'mysql:') }],
    [['serve'], { ...env, STELLAR_RPC_URL: `http://user:${RPC_PASSWORD}@127.0.0.1/` }],
    [['serve'], { ...env, STELLAR_RPC_URL: `ftp://${RPC_PASSWORD}` }],
    [['serve'], { ...env, OTEL_EXPORTER_OTLP_HEADERS: `no pair ${COLLECTOR}`, PORT: 'x' }],
    [['migrate'], { ...env, DATABASE_URL: url.replace('planted:', 'nobody:') }],
    [['keys', 'list'], { ...env, DATABASE_URL: url.replace(/:\d+\//, ':1/') }],
    [['keys', 'revoke', keys[0]], env],
  ];
  let failed = 0;
  for (const [args, environment] of attempts) {
    const { code, stdout, stderr } = await runCommand(args, environment);
    if (code !== 0) failed += 1;
    collect(`output of ${args[0]}`, `${stdout}\n${stderr}\n`);
  }
  assert.ok(failed >= 12, `only ${failed} of ${attempts.length} failed`);
}

/** What `pg_dump` writes of the database. */
function dump() {
  return execFileSync(
    join(cluster.programs, 'pg_dump'),
    ['--host', cluster.directory, '--port', String(cluster.port), '--username', 'planted', stack.db.name],
    {
      env: { ...process.env, PGPASSWORD: DB_PASSWORD },
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    },
  );
}

test('a dump of the database holds hashes of keys, and nothing else of them', async () => {
  await makeNoise();
  const text = dump();
  collect('the dump', text);
  assert.ok(text.length > 20_000 && text.includes('audit_log'));
  for (const key of keys) {
    assert.ok(text.includes(createHash('sha256').update(key.slice(21)).digest('hex')), 'the hash');
    assert.ok(text.includes(key.slice(4, 20)), 'the id');
  }
});

test('nothing that comes out of the server holds one', async () => {
  await failToStart();
  collect('the command line', readFileSync(`/proc/${stack.server.process?.pid}/cmdline`, 'utf8'));
  collect("PostgreSQL's log", String(cluster.output));
  await stack.stop();
  collect('the log', String(stack.server.stdout) + stack.server.logs.map((line) => JSON.stringify(line)).join('\n'));
  collect('stderr', String(stack.server.stderr));
  await cluster.end();
  collector.closeAllConnections();
  collector.close();

  assert.ok(stack.server.logs.length > 200, `only ${stack.server.logs.length} lines`);
  assert.ok((places.get('answers') ?? '').length > 100_000, 'the answers are there');
  assert.ok((places.get('exported spans') ?? '').length > 10_000, 'the spans are there');
  const found = [];
  for (const [place, text] of places) {
    for (const [what, secret] of secrets)
      if (text.includes(secret)) found.push(`${what} is in ${place}: ${around(text, secret)}`);
  }
  console.log(
    `secrets: ${secrets.size} searched for in ${places.size} places, ${[...places.values()].join('').length} bytes`,
  );
  assert.deepEqual(found, []);
});

/** Where it was found, without what was found. */
function around(text, secret) {
  const at = text.indexOf(secret);
  return `${text.slice(Math.max(0, at - 120), at)}…${text.slice(at + secret.length, at + secret.length + 60)}`;
}
