// Managing webhooks on a whole server: endpoints, secrets, deliveries, dead letters, replays. SPEC section 8, "Sending".
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { NodeReceiver, entryOf } from '../webhooks/harness/node_receiver.js';
import { standardToken } from '../webhooks/harness/signatures.js';
import { startWebhookStack } from '../webhooks/harness/webhook_server.js';
import { RECIPIENT, SENDER, create, setStatus } from './harness/api_streams.js';
import { waitFor } from './harness/wait.js';

const ENDPOINTS = '/api/webhooks/endpoints';
const NOTHING_SENT = { WEBHOOK_DELIVERY: 'false' };

/** A stream of the API, its id. */
async function newStream(stack, terms) {
  const answer = await create(stack.baseUrl, terms);
  assert.equal(answer.status, 201, answer.text);
  return answer.json.id;
}

const tokensOf = (delivery) => delivery.headers['webhook-signature'].split(' ');
const tokenBy = (secret, delivery) =>
  standardToken(secret, delivery.id, delivery.headers['webhook-timestamp'], delivery.body);

describe('endpoints', () => {
  /** @type {any} */
  let stack;
  before(async () => {
    // With such a bound, a replay for an endpoint rests while one delivery waits for it.
    stack = await startWebhookStack({ env: { ...NOTHING_SENT, WEBHOOK_MAX_WAITING: '2' } });
  });
  after(() => stack.stop());

  test('are made, seen, listed, changed and deleted; each step is in the audit log, and no secret', async () => {
    const { webhooks } = stack;
    const wanted = { url: 'https://receiver.example/in', events: ['stream.updated', 'stream.created'], sender: SENDER, description: 'payroll' };
    const made = await webhooks.create(wanted);
    const { secret, ...endpoint } = made;
    assert.match(secret, /^whsec_[A-Za-z0-9+/]{43}=$/);
    assert.deepEqual(
      { ...endpoint, createdAt: 0, updatedAt: 0 },
      {
        ...wanted, id: endpoint.id, events: ['stream.created', 'stream.updated'], streamId: null, recipient: null, enabled: true,
        configured: false, disabledReason: null, disabledAt: null, failingSince: null, previousSecretExpiresAt: null,
        cursor: (await stack.head()).cursor, createdAt: 0, updatedAt: 0,
      },
    );
    assert.deepEqual(await webhooks.endpoint(endpoint.id), endpoint);

    const others = [];
    for (let i = 0; i < 3; i += 1) others.unshift((await webhooks.create({ url: `https://other.example/${i}` })).id);
    const ids = [...others, endpoint.id];
    assert.deepEqual((await webhooks.endpoints()).map(({ id }) => id), ids);
    const paged = await webhooks.all(ENDPOINTS, 'endpoints', { limit: 1 });
    assert.deepEqual(paged.map(({ id }) => id), ids);

    const changed = await webhooks.change(endpoint.id, { events: null, recipient: RECIPIENT, description: null, enabled: false });
    assert.deepEqual([changed.events, changed.sender, changed.recipient, changed.description], [null, SENDER, RECIPIENT, '']);
    assert.deepEqual([changed.enabled, changed.disabledReason], [false, 'operator']);
    assert.ok(changed.disabledAt);
    const enabled = await webhooks.change(endpoint.id, { enabled: true });
    assert.deepEqual([enabled.enabled, enabled.disabledReason, enabled.disabledAt], [true, null, null]);
    assert.deepEqual([enabled.sender, enabled.recipient], [SENDER, RECIPIENT]);

    const rotated = await webhooks.rotate(endpoint.id, 60);
    assert.notEqual(rotated.secret, secret);
    assert.ok(rotated.previousSecretExpiresAt);
    await webhooks.remove(endpoint.id);
    for (const [method, path] of [['GET', ''], ['DELETE', ''], ['POST', '/test']]) {
      assert.equal((await webhooks.ask(method, `${ENDPOINTS}/${endpoint.id}${path}`)).status, 404, `${method} ${path}`);
    }
    assert.deepEqual((await webhooks.endpoints()).map(({ id }) => id), others);

    const records = await stack.db.rows('SELECT action, actor, detail FROM audit_log WHERE target = $1 ORDER BY position', [endpoint.id]);
    assert.deepEqual(records.map(({ action }) => action.replace('webhook.endpoint.', '')), ['create', 'update', 'update', 'rotate', 'delete']);
    assert.ok(records.every(({ actor }) => actor === 'jwt:operator'));
    const kept = JSON.stringify(await stack.db.rows('SELECT * FROM webhook_endpoints')) + JSON.stringify(records);
    for (const text of [secret, rotated.secret]) {
      assert.ok(!kept.includes(text) && !kept.includes(text.slice(6)));
      assert.ok(!stack.server.logs.some((line) => JSON.stringify(line).includes(text.slice(6))));
    }
  });

  test('what can’t be one is refused by its names', async () => {
    const answer = await stack.webhooks.ask('POST', ENDPOINTS, {
      url: 'http://receiver.example/', events: [], streamId: 'x', sender: 'G', recipient: '', description: 'x'.repeat(501), enabled: 'yes', secret: 'mine',
    });
    assert.equal(answer.status, 400);
    assert.deepEqual(
      answer.json.errors.map(({ field }) => field),
      ['url', 'events', 'streamId', 'sender', 'recipient', 'description', 'enabled', 'secret'],
    );
    for (const url of ['https://user:pass@receiver.example/', 'https://10.0.0.1/', 'https://[::1]/', 'ftp://receiver.example/', 'receiver.example']) {
      assert.equal((await stack.webhooks.ask('POST', ENDPOINTS, { url })).status, 400, url);
    }
  });

  test('two changes at once both hold', async () => {
    const { id } = await stack.webhooks.create({ url: 'https://receiver.example/both' });
    const changes = [{ sender: SENDER }, { recipient: RECIPIENT }, { events: ['chain.event'] }, { description: 'x' }];
    await Promise.all(changes.map((change) => stack.webhooks.change(id, change)));
    const endpoint = await stack.webhooks.endpoint(id);
    for (const change of changes) assert.deepEqual({ ...endpoint, ...change }, endpoint);
  });

  test('a replay says how far it is; it is paused, resumed, cancelled, and brought on', async () => {
    const { webhooks } = stack;
    const start = (await stack.head()).cursor;
    const streams = [await newStream(stack), await newStream(stack)];
    const { cursor: end } = await stack.head();
    const endpoint = await webhooks.create({ url: 'https://receiver.example/replayed', streamId: streams[1] });
    assert.equal(endpoint.cursor, end);
    const refused = (range) => webhooks.ask('POST', '/api/webhooks/replay', { endpointId: endpoint.id, ...range });
    const epoch = end.split('-')[0];
    for (const [range, status, field] of [
      [{ after: 'zzzz-1' }, 409, 'after'],
      [{ after: `${epoch}-999999` }, 409, 'after'],
      [{ after: start, through: `${epoch}-999999` }, 409, 'through'],
      [{ after: end, through: start }, 400, 'through'],
      [{ after: start, endpointId: '999999' }, 400, 'endpointId'],
    ]) {
      const answer = await refused(range);
      assert.equal(answer.status, status, answer.text);
      assert.deepEqual(answer.json.errors.map((error) => error.field), [field]);
    }

    const { id: before } = await webhooks.test(endpoint.id);
    const replay = await webhooks.replay({ endpointId: endpoint.id, after: start });
    assert.deepEqual(
      [replay.state, replay.after, replay.through, replay.place, replay.done, replay.total, replay.deliveries],
      ['running', start, end, start, 0, 2, 0],
    );
    assert.equal((await refused({ after: start })).status, 409);
    assert.equal((await webhooks.ask('POST', `/api/webhooks/replay/${replay.id}/resume`)).status, 409);
    assert.equal((await webhooks.changeReplay(replay.id, 'pause')).state, 'paused');
    assert.equal((await webhooks.changeReplay(replay.id, 'resume')).state, 'running');
    const cancelled = await webhooks.must(200, 'DELETE', `/api/webhooks/replay/${replay.id}`);
    assert.equal(cancelled.state, 'cancelled');
    assert.ok(cancelled.finishedAt);

    const second = await webhooks.replay({ endpointId: endpoint.id, after: start, through: end });
    await stack.db.rows("UPDATE webhook_deliveries SET state = 1, finished_at_ms = created_at_ms WHERE epoch = ''");
    await stack.db.rows('DELETE FROM webhook_lanes WHERE lane = $1', [before]);
    const done = await waitFor(async () => {
      const now = await webhooks.replayState(second.id);
      return now.state === 'done' && now;
    }, { what: 'the replay to be done', describe: () => webhooks.replayState(second.id) });
    assert.deepEqual([done.place, done.done, done.total, done.deliveries, done.message], [end, 2, 2, 1, null]);
    const [tested, delivery, ...more] = await webhooks.deliveries(endpoint.id);
    assert.equal(tested.id, before);
    assert.deepEqual(more, []);
    assert.equal(delivery.id, `wd_${endpoint.id}_${end.replace('-', '_')}`);
    assert.equal(delivery.streamId, streams[1]);
    const all = await webhooks.all('/api/webhooks/replay', 'replays', { endpointId: endpoint.id, limit: 1 });
    assert.deepEqual(all.map(({ id, state }) => [id, state]), [[second.id, 'done'], [replay.id, 'cancelled']]);
    assert.deepEqual(await webhooks.all('/api/webhooks/replay', 'replays', { endpointId: '999999' }), []);
  });
});

