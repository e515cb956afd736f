// Walks every operation that the server's own description has, by nothing but that description: good requests made of
// its schemas and examples, and bad ones for every parameter, member and credential. What comes back must be described.
import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { before, describe, test } from 'node:test';
import { request } from '../integration/harness/http_client.js';
import { exchange, parseResponse } from '../integration/harness/raw_http.js';
import { ServerProcess } from '../integration/harness/server_process.js';
import { newDatabase, serverEnvironment, startStack } from '../integration/harness/stack.js';
import { WsClient } from '../integration/harness/ws_client.js';
import { Description } from './harness/description.js';
import { badBodies, badTexts, badValues } from './harness/samples.js';
import { Walker, isSuccess, isUpgrade, scopeOf } from './harness/walker.js';

const SECRET = randomBytes(32).toString('hex');
/** Described, but not to be had by a walk: our own mistakes, a twin request that runs for ten seconds, a hundred thousand endpoints, a
 * shutdown. */
const OUT_OF_REACH = {
  any: ['500'],
  createStream: ['409'],
  startJob: ['409'],
  createWebhookEndpoint: ['409'],
  getHealth: ['503'],
  openFeed: ['503'],
  streamEvents: ['503'],
};
/** That an address may have open: the server sees a moment later than the walk that a feed was left. */
const FEEDS = 20;
/** What an upgrade to WebSocket has, and the key that it needs besides. */
const UPGRADE = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' };
const KEY = `${'A'.repeat(22)}==`;
/** Before each of these requests, what it can be asked about: jobs wait for instances, and one runs at a time. */
const JOBS_BEFORE = { startJob: 'cancelled', pauseJob: 'queued', resumeJob: 'paused', cancelJob: 'queued' };
/** The same for replays of webhooks, of an endpoint that there isn't, so that nobody brings them on. */
const REPLAYS_BEFORE = {
  startWebhookReplay: 'cancelled',
  pauseWebhookReplay: 'running',
  resumeWebhookReplay: 'paused',
  cancelWebhookReplay: 'running',
};
/** What the state of an endpoint or a replay can refuse. */
const REFUSABLE = [
  'changeWebhookEndpoint',
  'deleteWebhookEndpoint',
  'rotateWebhookSecret',
  'testWebhookEndpoint',
  'redeliverWebhook',
  'redeliverDeadLetters',
  'startWebhookReplay',
  ...Object.keys(REPLAYS_BEFORE).slice(1),
];

/** @type {import('../integration/harness/stack.js').Stack} */
let stack;
/** @type {Description} */
let description;
/** @type {Walker} */
let walker;

const base64url = (value) => Buffer.from(value).toString('base64url');

function token(scope, secret = SECRET) {
  const signed = `${base64url('{"alg":"HS256"}')}.${base64url(JSON.stringify({ sub: 'walker', scope }))}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

before(async () => {
  const env = { AUTH_REQUIRED: 'true', JWT_SECRET: SECRET, WRITE_RATE_LIMIT: '1000000' };
  const webhooks = { WEBHOOK_DELIVERY: 'false', WEBHOOK_SECRET_KEYS: randomBytes(32).toString('base64') };
  const limits = { WS_MAX_CONNECTIONS_PER_IP: String(FEEDS), EXPORT_MAX_CONCURRENT: '16' };
  stack = await startStack({ simulator: { seed: 4 }, server: { env: { ...env, ...webhooks, ...limits } } });
  stack.runScenario(60, { actionsPerLedger: 5 });
  await stack.settle();
  await stack.db.rows("INSERT INTO indexer_alarms (kind, epoch, reason) SELECT 'retention', epoch, 'to be walked' FROM log_head");
  description = await Description.of(stack.baseUrl);
  // Nobody takes a job up: what is walked isn't to be replaced by a new epoch on the way.
  await stack.db.rows(`CREATE FUNCTION leave_job() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN NEW.kind = ''replay''; NEW.contracts = ''nobody''; RETURN NEW; END'`);
  await stack.db.rows(
    'CREATE TRIGGER leave_job BEFORE INSERT ON replay_jobs FOR EACH ROW EXECUTE FUNCTION leave_job()',
  );
  const taker = await startEventTaker(env);
  walker = new Walker(stack.baseUrl, description, token, async ({ id }) => {
    if (!stack.db.cluster.running) return;
    if (/Webhook|DeadLetter/.test(id)) await prepareWebhooks(id);
    const state = JOBS_BEFORE[id];
    if (state === undefined) return;
    await stack.db.rows("UPDATE replay_jobs SET state = 'cancelled' WHERE state <> 'cancelled'");
    await stack.db.rows('UPDATE replay_jobs SET state = $1 WHERE id = (SELECT max(id) FROM replay_jobs)', [state]);
  });
  walker.homes.set('sendContractEvents', taker.baseUrl);
  walker.operation('startWebhookReplay').bodyExample.after = `${(await stack.head()).epoch}-0`;
  await walker.ask(walker.operation('createWebhookEndpoint'));
  for (let i = 0; i < 3; i += 1) await walker.ask(walker.operation('testWebhookEndpoint'));
});

