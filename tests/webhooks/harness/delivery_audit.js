// What must hold of webhook deliveries at the end, however often server and receiver died on the way: the tables, what
// the API says and what the receiver wrote down agree in all that a death leaves no room for.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { waitFor } from '../../integration/harness/wait.js';
import { readLog } from '../../realtime/harness/log_filter.js';
import { wantedSeqs } from './wanted_entries.js';

const [WAITING, DELIVERED, DEAD] = [0, 1, 2];

/**
 * @typedef {object} AuditedEndpoint
 * @property {string} id
 * @property {string} path where the receiver has it
 * @property {import('./wanted_entries.js').Filter} filter
 * @property {import('./wanted_entries.js').Span[]} spans
 */

/**
 * Waits until nothing waits any more, however long that takes, as long as it becomes less.
 * @param {import('../../integration/harness/stack.js').Database} db
 */
export async function drain(db) {
  const left = async () =>
    (await db.row('SELECT count(*)::int AS count FROM webhook_deliveries WHERE state = 0')).count;
  for (let count = await left(); count > 0;) {
    count = await waitFor(
      async () => {
        const now = await left();
        return now < count && { now };
      },
      {
        what: `fewer than ${count} deliveries to wait`,
        deadlineMs: 120_000,
        describe: async () => ({
          waiting: await db.rows('SELECT * FROM webhook_deliveries WHERE state = 0 LIMIT 3'),
          lanes: await db.rows('SELECT * FROM webhook_lanes LIMIT 3'),
          dispatchers: await db.rows('SELECT * FROM webhook_dispatchers'),
          endpoints: await db.rows('SELECT id, enabled, disabled_reason FROM webhook_endpoints'),
        }),
      },
    ).then(({ now }) => now);
  }
}

const counted = (items) => items.reduce((counts, item) => counts.set(item, (counts.get(item) ?? 0) + 1), new Map());
const grouped = (items, keyOf) =>
  items.reduce((groups, item) => groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]), new Map());

/**
 * @param {object} facts
 * @param {import('../../integration/harness/stack.js').Stack} facts.stack its log has one epoch
 * @param {AuditedEndpoint[]} facts.endpoints all that there are
 * @param {import('./receiver_program.js').Received[]} facts.received in order
 * @param {number} facts.interruptions deaths of servers and receivers, and claims that a server lost by being too slow
 * @param {number} facts.attemptsMax of the retry schedule
 * @param {any[]} facts.deadLetters as the API lists them
 */