describe('deliveries', () => {
  /** @type {any} */
  let stack;
  /** @type {NodeReceiver} */
  let receiver;
  before(async () => {
    receiver = await NodeReceiver.start();
    stack = await startWebhookStack({ env: { WEBHOOK_RETRY_SCHEDULE: '1s' } });
  });
  after(async () => {
    await stack.stop();
    await receiver.end();
  });

  test('a test arrives, whatever the filters are, and is shown with its attempt', async () => {
    const endpoint = await stack.webhooks.create({ url: receiver.url('/test'), events: ['chain.event'], recipient: SENDER });
    receiver.reply = () => ({ status: 202, body: 'thank you' });
    const sent = await stack.webhooks.test(endpoint.id);
    assert.deepEqual([sent.event, sent.streamId, sent.cursor], ['webhook.test', null, null]);
    const [arrived] = await receiver.waitFor('/test', 1);
    assert.equal(arrived.id, sent.id);
    assert.equal(arrived.headers['x-fluxora-event'], 'webhook.test');
    assert.deepEqual(tokensOf(arrived), [tokenBy(endpoint.secret, arrived)]);
    const shown = await stack.webhooks.reaches(sent.id, 'delivered');
    assert.equal(shown.attemptCount, 1);
    assert.deepEqual(shown.attempts.map(({ number, status, error, response }) => [number, status, error, response]), [[1, 202, null, 'thank you']]);
    assert.deepEqual(shown.payload, JSON.parse(String(arrived.body)));
    assert.deepEqual(shown.payload.data, { endpointId: endpoint.id });
  });

  test('entries that fit arrive, are listed with what became of them, and come again with the same bytes', async () => {
    receiver.reply = () => undefined;
    const endpoint = await stack.webhooks.create({ url: receiver.url('/entries'), recipient: RECIPIENT, events: ['stream.created', 'stream.updated'] });
    const ids = [await newStream(stack), await newStream(stack)];
    await newStream(stack, { recipient: SENDER, sender: RECIPIENT });
    await setStatus(stack.baseUrl, ids[0], 'paused');
    const arrived = await receiver.waitFor('/entries', 3);
    const entries = (await stack.allEvents()).filter(({ streamId }) => ids.includes(streamId));
    const bySeq = (a, b) => a.seq - b.seq;
    assert.deepEqual(arrived.map(entryOf).sort(bySeq), entries);
    assert.deepEqual(arrived.map(entryOf).filter(({ streamId }) => streamId === ids[0]).map(({ event }) => event), ['stream.created', 'stream.updated']);
    for (const one of arrived) await stack.webhooks.reaches(one.id, 'delivered');
    const listed = await stack.webhooks.all(`${ENDPOINTS}/${endpoint.id}/deliveries`, 'deliveries', { limit: 1, state: 'delivered' });
    assert.deepEqual(listed.map(({ cursor, event, streamId, lastStatus }) => [cursor, event, streamId, lastStatus]),
      entries.toReversed().map(({ cursor, event, streamId }) => [cursor, event, streamId, 200]));
    assert.deepEqual(await stack.webhooks.deliveries(endpoint.id, { state: 'waiting' }), []);

    const again = await stack.webhooks.redeliver(arrived[0].id);
    assert.equal(again.state, 'waiting');
    const twice = (await receiver.waitFor('/entries', 4))[3];
    assert.equal(twice.id, arrived[0].id);
    assert.ok(twice.body.equals(arrived[0].body));
    const shown = await stack.webhooks.attempted(twice.id, 2);
    assert.deepEqual(shown.attempts.map(({ number }) => number), [1, 2]);
    const { text } = await stack.webhooks.ask('GET', `/api/webhooks/deliveries/${twice.id}`);
    assert.ok(text.includes(`"payload":${twice.body}`), 'the payload is what was sent, byte by byte');
  });

  test('a new secret signs at once, the one before beside it until its grace is over', async () => {
    receiver.reply = () => undefined;
    const endpoint = await stack.webhooks.create({ url: receiver.url('/rotated') });
    const second = await stack.webhooks.rotate(endpoint.id, 600);
    await stack.webhooks.test(endpoint.id);
    const [both] = await receiver.waitFor('/rotated', 1);
    assert.deepEqual(tokensOf(both), [tokenBy(second.secret, both), tokenBy(endpoint.secret, both)]);
    const third = await stack.webhooks.must(200, 'POST', `/api/webhooks/endpoints/${endpoint.id}/rotate-secret`);
    assert.ok(third.previousSecretExpiresAt > second.previousSecretExpiresAt);
    await stack.webhooks.test(endpoint.id);
    const [, all] = await receiver.waitFor('/rotated', 2);
    assert.deepEqual(tokensOf(all), [third, second, endpoint].map(({ secret }) => tokenBy(secret, all)));
    const last = await stack.webhooks.rotate(endpoint.id, 0);
    assert.equal(last.previousSecretExpiresAt, null);
    await stack.webhooks.test(endpoint.id);
    const [, , alone] = await receiver.waitFor('/rotated', 3);
    assert.deepEqual(tokensOf(alone), [tokenBy(last.secret, alone)]);
  });

  test('what is given up is a dead letter, and an operator sends it again', async () => {
    receiver.reply = () => ({ status: 500, body: 'out of order' });
    const endpoint = await stack.webhooks.create({ url: receiver.url('/dead') });
    const first = await stack.webhooks.test(endpoint.id);
    const dead = await stack.webhooks.reaches(first.id, 'dead');
    assert.deepEqual(dead.attempts.map(({ status, response }) => [status, response]), [[500, 'out of order'], [500, 'out of order']]);
    assert.equal(dead.lastStatus, 500);
    assert.ok((await stack.webhooks.endpoint(endpoint.id)).failingSince);
    const letters = await stack.webhooks.deadLetters({ endpointId: endpoint.id });
    assert.deepEqual(letters.map(({ id }) => id), [first.id]);
    assert.ok((await stack.webhooks.deadLetters()).some(({ id }) => id === first.id));
    receiver.reply = () => undefined;
    assert.deepEqual(await stack.webhooks.redeliverDead(endpoint.id, 10), { redelivered: 1 });
    const delivered = await stack.webhooks.reaches(first.id, 'delivered');
    assert.equal(delivered.attemptCount, 3);
    assert.deepEqual(await stack.webhooks.redeliverDead(endpoint.id), { redelivered: 0 });
    assert.deepEqual(await stack.webhooks.deadLetters({ endpointId: endpoint.id }), []);
    await waitFor(async () => (await stack.webhooks.endpoint(endpoint.id)).failingSince === null, { what: 'the failures to be over' });
  });

  test('410 disables; what happened meanwhile is not sent; enabling goes on, a replay brings the rest', async () => {
    receiver.reply = ({ path }) => (path === '/gone' ? { status: 410 } : undefined);
    const endpoint = await stack.webhooks.create({ url: receiver.url('/gone'), events: ['stream.created'] });
    const first = await newStream(stack);
    const gone = await waitFor(async () => {
      const now = await stack.webhooks.endpoint(endpoint.id);
      return !now.enabled && now;
    }, { what: 'the endpoint to be disabled' });
    assert.equal(gone.disabledReason, 'gone');
    for (const path of [`${ENDPOINTS}/${endpoint.id}/test`, `/api/webhooks/deliveries/${receiver.at('/gone')[0].id}/redeliver`]) {
      assert.equal((await stack.webhooks.ask('POST', path)).status, 409, path);
    }
    const range = { endpointId: endpoint.id, after: gone.cursor };
    assert.equal((await stack.webhooks.ask('POST', '/api/webhooks/replay', range)).status, 409);
    const missed = await newStream(stack);
    receiver.reply = () => undefined;
    const before410 = receiver.at('/gone').length;
    assert.equal((await stack.webhooks.change(endpoint.id, { enabled: true })).disabledReason, null);
    await receiver.waitFor('/gone', before410 + 1);
    const { id } = await stack.webhooks.replay(range);
    const arrived = await receiver.waitFor('/gone', before410 + 2);
    assert.deepEqual(arrived.slice(-2).map((one) => entryOf(one).streamId), [first, missed]);
    await waitFor(async () => (await stack.webhooks.replayState(id)).state === 'done', { what: 'the replay to be done' });
  });

  test('a deleted endpoint is sent nothing more; what it was sent stays to be seen', async () => {
    receiver.reply = ({ path }) => (path === '/deleted' ? { status: 500 } : undefined);
    const endpoint = await stack.webhooks.create({ url: receiver.url('/deleted') });
    const { id } = await stack.webhooks.test(endpoint.id);
    await stack.webhooks.attempted(id, 1);
    await stack.webhooks.remove(endpoint.id);
    assert.equal((await stack.webhooks.ask('POST', `/api/webhooks/deliveries/${id}/redeliver`)).status, 409);
    const listed = await stack.webhooks.deliveries(endpoint.id);
    assert.deepEqual(listed.map((one) => one.id), [id]);
  });
});

