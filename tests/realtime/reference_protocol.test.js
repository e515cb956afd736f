// The subscribe protocol without cursors, as the Node.js service before this one documented it under "WebSocket API —
// Stream Updates": a client that knows that page alone gets what the page says, to the byte. Where SPEC section 6 says
// more or something else, SPEC stands, and the test says so.
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import WebSocket from 'ws';
import { startStack } from '../integration/harness/stack.js';
import { waitFor } from '../integration/harness/wait.js';

/** The page's messages, by their members in its order. */
const PAGE = { stream_update: ['type', 'streamId', 'eventId', 'payload'], error: ['type', 'code', 'message'] };
/** What SPEC section 6 adds to an update, between them. */
const ADDED = ['event', 'cursor', 'timestamp'];
/** What SPEC section 6 answers where the page has no answer; a client of the page has no branch for it. */
const ANSWERS = ['subscribed', 'unsubscribed'];

/** @type {import('../integration/harness/stack.js').Stack} */
let stack;

/** The page's example, and nothing else: sends on open, keeps the text of each message. */
class PageClient {
  /** @param {unknown[]} sent @param {number} [from] updates up to there are of no interest */
  constructor(sent, from = 0) {
    this.from = from;
    /** @type {string[]} */
    this.texts = [];
    this.socket = new WebSocket(stack.wsUrl, { perMessageDeflate: false });
    this.socket.onopen = () => sent.forEach((message) => this.send(message));
    this.socket.onmessage = ({ data }) => { this.texts.push(/** @type {string} */ (data)); };
    this.socket.onclose = ({ code }) => { this.closed = code; };
  }

  /** @param {unknown} message text or bytes as they are, the rest as JSON */
  send(message) {
    this.socket.send(typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message));
  }

  /** What such a client looks at: it knows two types. What is `from` before its subscription may still have been on its way. */
  known() {
    return this.texts.filter((text) => {
      const { type, payload } = JSON.parse(text);
      return type in PAGE && !(payload?.seq <= this.from);
    });
  }

  /** The answer that SPEC adds is here. @param {string} type */
  async answered(type) {
    await waitFor(() => this.texts.some((text) => JSON.parse(text).type === type), { what: type, describe: () => this.texts });
  }

  /** @param {number} count */
  async wait(count) {
    await waitFor(() => this.known().length >= count, { what: `${count} messages`, describe: () => ({ closed: this.closed, texts: this.texts }) });
    return this.known();
  }

  async close() {
    this.socket.close(1000);
    await waitFor(() => this.closed, { what: 'the end' });
  }
}

/** Members in the page's order, nothing between them but SPEC's, and no space anywhere. @param {string} text */
function checkText(text) {
  const message = JSON.parse(text);
  assert.equal(text, JSON.stringify(message));
  const added = message.type === 'stream_update' ? ADDED : [];
  assert.deepEqual(Object.keys(message).filter((name) => !added.includes(name)), PAGE[message.type]);
  return message;
}

/** In the log, with all that is to be said of its creation. */
async function newStream() {
  const stream = stack.sim.createStream({ depositAmount: 1_000_000n, ratePerSecond: 10n, duration: 100_000n });
  stack.sim.closeLedger();
  await stack.settle();
  return { stream, id: stack.streamId(stream), from: (await stack.head()).seq };
}

before(async () => {
  stack = await startStack({ simulator: { seed: 'reference page', streams: 10 } });
  stack.runScenario(2, { actionsPerLedger: 5 });
  await stack.settle();
});

