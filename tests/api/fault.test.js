// PostgreSQL and the server themselves end under load, again and again: nothing acknowledged is lost, nothing is there
// twice, and every answer is a proper one.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { cancel, checkFold, create, setStatus } from '../integration/harness/api_streams.js';
import { request } from '../integration/harness/http_client.js';
import { checkLogOrder } from '../integration/harness/log_checks.js';
import { PostgresCluster } from '../integration/harness/postgres_cluster.js';
import { checkSecurityHeaders } from '../integration/harness/security_headers.js';
import { startStack } from '../integration/harness/stack.js';
import { waitFor } from '../integration/harness/wait.js';

const NO_LIMIT = { WRITE_RATE_LIMIT: '0' };
const CREATORS = 12;
const READERS = 4;
/** Creations that must be acknowledged between two faults. */
const PROGRESS = 60;
const KINDS = { paused: 'paused', active: 'resumed' };

/** Callers who write and read until told to stop, and remember what they were told. */
class Load {
  /** @param {import('../integration/harness/stack.js').Stack} stack */
  constructor(stack) {
    this.stack = stack;
    /** @type {Map<string, {depositAmount: string, text: string, json: any}>} by key */
    this.created = new Map();
    /** @type {{id: string, version: number, kind: string}[]} */
    this.changed = [];
    this.statuses = new Map();
    this.requests = 0;
    this.stopped = false;
    this.running = [
      ...Array.from({ length: CREATORS }, (_, index) => this.#write(`writer-${index}`)),
      ...Array.from({ length: READERS }, () => this.#read()),
    ];
  }

  async stop() {
    this.stopped = true;
    await Promise.all(this.running);
  }

  /** Until so many more creations were acknowledged. @param {number} [count] */
  async progress(count = PROGRESS) {
    const goal = this.created.size + count;
    await waitFor(() => this.created.size >= goal, { what: 'creations to go on', describe: () => [...this.statuses] });
  }

  /**
   * One request; null where the connection ended without an answer. Every answer there is must be whole.
   * @param {(headers: Record<string, string>) => Promise<any>} ask
   * @param {Record<string, string>} [headers]
   */
  async #ask(ask, headers = {}) {
    this.requests += 1;
    const requestId = `load-${this.requests}`;
    const answer = await ask({ 'x-request-id': requestId, ...headers }).catch(() => null);
    const status = answer?.status ?? 'none';
    this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
    if (answer === null) return null;
    checkSecurityHeaders(answer.headers, `${status}`);
    assert.equal(answer.headers['x-request-id'], requestId);
    if (status >= 500) {
      assert.equal(status, 503, answer.text);
      assert.match(String(answer.headers['retry-after']), /^[1-9]\d*$/);
      assert.equal(answer.headers['content-type'], 'application/problem+json');
      assert.equal(answer.json.error, 'SERVICE_UNAVAILABLE');
      assert.equal(answer.json.requestId, requestId);
      assert.doesNotMatch(answer.text, /postgres|SELECT|INSERT|127\.0\.0\.1|password/i);
    }
    return answer;
  }

  /** Repeats until there is an answer that says what happened; null when the load stops before. */
  async #insist(ask) {
    for (;;) {
      const answer = await ask();
      if (answer !== null && answer.status !== 503) return answer;
      if (this.stopped) return null;
      await delay(5);
    }
  }

  /** @param {string} name */
  async #write(name) {
    const url = this.stack.baseUrl;
    for (let n = 1; !this.stopped; n += 1) {
      const headers = { 'idempotency-key': `${name}-${n}` };
      const depositAmount = String(1_000 + n);
      const created = await this.#insist(() => this.#ask((given) => create(url, { depositAmount }, given), headers));
      if (created === null) return;
      assert.equal(created.status, 201, created.text);
      const { id } = created.json;
      this.created.set(headers['idempotency-key'], { depositAmount, text: created.text, json: created.json });

      let etag = String(created.headers.etag);
      for (const status of ['paused', 'active', ...(n % 3 === 0 ? ['cancelled'] : [])]) {
        const match = { 'if-match': etag };
        const change = (given) => (status === 'cancelled' ? cancel(url, id, given) : setStatus(url, id, status, given));
        const answer = await this.#insist(() => this.#ask(change, match));
        if (answer === null) return;
        // Repeated after a 503 or a lost answer: the first one may have happened, and then the ETag is an old one.
        // A stream that its cancellation ended is told so first.
        if (answer.status === 412 || (answer.status === 409 && status === 'cancelled')) break;
        assert.equal(answer.status, 200, answer.text);
        this.changed.push({ id, version: answer.json.version, kind: KINDS[status] ?? status });
        etag = String(answer.headers.etag);
      }
    }
  }

  /** Whoever was told of a version never sees less. */
  async #read() {
    const { baseUrl } = this.stack;
    for (let n = 0; !this.stopped; n += 1) {
      const known = [...this.created.values()].at(-1 - (n % 20))?.json;
      const paths = [
        '/api/streams?limit=5',
        '/api/events?limit=5',
        '/health',
        '/health/ready',
        ...(known ? [`/api/streams/${known.id}`, `/api/streams/${known.id}/events`] : []),
      ];
      const path = paths[n % paths.length];
      const headers = known && path.startsWith('/api') ? { 'x-fluxora-min-version': String(known.version) } : {};
      const answer = await this.#ask((given) => request(baseUrl + path, { headers: given }), headers);
      if (answer === null) {
        await delay(5);
        continue;
      }
      assert.ok([200, 503].includes(answer.status), `${path}: ${answer.status} ${answer.text}`);
      if (answer.status === 503) await delay(5);
      else if (path === `/api/streams/${known?.id}`) assert.ok(answer.json.version >= known.version);
    }
  }
}

