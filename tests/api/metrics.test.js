// GET /metrics of a live server: its format, its meaning, its bounds, and that the documentation names all of it.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { create } from '../integration/harness/api_streams.js';
import { request } from '../integration/harness/http_client.js';
import { checkSecurityHeaders } from '../integration/harness/security_headers.js';
import { PROJECT_ROOT, ServerProcess } from '../integration/harness/server_process.js';
import { newDatabase, serverEnvironment, startStack } from '../integration/harness/stack.js';
import { waitFor } from '../integration/harness/wait.js';
import { NodeReceiver } from '../webhooks/harness/node_receiver.js';
import { startWebhookStack } from '../webhooks/harness/webhook_server.js';
import { readPrometheusText, sampleValue } from './harness/prometheus_text.js';

const SECRET = 'planted-secret-of-the-collector';

describe('metrics', () => {
  /** @type {import('../integration/harness/stack.js').Stack} */
  let stack;
  before(async () => {
    stack = await startStack({
      server: {
        env: {
          HORIZON_URL: 'http://127.0.0.1:9',
          REDIS_URL: 'redis://127.0.0.1:9',
          OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9',
          OTEL_EXPORTER_OTLP_HEADERS: `x-token=${SECRET}`,
          SHUTDOWN_GRACE_MS: '2000',
        },
      },
    });
    stack.runScenario(20);
    await stack.settle();
  });
  after(() => stack.stop());

  const scrape = async () => readPrometheusText((await stack.request('/metrics')).text);
  /** Waits: an answer is counted a moment after its client has it. */
  const waitForValue = (name, labels, wanted) => waitFor(
    async () => sampleValue(await scrape(), name, labels) === wanted,
    { what: `${name}${JSON.stringify(labels)} to be ${wanted}`, describe: async () => (await stack.request('/metrics')).text },
  );

  test('are Prometheus text 0.0.4', async () => {
    const answer = await stack.request('/metrics');
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
    assert.equal(answer.headers['cache-control'], 'no-store');
    checkSecurityHeaders(answer.headers, 'GET /metrics');
    const families = readPrometheusText(answer.text);
    const [info] = families.get('fluxora_build_info')?.samples ?? [];
    assert.equal(info.value, 1);
    assert.equal(info.labels.version, (await stack.health()).version);
  });

  test('satisfy promtool', async (t) => {
    const { text } = await stack.request('/metrics');
    const { error, status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
    if (error) return t.skip('promtool is not installed');
    assert.equal(`${status}${stdout}${stderr}`, '0');
  });

  test('are those that docs/observability.md lists', async () => {
    await stack.request('/health/live');
    const told = [...readFileSync(join(PROJECT_ROOT, 'docs/observability.md'), 'utf8')
      .matchAll(/^\| `((?:fluxora|process)_\w+)` \| (\w+) \|/gm)].map(([, name, type]) => `${name} ${type}`);
    // No server has all: one reads the chain, another is sent its events.
    const db = await newDatabase({ cluster: stack.db.cluster });
    const contracts = { CONTRACT_IDS: String(stack.server.env.CONTRACT_IDS) };
    const taker = await ServerProcess.start({ ...serverEnvironment(db, null), ...contracts });
    const taken = readPrometheusText((await request(`${taker.baseUrl}/metrics`)).text);
    await taker.stop();
    const read = await scrape();
    const names = ({ name, type }) => `${name} ${type}`;
    const shown = new Set([...read.values(), ...taken.values()].map(names));
    assert.deepEqual(told.toSorted(), [...shown].toSorted());
    const only = (families, others) => [...families.keys()].filter((name) => !others.has(name));
    assert.ok(only(taken, read).length > 0 && only(taken, read).every((name) => name.startsWith('fluxora_intake_')));
    assert.ok(!taken.has('fluxora_indexer_alarm'));
  });

  test('count requests by method, route and status, and never by what a client chose', async () => {
    const before = await scrape();
    const paths = ['/api/streams/unknown-1', '/api/streams/unknown-2', '/no/such/path', '/another?with=query'];
    for (const path of paths) await stack.request(path);
    for (const method of ['BREW', 'STIR']) await stack.request('/api/streams', { method });
    const one = (method, route, status) => ({ method, route, status });
    const grown = async (labels, by) => waitForValue(
      'fluxora_http_requests_total', labels, sampleValue(before, 'fluxora_http_requests_total', labels) + by);
    await grown(one('GET', '/api/streams/{id}', '404'), 2);
    await grown(one('GET', 'unknown', '404'), 2);
    await grown(one('_OTHER', '/api/streams', '405'), 2);
    const { text } = await stack.request('/metrics');
    for (const word of ['unknown-1', 'no/such', 'BREW', 'STIR', SECRET]) assert.ok(!text.includes(word), word);
    const count = 'fluxora_http_request_duration_seconds_count';
    assert.equal(sampleValue(readPrometheusText(text), count, { route: '/api/streams/{id}' }),
      sampleValue(before, count, { route: '/api/streams/{id}' }) + 2);
  });

  test('see the request that asks', async () => {
    await waitForValue('fluxora_http_requests_in_flight', {}, 1);
  });

  test('follow WebSockets, subscriptions and replays', async () => {
    const replays = sampleValue(await scrape(), 'fluxora_feed_replays_total');
    const { epoch } = await stack.head();
    const client = await stack.openWebSocket();
    await client.subscribe({ streamId: '*', after: `${epoch}-0` });
    await client.subscribe({ streamId: stack.streamId(1) });
    await waitForValue('fluxora_websocket_connections', {}, 1);
    await waitForValue('fluxora_feed_subscriptions', {}, 2);
    await waitForValue('fluxora_feed_replays_total', {}, replays + 1);
    await waitForValue('fluxora_websocket_queued_messages', {}, 0);
    await waitForValue('fluxora_websocket_queued_bytes', {}, 0);
    const now = await scrape();
    assert.equal(sampleValue(now, 'fluxora_websocket_messages_received_total'), 2);
    assert.ok(sampleValue(now, 'fluxora_websocket_messages_sent_total') > 2);
    await client.close();
    await waitForValue('fluxora_websocket_connections', {}, 0);
    await waitForValue('fluxora_feed_subscriptions', {}, 0);
  });

  test('follow the log, the indexer and the database', async () => {
    const { seq } = await stack.head();
    const health = await stack.health();
    const now = await scrape();
    await waitForValue('fluxora_log_tail_seq', {}, seq);
    assert.equal(sampleValue(now, 'fluxora_indexer_last_ledger'), health.indexer.lastLedger);
    assert.equal(sampleValue(now, 'fluxora_indexer_chain_latest_ledger'), stack.sim.latest.sequence);
    assert.equal(sampleValue(now, 'fluxora_indexer_state', { state: 'healthy' }), 1);
    assert.equal(sampleValue(now, 'fluxora_indexer_state', { state: 'halted' }), 0);
    const [{ count }] = await stack.db.rows('SELECT count(*) FROM events');
    const observations = sampleValue(now, 'fluxora_observations_total');
    assert.ok(observations > 0);
    assert.equal(String(sampleValue(now, 'fluxora_indexer_events_total') + observations), count);
    assert.ok(sampleValue(now, 'fluxora_rpc_calls_total') > 0);
    assert.ok(sampleValue(now, 'fluxora_db_queries_total') > 0);
    assert.ok(sampleValue(now, 'process_resident_memory_bytes') > 0);
    assert.ok(sampleValue(now, 'process_open_fds') > 0);
  });

  test('count what was refused, and repeated creations', async () => {
    const before = await scrape();
    const grown = (name, labels, by) => waitForValue(name, labels, sampleValue(before, name, labels) + by);
    await stack.request('/admin/audit');
    await grown('fluxora_access_denied_total', { reason: 'credentials' }, 1);
    const key = { 'Idempotency-Key': 'metrics-1' };
    for (let i = 0; i < 2; i += 1) assert.equal((await create(stack.baseUrl, {}, key)).status, 201);
    await grown('fluxora_idempotency_repeats_total', { outcome: 'replayed' }, 1);
  });
});

describe('metrics of webhooks', () => {
  test('count attempts as the database has them, and show what there is', async () => {
    const receiver = await NodeReceiver.start();
    const stack = await startWebhookStack({ env: { WEBHOOK_RETRY_SCHEDULE: '1s' } });
    receiver.reply = ({ path }) => ({ status: { '/gone': 410, '/broken': 500 }[path] ?? 204 });
    const endpoints = {};
    for (const path of ['/well', '/gone', '/broken']) endpoints[path] = (await stack.webhooks.create({ url: receiver.url(path) })).id;
    for (let i = 0; i < 3; i += 1) await create(stack.baseUrl);
    for (const { id } of await stack.webhooks.deliveries(endpoints['/well'])) await stack.webhooks.reaches(id, 'delivered');
    for (const { id } of await stack.webhooks.deliveries(endpoints['/broken'])) await stack.webhooks.reaches(id, 'dead');
    const scrape = async () => readPrometheusText((await stack.request('/metrics')).text);
    const isThere = (name, labels, value) => waitFor(
      async () => sampleValue(await scrape(), name, labels) === value,
      { what: `${name} ${JSON.stringify(labels)} to be ${value}`, describe: async () => (await stack.request('/metrics')).text.match(/^fluxora_webhook.*$/gm) });
    await isThere('fluxora_webhook_endpoints_disabled_total', { reason: 'gone' }, 1);
    await isThere('fluxora_webhook_results_waiting', {}, 0);
    const now = await scrape();
    const attempts = (outcome) => sampleValue(now, 'fluxora_webhook_attempts_total', { outcome });
    assert.deepEqual([attempts('delivered'), attempts('dead'), attempts('disowned')], [3, 3, 0]);
    const [{ count }] = await stack.db.rows('SELECT count(*) FROM webhook_attempts');
    const made = attempts('delivered') + attempts('retry') + attempts('dead');
    assert.equal(String(made), count);
    assert.equal(sampleValue(now, 'fluxora_webhook_attempt_duration_seconds_count'), made);
    const answers = (answer) => sampleValue(now, 'fluxora_webhook_answers_total', { answer });
    assert.deepEqual([answers('2xx'), answers('5xx'), answers('2xx') + answers('4xx') + answers('5xx')], [3, 6, made]);
    // These are looked at every ten seconds.
    await isThere('fluxora_webhook_deliveries', { state: 'dead' }, 3);
    await isThere('fluxora_webhook_endpoints', { state: 'disabled' }, 1);
    await isThere('fluxora_webhook_endpoints', { state: 'enabled' }, 2);
    await stack.stop();
    await receiver.end();
  });
});

describe('metrics of writes', () => {
  test('count those beyond the limit', async () => {
    const stack = await startStack({ simulator: false, server: { env: { WRITE_RATE_LIMIT: '1' } } });
    for (let i = 0; i < 3; i += 1) await stack.request('/api/streams/none', { method: 'DELETE' });
    const { text } = await stack.request('/metrics');
    assert.equal(sampleValue(readPrometheusText(text), 'fluxora_rate_limited_total', { reason: 'writes' }), 2);
    assert.ok(!text.includes('fluxora_indexer_') && !text.includes('fluxora_trace_'));
    await stack.stop();
  });
});