/** Set: what can be refused for its state is in such a state. */
let refusing = false;

async function prepareWebhooks(id) {
  await stack.db.rows(
    `UPDATE webhook_endpoints SET deleted_at_ms = NULL, enabled = $1, configured = NOT $1 AND id = 1,
       disabled_reason = CASE WHEN $1 THEN '' ELSE 'operator' END`,
    [!refusing],
  );
  if (/DeadLetter/.test(id)) await stack.db.rows('UPDATE webhook_deliveries SET state = 2, finished_at_ms = created_at_ms');
  const state = REPLAYS_BEFORE[id];
  if (state === undefined) return;
  await stack.db.rows("UPDATE webhook_replays SET state = 'done'");
  if (refusing) return;
  await stack.db.rows(
    'UPDATE webhook_replays SET state = $1, endpoint = 999999 WHERE id = (SELECT max(id) FROM webhook_replays)',
    [state],
  );
}

/** A server that reads no chain: what the chain says is sent to it. */
async function startEventTaker(env) {
  const { bodyExample } = description.operations().find(({ id }) => id === 'sendContractEvents');
  const contracts = { CONTRACT_IDS: bodyExample.events[0].contractId };
  const db = await newDatabase({ cluster: stack.db.cluster });
  return ServerProcess.start({ ...serverEnvironment(db, null), ...env, ...contracts });
}

/** Members of `errors`. */
const fieldsOf = (answer) => (answer.json?.errors ?? []).map(({ field }) => field);

/** That an unknown name is refused, and told exactly which names there are. */
function checkTold(answer, field, kind, names) {
  assert.equal(answer.status, 400, `${answer.what}: ${answer.text}`);
  const told = answer.json.errors.find((error) => error.field === field);
  assert.ok(told, `${answer.what}: ${field} is not named`);
  const [, list] = new RegExp(`^is not a ${kind}, which takes (.*)\\.$`).exec(told.message) ?? [];
  assert.ok(list, `${answer.what}: ${told.message}`);
  assert.deepEqual(
    list === 'none' ? [] : list.split(/, | and /).sort(),
    [...names].sort(),
    `${answer.what}: what it takes and what is described`,
  );
}

