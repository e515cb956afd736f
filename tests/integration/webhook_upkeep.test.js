// What is done about webhooks without anybody asking: removing what is over, cancelling what nobody wants any more.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startWebhookStack } from '../webhooks/harness/webhook_server.js';
import { create } from './harness/api_streams.js';
import { waitFor } from './harness/wait.js';

const LONG_AGO_MS = Date.UTC(2020, 0, 1);

/** A server that sends nothing as yet, endpoints of it, and one delivery a stream for each. */
async function stackWithWaiting(endpoints, streams) {
  const stack = await startWebhookStack({ env: { WEBHOOK_DELIVERY: 'false' } });
  const ids = [];
  for (let i = 0; i < endpoints; i += 1) {
    ids.push((await stack.webhooks.create({ url: `https://receiver.example/${i}` })).id);
  }
  for (let i = 0; i < streams; i += 1) {
    const answer = await create(stack.baseUrl);
    assert.equal(answer.status, 201, answer.text);
  }
  return { stack, ids };
}

/** A start does at once what is due, also where nothing is sent. */
const tidyUp = (stack) => stack.server.restart({ WEBHOOK_DELIVERY: 'false' });

/** Brings deliveries of an endpoint to their end, as a dispatcher does. @param {string} which a condition */
async function finish(stack, endpoint, state, finishedAtMs, which = 'true') {
  const changed = await stack.db.rows(
    `UPDATE webhook_deliveries SET state = $2, attempts = 1, finished_at_ms = $3 WHERE endpoint = $1 AND ${which}
     RETURNING endpoint, epoch, seq, lane`,
    [endpoint, state, finishedAtMs],
  );
  for (const { epoch, seq, lane } of changed) {
    await stack.db.rows('DELETE FROM webhook_lanes WHERE endpoint = $1 AND lane = $2', [endpoint, lane]);
    await stack.db.rows(
      `INSERT INTO webhook_attempts (endpoint, epoch, seq, number, at_ms, duration_ms, status, error, detail, response)
       VALUES ($1, $2, $3, 1, $4, 5, 200, '', '', '')`,
      [endpoint, epoch, seq, finishedAtMs],
    );
  }
}

const messages = (stack) => stack.db.rows('SELECT seq::int, deliveries FROM webhook_messages ORDER BY seq');
const countOf = async (stack, table) => (await stack.db.rows(`SELECT count(*)::int AS count FROM ${table}`))[0].count;

test('what was over long ago is removed with its attempts, and a message with the last of its deliveries', async () => {
  const { stack, ids } = await stackWithWaiting(2, 4);
  const [first, second] = ids;
  const [a, b, c, d] = (await messages(stack)).map(({ seq }) => seq);
  assert.deepEqual((await messages(stack)).map(({ deliveries }) => deliveries), [2, 2, 2, 2]);
  await stack.webhooks.change(first, { enabled: false });
  await stack.webhooks.change(second, { enabled: false });
  await finish(stack, first, 1, LONG_AGO_MS);
  await finish(stack, second, 2, LONG_AGO_MS, `seq = ${a}`); // a dead letter
  await finish(stack, second, 1, Date.now(), `seq = ${b}`);
  await tidyUp(stack);
  const kept = await waitFor(async () => {
    const rows = await stack.db.rows('SELECT endpoint::int, seq::int, state FROM webhook_deliveries ORDER BY seq');
    return rows.length === 3 && rows;
  }, { what: 'what is over to be removed' });
  assert.deepEqual(kept, [b, c, d].map((seq) => ({ endpoint: Number(second), seq, state: seq === b ? 1 : 0 })));
  assert.deepEqual(await messages(stack), [b, c, d].map((seq) => ({ seq, deliveries: 1 })));
  assert.equal(await countOf(stack, 'webhook_attempts'), 1);
  assert.equal(await countOf(stack, 'webhook_lanes'), 2);
  await stack.stop();
});

