// One story, one trace, as a collector has it in the end: from a client's request, or a ledger's close, to the receiver of
// the webhook, over instances and retries. tests/api/traces.test.js has the parts.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { OtlpReceiver } from '../api/harness/otlp_receiver.js';
import { readPrometheusText, sampleValue } from '../api/harness/prometheus_text.js';
import { cancel, create } from '../integration/harness/api_streams.js';
import { ServerProcess } from '../integration/harness/server_process.js';
import { waitFor } from '../integration/harness/wait.js';
import { entryOf, NodeReceiver } from '../webhooks/harness/node_receiver.js';
import { startWebhookStack } from '../webhooks/harness/webhook_server.js';

const SERVER = 2;
const CLIENT = 3;
const CALLER = '00f067aa0ba902b7';
let traces = 0;

/** A trace of a caller's own. */
function newTrace(flags = '01') {
  traces += 1;
  const traceId = `${'cd'.repeat(12)}${String(traces).padStart(8, '0')}`;
  return { traceId, headers: { traceparent: `00-${traceId}-${CALLER}-${flags}` } };
}

/** The spans of a trace below one, as a tree of names. @param {any[]} spans of one trace @param {string | undefined} parent */
const tree = (spans, parent) =>
  spans.filter(({ parentSpanId }) => parentSpanId === parent).map((span) => [span.name, tree(spans, span.spanId)]);