describe('good requests', () => {
  // Twice, since what later operations make is what earlier ones can be asked for.
  for (const time of ['first', 'second']) {
    test(`each operation answers what its examples and schemas ask, the ${time} time`, () =>
      walker.forEachOperation(async (operation) => {
        const inPath = operation.parameters.filter((one) => one.in === 'path');
        for (const parameter of inPath) {
          for (const value of walker.values(parameter)) {
            const done = await walker.succeeds(operation, {}, [{ [parameter.name]: encodeURIComponent(value) }]);
            if (done && operation.method !== 'GET') break; // what is changed may not be changed again
          }
        }
        if (inPath.length === 0) await walker.succeeds(operation, {});
        const { shown } = walker.walked.get(operation.id);
        for (const parameter of operation.parameters.filter((one) => one.in !== 'path')) {
          for (const value of walker.values(parameter)) {
            const given =
              parameter.in === 'query'
                ? { query: [[parameter.name, String(value)]] }
                : { headers: { [parameter.name]: String(value) } };
            if (await walker.succeeds(operation, given, pathsFor(operation, parameter.name))) shown.add(parameter.name);
          }
        }
        if (operation.body) await goodBodies(operation, shown);
      }));
  }

  /** A read that succeeded with a parameter needs no other path. A write may: what it has changed is as it wanted. */
  function pathsFor(operation, name) {
    const read = operation.method === 'GET' && walker.walked.get(operation.id).shown.has(name);
    return read ? [{}] : walker.pathsOf(operation);
  }

  /** The example with one member at a time left out or given each of its good values. */
  async function goodBodies(operation, shown) {
    const { properties, required = [] } = description.resolved(operation.body);
    for (const [name, schema] of Object.entries(properties)) {
      const values = [operation.bodyExample[name], ...walker.memberValues(schema)];
      for (const value of values.filter((one) => one !== undefined)) {
        const body = { ...operation.bodyExample, [name]: value };
        if (await walker.succeeds(operation, { body }, pathsFor(operation, name))) shown.add(name);
      }
      const { [name]: _, ...rest } = operation.bodyExample;
      if (!required.includes(name)) await walker.ask(operation, { body: rest });
    }
  }

  test('an Idempotency-Key goes with one body', () =>
    walker.forEachOperation(
      async (operation) => {
        const headers = { 'Idempotency-Key': 'walked:twice' };
        const first = await walker.ask(operation, { headers });
        const again = await walker.ask(operation, { headers });
        assert.deepEqual(
          [again.status, again.text, again.headers['idempotency-replayed']],
          [first.status, first.text, 'true'],
          again.what,
        );
        const other = await walker.ask(operation, { headers, body: `${JSON.stringify(operation.bodyExample)} ` });
        assert.equal(other.status, 422, other.what);
      },
      ({ parameters }) => parameters.some(({ name }) => name === 'Idempotency-Key'),
    ));

  test('every operation, and every one of its parameters and members, was seen to succeed', () => {
    const missing = walker.operations
      .filter((one) => !isUpgrade(one))
      .flatMap((operation) => {
        const { statuses, shown } = walker.walked.get(operation.id);
        if (![...statuses.keys()].some(isSuccess)) return [`${operation.id}: ${JSON.stringify([...statuses])}`];
        const names = [
          ...operation.parameters.filter((one) => one.in !== 'path').map(({ name }) => name),
          ...Object.keys(description.resolved(operation.body)?.properties ?? {}),
        ];
        return names.filter((name) => !shown.has(name)).map((name) => `${operation.id}: ${name}`);
      });
    assert.deepEqual(missing, []);
  });

  test('a tag is answered 304, HEAD as GET without a body', () =>
    walker.forEachOperation(
      async (operation) => {
        const whole = await walker.ask(operation);
        const head = await walker.ask(operation, {}, { head: true });
        assert.equal(head.status, whole.status, head.what);
        assert.equal(head.headers['content-type'], whole.headers['content-type'], head.what);
        if (operation.responses['304'] === undefined) return;
        const again = await walker.ask(operation, { headers: { 'If-None-Match': whole.headers.etag } });
        assert.equal(again.status, 304, again.what);
      },
      ({ method }) => method === 'GET',
    ));

  test('a request id is kept, a bad one replaced', () =>
    walker.forEachOperation(async (operation) => {
      assert.equal(
        (await walker.ask(operation, { headers: { 'X-Request-Id': 'walk.1_a-B' } })).headers['x-request-id'],
        'walk.1_a-B',
      );
      for (const bad of ['a b', 'x'.repeat(129), 'a,b', '"']) {
        assert.notEqual(
          (await walker.ask(operation, { headers: { 'X-Request-Id': bad } })).headers['x-request-id'],
          bad,
          operation.id,
        );
      }
    }));
});

