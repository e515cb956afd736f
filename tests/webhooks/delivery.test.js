// Deliveries of the whole server to receivers that answer as they like: order, retries, secrets, replays, epochs, and
// the libraries that others verify with. SPEC section 8.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { Webhook as StandardWebhook } from 'standardwebhooks';
import { Webhook as SvixWebhook } from 'svix';
import { OtlpReceiver } from '../api/harness/otlp_receiver.js';
import { cancel, create, send, setStatus } from '../integration/harness/api_streams.js';
import { adminHeaders } from '../integration/harness/admin.js';
import { ServerProcess } from '../integration/harness/server_process.js';
import { DEADLINE_MS, waitFor } from '../integration/harness/wait.js';
import { NodeReceiver, entryOf } from './harness/node_receiver.js';
import { ReceiverProgram } from './harness/receiver_program.js';
import { fluxoraSignature, standardToken } from './harness/signatures.js';
import { seqOf } from './harness/wanted_entries.js';
import { JWT_SECRET, startWebhookStack } from './harness/webhook_server.js';

/** Quick enough to be waited for. Four attempts. */
const SCHEDULE = '1s,1s,2s';
const ATTEMPTS_MAX = 4;
/** The kind of a span that asks somebody else. */
const CLIENT = 3;

/** @type {NodeReceiver} */
let receiver;
before(async () => {
  receiver = await NodeReceiver.start();
});
after(() => receiver.end());

/** A stream of the API; gives its id. @param {any} stack */
async function newStream(stack, terms = {}) {
  const { status, json, text } = await create(stack.baseUrl, terms);
  assert.equal(status, 201, text);
  return json.id;
}

/** One entry more of a stream. @param {any} stack @param {string} id @param {'paused' | 'active'} status */
async function touch(stack, id, status) {
  const answer = await setStatus(stack.baseUrl, id, status);
  assert.equal(answer.status, 200, answer.text);
}

const seqs = (deliveries) => deliveries.map((delivery) => entryOf(delivery).seq);
const first = (deliveries) =>
  deliveries.filter(({ id }, index) => deliveries.findIndex((one) => one.id === id) === index);

