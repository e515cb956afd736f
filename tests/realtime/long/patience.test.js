// Limits of a feed's connection that take minutes to reach: SPEC sections 6 and 7. They are waited for side by side.
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { startStack } from '../../integration/harness/stack.js';
import { waitFor } from '../../integration/harness/wait.js';
import { OPCODE, RawWebSocket } from '../harness/raw_websocket.js';
import { SseClient } from '../harness/sse_client.js';

const WINDOW_MESSAGES = 30;
const WINDOW_MS = 10_000;
const TRY_AGAIN_MS = 500;
const BURST = 14;
const MAX_SUBSCRIPTIONS = 1_000;
/** Pings come every 30 s, and two unanswered ones end a connection. */
const PINGS = { deadlineMs: 300_000 };

/** @type {import('../../integration/harness/stack.js').Stack} */
let stack;
before(async () => {
  stack = await startStack({ simulator: { seed: 'patience', streams: 5 } });
  stack.runScenario(2, { actionsPerLedger: 3 });
  await stack.settle();
});

/** Fills the window that is open and one message more; waits for the refusal, or for the end. */
async function exceed(client) {
  const from = client.messages.length;
  for (let i = 0; i <= WINDOW_MESSAGES && !client.closed; i += 1) client.send({ type: 'ping' });
  await waitFor(() => client.closed || client.messages.slice(from).some(({ code }) => code === 'RATE_LIMIT_EXCEEDED'), { what: 'RATE_LIMIT_EXCEEDED' });
}

/** Asks now and then until a message is accepted again: the next window. */
async function nextWindow(client) {
  const from = client.messages.length;
  await waitFor(async () => {
    if (client.closed) return true;
    client.send({ type: 'ping' });
    await delay(TRY_AGAIN_MS);
    return client.messages.slice(from).some(({ type }) => type === 'pong');
  }, { what: 'the next window' });
}

/** Stays well below the limit for longer than a window lasts. */
async function keepOneWindow(client) {
  for (let passed = 0; passed <= WINDOW_MS; passed += TRY_AGAIN_MS) {
    await client.barrier();
    await delay(TRY_AGAIN_MS);
  }
}

describe('patience', { concurrency: true }, () => {
  test('three exceeded windows in a row close the connection with 1008, two don’t', async () => {
    const client = await stack.openWebSocket();
    for (let window = 1; window <= 3; window += 1) {
      assert.equal(client.closed, null, `closed before window ${window}`);
      await exceed(client);
      if (window < 3) await nextWindow(client);
    }
    assert.equal((await client.waitForClose())?.code, 1008);
  });

  test('a window that is kept in between starts the count of exceeded ones again', async () => {
    const patient = await stack.openWebSocket();
    for (const exceeding of [true, true, false, true, true]) {
      if (!exceeding) await keepOneWindow(patient);
      else await exceed(patient);
      await nextWindow(patient);
    }
    assert.equal(patient.closed, null);
    await patient.close();
  });

  test('the 1,001st subscription is SUBSCRIPTION_LIMIT; the others stay, and one that ends makes room', async () => {
    const client = await stack.openWebSocket();
    const sender = stack.sim.people.treasuries[0];
    let asked = 0;
    const ask = async (message) => {
      // Two such bursts fit into a window, wherever it begins.
      if (asked > 0 && asked % BURST === 0) await delay(WINDOW_MS / 2);
      asked += 1;
      const from = client.messages.length;
      client.send(message);
      return client.waitFor(() => true, { what: `an answer to ${JSON.stringify(message)}`, from });
    };
    for (let number = 0; number < MAX_SUBSCRIPTIONS; number += 1) {
      const { type } = await ask({ type: 'subscribe', streamId: stack.streamId(number) });
      assert.equal(type, 'subscribed', `subscription ${number + 1}`);
    }
    const over = await ask({ type: 'subscribe', sender });
    assert.deepEqual([over.type, over.code], ['error', 'SUBSCRIPTION_LIMIT']);
    assert.equal((await ask({ type: 'subscribe', streamId: stack.streamId(0) })).type, 'subscribed', 'one that is there already');
    assert.equal((await ask({ type: 'unsubscribe', streamId: stack.streamId(999) })).type, 'unsubscribed');
    assert.equal((await ask({ type: 'subscribe', sender })).type, 'subscribed');
    assert.equal(client.closed, null);
    await client.close();
  });

  test('a peer that answers no ping is gone after two; one that does stays', async () => {
    const silent = await RawWebSocket.open(stack.server.port);
    const talking = await stack.openWebSocket();
    await waitFor(() => silent.frames().some(({ opcode }) => opcode === OPCODE.ping), { what: 'a ping', ...PINGS });
    await waitFor(() => silent.stream.ended !== null, { what: 'the silent one to be ended', ...PINGS });
    assert.equal(silent.frames().filter(({ opcode }) => opcode === OPCODE.ping).length, 2);
    const gone = await stack.server.waitForLog(({ event, code }) => event === 'ws_disconnect' && code === 1006, 'the silent one’s end');
    assert.equal(gone.metrics.messagesReceived, 0);
    await waitFor(() => talking.pings >= 3, { what: 'three pings', ...PINGS });
    assert.equal(talking.closed, null);
    await talking.barrier();
    await talking.close();
    silent.destroy();
  });

  test('an SSE feed on which nothing happens has a comment now and then, and stays', async () => {
    const client = await SseClient.open(stack.baseUrl, { streamId: stack.streamId(999_999) });
    await client.resumed();
    await waitFor(() => client.comments >= 3, { what: 'three comments', ...PINGS });
    assert.equal(client.ended, null);
    assert.equal(client.events.length, 1);
    client.endNow();
  });
});