describe('bad requests', () => {
  test('unknown parameters are refused and told which there are', () =>
    walker.forEachOperation(async (operation) => {
      const names = operation.parameters.filter((one) => one.in === 'query').map(({ name }) => name);
      checkTold(
        await walker.ask(operation, { query: [['nosuch', '1']] }),
        'nosuch',
        'parameter of this resource',
        names,
      );
      await walker.ask(operation, { query: [['', '']] });
      await walker.ask(operation, { query: [['x'.repeat(4_000), 'y']] });
      await walker.ask(operation, { rawQuery: Array.from({ length: 1_500 }, (_, i) => `p${i}`).join('&') });
    }));

  test('unknown members are refused and told which there are', () =>
    walker.forEachOperation(
      async (operation) => {
        const { properties } = description.resolved(operation.body);
        const odd = { nosuch: 1, ['n'.repeat(5_000)]: null };
        checkTold(
          await walker.ask(operation, { body: { ...operation.bodyExample, ...odd } }),
          'nosuch',
          'member of this request',
          Object.keys(properties),
        );
      },
      ({ body }) => body !== undefined,
    ));

  test('parameters of the wrong form are refused by name', () =>
    walker.forEachOperation(async (operation) => {
      for (const parameter of operation.parameters) {
        for (const text of badTexts(description, parameter.schema)) {
          const what = `${parameter.name}=${text.slice(0, 30)}`;
          if (parameter.in === 'path') {
            if (text === '') continue; // another path
            const answer = await walker.ask(
              operation,
              { path: { [parameter.name]: encodeURIComponent(text) } },
              { what, any: text.includes('/') },
            );
            assert.ok([400, 404].includes(answer.status), `${answer.what}: ${answer.status}`);
          } else if (parameter.in === 'query') {
            const answer = await walker.ask(operation, { query: [[parameter.name, text]] }, { what });
            assert.equal(answer.status, 400, `${answer.what}: ${answer.text}`);
            assert.ok(fieldsOf(answer).includes(parameter.name), `${answer.what}: ${answer.text}`);
          } else if (/^[!-~]([ -~]*[!-~])?$/.test(text)) {
            // what a header can hold
            const answer = await walker.ask(operation, { headers: { [parameter.name]: text } }, { what });
            assert.equal(answer.status, 400, `${answer.what}: ${answer.text}`);
            assert.ok(fieldsOf(answer).includes(parameter.name), `${answer.what}: ${answer.text}`);
          }
        }
      }
    }));

  test('parameters that come twice are refused', () =>
    walker.forEachOperation(async (operation) => {
      for (const parameter of operation.parameters.filter((one) => one.in !== 'path')) {
        const [good] = walker.values(parameter).map(String);
        if (parameter.in === 'query') {
          const answer = await walker.ask(operation, {
            query: [
              [parameter.name, good],
              [parameter.name, good],
            ],
          });
          assert.equal(answer.status, 400, answer.what);
          assert.ok(fieldsOf(answer).includes(parameter.name), `${answer.what}: ${answer.text}`);
        } else if (!parameter.name.startsWith('If-')) {
          // those are lists
          const answer = await walker.ask(operation, { headers: { [parameter.name]: [good, good] } });
          assert.equal(answer.status, 400, answer.what);
        }
      }
    }));

  test('members that are missing or of the wrong form are refused by name', () =>
    walker.forEachOperation(
      async (operation) => {
        const { properties, required = [] } = description.resolved(operation.body);
        for (const [name, schema] of Object.entries(properties)) {
          const { [name]: _, ...without } = operation.bodyExample;
          const bodies = [
            ...(required.includes(name) ? [without] : []),
            ...badValues(description, schema).map((value) => ({ ...without, [name]: value })),
          ];
          for (const body of bodies) {
            const answer = await walker.ask(
              operation,
              { body },
              { what: `${name}: ${JSON.stringify(body[name])?.slice(0, 40)}` },
            );
            assert.equal(answer.status, 400, `${answer.what}: ${answer.text}`);
            const members = fieldsOf(answer).map((field) => field.replace(/\[.*/, ''));
            assert.deepEqual([...new Set(members)], [name], `${answer.what}: ${answer.text}`);
          }
        }
        const answer = await walker.ask(
          operation,
          { body: Object.fromEntries(Object.keys(properties).map((name) => [name, { odd: 1 }])) },
          { what: 'all of them' },
        );
        assert.deepEqual(fieldsOf(answer).sort(), Object.keys(properties).sort(), `${answer.what}: ${answer.text}`);
      },
      ({ body }) => body !== undefined,
    ));

  test('bodies that are no JSON object are refused', () =>
    walker.forEachOperation(
      async (operation) => {
        for (const { what, body, type, status } of badBodies(operation.bodyExample)) {
          if (body === '' && !operation.bodyRequired) continue;
          const answer = await walker.ask(
            operation,
            { body, headers: { 'content-type': type } },
            { what, any: status === 413 },
          );
          assert.equal(answer.status, status, `${answer.what}: ${answer.text}`);
        }
        assert.equal(
          (
            await walker.ask(
              operation,
              { headers: { 'content-type': ['application/json', 'application/json'] } },
              { what: 'Content-Type twice' },
            )
          ).status,
          400,
        );
      },
      ({ body }) => body !== undefined,
    ));

  test('paths and queries that are no text are refused', () =>
    walker.forEachOperation(async (operation) => {
      for (const text of ['%00', '%ff', '%c3%28', '%zz', '%', '%ed%a0%80']) {
        const inQuery = await walker.ask(operation, { rawQuery: `x=${text}` }, { any: true, what: text });
        assert.equal(inQuery.status, 400, inQuery.what);
        for (const { name } of operation.parameters.filter((one) => one.in === 'path')) {
          const inPath = await walker.ask(operation, { path: { [name]: text } }, { any: true, what: text });
          assert.equal(inPath.status, 400, inPath.what);
        }
      }
      assert.equal(
        (await walker.ask(operation, { rawQuery: `x=${'y'.repeat(20_000)}` }, { any: true, what: 'a long query' }))
          .status,
        431,
      );
      assert.equal(
        (
          await walker.ask(
            operation,
            { headers: { 'X-Long': 'y'.repeat(20_000) } },
            { any: true, what: 'a long header' },
          )
        ).status,
        431,
      );
    }));

  test('other methods are refused and told which there are', async () => {
    for (const path of Object.keys(description.document.paths)) {
      const methods = description.methodsOf(path);
      const operation = walker.operations.find((one) => one.path === path);
      const { target } = walker.build(operation);
      for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND'].filter(
        (one) => one === 'OPTIONS' || !methods.includes(one),
      )) {
        const answer = await request(stack.baseUrl + target, { method });
        const what = `${method} ${path}`;
        if (method !== 'OPTIONS') description.check(operation, answer, { what, any: true, head: method === 'HEAD' });
        assert.equal(answer.status, method === 'OPTIONS' ? 204 : 405, what);
        assert.deepEqual(String(answer.headers.allow).split(', ').sort(), [...methods].sort(), what);
      }
    }
  });

  test('a request that is no HTTP is answered as described', async () => {
    const lines = {
      400: ['GET / HTTP/1.1\r\n\r\n', 'GET  / HTTP/1.1\r\nHost: x\r\n\r\n', 'G\x00T / HTTP/1.1\r\nHost: x\r\n\r\n'],
      505: ['GET / HTTP/2.0\r\nHost: x\r\n\r\n'],
    };
    const root = walker.operations.find(({ path }) => path === '/');
    for (const [status, requests] of Object.entries(lines)) {
      for (const bytes of requests) {
        const { body, ...answer } = parseResponse(await exchange(stack.server.port, bytes));
        description.check(
          root,
          { ...answer, text: body, json: JSON.parse(body) },
          { what: JSON.stringify(bytes), any: true },
        );
        assert.equal(String(answer.status), status, bytes);
      }
    }
    const nowhere = await request(`${stack.baseUrl}/no/such/path`);
    description.check(root, nowhere, { what: 'no such path', any: true });
    assert.equal(nowhere.status, 404);
  });

  test('what the state of an endpoint, a delivery or a replay refuses is a conflict', async () => {
    refusing = true;
    for (const id of REFUSABLE) {
      const operation = walker.operation(id);
      const ofEndpoint = operation.path.startsWith('/api/webhooks/endpoints/');
      const body = id === 'changeWebhookEndpoint' ? { body: { url: 'https://receiver.example/' } } : {};
      const answer = await walker.ask(operation, { ...(ofEndpoint ? { path: { id: '1' } } : {}), ...body });
      assert.equal(answer.status, 409, `${answer.what}: ${answer.text}`);
    }
    refusing = false;
  });

  test('a ledger that the chain has not come to is not found', async () => {
    const answer = await walker.ask(walker.operation('getLedger'), { path: { ledger: '4294967295' } });
    assert.equal(answer.status, 404, answer.what);
  });
});

