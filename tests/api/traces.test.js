// Traces of a live server: what it continues, what it sends to a collector, and that a collector in trouble is nobody's but its own.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startStack } from '../integration/harness/stack.js';
import { runCommand } from '../integration/harness/server_process.js';
import { waitFor } from '../integration/harness/wait.js';
import { OtlpReceiver } from './harness/otlp_receiver.js';
import { readPrometheusText, sampleValue } from './harness/prometheus_text.js';

const SERVER = 2;
const CLIENT = 3;
const SECRET = 'secret of the collector, with = and ,';
let counter = 0;

/** A trace of a caller's own. */
function newTrace(flags = '01') {
  counter += 1;
  const traceId = `${'ab'.repeat(12)}${String(counter).padStart(8, '0')}`;
  return { traceId, traceparent: `00-${traceId}-00f067aa0ba902b7-${flags}` };
}

const logLine = (stack, requestId) =>
  stack.server.waitForLog((line) => line.event === 'request' && line.requestId === requestId, `the line of ${requestId}`);

async function metric(stack, name, labels) {
  return sampleValue(readPrometheusText((await stack.request('/metrics')).text), name, labels);
}

describe('a server with a collector', () => {
  /** @type {OtlpReceiver} */
  let receiver;
  /** @type {import('../integration/harness/stack.js').Stack} */
  let stack;
  before(async () => {
    receiver = await OtlpReceiver.start();
    stack = await startStack({
      server: {
        env: {
          OTEL_EXPORTER_OTLP_ENDPOINT: `${receiver.url}/base/`,
          OTEL_EXPORTER_OTLP_HEADERS: `authorization=${encodeURIComponent(SECRET)},x-tenant=t-1`,
          OTEL_SERVICE_NAME: 'payments',
          TRUSTED_PROXIES: '127.0.0.1',
        },
      },
    });
  });
  after(async () => {
    await stack.stop();
    await receiver.end();
  });

  test('continues a trace and describes the request', async () => {
    const { traceId, traceparent } = newTrace();
    await stack.request('/api/streams/no-stream?at=5', {
      headers: { traceparent, tracestate: 'vendor=1,other=2', 'X-Request-Id': 'traced-1' },
    });
    const span = await receiver.span((each) => each.traceId === traceId, 'the span of the request');
    assert.equal(span.parentSpanId, '00f067aa0ba902b7');
    assert.equal(span.traceState, 'vendor=1,other=2');
    assert.equal(span.kind, SERVER);
    assert.equal(span.name, 'GET /api/streams/{id}');
    assert.deepEqual(span.status, {});
    assert.deepEqual(span.attributes, {
      'http.request.method': 'GET',
      'http.route': '/api/streams/{id}',
      'url.scheme': 'http',
      'url.path': '/api/streams/no-stream',
      'http.response.status_code': 404,
      'client.address': '127.0.0.1',
      'fluxora.request_id': 'traced-1',
    });
    const line = await logLine(stack, 'traced-1');
    assert.deepEqual([line.traceId, line.spanId], [traceId, span.spanId]);
    const request = receiver.requests[0];
    assert.equal(request.path, '/base/v1/traces');
    assert.equal(request.headers.authorization, SECRET);
    assert.equal(request.headers['x-tenant'], 't-1');
    assert.equal(request.resource['service.name'], 'payments');
    assert.equal(request.resource['service.version'], (await stack.health()).version);
    assert.match(request.resource['service.instance.id'], /^[0-9a-f]{32}$/);
  });

  test('begins a trace where the caller sends none, or no good one', async () => {
    const bad = ['ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', '00-00000000000000000000000000000000-b7ad6b7169203331-01', 'x'];
    for (const [i, traceparent] of [undefined, ...bad].entries()) {
      const headers = { 'X-Request-Id': `begun-${i}`, ...(traceparent && { traceparent }) };
      await stack.request('/health/live', { headers });
      const span = await receiver.span((each) => each.attributes['fluxora.request_id'] === `begun-${i}`, `span ${i}`);
      assert.equal('parentSpanId' in span, false);
      assert.notEqual(span.traceId, '0af7651916cd43dd8448eb211c80319c');
      assert.equal((await logLine(stack, `begun-${i}`)).traceId, span.traceId);
    }
  });

  test('leaves a trace unrecorded whose caller does', async () => {
    const { traceId, traceparent } = newTrace('00');
    await stack.request('/health/live', { headers: { traceparent, 'X-Request-Id': 'not-sampled' } });
    const line = await logLine(stack, 'not-sampled');
    assert.equal(line.traceId, traceId);
    assert.equal('spanId' in line, false);
    await stack.request('/health/live', { headers: { 'X-Request-Id': 'after-not-sampled' } });
    await receiver.span((each) => each.attributes['fluxora.request_id'] === 'after-not-sampled', 'a later span');
    assert.equal(receiver.spans.some((each) => each.traceId === traceId), false);
  });

  test('cuts API keys out of paths and leaves queries out', async () => {
    const key = `flx_${'0123456789abcdef'}_${'s'.repeat(43)}`;
    await stack.request(`/api/streams/${key}?token=in-the-query`, { headers: { 'X-Request-Id': 'with-a-key' } });
    const span = await receiver.span((each) => each.attributes['fluxora.request_id'] === 'with-a-key', 'its span');
    const text = JSON.stringify(span);
    assert.ok(!text.includes('s'.repeat(43)) && !text.includes('in-the-query'), text);
  });

  test('marks what went wrong on our side', async () => {
    await stack.db.cluster.stop();
    const { traceId, traceparent } = newTrace();
    const answer = await stack.request(`/api/streams/${stack.streamId(1)}`, { headers: { traceparent } });
    await stack.db.cluster.start();
    assert.equal(answer.status, 503);
    const span = await receiver.span((each) => each.traceId === traceId, 'the span of a failure');
    assert.equal(span.status.code, 2);
    assert.equal(span.attributes['error.type'], '503');
  });

  test('shows a batch of the indexer with its calls, which carry the trace', async () => {
    stack.runScenario(3);
    await stack.settle();
    const batch = await receiver.span(
      (each) => each.name === 'indexer batch' && each.attributes['fluxora.ledger.last'] === stack.sim.latest.sequence - 1, 'the batch');
    assert.equal('parentSpanId' in batch, false);
    const calls = receiver.spans.filter((each) => each.traceId === batch.traceId && each !== batch);
    // The first batch of a log asks whose network it is, too.
    const names = new Set(calls.map(({ name }) => name));
    names.delete('getNetwork');
    assert.deepEqual([...names].toSorted(), ['getEvents', 'getLedgers']);
    for (const call of calls) {
      assert.equal(call.kind, CLIENT);
      assert.equal(call.parentSpanId, batch.spanId);
      assert.equal(call.attributes['rpc.system'], 'jsonrpc');
      assert.equal(call.attributes['rpc.method'], call.name);
      assert.equal(call.attributes['server.address'], '127.0.0.1');
      assert.equal(`http://127.0.0.1:${call.attributes['server.port']}`, new URL(stack.sim.url).origin);
    }
  });

  test('tries again what the collector was too busy for', async () => {
    const seen = receiver.requests.length;
    receiver.answers.push({ status: 503, headers: { 'Retry-After': '0' } }, { status: 429, headers: { 'Retry-After': '0' } });
    const { traceId, traceparent } = newTrace();
    await stack.request('/health/live', { headers: { traceparent } });
    await receiver.span((each) => each.traceId === traceId, 'the span, at last');
    const refused = receiver.requests.slice(seen).filter(({ status }) => status !== 200);
    assert.deepEqual(refused.map(({ status }) => status), [503, 429]);
  });

  test('drops and counts what the collector refuses', async () => {
    const before = await metric(stack, 'fluxora_trace_spans_lost_total', { reason: 'export_failed' });
    receiver.answers.push({ status: 400 });
    await stack.request('/health/live');
    await waitFor(async () => await metric(stack, 'fluxora_trace_spans_lost_total', { reason: 'export_failed' }) > before, { what: 'the refused spans to be counted' });
    await stack.server.waitForLog((line) => line.event === 'trace_export_failed' && line.message.includes('400'), 'the warning');
  });

  test('counts what the collector takes only in part', async () => {
    const before = await metric(stack, 'fluxora_trace_spans_lost_total', { reason: 'export_failed' });
    receiver.answers.push({ status: 200, body: '{"partialSuccess":{"rejectedSpans":"1","errorMessage":"no"}}' });
    await stack.request('/health/live');
    await waitFor(async () => await metric(stack, 'fluxora_trace_spans_lost_total', { reason: 'export_failed' }) === before + 1, { what: 'the rejected span to be counted' });
  });

  test('shows its secret nowhere', async () => {
    const { text } = await stack.request('/metrics');
    for (const shown of [text, String(stack.server.stdout), String(stack.server.stderr), JSON.stringify(receiver.spans)]) {
      assert.ok(!shown.includes(SECRET) && !shown.includes(encodeURIComponent(SECRET)));
    }
  });
});

