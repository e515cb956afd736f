// What must hold of any log, and of a log of the simulated chain.
import assert from 'node:assert/strict';
import { scValToNative, xdr } from '@stellar/stellar-sdk';
import { IndependentFold, parseSeconds, streamJson } from './independent_fold.js';
import { scValJsonFromBase64 } from './sep51.js';

/** SPEC section 4: the feed's name for a stream's event; all others of the table are updates. */
const NAMES = new Map([
  ['created', 'stream.created'],
  ['cancelled', 'stream.cancelled'],
  ['kp_cncl', 'stream.cancelled'],
  ['completed', 'stream.completed'],
]);

/** Entries that we make on our own, beside the chain's events. */
const OF_TIME = new Set(['stream.cliff_reached', 'stream.ended']);
const OBSERVED = 'stream.observed';
/** What the simulated contract's events leave open, so that an observation may say it. */
const OPEN_FIELDS = new Set(['kind', 'token', 'checkpointedAmount', 'checkpointedAt']);

/** The entries that no later one undoes; retractions aren't among them. @param {any[]} entries the whole log */
export function standing(entries) {
  const undone = new Set(entries.map(({ retracts }) => retracts));
  return entries.filter(({ seq, retracts }) => retracts === undefined && !undone.has(seq));
}

/** What stands of the chain's events. @param {any[]} entries the whole log */
export function chainEntries(entries) {
  return standing(entries).filter(({ event }) => !OF_TIME.has(event) && event !== OBSERVED);
}

/**
 * Cliffs and ends have their entries: each that the last ledger has passed one, and no other.
 * @param {any[]} entries the whole log
 * @param {any[]} streams as listed
 * @param {number} closedAt when the last indexed ledger closed
 */
export function checkTimes(entries, streams, closedAt) {
  const passed = new Set();
  for (const entry of standing(entries).filter(({ event }) => OF_TIME.has(event))) {
    const where = `entry ${entry.seq}, ${entry.eventId} of ${entry.streamId}`;
    const at = entry.event === 'stream.ended' ? entry.stream.endTime : entry.stream.cliffTime;
    assert.equal(entry.eventId, `${entry.event.replace('stream.', '')}-${at}`, where);
    assert.ok(Date.parse(entry.closedAt) / 1000 >= at, `${where}: before its time`);
    assert.ok(['active', 'paused'].includes(entry.stream.status), `${where}: of a stream that is ${entry.stream.status}`);
    assert.ok(!passed.has(`${entry.streamId} ${entry.eventId}`), `${where}: twice`);
    passed.add(`${entry.streamId} ${entry.eventId}`);
  }
  for (const { id, status, startTime, cliffTime, endTime } of streams) {
    if (status === 'completed' || status === 'cancelled') continue;
    if (endTime <= closedAt) assert.ok(passed.has(`${id} ended-${endTime}`), `${id} has ended without an entry`);
    if (cliffTime > startTime && cliffTime <= closedAt) {
      assert.ok(passed.has(`${id} cliff_reached-${cliffTime}`), `${id} has reached its cliff without an entry`);
    }
  }
}

/**
 * Gapless from 1 on, each identity standing once, `prevSeq` the stream's previous entry, cursors of one epoch.
 * @param {any[]} entries the whole log
 * @param {string} epoch
 */
export function checkLogOrder(entries, epoch) {
  const identities = new Set();
  const lastOfStream = new Map();
  entries.forEach((entry, index) => {
    const where = `entry ${index + 1}`;
    assert.equal(entry.seq, index + 1, where);
    assert.equal(entry.cursor, `${epoch}-${entry.seq}`, where);
    assert.equal(entry.schemaVersion, 1, where);
    if (entry.streamId) {
      assert.equal(entry.prevSeq ?? null, lastOfStream.get(entry.streamId) ?? null, `${where}: prevSeq`);
      lastOfStream.set(entry.streamId, entry.seq);
    }
  });
  for (const entry of standing(entries)) {
    const identity = `${entry.ledgerHash}/${entry.eventId}/${entry.streamId}`;
    assert.ok(!identities.has(identity), `entry ${entry.seq}: ${identity} stands twice`);
    identities.add(identity);
  }
}