describe('credentials', () => {
  const secured = (operation) => scopeOf(operation) !== undefined;

  test('none, bad ones and those without the scope', () =>
    walker.forEachOperation(async (operation) => {
      const scope = scopeOf(operation);
      const cases = [
        [401, {}],
        [401, { authorization: 'Basic eDp5' }],
        [401, { authorization: 'Bearer x.y.z' }],
        [401, { authorization: `Bearer ${token(scope, 'another secret of enough bytes, forty')}` }],
        [401, { 'x-api-key': 'flx_0123456789abcdef_0123456789012345678901234567890123456789012' }],
        [401, { 'x-api-key': 'x' }],
        [403, { authorization: `Bearer ${token('other')}` }],
        [400, { authorization: 'Bearer' }],
        [400, { authorization: `Bearer ${token(scope)}`, 'x-api-key': 'x' }],
      ];
      for (const [status, headers] of cases) {
        const answer = await walker.ask(
          operation,
          { headers: { authorization: undefined, ...headers } },
          { what: JSON.stringify(headers).slice(0, 60) },
        );
        assert.equal(answer.status, status, `${answer.what}: ${answer.text}`);
        if (status === 403) assert.ok(answer.headers['www-authenticate'].includes(`scope="${scope}"`), answer.what);
      }
    }, secured));

  test('a key with the scope opens, too', () =>
    walker.forEachOperation(async (operation) => {
      const made = await walker.ask(
        walker.operations.find(({ id }) => id === 'createApiKey'),
        { body: { name: operation.id, scopes: [scopeOf(operation)] } },
      );
      const answer = await walker.ask(
        operation,
        { headers: { authorization: undefined, 'x-api-key': made.json.key } },
        { baseUrl: walker.baseUrl }, // where the key was made
      );
      assert.ok(![401, 403].includes(answer.status), answer.what);
    }, secured));

  test('the scopes that are described are the ones that keys can have', () => {
    const scopes = new Set(walker.operations.filter(secured).map(scopeOf));
    const known = description.document.components.schemas.Scope.enum;
    for (const scope of scopes) assert.ok(known.includes(scope), scope);
  });
});