describe('a collector in trouble', () => {
  /** @param {string} endpoint @param {Record<string, string>} [env] */
  const withCollector = (endpoint, env = {}) => startStack({
    simulator: false,
    server: { env: { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, SHUTDOWN_GRACE_MS: '1000', ...env } },
  });

  test('that is silent: requests are answered, spans beyond the queue are dropped and counted, the stop isn\'t held up', async () => {
    const receiver = await OtlpReceiver.start();
    receiver.silent = true;
    const stack = await withCollector(receiver.url, { OTEL_EXPORTER_OTLP_TIMEOUT: '60000' });
    await stack.request('/health/live');
    await waitFor(() => receiver.held.length > 0, { what: 'an export that hangs' });
    // 2,048 wait and 512 may be on their way.
    const requests = 2_700;
    const workers = Array.from({ length: 16 }, async (_, worker) => {
      for (let i = worker; i < requests; i += 16) assert.equal((await stack.request('/health/live')).status, 200);
    });
    await Promise.all(workers);
    await waitFor(async () => await metric(stack, 'fluxora_trace_spans_lost_total', { reason: 'queue_full' }) > 0, { what: 'dropped spans to be counted' });
    assert.equal(await metric(stack, 'fluxora_trace_spans_waiting'), 2_048);
    assert.equal(await metric(stack, 'fluxora_trace_spans_exported_total'), 0);
    await stack.stop();
    await receiver.end();
  });

  test('that isn\'t there: requests are answered, and the log says so once', async () => {
    const receiver = await OtlpReceiver.start();
    const { url } = receiver;
    await receiver.end();
    const stack = await withCollector(url);
    for (let i = 0; i < 5; i += 1) assert.equal((await stack.request('/health/live')).status, 200);
    await stack.server.waitForLog((line) => line.event === 'trace_export_failed', 'the warning');
    await stack.stop();
    assert.equal(stack.server.logs.filter((line) => line.event === 'trace_export_failed').length, 1);
  });

  test('at the end: what waits is still sent', async () => {
    const receiver = await OtlpReceiver.start();
    const stack = await withCollector(receiver.url);
    const { traceId, traceparent } = newTrace();
    await stack.request('/health/live', { headers: { traceparent } });
    await stack.stop();
    assert.equal(receiver.spans.filter((each) => each.traceId === traceId).length, 1);
    await receiver.end();
  });
});