export async function auditDeliveries({ stack, endpoints, received, interruptions, attemptsMax, deadLetters }) {
  const { db } = stack;
  const { epoch } = await stack.head();
  const log = await readLog(db);
  const entries = await stack.allEvents();
  assert.equal(entries.length, log.length);

  const rows = (await db.rows('SELECT * FROM webhook_deliveries')).map((row) => ({ ...row, seq: Number(row.seq) }));
  const attempts = (await db.rows('SELECT * FROM webhook_attempts')).map((row) => ({ ...row, seq: Number(row.seq) }));
  const idOf = ({ endpoint, epoch: of, seq }) => `wd_${endpoint}_${of}_${seq}`;
  const attemptsOf = grouped(attempts, idOf);
  const receivedOf = grouped(received, ({ id }) => id);

  theFilterDecides();
  eachIsFinishedAndAddsUp();
  noneIsInvented();
  bodiesStay(await db.rows('SELECT * FROM webhook_messages'));
  streamsAreInOrder();
  deadLettersAreThese();
  const left = await db.row('SELECT count(*)::int AS count FROM webhook_lanes');
  assert.equal(left.count, 0, 'a lane is there only as long as something waits in it');
  return {
    entries: log.length,
    deliveries: rows.length,
    dead: deadLetters.length,
    attempts: attempts.length,
    received: received.length,
    handled: new Set(received.filter(({ handled }) => handled).map(({ id }) => id)).size,
    unanswered: attempts.filter(({ status }) => status === null).length,
    unrecorded: received.length - attempts.filter(({ status }) => status !== null).length,
  };

  /** Each entry that an endpoint wants has a delivery, and no other has: none is lost before it is sent. */
  function theFilterDecides() {
    for (const { id, filter, spans } of endpoints) {
      const made = rows.filter((row) => row.endpoint === id);
      assert.ok(made.every((row) => row.epoch === epoch));
      assert.deepEqual(
        made.map(({ seq }) => seq).sort((a, b) => a - b),
        wantedSeqs(log, filter, spans),
        `deliveries of endpoint ${id}`,
      );
    }
    assert.deepEqual(
      [...new Set(rows.map(({ endpoint }) => endpoint))].filter((id) => !endpoints.some((one) => one.id === id)),
      [],
    );
  }

  /**
   * Nothing waits. The attempts of a delivery are numbered without a hole; what was delivered has one recorded success,
   * the last, and was handled by the receiver; what is dead has all its tries, and no success. An answer that is
   * recorded was given by the receiver. What the receiver saw is recorded, but for what a killed server hadn't written
   * yet: it sends a delivery once before it records that, so that each death costs a delivery one record at most. Where
   * the receiver dies, a request on a kept connection may be sent again as part of its attempt.
   */
  function eachIsFinishedAndAddsUp() {
    for (const row of rows) {
      const id = idOf(row);
      assert.notEqual(row.state, WAITING, `${id} waits`);
      const own = (attemptsOf.get(id) ?? []).sort((a, b) => a.number - b.number);
      assert.deepEqual(
        own.map(({ number }) => number),
        own.map((_, index) => index + 1),
        `attempts of ${id}`,
      );
      assert.equal(row.attempts, own.length, `${id} counts its attempts`);
      assert.equal(row.tries, own.length, `${id} was never redelivered`);
      assert.ok(own.length <= attemptsMax, `${id} was tried ${own.length} times`);
      const successes = own.filter(({ status }) => status >= 200 && status < 300);
      if (row.state === DELIVERED) {
        assert.deepEqual(successes, own.slice(-1), `the last attempt of ${id} succeeded, and no other`);
        assert.ok(
          receivedOf.get(id)?.some(({ handled, status }) => handled && status === 200),
          `${id} has arrived`,
        );
      } else {
        assert.equal(row.state, DEAD, id);
        assert.equal(successes.length, 0, `${id} is dead`);
        assert.equal(own.length, attemptsMax, `all tries of ${id}`);
      }
      const seen = receivedOf.get(id) ?? [];
      const seenByStatus = counted(seen.map(({ status }) => status));
      for (const [status, count] of counted(
        own.map(({ status: answered }) => answered).filter((answered) => answered !== null),
      )) {
        assert.ok(
          count <= (seenByStatus.get(status) ?? 0),
          `${id}: ${count} answers ${status} are recorded, ${seenByStatus.get(status)} were given`,
        );
      }
      assert.ok(
        seen.length <= own.length + interruptions,
        `${id} was seen ${seen.length} times, ${own.length} attempts are recorded`,
      );
    }
    assert.equal(
      attempts.length,
      rows.reduce((sum, { attempts: count }) => sum + count, 0),
      'no attempt without its delivery',
    );
  }

  /** Whatever arrived has a good signature, and is of an entry that its endpoint wants. */
  function noneIsInvented() {
    const known = new Map(rows.map((row) => [idOf(row), row]));
    for (const { id, path, cursor, streamId, event, verdict } of received) {
      assert.equal(verdict, 'ok', `${id} at ${path}`);
      const row = known.get(id);
      assert.ok(row, `${id} is no delivery`);
      assert.equal(path, endpoints.find((endpoint) => endpoint.id === row.endpoint)?.path, `the endpoint of ${id}`);
      const entry = entries[row.seq - 1];
      assert.deepEqual([cursor, streamId, event], [`${row.epoch}-${row.seq}`, entry.streamId ?? '', entry.event], id);
    }
  }

  /** A delivery's bytes are the same every time, and say what the feeds say of the entry. */
  function bodiesStay(messages) {
    const hashes = new Map();
    for (const { epoch: of, seq, body } of messages) {
      assert.equal(of, epoch);
      hashes.set(seq, createHash('sha256').update(body).digest('hex'));
      const entry = entries[Number(seq) - 1];
      assert.deepEqual(
        JSON.parse(body),
        { type: entry.event, timestamp: entry.closedAt, data: entry },
        `the body of ${seq}`,
      );
    }
    for (const { id, bodySha256 } of received)
      assert.equal(bodySha256, hashes.get(id.split('_')[3]), `the bytes of ${id}`);
  }

  /** What a receiver takes first of each entry of a stream comes in the order of the log. */
  function streamsAreInOrder() {
    const last = new Map();
    const seen = new Set();
    for (const { id, path, streamId, handled } of received) {
      if (!handled || seen.has(id)) continue;
      seen.add(id);
      const lane = `${path} ${streamId}`;
      const seq = Number(id.split('_')[3]);
      assert.ok(seq > (last.get(lane) ?? 0), `${id} arrived behind ${last.get(lane)} of its stream`);
      last.set(lane, seq);
    }
  }

  function deadLettersAreThese() {
    const dead = rows.filter(({ state }) => state === DEAD).map(idOf);
    assert.deepEqual(deadLetters.map(({ id }) => id).sort(), dead.sort());
  }
}
