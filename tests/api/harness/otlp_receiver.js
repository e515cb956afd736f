// A collector of traces for one test: takes OTLP over HTTP as JSON, checks it field by field, answers as it is told.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { disown, own } from '../../integration/harness/ownership.js';
import { waitFor } from '../../integration/harness/wait.js';

const SPAN_FIELDS = new Set([
  'traceId', 'spanId', 'traceState', 'parentSpanId', 'flags', 'name', 'kind', 'startTimeUnixNano', 'endTimeUnixNano',
  'attributes', 'status',
]);

/** Attributes as an object: texts as texts, integers as numbers. */
function readAttributes(list) {
  const entries = list.map(({ key, value, ...rest }) => {
    assert.deepEqual(rest, {});
    const [[type, content], ...more] = Object.entries(value);
    assert.equal(more.length, 0);
    assert.equal(typeof content, 'string', `${key}: texts, and 64-bit integers as texts`);
    assert.match(type, /^(stringValue|intValue)$/);
    if (type === 'intValue') assert.match(content, /^-?[0-9]+$/);
    return [key, type === 'intValue' ? JSON.parse(content) : content];
  });
  assert.equal(new Set(entries.map(([key]) => key)).size, entries.length, 'each attribute once');
  return Object.fromEntries(entries);
}

function readSpan(span) {
  for (const field of Object.keys(span)) assert.ok(SPAN_FIELDS.has(field), `${field} is no field of a span`);
  assert.match(span.traceId, /^(?!0{32})[0-9a-f]{32}$/);
  assert.match(span.spanId, /^(?!0{16})[0-9a-f]{16}$/);
  if ('parentSpanId' in span) assert.match(span.parentSpanId, /^(?!0{16})[0-9a-f]{16}$/);
  assert.equal(span.flags, 1);
  assert.ok([1, 2, 3].includes(span.kind));
  assert.match(span.startTimeUnixNano, /^[0-9]{19}$/);
  assert.match(span.endTimeUnixNano, /^[0-9]{19}$/);
  assert.ok(BigInt(span.startTimeUnixNano) <= BigInt(span.endTimeUnixNano));
  assert.ok(Object.keys(span.status).length === 0 || span.status.code === 2);
  return { ...span, attributes: readAttributes(span.attributes) };
}

export class OtlpReceiver {
  constructor() {
    /** What the next requests are answered, in order; 200 when there is nothing left. @type {{status: number, headers?: Record<string, string>, body?: string}[]} */
    this.answers = [];
    /** @type {{path: string, headers: import('node:http').IncomingHttpHeaders, resource: Record<string, any>, status: number}[]} */
    this.requests = [];
    /** Of requests that were answered 200. @type {any[]} */
    this.spans = [];
    /** What was wrong with a request; a test's end looks. @type {unknown[]} */
    this.troubles = [];
    this.silent = false;
    /** @type {import('node:http').ServerResponse[]} */
    this.held = [];
    this.server = createServer((request, response) => this.take(request, response));
  }

  static async start() {
    const receiver = own(new OtlpReceiver());
    await new Promise((resolve) => { receiver.server.listen(0, '127.0.0.1', () => resolve(undefined)); });
    return receiver;
  }

  get url() {
    const address = this.server.address();
    assert.ok(address !== null && typeof address === 'object');
    return `http://127.0.0.1:${address.port}`;
  }

  async take(request, response) {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    if (this.silent) {
      this.held.push(response);
      return;
    }
    const { status, headers = {}, body = '{}' } = this.answers.shift() ?? { status: 200 };
    try {
      this.check(request, JSON.parse(Buffer.concat(chunks).toString()), status);
    } catch (error) {
      this.troubles.push(error);
    }
    response.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(body);
  }

  check({ method, url, headers }, { resourceSpans, ...rest }, status) {
    assert.deepEqual([method, headers['content-type'], rest], ['POST', 'application/json', {}]);
    assert.equal(resourceSpans.length, 1);
    const [{ resource, scopeSpans }] = resourceSpans;
    assert.equal(scopeSpans.length, 1);
    const [{ scope, spans }] = scopeSpans;
    assert.equal(scope.name, 'fluxora');
    assert.ok(spans.length >= 1 && spans.length <= 512);
    this.requests.push({ path: url, headers, resource: readAttributes(resource.attributes), status });
    const read = spans.map(readSpan);
    if (status === 200) this.spans.push(...read);
  }

  /** The first span that matches, past or to come. @param {(span: any) => boolean} matches @param {string} what */
  span(matches, what) {
    return waitFor(() => this.spans.find(matches), { what, describe: () => ({ spans: this.spans.slice(-10), troubles: this.troubles.map(String) }) });
  }

  async end() {
    this.endNow();
    disown(this);
    assert.deepEqual(this.troubles, []);
  }

  endNow() {
    this.server.closeAllConnections();
    this.server.close();
  }
}