test('the configured endpoint is the configuration’s, and told of everything', async () => {
  const receiver = await NodeReceiver.start();
  const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
  const stack = await startWebhookStack({ env: { FLUXORA_WEBHOOK_URL: receiver.url('/configured'), FLUXORA_WEBHOOK_SECRET: secret } });
  const [endpoint] = await waitFor(async () => {
    const all = await stack.webhooks.endpoints();
    return all.length === 1 && all;
  }, { what: 'the configured endpoint to be there' });
  assert.deepEqual([endpoint.configured, endpoint.enabled, endpoint.events], [true, true, null]);
  const id = await newStream(stack);
  const [arrived] = await receiver.waitFor('/configured', 1);
  assert.equal(entryOf(arrived).streamId, id);
  assert.deepEqual(tokensOf(arrived), [tokenBy(secret, arrived)]);
  const path = `${ENDPOINTS}/${endpoint.id}`;
  for (const [method, target, body] of [
    ['PATCH', path, { url: 'https://receiver.example/' }],
    ['PATCH', path, { enabled: false }],
    ['DELETE', path, undefined],
    ['POST', `${path}/rotate-secret`, {}],
  ]) {
    assert.equal((await stack.webhooks.ask(method, target, body)).status, 409, `${method} ${target}`);
  }
  assert.equal((await stack.webhooks.change(endpoint.id, { description: 'the first' })).description, 'the first');
  await stack.webhooks.test(endpoint.id);
  await receiver.waitFor('/configured', 2);
  await stack.stop();
  await receiver.end();
});