/** Without what comes from the contract's storage, for streams whose storage has not been read yet. */
export function withoutStorageFields({ token, ...stream }) {
  return stream;
}

/** The newest log position of each stream. @param {any[]} entries @returns {Map<string, number>} */
export function versions(entries) {
  return new Map(entries.filter(({ streamId }) => streamId).map(({ streamId, seq }) => [streamId, seq]));
}

/**
 * The log says exactly what the chain's events say, in their order: places, names, and the stream after each.
 * @param {any[]} log the whole log
 * @param {any[]} events of getEvents, all that the server follows, in order
 * @param {any} sim
 */
export function checkLogAgainstChain(log, events, sim) {
  assert.deepEqual(chainEntries(log).map(({ eventId }) => eventId), events.map(({ id }) => id), 'the events and their order');
  const fold = new IndependentFold({ token: null });
  const hashes = new Map();
  let index = 0;
  for (const entry of standing(log).filter(({ event }) => !OF_TIME.has(event))) {
    const where = `entry ${entry.seq} (${entry.kind})`;
    if (entry.event === OBSERVED) {
      checkObservation(entry, fold, sim, where);
      continue;
    }
    const event = events[index];
    index += 1;
    if (!hashes.has(event.ledger)) hashes.set(event.ledger, sim.chain.ledger(event.ledger).hash.toString('hex'));
    assert.equal(entry.ledger, event.ledger, where);
    assert.equal(entry.ledgerHash, hashes.get(event.ledger), where);
    assert.equal(entry.txHash, event.txHash, where);
    assert.equal(entry.closedAt, event.ledgerClosedAt, where);

    const id = fold.apply(event);
    const topic = xdr.ScVal.fromXDR(event.topic[0], 'base64');
    const kind = topic.switch().name === 'scvSymbol' ? scValToNative(topic) : null;
    assert.equal(entry.kind, kind, where);
    if (id === null) {
      assert.deepEqual(entry.raw, { topics: event.topic.map(scValJsonFromBase64), value: scValJsonFromBase64(event.value) }, where);
      continue;
    }
    assert.equal(entry.streamId, id, where);
    assert.equal(entry.event, NAMES.get(kind) ?? 'stream.updated', where);
    const expected = { ...streamJson(fold.streams.get(id), parseSeconds(event.ledgerClosedAt)), version: entry.seq };
    assert.deepEqual(entry.stream, expected, where);
  }
}

/**
 * An observation says what events leave open and nothing else, as of the ledger of the stream's last change.
 * @param {any} entry
 * @param {IndependentFold} fold takes it over
 * @param {any} sim
 * @param {string} where
 */
function checkObservation(entry, fold, sim, where) {
  const stream = fold.streams.get(entry.streamId);
  assert.ok(stream, `${where}: of a stream that no event has made`);
  assert.notDeepEqual(entry.change, {}, `${where}: says nothing new`);
  for (const name of Object.keys(entry.change)) assert.ok(OPEN_FIELDS.has(name), `${where}: changes ${name}`);
  assert.equal(entry.stream.token, sim.tokenId, where);
  assert.equal(entry.ledger, stream.ledger, where);
  assert.equal(entry.ledgerHash, sim.chain.ledger(entry.ledger).hash.toString('hex'), where);
  assert.match(entry.eventId, /^observed-[0-9]{10}-[0-9a-f]{8}$/, where);
  fold.observe({
    id: entry.streamId,
    kind: entry.stream.kind,
    token: entry.stream.token,
    checkpointAmount: parseAmount(entry.stream.checkpointedAmount),
    checkpointAt: BigInt(entry.stream.checkpointedAt),
  }, stream.updatedAt);
  const expected = { ...streamJson(stream, parseSeconds(entry.closedAt)), version: entry.seq };
  assert.deepEqual(entry.stream, expected, where);
}

/** Base units. @param {string} text with seven decimals */
const parseAmount = (text) => BigInt(text.replace('.', ''));