describe('the reference page', () => {
  test('subscribe, unsubscribe, stream_update', async () => {
    const { stream, id, from } = await newStream();
    const client = new PageClient([{ type: 'subscribe', streamId: id }], from);
    await client.answered('subscribed');
    stack.sim.topUp(stream, 7n);
    stack.sim.closeLedger();
    stack.sim.pause(stream);
    stack.sim.closeLedger();
    await stack.settle();
    const updates = (await client.wait(2)).map(checkText);
    for (const update of updates) {
      assert.equal(update.type, 'stream_update');
      assert.equal(update.streamId, id);
      assert.equal(update.eventId, update.payload.eventId);
    }
    assert.deepEqual(updates.map(({ payload }) => payload.kind), ['top_up', 'paused']);

    client.send({ type: 'unsubscribe', streamId: id });
    await client.answered('unsubscribed');
    stack.sim.resume(stream);
    stack.sim.closeLedger();
    await stack.settle();
    // Whatever was sent before this is here.
    client.send({ type: 'nothing' });
    const [, , after] = await client.wait(3);
    assert.equal(JSON.parse(after).code, 'UNKNOWN_TYPE');
    assert.deepEqual(client.texts.map((text) => JSON.parse(text).type).filter((type) => !(type in PAGE)), ANSWERS);
    await client.close();
    assert.equal(client.closed, 1000);
  });

  test('error codes, and the connection stays open', async () => {
    const id = stack.streamId(0);
    const cases = [
      ['PAYLOAD_TOO_LARGE', JSON.stringify({ type: 'subscribe', streamId: 'x'.repeat(4_096) })],
      ['BINARY_NOT_SUPPORTED', Buffer.from(JSON.stringify({ type: 'subscribe', streamId: id }))],
      ['INVALID_JSON', 'not json'],
      ['INVALID_MESSAGE', { type: 'subscribe' }],
      ['INVALID_MESSAGE', { type: 'subscribe', streamId: 123 }],
      ['INVALID_MESSAGE', { type: 'unsubscribe' }],
      // The page's own example: it isn't an id of a stream as SPEC section 2 has them.
      ['INVALID_MESSAGE', { type: 'subscribe', streamId: 'stream-abc123' }],
      ['UNKNOWN_TYPE', { type: 'publish', streamId: id }],
    ];
    const client = new PageClient(cases.map(([, message]) => message));
    const errors = (await client.wait(cases.length)).map(checkText);
    assert.deepEqual(errors.map(({ type, code }) => [type, code]), cases.map(([code]) => ['error', code]));
    assert.equal(client.closed, undefined);
    await client.close();
  });

  test('more than 30 messages in 10 seconds: RATE_LIMIT_EXCEEDED, and the connection stays open', async () => {
    const unsubscribe = { type: 'unsubscribe', streamId: stack.streamId(0) };
    const client = new PageClient(Array.from({ length: 35 }, () => unsubscribe));
    const refused = (await client.wait(5)).map(checkText);
    assert.deepEqual(refused.map(({ code }) => code), Array.from({ length: 5 }, () => 'RATE_LIMIT_EXCEEDED'));
    assert.equal(client.texts.length, 35);
    assert.equal(client.closed, undefined);
    await client.close();
  });

  test('each (streamId, eventId) once, also when the chain brings it again', async () => {
    const { stream, id, from } = await newStream();
    const client = new PageClient([{ type: 'subscribe', streamId: id }], from);
    await client.answered('subscribed');
    stack.sim.topUp(stream, 7n);
    stack.sim.closeLedger();
    await stack.settle();
    const [first] = (await client.wait(1)).map(checkText);
    // The same transaction in another ledger keeps its id. SPEC section 4 knows it by the ledger's hash besides: it is
    // retracted, which the page has no word for, and comes again.
    stack.sim.fork(2);
    await stack.settle();
    const updates = (await client.wait(3)).map(checkText);
    assert.deepEqual(updates.map(({ event }) => event), ['stream.updated', 'stream.retracted', 'stream.updated']);
    assert.deepEqual([updates[2].streamId, updates[2].eventId], [first.streamId, first.eventId]);
    const identities = updates.map(({ payload }) => `${payload.streamId} ${payload.eventId} ${payload.ledgerHash}`);
    assert.equal(new Set(identities).size, updates.length);
    await client.close();
  });

  test('clients stay connected through an outage of the RPC, and events go on by themselves after it', async () => {
    const { stream, id, from } = await newStream();
    const client = new PageClient([{ type: 'subscribe', streamId: id }], from);
    await client.answered('subscribed');
    const served = stack.sim.faults.served;
    stack.sim.faults.add({ kind: 'reset', count: 30 });
    stack.sim.topUp(stream, 7n);
    stack.sim.closeLedger();
    await waitFor(() => stack.sim.faults.served > served, { what: 'trouble with the RPC' });
    stack.sim.faults.clear();
    await stack.settle();
    const [update] = (await client.wait(1)).map(checkText);
    assert.equal(update.payload.kind, 'top_up');
    assert.equal(client.closed, undefined);
    await client.close();
  });
});