test('without keys for secrets no endpoint is made, and the setting is named', async () => {
  const stack = await startWebhookStack({ env: { ...NOTHING_SENT, WEBHOOK_SECRET_KEYS: undefined } });
  const answer = await stack.webhooks.ask('POST', ENDPOINTS, { url: 'https://receiver.example/' });
  assert.equal(answer.status, 503);
  assert.match(answer.json.detail, /WEBHOOK_SECRET_KEYS/);
  assert.deepEqual(await stack.webhooks.endpoints(), []);
  await stack.stop();
});

test('another instance needs the same keys: with others it sends nothing, says why, and loses nothing', async () => {
  const receiver = await NodeReceiver.start();
  const stack = await startWebhookStack();
  const endpoint = await stack.webhooks.create({ url: receiver.url('/keys') });
  const right = stack.server.env.WEBHOOK_SECRET_KEYS;
  const other = Buffer.alloc(32, 9).toString('base64');
  await stack.server.restart({ WEBHOOK_SECRET_KEYS: other });
  const { id } = await stack.webhooks.test(endpoint.id);
  await stack.server.waitForLog(({ event }) => event === 'webhook_secret_unreadable', 'the missing key to be told of');
  assert.deepEqual(receiver.at('/keys'), []);
  await stack.server.restart({ WEBHOOK_SECRET_KEYS: `${other},${right}` });
  await stack.webhooks.redeliver(id);
  const [arrived] = await receiver.waitFor('/keys', 1);
  assert.deepEqual(tokensOf(arrived), [tokenBy(endpoint.secret, arrived)]);
  const line = await stack.server.waitForLog(
    ({ event, resealed }) => event === 'webhook_secrets_resealed' && resealed === 1, 'secrets to be sealed anew');
  assert.equal(line.unreadable, 0);
  await stack.server.restart({ WEBHOOK_SECRET_KEYS: other });
  await stack.webhooks.test(endpoint.id);
  const [, later] = await receiver.waitFor('/keys', 2);
  assert.deepEqual(tokensOf(later), [tokenBy(endpoint.secret, later)], 'the former key is needed no more');
  await stack.stop();
  await receiver.end();
});