describe('WebSocket', () => {
  test('upgrades, and what keeps it from that', async () => {
    const operation = walker.operations.find(isUpgrade);
    const plain = { ...operation, parameters: [] };
    assert.equal((await walker.ask(plain)).status, 426);
    assert.equal((await walker.ask(plain, { headers: UPGRADE })).status, 400);
    assert.equal((await walker.ask(plain, { headers: { ...UPGRADE, 'sec-websocket-key': 'x' } })).status, 400);
    assert.equal(
      (
        await walker.ask(plain, {
          headers: { ...UPGRADE, 'sec-websocket-version': '8', 'sec-websocket-key': KEY },
        })
      ).status,
      426,
    );
    const clients = await Promise.all(Array.from({ length: FEEDS }, () => WsClient.open(stack.server.wsUrl)));
    clients.forEach(() => walker.count(operation, 101));
    assert.equal(
      (await walker.ask(plain, { headers: { ...UPGRADE, 'sec-websocket-key': KEY } })).status,
      429,
    );
    await Promise.all(clients.map((client) => client.close()));
  });
});

describe('trouble', () => {
  test('too many writes are answered 429', async () => {
    const strict = await ServerProcess.start({
      ...serverEnvironment(stack.db, null),
      JWT_SECRET: SECRET,
      AUTH_REQUIRED: 'true',
      WS_AUTH_REQUIRED: 'true',
      WRITE_RATE_LIMIT: '1',
    });
    for (const id of ['openFeed', 'streamEvents']) {
      const feed = { ...walker.operation(id), parameters: [] };
      const headers = id === 'openFeed' ? { ...UPGRADE, 'sec-websocket-key': KEY } : {};
      assert.equal((await walker.ask(feed, { headers }, { baseUrl: strict.baseUrl })).status, 401, id);
    }
    await walker.forEachOperation(
      async (operation) => {
        const bad = { headers: { authorization: 'Bearer x.y.z' } };
        const write = operation.method !== 'GET';
        for (let i = 0; i < 2; i += 1) await walker.ask(operation, write ? {} : bad, { baseUrl: strict.baseUrl });
        const answer = await walker.ask(operation, write ? {} : bad, { baseUrl: strict.baseUrl });
        assert.equal(answer.status, 429, answer.what);
      },
      (operation) => operation.responses['429'] !== undefined,
    );
    await strict.stop();
  });

  test('without a database: 503 where it is described, and nothing that is not', async () => {
    await stack.db.cluster.stop();
    await walker.forEachOperation(async (operation) => {
      const answer = await walker.ask(operation);
      const is503ForOthers = ['getHealth', 'streamEvents'].includes(operation.id); // it is shutting down
      const needsDatabase = operation.responses['503'] !== undefined && !is503ForOthers;
      assert.equal(answer.status === 503, needsDatabase, `${answer.what}: ${answer.status}`);
    });
    await stack.db.cluster.start();
  });
});

test('every status that is described was seen, but for those that a walk cannot provoke', () => {
  const report = walker.report();
  console.log(report);
  if (process.env.API_WALK_REPORT) writeFileSync(process.env.API_WALK_REPORT, `${report}\n`);
  const missing = walker.operations.flatMap((operation) =>
    Object.keys(operation.responses)
      .filter((status) => !walker.walked.get(operation.id).statuses.has(Number(status)))
      .filter((status) => ![...OUT_OF_REACH.any, ...(OUT_OF_REACH[operation.id] ?? [])].includes(status))
      .map((status) => `${operation.id}: ${status}`),
  );
  assert.deepEqual(missing, []);
});
