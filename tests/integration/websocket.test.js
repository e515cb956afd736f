// WebSocket /ws/streams, SPEC section 6: every change once, in order, from any cursor on.
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { request } from './harness/http_client.js';
import { startStack } from './harness/stack.js';
import { waitFor } from './harness/wait.js';
import { seqOf } from './harness/ws_client.js';

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

/** Checks what stands around the payloads. */
function checkEnvelopes(client) {
  for (const message of client.messages.filter(({ type }) => type === 'stream_update')) {
    const { event, streamId, eventId, cursor } = message.payload;
    assert.deepEqual({ ...message, payload: undefined, timestamp: undefined },
      { type: 'stream_update', event, streamId, eventId, cursor, payload: undefined, timestamp: undefined });
    assert.match(message.timestamp, TIME);
  }
  assert.deepEqual(client.strays, []);
}

describe('subscriptions', () => {
  /** @type {import('./harness/stack.js').Stack} */
  let stack;

  before(async () => {
    stack = await startStack({ simulator: { seed: 'websocket', streams: 20 } });
    stack.runScenario(5, { actionsPerLedger: 5 });
    await stack.settle();
  });

  async function rounds(count) {
    for (let round = 0; round < count; round += 1) {
      stack.runScenario(2, { actionsPerLedger: 6 });
      await stack.settle();
    }
    return stack.head();
  }

  /** Streams that won't end while the test runs. @param {number} count */
  async function longRunning(count) {
    const found = (await stack.allStreams({ status: 'active' })).filter(({ endTime, asOf }) => endTime > asOf + 86_400);
    assert.ok(found.length >= count);
    return found.slice(0, count);
  }

  test('a subscriber to "*" sees each change once and in order, as /api/events tells it', async () => {
    const client = await stack.openWebSocket();
    const { epoch } = await stack.head();
    const subscribed = await client.subscribe({ streamId: '*' });
    assert.equal(subscribed.streamId, '*');
    assert.equal(subscribed.resume, 'live');
    // Where this connection stands; the log itself may be a moment ahead.
    const from = seqOf(subscribed.cursor);
    assert.equal(subscribed.cursor, `${epoch}-${from}`);
    const { seq } = await rounds(8);
    assert.ok(seq > from + 30, 'too little happened');
    await client.waitForSeq(seq);
    await client.barrier();
    assert.deepEqual(client.updates(), (await stack.allEvents()).filter((entry) => entry.seq > from));
    checkEnvelopes(client);
    await client.close();
  });

  test('a subscriber to one stream sees that stream’s changes alone', async () => {
    const { seq: from } = await stack.head();
    const wanted = stack.streamId(stack.sim.nextStreamId);
    const client = await stack.openWebSocket();
    assert.equal((await client.subscribe({ streamId: wanted })).streamId, wanted);
    const id = stack.sim.createStream({ depositAmount: 1_000_000n, ratePerSecond: 10n, duration: 1_000n });
    assert.equal(stack.streamId(id), wanted);
    stack.runScenario(1, { actionsPerLedger: 4 });
    stack.sim.pause(id);
    stack.runScenario(1, { actionsPerLedger: 4 });
    stack.sim.topUp(id, 5n);
    await rounds(1);
    const entries = (await stack.allEvents({ streamId: wanted })).filter((entry) => entry.seq > from);
    await client.waitForSeq(entries.at(-1).seq);
    await client.barrier();
    assert.deepEqual(client.updates(), entries);
    assert.deepEqual(entries.slice(0, 2).map(({ kind }) => kind), ['created', 'paused']);
    await client.close();
  });

  test('subscribers to a recipient and to a sender see their streams’ changes', async () => {
    const [sender, recipient] = [stack.sim.people.treasuries[1], stack.sim.people.recipients[2]];
    const [byRecipient, bySender] = await Promise.all([stack.openWebSocket(), stack.openWebSocket()]);
    const toRecipient = await byRecipient.subscribe({ recipient });
    const toSender = await bySender.subscribe({ sender });
    assert.deepEqual([toRecipient.recipient, toSender.sender], [recipient, sender]);
    for (let i = 0; i < 2; i += 1) stack.sim.createStream({ sender, recipient, depositAmount: 1_000_000n, ratePerSecond: 10n, duration: 1_000n });
    await rounds(6);
    const log = await stack.allEvents();
    const cases = /** @type {const} */ ([[byRecipient, toRecipient, 'recipient', recipient], [bySender, toSender, 'sender', sender]]);
    for (const [client, { cursor }, name, address] of cases) {
      const entries = log.filter((entry) => entry.seq > seqOf(cursor));
      // Who just lost a stream to somebody else is told of that, too.
      const theirs = entries.filter(({ stream, change }) => stream?.[name] === address || change[name]?.includes(address));
      assert.ok(theirs.length >= 2);
      await client.waitForSeq(theirs.at(-1).seq);
      await client.barrier();
      assert.deepEqual(client.updates(), theirs, name);
      await client.close();
    }
  });

  test('overlapping subscriptions of one connection bring each change once', async () => {
    const client = await stack.openWebSocket();
    const [stream] = await longRunning(1);
    const from = seqOf((await client.subscribe({ streamId: '*' })).cursor);
    for (const what of [{ streamId: stream.id }, { recipient: stream.recipient }, { sender: stream.sender }, { streamId: '*' }]) {
      await client.subscribe(what);
    }
    stack.sim.topUp(stream.id.split('-')[1], 1_000n);
    const { seq } = await rounds(2);
    await client.waitForSeq(seq);
    await client.barrier();
    assert.deepEqual(client.updates(), (await stack.allEvents()).filter((entry) => entry.seq > from));
    await client.close();
  });

  test('after unsubscribing nothing more comes', async () => {
    const client = await stack.openWebSocket();
    const [kept, dropped] = await longRunning(2);
    const topUp = async (...streams) => {
      for (const { id } of streams) stack.sim.topUp(id.split('-')[1], 1_000n);
      assert.deepEqual(stack.sim.closeLedger().failed, []);
      await stack.settle();
      return stack.head();
    };
    await client.subscribe({ streamId: '*' });
    await client.subscribe({ streamId: kept.id });
    client.send({ type: 'unsubscribe', streamId: '*' });
    await client.barrier();
    const { seq } = await topUp(kept, dropped);
    const other = await stack.openWebSocket();
    const { epoch } = await stack.head();
    await other.subscribe({ streamId: '*', after: `${epoch}-0` });
    await other.waitForSeq(seq);
    await waitFor(() => client.updates().length > 0, { what: 'the kept stream’s change' });
    await client.barrier();
    assert.ok(client.updates().every(({ streamId }) => streamId === kept.id), 'changes of "*" after unsubscribing from it');
    client.send({ type: 'unsubscribe', streamId: kept.id });
    client.send({ type: 'unsubscribe', streamId: 'never-subscribed' });
    await client.barrier();
    const before = client.updates().length;
    await other.waitForSeq((await topUp(kept)).seq);
    await client.barrier();
    assert.equal(client.updates().length, before);
    await Promise.all([client.close(), other.close()]);
  });

  test('resume: everything since the cursor follows once, then what happens', async () => {
    const entries = await stack.allEvents();
    const { epoch, seq: head } = await stack.head();
    for (const from of [0, 1, Math.floor(head / 2), head - 1, head]) {
      const client = await stack.openWebSocket();
      const subscribed = await client.subscribe({ streamId: '*', after: `${epoch}-${from}` });
      assert.equal(subscribed.resume, 'resumed', `after ${from}`);
      if (from < head) await client.waitForSeq(head);
      await client.barrier();
      assert.deepEqual(client.updates(), entries.filter(({ seq }) => seq > from), `after ${from}`);
      await client.close();
    }
  });

  test('resume while the log grows: no hole and nothing twice', async () => {
    const { epoch } = await stack.head();
    const clients = [];
    for (let round = 0; round < 6; round += 1) {
      stack.runScenario(3, { actionsPerLedger: 6 });
      stack.sim.closeLedger();
      // Nobody waits for the server here: the subscription meets entries that are being written.
      const client = await stack.openWebSocket();
      client.send({ type: 'subscribe', streamId: '*', after: `${epoch}-${round * 5}` });
      clients.push({ client, from: round * 5 });
    }
    await stack.settle();
    const { seq } = await stack.head();
    const entries = await stack.allEvents();
    for (const { client, from } of clients) {
      await client.waitForSeq(seq);
      await client.barrier();
      assert.deepEqual(client.updates().map((entry) => entry.seq), entries.filter((entry) => entry.seq > from).map((entry) => entry.seq));
      await client.close();
    }
  });

  test('resume of one stream replays that stream alone', async () => {
    const entries = await stack.allEvents();
    const { epoch, seq } = await stack.head();
    const { streamId } = entries.find(({ kind }) => kind === 'top_up');
    const client = await stack.openWebSocket();
    assert.equal((await client.subscribe({ streamId, after: `${epoch}-0` })).resume, 'resumed');
    const wanted = entries.filter((entry) => entry.streamId === streamId);
    await client.waitForSeq(wanted.at(-1).seq);
    await client.barrier();
    assert.deepEqual(client.updates(), wanted);
    assert.ok(seq > wanted.length);
    await client.close();
  });

  test('an unknown epoch, or a position that the log never reached: epoch_changed', async () => {
    const { epoch, seq, cursor } = await stack.head();
    for (const after of [`zzzz-${seq}`, `${epoch}-${seq + 1}`, `${epoch}-9007199254740993`, 'zzzz-0']) {
      const client = await stack.openWebSocket();
      const subscribed = await client.subscribe({ streamId: '*', after });
      assert.equal(subscribed.resume, 'epoch_changed', after);
      assert.equal(subscribed.cursor, cursor, 'where the log is now, to fetch state and go on');
      await client.barrier();
      assert.deepEqual(client.updates(), []);
      await client.close();
    }
  });

  test('control frames are answered', async () => {
    const client = await stack.openWebSocket();
    let echoed = '';
    client.socket.once('pong', (data) => { echoed = data.toString(); });
    client.socket.ping('are you there');
    await waitFor(() => echoed === 'are you there', { what: 'the pong' });
    assert.deepEqual(await client.close(1000), { code: 1000, reason: '' });
  });

  test('health counts the connections', async () => {
    const clients = await Promise.all([1, 2, 3].map(() => stack.openWebSocket()));
    await waitFor(async () => (await stack.health()).wsConnections === 3, { what: 'three connections in health' });
    await clients[0].close();
    clients[1].socket.terminate();
    await waitFor(async () => (await stack.health()).wsConnections === 1, { what: 'one connection in health' });
    await clients[2].close();
  });

  test('each connection is logged with what went over it', async () => {
    // Lines are written behind the connections' backs, in their order: behind this request's, those of the tests before
    // are all there, and a new connection's is the one that isn't among them.
    await stack.request('/health/live', { headers: { 'x-request-id': 'before-these-connections' } });
    await stack.server.waitForLog((line) => line.requestId === 'before-these-connections', 'the request\'s line');
    const told = new Set(stack.server.logs.filter(({ event }) => event === 'ws_connect').map(({ connectionId }) => connectionId));
    const connectLine = async () => {
      const line = await stack.server.waitForLog((entry) => entry.event === 'ws_connect' && !told.has(entry.connectionId), 'ws_connect');
      told.add(line.connectionId);
      return line;
    };
    const disconnectLine = (id) => stack.server.waitForLog((line) => line.event === 'ws_disconnect' && line.connectionId === id, 'ws_disconnect');

    const client = await stack.openWebSocket();
    await client.subscribe({ streamId: stack.streamId(0) });
    await client.barrier();
    const sent = ['{"type":"subscribe","streamId":"' + stack.streamId(0) + '"}', '{"type":"ping"}'];
    const { connectionId, ip } = await connectLine();
    assert.equal(ip, '127.0.0.1');
    await client.close(1000);
    const gone = await disconnectLine(connectionId);
    assert.equal(gone.code, 1000);
    assert.ok(Number.isInteger(gone.durationMs) && gone.durationMs >= 0);
    assert.equal(typeof gone.reason, 'string');
    assert.deepEqual(gone.metrics, {
      messagesReceived: sent.length,
      messagesSent: client.messages.length,
      bytesReceived: sent.join('').length,
      bytesSent: client.messages.reduce((sum, message) => sum + Buffer.byteLength(JSON.stringify(message)), 0),
    });

    const vanishing = await stack.openWebSocket();
    await vanishing.barrier();
    const { connectionId: id } = await connectLine();
    vanishing.socket.terminate();
    const lost = await disconnectLine(id);
    assert.equal(lost.code, 1006);
    assert.equal(lost.metrics.messagesReceived, 1);
    const connects = stack.server.logs.filter(({ event }) => event === 'ws_connect');
    assert.equal(new Set(connects.map((line) => line.connectionId)).size, connects.length, 'ids are unique');
  });
});