describe('a trace', () => {
  /** @type {OtlpReceiver} */
  let collector;
  /** @type {NodeReceiver} */
  let receiver;
  /** @type {Awaited<ReturnType<typeof startWebhookStack>>} sends no webhooks */
  let stack;
  /** @type {ServerProcess} does */
  let sender;
  before(async () => {
    collector = await OtlpReceiver.start();
    receiver = await NodeReceiver.start();
    stack = await startWebhookStack({
      simulator: { seed: 'one trace', streams: 5 },
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, TRUSTED_PROXIES: '127.0.0.1', WEBHOOK_DELIVERY: 'false', WEBHOOK_RETRY_SCHEDULE: '1s,1s' },
    });
    sender = await ServerProcess.start({ ...stack.server.env, STELLAR_RPC_URL: undefined, WEBHOOK_DELIVERY: 'true' });
    await stack.settle();
    await stack.webhooks.create({ url: receiver.url('/hook') });
  });
  after(async () => {
    await sender.stop();
    await stack.stop();
    await receiver.end();
    await collector.end();
  });

  /** The request that brought the entry, once it is there. @param {(entry: any) => boolean} matches */
  const delivered = (matches, count = 1) => waitFor(() => {
    const found = receiver.deliveries.filter((delivery) => matches(entryOf(delivery)) && delivery.status !== 0);
    return found.length >= count && found;
  }, { what: 'the webhook to arrive', describe: () => stack.server.logs.slice(-5) });

  /** The span of an attempt, as its receiver was told. @param {import('../webhooks/harness/node_receiver.js').Delivery} delivery */
  const attemptOf = (delivery) => collector.span(
    ({ spanId, traceId }) => delivery.headers.traceparent === `00-${traceId}-${spanId}-01`, 'the span that the receiver was told of');

  test('goes from a client\'s request to the receiver, and is one tree', async () => {
    const { traceId, headers } = newTrace();
    const { json: { id } } = await create(stack.baseUrl, {}, headers);
    const [delivery] = await delivered(({ streamId }) => streamId === id);
    const attempt = await attemptOf(delivery);
    const request = await collector.span((span) => span.traceId === traceId && span.kind === SERVER, 'the request\'s span');
    assert.deepEqual([attempt.traceId, attempt.parentSpanId, attempt.kind], [traceId, request.spanId, CLIENT]);
    assert.equal(attempt.attributes['fluxora.webhook.delivery'], delivery.id);
    assert.deepEqual(tree(collector.spans.filter((span) => span.traceId === traceId), CALLER), [['POST /api/streams', [['POST webhook', []]]]]);
    const instances = new Set(collector.requests.map(({ resource }) => resource['service.instance.id']));
    assert.equal(instances.size, 2, 'one instance took the request, another sent the webhook');
  });

  test('keeps the traces of requests apart that shared a transaction', async () => {
    const asked = Array.from({ length: 8 }, () => newTrace());
    const answers = await Promise.all(asked.map(({ headers }) => create(stack.baseUrl, {}, headers)));
    for (const [i, { json: { id } }] of answers.entries()) {
      const [delivery] = await delivered(({ streamId }) => streamId === id);
      assert.equal(delivery.headers.traceparent.split('-')[1], asked[i].traceId);
    }
  });

  test('holds each attempt of a delivery', async () => {
    const { traceId, headers } = newTrace();
    const { json: { id } } = await create(stack.baseUrl, {}, newTrace().headers);
    await delivered(({ streamId }) => streamId === id);
    let tries = 0;
    receiver.reply = () => ({ status: (tries += 1) === 1 ? 500 : 204 });
    await cancel(stack.baseUrl, id, headers);
    const deliveries = await delivered(({ streamId, event }) => streamId === id && event === 'stream.cancelled', 2);
    receiver.reply = () => undefined;
    const attempts = await Promise.all(deliveries.map(attemptOf));
    assert.deepEqual(attempts.map((span) => [span.traceId, span.attributes['fluxora.webhook.attempt'], span.status.code]),
      [[traceId, 1, 2], [traceId, 2, undefined]]);
    assert.equal(new Set(attempts.map(({ parentSpanId }) => parentSpanId)).size, 1);
  });

  test('goes from a ledger\'s batch to the receivers of its entries', async () => {
    stack.runScenario(1, { actionsPerLedger: 3 });
    const ledger = stack.sim.latest.sequence;
    await stack.settle();
    const deliveries = await delivered((entry) => entry.ledger === ledger && entry.kind !== null && entry.event !== 'stream.observed');
    const attempt = await attemptOf(deliveries[0]);
    const batch = await collector.span(({ spanId }) => spanId === attempt.parentSpanId, 'the batch');
    assert.deepEqual([batch.name, batch.traceId, batch.parentSpanId], ['indexer batch', attempt.traceId, undefined]);
    assert.ok(batch.attributes['fluxora.ledger.first'] <= ledger && ledger <= batch.attributes['fluxora.ledger.last']);
    const parts = new Set(collector.spans.filter(({ parentSpanId }) => parentSpanId === batch.spanId).map(({ name }) => name));
    for (const name of ['getEvents', 'getLedgers', 'POST webhook']) assert.ok(parts.has(name), `${name} among ${[...parts]}`);
  });

  test('that a caller doesn\'t record has no spans, and its webhook arrives', async () => {
    const { traceId, headers } = newTrace('00');
    const { json: { id } } = await create(stack.baseUrl, {}, headers);
    const [delivery] = await delivered(({ streamId }) => streamId === id);
    assert.equal(delivery.headers.traceparent, undefined);
    const later = newTrace();
    const next = await create(stack.baseUrl, {}, later.headers);
    const [after] = await delivered(({ streamId }) => streamId === next.json.id);
    await attemptOf(after);
    assert.deepEqual(collector.spans.filter((span) => span.traceId === traceId), []);
  });

  test('is lost with a collector that refuses it, and nothing else is', async () => {
    const metric = async (name, labels) => sampleValue(readPrometheusText((await stack.request('/metrics')).text), name, labels);
    const lost = await metric('fluxora_trace_spans_lost_total', { reason: 'export_failed' });
    collector.answers = Array.from({ length: 20 }, () => ({ status: 400 }));
    const { json: { id } } = await create(stack.baseUrl, {}, newTrace().headers);
    const [delivery] = await delivered(({ streamId }) => streamId === id);
    assert.ok(delivery.headers.traceparent);
    await waitFor(async () => await metric('fluxora_trace_spans_lost_total', { reason: 'export_failed' }) > lost, { what: 'the loss to be counted' });
    collector.answers = [];
  });
});