/** What was acknowledged is there once, as it was acknowledged; and there is nothing else. @param {Load} load */
async function checkNothingLostOrDoubled(stack, load) {
  const rows = await stack.db.rows('SELECT key, e.stream_id FROM idempotency_keys JOIN events e USING (seq)');
  const stored = new Map(rows.map(({ key, stream_id: id }) => [key, id]));
  assert.equal(stored.size, rows.length, 'a key is there once');
  const entries = await checkFold(stack);
  checkLogOrder(await stack.allEvents(), (await stack.head()).epoch);
  const made = entries.filter(({ kind }) => kind === 'created');
  assert.deepEqual(
    made.map(({ stream_id: id }) => id).sort(),
    [...stored.values()].sort(),
    'a stream for each key, and none besides',
  );
  for (const [key, { json }] of load.created) assert.equal(stored.get(key), json.id, key);
  const bySeq = new Map(entries.map((entry) => [Number(entry.seq), entry]));
  for (const { id, version, kind } of load.changed) {
    assert.deepEqual([bySeq.get(version)?.stream_id, bySeq.get(version)?.kind], [id, kind]);
  }
  // Asked again, each is answered as the first time, to the byte.
  for (const [key, { depositAmount, text }] of [...load.created].slice(-200)) {
    const again = await create(stack.baseUrl, { depositAmount }, { 'idempotency-key': key });
    assert.equal(again.headers['idempotency-replayed'], 'true', key);
    assert.equal(again.text, text, key);
  }
  return entries.length;
}

const milliseconds = (since) => Math.round(performance.now() - since);

/** @param {Load} load @param {number} entries */
function tell({ created, changed, statuses }, entries) {
  const answers = [...statuses].map(([status, count]) => `${count}× ${status}`).join(', ');
  console.log(`fault: ${created.size} creations, ${changed.length} changes, ${entries} entries; answers ${answers}`);
}

test('PostgreSQL stopped and started under load: 503 meanwhile, back by itself, nothing lost or doubled', async () => {
  const cluster = await PostgresCluster.start({ fsync: true });
  const stack = await startStack({ cluster, simulator: false, server: { env: NO_LIMIT } });
  const load = new Load(stack);
  const refusedAfter = [];
  const backAfter = [];
  for (const mode of /** @type {const} */ (['fast', 'immediate', 'fast', 'immediate', 'immediate'])) {
    await load.progress();
    await cluster.stop(mode);
    // The answers come while the database is away: it isn't started again before they are there.
    let asked = performance.now();
    const [{ id }] = [...load.created.values()].map(({ json }) => json);
    const refused = [
      await create(stack.baseUrl),
      await setStatus(stack.baseUrl, id, 'paused'),
      await cancel(stack.baseUrl, id),
      await stack.request('/api/streams'),
      await stack.request(`/api/streams/${id}`),
      await stack.request('/api/events'),
      await stack.request('/health/ready'),
    ];
    refusedAfter.push(milliseconds(asked) / refused.length);
    for (const answer of refused) {
      assert.equal(answer.status, 503, answer.text);
      assert.match(String(answer.headers['retry-after']), /^[1-9]\d*$/);
      checkSecurityHeaders(answer.headers, 'without a database');
    }
    assert.equal((await stack.request('/health/live')).status, 200);
    await cluster.start();
    asked = performance.now();
    await load.progress(1);
    backAfter.push(milliseconds(asked));
    await waitFor(async () => (await stack.request('/health/ready')).status === 200, { what: 'readiness' });
  }
  await load.progress();
  await load.stop();
  assert.ok(load.statuses.get(503) > 0, 'nobody noticed');
  const entries = await checkNothingLostOrDoubled(stack, load);
  tell(load, entries);
  console.log(`fault: refused after ${refusedAfter.map(Math.round)} ms each, back ${backAfter} ms after the start`);
  await stack.stop();
  await cluster.end();
});

test('connections cut under load are made again, and nothing is lost or doubled', async () => {
  const stack = await startStack({ simulator: false, fsync: true, server: { env: NO_LIMIT } });
  const load = new Load(stack);
  for (let cut = 0; cut < 8; cut += 1) {
    await load.progress(25);
    await stack.db.rows(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()`,
    );
  }
  await load.progress();
  await load.stop();
  const entries = await checkNothingLostOrDoubled(stack, load);
  tell(load, entries);
  await stack.stop();
});

test('kill -9 of the server under load: nothing acknowledged is lost, nothing is doubled', async () => {
  const stack = await startStack({ simulator: false, fsync: true, server: { env: NO_LIMIT } });
  stack.server.env = { ...stack.server.env, PORT: String(stack.server.port) };
  const load = new Load(stack);
  for (let kill = 0; kill < 5; kill += 1) {
    await load.progress();
    await stack.server.kill9();
    await stack.server.start();
  }
  await load.progress();
  await load.stop();
  assert.ok(load.statuses.get('none') > 0, 'nobody noticed');
  const entries = await checkNothingLostOrDoubled(stack, load);
  tell(load, entries);
  await stack.stop();
});