describe('one server', () => {
  /** @type {Awaited<ReturnType<typeof startWebhookStack>>} */
  let stack;
  let webhooks;
  /** @type {OtlpReceiver} */
  let collector;
  before(async () => {
    collector = await OtlpReceiver.start();
    const env = { WEBHOOK_RETRY_SCHEDULE: SCHEDULE, OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
    stack = await startWebhookStack({ env });
    webhooks = stack.webhooks;
  });
  after(async () => {
    await stack.stop();
    await collector.end();
  });

  test('a delivery: what it says, its headers, and the signatures that others verify', async () => {
    const endpoint = await webhooks.create({
      url: receiver.url('/plain'),
      events: ['stream.created'],
      description: 'partner',
    });
    assert.match(endpoint.secret, /^whsec_[A-Za-z0-9+/]{43}=$/);
    const id = await newStream(stack);
    const [delivery] = await receiver.waitFor('/plain', 1);
    const { headers, body } = delivery;

    const [entry] = (await stack.get(`/api/streams/${id}/events`)).events;
    assert.deepEqual(JSON.parse(String(body)), { type: 'stream.created', timestamp: entry.closedAt, data: entry });
    const { epoch } = await stack.head();
    assert.equal(headers['webhook-id'], `wd_${endpoint.id}_${epoch}_${entry.seq}`);
    assert.equal(headers['x-fluxora-delivery-id'], headers['webhook-id']);
    assert.equal(headers['x-fluxora-timestamp'], headers['webhook-timestamp']);
    assert.ok(
      Math.abs(Number(headers['webhook-timestamp']) * 1000 - delivery.at) < 300_000,
      'as far off as receivers bear',
    );
    assert.equal(headers['x-fluxora-event'], 'stream.created');
    assert.match(headers['content-type'], /^application\/json/);
    assert.equal(headers['content-length'], String(body.length));
    assert.equal(headers.expect, undefined);
    const span = await collector.span(
      ({ attributes }) => attributes['fluxora.webhook.delivery'] === delivery.id,
      'the span of the attempt',
    );
    assert.equal(headers.traceparent, `00-${span.traceId}-${span.spanId}-01`);
    assert.equal(span.kind, CLIENT);

    assert.equal(
      headers['webhook-signature'],
      standardToken(endpoint.secret, delivery.id, headers['webhook-timestamp'], body),
    );
    assert.equal(
      headers['x-fluxora-signature'],
      fluxoraSignature(endpoint.secret, headers['x-fluxora-timestamp'], body),
    );
    for (const Webhook of [StandardWebhook, SvixWebhook]) {
      const verifier = new Webhook(endpoint.secret);
      assert.deepEqual(verifier.verify(String(body), headers), JSON.parse(String(body)));
      assert.throws(() => verifier.verify(`${body} `, headers));
      assert.throws(() => new Webhook(`whsec_${randomBytes(32).toString('base64')}`).verify(String(body), headers));
    }
    const recorded = await webhooks.reaches(delivery.id, 'delivered');
    assert.deepEqual(
      [recorded.endpointId, recorded.event, recorded.attempts.length],
      [endpoint.id, 'stream.created', 1],
    );
    assert.deepEqual([recorded.attempts[0].number, recorded.attempts[0].status], [1, 200]);
    assert.deepEqual(recorded.payload, JSON.parse(String(body)));
    await webhooks.remove(endpoint.id);
  });

  test('what fails is tried by the schedule, then a dead letter, and redelivered under its id', async () => {
    const endpoint = await webhooks.create({ url: receiver.url('/dead'), events: ['stream.created'] });
    let status = 400;
    receiver.reply = ({ path }) => (path === '/dead' ? { status, body: `no: ${'ü'.repeat(1_000)}` } : undefined);
    await newStream(stack);
    const [{ id, body }] = await receiver.waitFor('/dead', ATTEMPTS_MAX);
    const dead = await webhooks.reaches(id, 'dead');
    assert.equal(dead.attempts.length, ATTEMPTS_MAX);
    const spans = new Set(receiver.at('/dead').map(({ headers }) => headers.traceparent));
    assert.equal(spans.size, ATTEMPTS_MAX, 'a span for each attempt');
    assert.deepEqual(
      dead.attempts.map(({ number, status: answered }) => [number, answered]),
      [1, 2, 3, 4].map((number) => [number, 400]),
    );
    // Each pause is the schedule's, ± 20 %; a slow machine only makes it longer.
    const begins = dead.attempts.map(({ at }) => Date.parse(at));
    for (const [index, pause] of [1_000, 1_000, 2_000].entries()) {
      assert.ok(begins[index + 1] - begins[index] >= 0.8 * pause, `attempt ${index + 2} keeps to the schedule`);
    }
    const { response } = dead.attempts[0];
    assert.ok(
      response.startsWith('no: üüü') && Buffer.byteLength(response) <= 1_024 && !response.includes('\ufffd'),
      response.slice(-20),
    );
    await stack.server.waitForLog(
      (line) => line.event === 'webhook_dead_letter' && JSON.stringify(line).includes(id),
      'the dead letter to be logged',
    );
    assert.deepEqual(
      (await webhooks.deadLetters()).filter(({ endpointId }) => endpointId === endpoint.id).map((one) => one.id),
      [id],
    );

    // Another one dies; then all of them are redelivered at once.
    await newStream(stack);
    await waitFor(async () => (await webhooks.deadLetters({ endpointId: endpoint.id })).length === 2, {
      what: 'a second dead letter',
    });
    status = 200;
    await webhooks.redeliver(id);
    const delivered = await webhooks.reaches(id, 'delivered');
    assert.deepEqual(
      delivered.attempts.map(({ number }) => number),
      [1, 2, 3, 4, 5],
      'its attempts go on',
    );
    const again = receiver
      .at('/dead')
      .filter((delivery) => delivery.id === id)
      .at(-1);
    assert.ok(again?.body.equals(body));
    assert.deepEqual(await webhooks.redeliverDead(endpoint.id), { redelivered: 1 });
    await waitFor(async () => (await webhooks.deadLetters({ endpointId: endpoint.id })).length === 0, {
      what: 'no dead letter to be left',
    });
    await waitFor(() => receiver.at('/dead').some((one) => one.id !== id && one.status === 200), {
      what: 'the second to arrive',
    });

    // What was delivered can be sent once more.
    const count = receiver.at('/dead').length;
    await webhooks.redeliver(id);
    await receiver.waitFor('/dead', count + 1);
    assert.equal(receiver.at('/dead').at(-1)?.id, id);
    receiver.reply = () => undefined;
    await webhooks.remove(endpoint.id);
  });

  for (const [what, status, wait] of [
    ['seconds', 429, () => '3'],
    // A date has whole seconds, and the present one has begun.
    ['a date', 503, () => new Date(Date.now() + 4_000).toUTCString()],
  ]) {
    test(`${status} with Retry-After, ${what}: nobody is asked before`, async () => {
      const path = `/later/${status}`;
      const endpoint = await webhooks.create({ url: receiver.url(path), events: ['stream.created'] });
      receiver.reply = (delivery) =>
        delivery.path === path && receiver.at(path).length === 1
          ? { status, headers: { 'retry-after': wait() } }
          : undefined;
      await newStream(stack);
      const [refused, taken] = await receiver.waitFor(path, 2);
      assert.equal(refused.id, taken.id);
      assert.ok(taken.at - refused.at >= 2_900, 'the schedule alone would have been a second');
      assert.equal((await webhooks.reaches(taken.id, 'delivered')).attempts.length, 2);
      receiver.reply = () => undefined;
      await webhooks.remove(endpoint.id);
    });
  }

  test('410 disables; once somebody enables it, what waited comes and what was missed does not', async () => {
    const witness = await webhooks.create({ url: receiver.url('/witness'), events: ['stream.created'] });
    const endpoint = await webhooks.create({ url: receiver.url('/gone'), events: ['stream.created'] });
    receiver.reply = ({ path }) => (path === '/gone' ? { status: 410 } : undefined);
    await newStream(stack);
    const [{ id }] = await receiver.waitFor('/gone', 1);
    const disabled = await waitFor(
      async () => {
        const now = await webhooks.endpoint(endpoint.id);
        return !now.enabled && now;
      },
      { what: 'it to be disabled' },
    );
    assert.equal(disabled.disabledReason, 'gone');
    assert.ok(Date.parse(disabled.disabledAt) > 0);
    await stack.server.waitForLog((line) => line.event === 'webhook_endpoint_disabled', 'that to be logged');
    const refused = await webhooks.ask('POST', `/api/webhooks/endpoints/${endpoint.id}/test`);
    assert.equal(refused.status, 409, refused.text);

    await newStream(stack);
    await receiver.waitFor('/witness', 2);
    assert.deepEqual(
      receiver.at('/gone').map((delivery) => delivery.id),
      [id],
    );
    receiver.reply = () => undefined;
    const enabled = await webhooks.change(endpoint.id, { enabled: true });
    assert.deepEqual([enabled.enabled, enabled.disabledReason, enabled.disabledAt], [true, null, null]);
    assert.equal(enabled.cursor, (await stack.head()).cursor);
    await newStream(stack);
    await receiver.waitFor('/gone', 3);
    const seen = receiver.at('/gone');
    assert.deepEqual(new Set(seen.slice(1).map((delivery) => delivery.id)).size, 2);
    assert.ok(
      seen.slice(1).some((delivery) => delivery.id === id),
      'what waited',
    );
    const missed = seqs(receiver.at('/witness'))[1];
    assert.ok(!seqs(seen).includes(missed), 'what was appended meanwhile');
    for (const one of [witness, endpoint]) await webhooks.remove(one.id);
  });

  test('an operator disables and enables; deleted endpoints get nothing', async () => {
    const witness = await webhooks.create({ url: receiver.url('/there') });
    const endpoint = await webhooks.create({ url: receiver.url('/switched'), enabled: false });
    assert.equal(endpoint.disabledReason, 'operator');
    const id = await newStream(stack);
    await receiver.waitFor('/there', 1);
    await webhooks.change(endpoint.id, { enabled: true });
    await touch(stack, id, 'paused');
    await receiver.waitFor('/switched', 1);
    await webhooks.change(endpoint.id, { enabled: false });
    await touch(stack, id, 'active');
    await receiver.waitFor('/there', 3);
    await webhooks.change(endpoint.id, { enabled: true });
    await cancel(stack.baseUrl, id);
    await receiver.waitFor('/switched', 2);
    const all = seqs(receiver.at('/there'));
    assert.deepEqual(seqs(receiver.at('/switched')), [all[1], all[3] ?? (await stack.head()).seq]);
    await webhooks.remove(endpoint.id);
    await newStream(stack);
    await receiver.waitFor('/there', 5);
    assert.equal(receiver.at('/switched').length, 2);
    assert.equal((await webhooks.ask('GET', `/api/webhooks/endpoints/${endpoint.id}`)).status, 404);
    await webhooks.remove(witness.id);
  });

  test('redirects are answers like any other, and are not followed', async () => {
    const endpoint = await webhooks.create({ url: receiver.url('/moved'), events: ['stream.created'] });
    receiver.reply = ({ path }) =>
      path === '/moved' ? { status: 307, headers: { location: receiver.url('/elsewhere') } } : undefined;
    await newStream(stack);
    const [{ id }] = await receiver.waitFor('/moved', 2);
    const delivery = await webhooks.attempted(id, 2);
    assert.deepEqual(
      delivery.attempts.slice(0, 2).map(({ status }) => status),
      [307, 307],
    );
    assert.equal(receiver.at('/elsewhere').length, 0);
    receiver.reply = () => undefined;
    await webhooks.remove(endpoint.id);
  });

  test('a rotated secret: both sign during the grace, then only the new one', async () => {
    const endpoint = await webhooks.create({ url: receiver.url('/rotated') });
    const stream = await newStream(stack);
    await receiver.waitFor('/rotated', 1);
    const { secret } = await webhooks.rotate(endpoint.id, 3_600);
    assert.notEqual(secret, endpoint.secret);
    await touch(stack, stream, 'paused');
    const both = (await receiver.waitFor('/rotated', 2))[1];
    const timestamp = both.headers['webhook-timestamp'];
    assert.deepEqual(
      both.headers['webhook-signature'].split(' '),
      [secret, endpoint.secret].map((one) => standardToken(one, both.id, timestamp, both.body)),
    );
    assert.equal(both.headers['x-fluxora-signature'], fluxoraSignature(secret, timestamp, both.body));
    for (const Webhook of [StandardWebhook, SvixWebhook]) {
      for (const live of [secret, endpoint.secret]) new Webhook(live).verify(String(both.body), both.headers);
    }
    assert.ok((await webhooks.endpoint(endpoint.id)).previousSecretExpiresAt);

    const last = await webhooks.rotate(endpoint.id, 0);
    await touch(stack, stream, 'active');
    const alone = (await receiver.waitFor('/rotated', 3))[2];
    assert.equal(
      alone.headers['webhook-signature'],
      standardToken(last.secret, alone.id, alone.headers['webhook-timestamp'], alone.body),
    );
    await webhooks.remove(endpoint.id);
  });

  test('a test delivery comes at once, beside what waits, and is no entry of the log', async () => {
    const endpoint = await webhooks.create({ url: receiver.url('/tested') });
    receiver.reply = ({ path, headers }) =>
      path === '/tested' && headers['x-fluxora-event'] !== 'webhook.test' ? { status: 500 } : undefined;
    await newStream(stack);
    await receiver.waitFor('/tested', 1);
    const { id } = await webhooks.test(endpoint.id);
    assert.match(id, new RegExp(`^wt_${endpoint.id}_[0-9]+$`));
    const delivered = await webhooks.reaches(id, 'delivered');
    assert.equal(delivered.event, 'webhook.test');
    const came = receiver.at('/tested').find((delivery) => delivery.id === id);
    assert.ok(came);
    const { type, timestamp, data } = JSON.parse(String(came.body));
    assert.deepEqual([type, data], ['webhook.test', { endpointId: endpoint.id }]);
    assert.ok(Date.parse(timestamp) > 0);
    new StandardWebhook(endpoint.secret).verify(String(came.body), came.headers);
    const other = await webhooks.test(endpoint.id);
    assert.notEqual(other.id, id);
    receiver.reply = () => undefined;
    await webhooks.remove(endpoint.id);
  });

  test('filters: names, a stream, parties, and all of them together', async () => {
    const { epoch } = await stack.head();
    const stream = await newStream(stack);
    const paths = ['/f/names', '/f/stream', '/f/sender', '/f/none', '/f/all'];
    const { sender, recipient } = await stack.get(`/api/streams/${stream}`);
    const filters = [
      { events: ['stream.updated', 'stream.cancelled'] },
      { streamId: stream },
      { sender },
      { sender: recipient },
      { events: ['stream.cancelled'], streamId: stream, sender, recipient },
    ];
    const made = [];
    for (const [index, filter] of filters.entries())
      made.push(await webhooks.create({ url: receiver.url(paths[index]), ...filter }));
    await touch(stack, stream, 'paused');
    const other = await newStream(stack);
    await cancel(stack.baseUrl, stream);
    await cancel(stack.baseUrl, other);
    const { seq: head } = await stack.head();
    await receiver.waitFor('/f/sender', 4);
    for (const [index, count] of [3, 2, 4, 0, 1].entries()) await receiver.waitFor(paths[index], count);
    const last = [head - 3, head - 2, head - 1, head];
    const expected = [[last[0], last[2], last[3]], [last[0], last[2]], last, [], [last[2]]];
    for (const [index, path] of paths.entries()) {
      assert.deepEqual(
        seqs(receiver.at(path)).sort((a, b) => a - b),
        expected[index],
        path,
      );
      assert.ok(receiver.at(path).every(({ id }) => id.startsWith(`wd_${made[index].id}_${epoch}_`)));
      await webhooks.remove(made[index].id);
    }
  });

  test('the example receiver in C++ takes them all', async () => {
    const program = new ReceiverProgram();
    await program.start();
    const endpoint = await webhooks.create({ url: program.url('/fail-first/1/cpp'), enabled: false });
    await program.trust('/fail-first/1/cpp', endpoint.secret);
    await webhooks.change(endpoint.id, { enabled: true });
    const stream = await newStream(stack);
    await touch(stack, stream, 'paused');
    await cancel(stack.baseUrl, stream);
    await waitFor(() => program.records().filter(({ handled }) => handled).length === 3, {
      what: 'three deliveries',
      describe: () => program.records(),
    });
    assert.deepEqual([...new Set(program.records().map(({ verdict }) => verdict))], ['ok']);
    assert.deepEqual(
      program.records().map(({ status }) => status),
      [500, 200, 500, 200, 500, 200],
    );
    await webhooks.remove(endpoint.id);
    await program.end();
  });
});

test('a stream waits for its own first delivery, no other stream does; bytes and id stay over all attempts', async () => {
  const stack = await startWebhookStack({ env: { WEBHOOK_RETRY_SCHEDULE: '1s,1s,1s,2s,2s,5s,10s,30s' } });
  await stack.webhooks.create({ url: receiver.url('/order') });
  const blocked = await newStream(stack);
  await receiver.waitFor('/order', 1);
  // From here on what is of `blocked` is refused, until all of the other has come.
  let refuse = true;
  receiver.reply = ({ path, body }) =>
    path === '/order' && refuse && JSON.parse(String(body)).data.streamId === blocked ? { status: 500 } : undefined;
  await touch(stack, blocked, 'paused');
  await touch(stack, blocked, 'active');
  const other = await newStream(stack);
  await touch(stack, other, 'paused');
  await touch(stack, other, 'active');
  await cancel(stack.baseUrl, other);
  const ofStream = (id) => receiver.at('/order').filter((delivery) => entryOf(delivery).streamId === id);
  await waitFor(() => ofStream(other).length === 4 && ofStream(blocked).length > 1, { what: 'the other stream' });
  refuse = false;
  await cancel(stack.baseUrl, blocked);
  await waitFor(() => first(ofStream(blocked)).length === 4, { what: 'the stream that was refused' });

  assert.deepEqual(
    seqs(ofStream(other)),
    seqs(ofStream(other)).toSorted((a, b) => a - b),
    'the other: each once, in order',
  );
  const tried = ofStream(blocked);
  const refused = tried.filter(({ status }) => status === 500);
  assert.ok(refused.length >= 1);
  assert.equal(new Set(refused.map(({ id }) => id)).size, 1, 'what comes behind the refused one is not sent before it');
  const accepted = tried.filter(({ status }) => status === 200);
  assert.deepEqual(
    seqs(accepted),
    seqs(accepted).toSorted((a, b) => a - b),
  );
  assert.equal(accepted.length, 4);
  const [id] = refused.map((delivery) => delivery.id);
  const copies = tried.filter((delivery) => delivery.id === id);
  for (const copy of copies) assert.ok(copy.body.equals(copies[0].body), 'the same bytes');
  receiver.reply = () => undefined;
  await stack.stop();
});

test('a replay of a range: the same ids and bytes again, paused and resumed, cursors that are no good', async () => {
  const stack = await startWebhookStack({
    simulator: { seed: 'replayed-webhooks', streams: 20, tokenEvents: false },
    prepare: (sim) => {
      sim.runScenario(300, { actionsPerLedger: 8 });
      sim.closeLedger();
    },
  });
  const { webhooks } = stack;
  await stack.waitForLedger();
  // What was there before it is not delivered, unless it is asked for.
  const endpoint = await webhooks.create({ url: receiver.url('/replay') });
  const begin = await stack.head();
  assert.equal(endpoint.cursor, begin.cursor);
  stack.sim.runScenario(5, { actionsPerLedger: 8 });
  stack.sim.closeLedger();
  await stack.waitForLedger();
  const end = await stack.head();
  assert.ok(end.seq > begin.seq && begin.seq > 1_000, JSON.stringify([begin, end]));
  await receiver.waitFor('/replay', end.seq - begin.seq);
  const live = new Map(receiver.at('/replay').map((delivery) => [delivery.id, delivery.body]));
  assert.deepEqual(
    [...live.keys()].map((id) => Number(id.split('_')[3])).sort((a, b) => a - b),
    Array.from({ length: end.seq - begin.seq }, (_, index) => begin.seq + 1 + index),
  );

  // Nothing comes of it while that table is held, so that it is there to be steered.
  const middle = begin.seq - 600;
  const holder = stack.db.cluster.client(stack.db.name);
  await holder.connect();
  await holder.query('BEGIN');
  await holder.query('LOCK TABLE webhook_messages IN EXCLUSIVE MODE');
  const started = await webhooks.replay({ endpointId: endpoint.id, after: `${begin.epoch}-${middle}` });
  const second = await webhooks.ask('POST', '/api/webhooks/replay', {
    endpointId: endpoint.id,
    after: `${begin.epoch}-${middle}`,
  });
  assert.equal(second.status, 409, 'one at a time');
  await holder.query('COMMIT');
  await holder.end();
  const paused = await webhooks.ask('POST', `/api/webhooks/replay/${started.id}/pause`);
  assert.ok([200, 409].includes(paused.status), 'it may be done already');
  if (paused.status === 200) {
    assert.equal(paused.json.state, 'paused');
    assert.equal((await webhooks.changeReplay(started.id, 'resume')).state, 'running');
  }
  const done = await waitFor(
    async () => {
      const now = await webhooks.replayState(started.id);
      return now.state === 'done' && now;
    },
    { what: 'the replay to be done', describe: () => webhooks.replayState(started.id) },
  );
  assert.equal(done.deliveries, end.seq - middle);
  const all = await receiver.waitFor('/replay', live.size + done.deliveries);
  const replayed = all.slice(live.size);
  assert.deepEqual(
    [...new Set(replayed.map(({ id }) => Number(id.split('_')[3])))].sort((a, b) => a - b),
    Array.from({ length: end.seq - middle }, (_, index) => middle + 1 + index),
  );
  for (const delivery of replayed.filter(({ id }) => live.has(id)))
    assert.ok(delivery.body.equals(live.get(delivery.id)), delivery.id);
  const places = new Map();
  for (const delivery of replayed) {
    const { streamId, seq } = entryOf(delivery);
    assert.ok(seq > (places.get(streamId) ?? 0), 'in order per stream');
    places.set(streamId, seq);
  }

  // A bounded range, and what isn't one.
  const count = receiver.at('/replay').length;
  const part = await webhooks.replay({
    endpointId: endpoint.id,
    after: `${begin.epoch}-10`,
    through: `${begin.epoch}-15`,
  });
  await receiver.waitFor('/replay', count + 5);
  await waitFor(async () => (await webhooks.replayState(part.id)).state === 'done', {
    what: 'the short one to be done',
  });
  assert.deepEqual(
    seqs(receiver.at('/replay').slice(count)).sort((a, b) => a - b),
    [11, 12, 13, 14, 15],
  );
  for (const [range, status] of [
    [{ after: 'zzzz-1' }, 409],
    [{ after: `${begin.epoch}-1`, through: `${begin.epoch}-${end.seq + 1_000_000}` }, 409],
    [{ after: 'nonsense' }, 400],
  ]) {
    const answer = await webhooks.ask('POST', '/api/webhooks/replay', { endpointId: endpoint.id, ...range });
    assert.equal(answer.status, status, `${JSON.stringify(range)}: ${answer.text}`);
  }
  await stack.stop();
});

test('a new epoch: reading the chain again sends nothing, and what comes behind it goes on under new ids', async () => {
  const stack = await startWebhookStack({ simulator: { seed: 'webhook-epochs', streams: 6, tokenEvents: false } });
  const { webhooks } = stack;
  const endpoint = await webhooks.create({ url: receiver.url('/epochs') });
  stack.sim.runScenario(4, { actionsPerLedger: 4 });
  stack.sim.closeLedger();
  await stack.waitForLedger();
  const before = await stack.head();
  await receiver.waitFor('/epochs', before.seq);
  // One of the old epoch waits over the change.
  receiver.reply = ({ path }) => (path === '/epochs' ? { status: 500 } : undefined);
  const waiting = await newStream(stack);
  const last = (await receiver.waitFor('/epochs', before.seq + 1)).at(-1);
  assert.equal(entryOf(last).streamId, waiting);
  await webhooks.attempted(last.id);

  const headers = adminHeaders(JWT_SECRET);
  const job = await send(`${stack.baseUrl}/admin/replay`, 'POST', { kind: 'replay' }, headers);
  assert.equal(job.status, 202, job.text);
  await waitFor(async () => (await stack.request('/admin/replay', { headers })).json.jobs[0].state === 'done', {
    what: 'the replay of the chain',
    describe: async () => (await stack.request('/admin/replay', { headers })).json,
  });
  const after = await stack.head();
  assert.notEqual(after.epoch, before.epoch);
  const begun = receiver.deliveries.length;
  assert.ok(
    receiver.at('/epochs').every(({ id }) => id.startsWith(`wd_${endpoint.id}_${before.epoch}_`)),
    'none for reading again',
  );

  await webhooks.redeliver(last.id);
  receiver.reply = () => undefined;
  await webhooks.reaches(last.id, 'delivered');
  const arrived = receiver
    .at('/epochs')
    .filter(({ id }) => id === last.id)
    .at(-1);
  assert.ok(arrived?.body.equals(last.body), 'what the old epoch left is delivered as it was');
  await newStream(stack);
  await waitFor(
    () => receiver.deliveries.slice(begun).some(({ id }) => id.startsWith(`wd_${endpoint.id}_${after.epoch}_`)),
    { what: 'a delivery of the new epoch' },
  );
  const fresh = receiver.at('/epochs').filter(({ id }) => id.includes(`_${after.epoch}_`));
  assert.ok(seqs(fresh).every((seq) => seq > after.seq));
  const refused = await webhooks.ask('POST', '/api/webhooks/replay', { endpointId: endpoint.id, after: before.cursor });
  assert.equal(refused.status, 409, refused.text);
  await stack.stop();
});

test('FLUXORA_WEBHOOK_URL: one endpoint without the API, whose secret the database does not hold', async () => {
  const secret = `whsec_${randomBytes(32).toString('base64')}`;
  const program = new ReceiverProgram({ env: { FLUXORA_WEBHOOK_SECRET: secret } });
  await program.start();
  const stack = await startWebhookStack({
    env: { FLUXORA_WEBHOOK_URL: program.url('/ok/configured'), FLUXORA_WEBHOOK_SECRET: secret },
  });
  const { webhooks } = stack;
  const endpoint = await waitFor(async () => (await webhooks.endpoints())[0], { what: 'the endpoint' });
  assert.deepEqual([endpoint.configured, endpoint.enabled, endpoint.url], [true, true, program.url('/ok/configured')]);
  await newStream(stack);
  await waitFor(() => program.records().length === 1, { what: 'its delivery' });
  assert.deepEqual(
    program.records().map(({ verdict, handled }) => [verdict, handled]),
    [['ok', true]],
  );
  assert.equal((await stack.db.row('SELECT secret FROM webhook_endpoints')).secret, null);
  for (const [method, path, body] of [
    ['PATCH', '', { url: 'https://example.com/' }],
    ['POST', '/rotate-secret', {}],
    ['DELETE', '', undefined],
  ]) {
    const answer = await webhooks.ask(method, `/api/webhooks/endpoints/${endpoint.id}${path}`, body);
    assert.equal(answer.status, 409, `${method} ${path}: ${answer.text}`);
  }
  const tested = await webhooks.test(endpoint.id);
  await webhooks.reaches(tested.id, 'delivered');

  // An instance without the settings doesn't disable it; where nobody has had them for long, it is the same endpoint again.
  await stack.server.restart({ FLUXORA_WEBHOOK_URL: undefined, FLUXORA_WEBHOOK_SECRET: undefined });
  await webhooks.reaches((await webhooks.test(endpoint.id)).id, 'waiting');
  assert.equal((await webhooks.endpoint(endpoint.id)).enabled, true);
  await stack.db.rows(
    `UPDATE webhook_endpoints SET enabled = false, disabled_reason = 'configuration', configured_at_ms = 0`,
  );
  await stack.server.restart({ FLUXORA_WEBHOOK_URL: program.url('/ok/moved'), FLUXORA_WEBHOOK_SECRET: secret });
  await waitFor(
    async () => {
      const now = await webhooks.endpoint(endpoint.id);
      return now.enabled && now.url === program.url('/ok/moved');
    },
    { what: 'it to be enabled again' },
  );
  await newStream(stack);
  await waitFor(() => program.records().some(({ path }) => path === '/ok/moved'), {
    what: 'a delivery to where it is now',
  });
  await stack.stop();
  await program.end();
});

test('two instances share the work: each delivery once, and what one had when it ended goes on', async () => {
  const stack = await startWebhookStack({ env: { WEBHOOK_RETRY_SCHEDULE: SCHEDULE } });
  const second = await ServerProcess.start(stack.server.env);
  await stack.webhooks.create({ url: receiver.url('/shared') });
  const ids = await Promise.all(
    Array.from({ length: 30 }, (_, index) => create([stack.server, second][index % 2].baseUrl)),
  );
  for (const { json } of ids) await touch(stack, json.id, 'paused');
  await receiver.waitFor('/shared', 60);
  await second.stop();
  for (const { json } of ids) await touch(stack, json.id, 'active');
  await receiver.waitFor('/shared', 90);
  await waitFor(
    async () =>
      (await stack.db.row('SELECT count(*)::int AS count FROM webhook_deliveries WHERE state = 0')).count === 0,
    { what: 'all to be recorded' },
  );
  const came = receiver.at('/shared');
  assert.equal(came.length, 90, 'an orderly end repeats nothing');
  assert.equal(new Set(came.map(({ id }) => id)).size, 90);
  assert.equal(seqOf((await stack.head()).cursor), 90);
  await stack.stop();
});

test('WEBHOOK_DELIVERY=false: what is due waits for a process that sends', async () => {
  const stack = await startWebhookStack({ env: { WEBHOOK_DELIVERY: 'false' } });
  await stack.webhooks.create({ url: receiver.url('/silent') });
  const id = await newStream(stack);
  await touch(stack, id, 'paused');
  await stack.server.stop();
  const rows = await stack.db.rows('SELECT state, attempts FROM webhook_deliveries');
  assert.deepEqual(
    rows,
    [0, 1].map(() => ({ state: 0, attempts: 0 })),
  );
  assert.equal(receiver.at('/silent').length, 0);
  await stack.server.restart({ WEBHOOK_DELIVERY: 'true' });
  assert.deepEqual(seqs(await receiver.waitFor('/silent', 2)), [1, 2]);
  await stack.stop();
});

test('WEBHOOK_MAX_WAITING: an endpoint for which more waits, and ever more, is disabled, and can be enabled again', async () => {
  const stack = await startWebhookStack({ env: { WEBHOOK_MAX_WAITING: '5' } });
  receiver.reply = ({ path }) => (path === '/full' ? { status: 400 } : undefined);
  const endpoint = await stack.webhooks.create({ url: receiver.url('/full') });
  const other = await stack.webhooks.create({ url: receiver.url('/roomy') });
  let streams = 0;
  const disabled = await waitFor(
    async () => {
      if (streams < 49) await newStream(stack);
      streams += 1;
      await setTimeout(700);
      const now = await stack.webhooks.endpoint(endpoint.id);
      return !now.enabled && now;
    },
    { what: 'it to be disabled', deadlineMs: 2 * DEADLINE_MS },
  );
  assert.equal(disabled.disabledReason, 'backlog');
  assert.equal((await stack.webhooks.endpoint(other.id)).enabled, true);
  const { waiting } = await stack.db.row('SELECT count(*)::int AS waiting FROM webhook_deliveries WHERE endpoint = $1 AND state = 0', [
    endpoint.id,
  ]);
  assert.ok(waiting > 5);

  // More than the bound waits still, which is read again before any of it has gone.
  await stack.webhooks.change(endpoint.id, { enabled: true });
  const metrics = async () => (await stack.request('/metrics')).text;
  await waitFor(async () => (await metrics()).includes('fluxora_webhook_endpoints{state="disabled"} 0'), { what: 'the next reading' });
  assert.equal((await stack.webhooks.endpoint(endpoint.id)).enabled, true);
  receiver.reply = () => undefined;
  for (const { id } of await stack.webhooks.deliveries(endpoint.id)) await stack.webhooks.redeliver(id);
  const taken = () => receiver.at('/full').filter(({ status }) => status === 200).length;
  await waitFor(() => taken() >= waiting, { what: 'what waited' });
  assert.equal((await stack.webhooks.endpoint(endpoint.id)).enabled, true);
  await stack.stop();
});