test('what waits for a deleted endpoint counts as cancelled at once, and its rows follow', async () => {
  const { stack, ids } = await stackWithWaiting(2, 3);
  const [deleted, other] = ids;
  await stack.webhooks.change(other, { enabled: false });
  const waiting = await stack.webhooks.deliveries(deleted);
  assert.deepEqual(waiting.map(({ state }) => state), ['waiting', 'waiting', 'waiting']);
  await stack.webhooks.remove(deleted);
  const cancelled = await stack.webhooks.delivery(waiting[0].id);
  assert.equal(cancelled.state, 'cancelled');
  assert.ok(cancelled.finishedAt);
  assert.equal((await stack.webhooks.ask('POST', `/api/webhooks/deliveries/${waiting[0].id}/redeliver`)).status, 409);
  await tidyUp(stack);
  await waitFor(async () => {
    const rows = await stack.db.rows('SELECT state FROM webhook_deliveries WHERE endpoint = $1', [deleted]);
    return rows.every(({ state }) => state === 3);
  }, { what: 'the rows to be cancelled' });
  const lanes = await stack.db.rows('SELECT endpoint::int FROM webhook_lanes');
  assert.deepEqual(lanes, Array(3).fill({ endpoint: Number(other) }));
  assert.deepEqual((await stack.webhooks.deliveries(other)).map(({ state }) => state), ['waiting', 'waiting', 'waiting']);
  await stack.stop();
});

test('pages of deliveries hold each once: tests, this log’s, and those of logs before it', async () => {
  const { stack, ids } = await stackWithWaiting(1, 5);
  const [endpoint] = ids;
  for (let i = 0; i < 3; i += 1) await stack.webhooks.test(endpoint);
  const [{ epoch }] = await stack.db.rows('SELECT epoch FROM log_head');
  for (const former of ['0000', 'zzzz']) {
    await stack.db.rows(
      `INSERT INTO webhook_messages (epoch, seq, event, stream_id, body, deliveries)
       SELECT $1, seq, 'stream.created', 's', '{}', 1 FROM generate_series(1, 4) seq`,
      [former],
    );
    await stack.db.rows(
      `INSERT INTO webhook_deliveries (endpoint, epoch, seq, lane, state, finished_at_ms)
       SELECT $1, $2, seq, 's', 1 + seq % 2, $3 FROM generate_series(1, 4) seq`,
      [endpoint, former, Date.now()],
    );
  }
  const inOrder = (await stack.webhooks.deliveries(endpoint)).map(({ id }) => id);
  const of = (prefix) => inOrder.filter((id) => id.startsWith(prefix));
  assert.deepEqual(inOrder, [...of('wt_'), ...of(`wd_${endpoint}_${epoch}_`), ...of(`wd_${endpoint}_zzzz_`), ...of(`wd_${endpoint}_0000_`)]);
  assert.deepEqual([of('wt_').length, of(`wd_${endpoint}_${epoch}_`).length, inOrder.length], [3, 5, 16]);
  for (const prefix of ['wt_', `wd_${endpoint}_${epoch}_`, `wd_${endpoint}_zzzz_`]) {
    const numbers = of(prefix).map((id) => Number(id.split('_').at(-1)));
    assert.deepEqual(numbers, [...numbers].sort((x, y) => y - x), prefix);
  }
  for (const state of [undefined, 'waiting', 'delivered', 'dead']) {
    const whole = await stack.webhooks.deliveries(endpoint, { state });
    assert.ok(whole.length > 0 && whole.every((delivery) => state === undefined || delivery.state === state));
    for (const limit of [1, 3]) {
      const paged = await stack.webhooks.deliveries(endpoint, { state, limit });
      assert.deepEqual(paged.map(({ id }) => id), whole.map(({ id }) => id), `${state} by ${limit}`);
    }
  }
  const dead = (await stack.webhooks.deadLetters()).map(({ id }) => id);
  assert.deepEqual((await stack.webhooks.deadLetters({ limit: 1 })).map(({ id }) => id), dead);
  assert.equal(dead.length, 4);
  await stack.stop();
});

test('a server that sends nothing disables an endpoint for which far too much waits, and counts it', async () => {
  const { stack, ids } = await stackWithWaiting(1, 20);
  await stack.server.restart({ WEBHOOK_DELIVERY: 'false', WEBHOOK_MAX_WAITING: '2' });
  await waitFor(async () => (await stack.webhooks.endpoint(ids[0])).disabledReason === 'backlog', { what: 'the endpoint to be disabled' });
  const page = (await stack.request('/metrics')).text;
  assert.match(page, /^fluxora_webhook_endpoints_disabled_total\{reason="backlog"\} 1$/m);
  assert.doesNotMatch(page, /^fluxora_webhook_attempts_total/m);
  await stack.stop();
});