describe('a share of the traces', () => {
  test('of none records what trusted callers sample alone', async () => {
    const receiver = await OtlpReceiver.start();
    const stack = await startStack({
      simulator: false,
      server: { env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_TRACES_SAMPLER_ARG: '0', TRUSTED_PROXIES: '127.0.0.1' } },
    });
    await stack.request('/health/live', { headers: { 'X-Request-Id': 'no-trace' } });
    const { traceId, traceparent } = newTrace();
    await stack.request('/health/live', { headers: { traceparent } });
    await receiver.span((each) => each.traceId === traceId, 'the sampled one');
    assert.equal('traceId' in await logLine(stack, 'no-trace'), false);
    await stack.stop();
    assert.deepEqual(receiver.spans.map((each) => each.traceId), [traceId]);
    await receiver.end();
  });
});

describe('a caller that isn\'t a trusted proxy', () => {
  test('can\'t have its requests recorded', async () => {
    const receiver = await OtlpReceiver.start();
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_TRACES_SAMPLER_ARG: '0', TRUSTED_PROXIES: '192.0.2.1' };
    const stack = await startStack({ simulator: false, server: { env } });
    const { traceId, traceparent } = newTrace();
    await stack.request('/health/live', { headers: { traceparent, 'X-Request-Id': 'stranger' } });
    const line = await logLine(stack, 'stranger');
    assert.equal(line.traceId, traceId);
    assert.equal('spanId' in line, false);
    await stack.stop();
    assert.deepEqual(receiver.spans, []);
    await receiver.end();
  });
});

describe('a server without a collector', () => {
  test('names a caller\'s trace in its log, and records nothing', async () => {
    const stack = await startStack({ simulator: false });
    const { traceId, traceparent } = newTrace();
    await stack.request('/health/live', { headers: { traceparent, 'X-Request-Id': 'off' } });
    const line = await logLine(stack, 'off');
    assert.equal(line.traceId, traceId);
    assert.equal('spanId' in line, false);
    await stack.stop();
  });

  test('refuses settings that make no sense, without showing a secret', async () => {
    const { code, stderr } = await runCommand(['check-config'], {
      DATABASE_URL: 'postgres://localhost/x',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318',
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=planted%zz',
      OTEL_TRACES_SAMPLER_ARG: '1.5',
    });
    assert.equal(code, 2);
    for (const name of ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_HEADERS', 'OTEL_TRACES_SAMPLER_ARG']) {
      assert.match(stderr, new RegExp(`${name} must be`));
    }
    assert.ok(!stderr.includes('planted'));
  });
});
