// Limits of a WebSocket connection that take long to reach: SPEC section 6.
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { test } from 'node:test';
import { startStack } from '../harness/stack.js';
import { waitFor } from '../harness/wait.js';

const WINDOW_MESSAGES = 30;
const WINDOW_MS = 10_000;
const TRY_AGAIN_MS = 500;

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

test('three exceeded windows in a row close the connection with 1008, two don’t', async () => {
  const stack = await startStack({ simulator: false });
  const client = await stack.openWebSocket();
  for (let window = 1; window <= 3; window += 1) {
    assert.equal(client.closed, null, `closed before window ${window}`);
    await exceed(client);
    if (window < 3) await nextWindow(client);
  }
  assert.equal((await client.waitForClose())?.code, 1008);

  // A window that is kept in between starts the count again.
  const patient = await stack.openWebSocket();
  for (const exceeding of [true, true, false, true, true]) {
    if (!exceeding) await keepOneWindow(patient);
    else await exceed(patient);
    await nextWindow(patient);
  }
  assert.equal(patient.closed, null);
  await patient.close();
  await stack.stop();
});

test('a client that doesn’t read is closed with 4008 and resumes by its cursor; it never delays others', async () => {
  const stack = await startStack({ simulator: { seed: 'slow consumer', streams: 100, tokenEvents: false } });
  const [slow, quick] = await Promise.all([stack.openWebSocket(), stack.openWebSocket()]);
  for (const client of [slow, quick]) await client.subscribe({ streamId: '*' });
  await slow.barrier();
  slow.socket.pause();
  const closing = ({ event, code }) => event === 'ws_disconnect' && code === 4008;
  // What the kernel buffers between the two comes on top of the queue, so the amount is found by trying.
  for (let round = 0; round < 60 && !stack.server.logs.some(closing); round += 1) {
    stack.runScenario(25, { actionsPerLedger: 20 });
    await stack.settle();
    await quick.waitForSeq((await stack.head()).seq);
  }
  await stack.server.waitForLog(closing, 'the slow consumer to be closed');
  assert.equal(quick.closed, null);
  slow.socket.resume();
  await slow.waitForClose();
  const seen = slow.updates().map((entry) => entry.seq);
  assert.deepEqual(seen, Array.from({ length: seen.length }, (_, index) => index + 1), 'what came before is whole');

  const { epoch, seq } = await stack.head();
  assert.ok(seen.length < seq);
  const again = await stack.openWebSocket();
  assert.equal((await again.subscribe({ streamId: '*', after: `${epoch}-${seen.length}` })).resume, 'resumed');
  await again.waitForSeq(seq);
  assert.deepEqual([...seen, ...again.updates().map((entry) => entry.seq)], quick.updates().map((entry) => entry.seq));
  await stack.stop();
});