test('shutting down closes the connections with 1001, after what was queued', async () => {
  const stack = await startStack({ simulator: { seed: 'going away', streams: 10 } });
  const clients = await Promise.all([1, 2, 3].map(() => stack.openWebSocket()));
  for (const client of clients) await client.subscribe({ streamId: '*' });
  stack.runScenario(3, { actionsPerLedger: 5 });
  await stack.settle();
  const { seq } = await stack.head();
  await stack.server.stop();
  for (const client of clients) {
    const closed = await client.waitForClose();
    assert.equal(closed?.code, 1001);
    assert.equal(client.updates().at(-1).seq, seq);
  }
  await assert.rejects(request(`${stack.baseUrl}/health`), { code: 'ECONNREFUSED' });
});

test('whom a stream is taken from is told: by a transfer and by a fork, live and replayed', async () => {
  const stack = await startStack({ simulator: { seed: 'taken away', streams: 3 } });
  const { sim } = stack;
  const [former, next] = sim.people.recipients;
  const terms = { recipient: former, depositAmount: 1_000_000n, ratePerSecond: 1n, duration: 100_000n };
  const kept = sim.createStream(terms);
  sim.closeLedger();
  await stack.settle();
  const live = await stack.openWebSocket();
  const { cursor } = await live.subscribe({ recipient: former });

  sim.transferRecipient(kept, next);
  sim.closeLedger();
  sim.topUp(kept, 1_000n); // no more of their business
  sim.closeLedger();
  await stack.settle();
  const undone = sim.createStream(terms);
  const { sequence } = sim.closeLedger();
  await stack.settle();
  sim.fork(sim.chain.latest.sequence - sequence + 1, { content: 'empty' });
  sim.closeLedger();
  await stack.settle();

  const since = (await stack.allEvents()).filter(({ seq }) => seq > seqOf(cursor));
  const theirs = since.filter(({ stream, change }) => stream?.recipient === former || change.recipient?.includes(former));
  const told = ({ seq }) => theirs.some((entry) => entry.seq === seq);
  const of = (number) => since.filter(({ streamId }) => streamId === stack.streamId(number));
  const [transfer, topUp] = of(kept);
  assert.deepEqual([transfer.kind, transfer.change.recipient, told(transfer)], ['recp_upd', [former, next], true]);
  assert.deepEqual([topUp.kind, told(topUp)], ['top_up', false]);
  const last = of(undone).at(-1);
  assert.deepEqual([last.event, last.stream, last.change.recipient, told(last)], ['stream.retracted', null, [former, null], true]);

  const replayed = await stack.openWebSocket();
  await replayed.subscribe({ recipient: former, after: cursor });
  for (const client of [live, replayed]) {
    await client.waitForSeq(theirs.at(-1).seq);
    await client.barrier();
    assert.deepEqual(client.updates(), theirs);
  }
  await stack.stop();
});
