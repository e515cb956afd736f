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

/**
 * Gapless from 1 on, each identity once, `prevSeq` the stream's previous entry, cursors of one epoch.
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
    const identity = `${entry.ledgerHash}/${entry.eventId}/${entry.streamId}`;
    assert.ok(!identities.has(identity), `${where}: ${identity} is there twice`);
    identities.add(identity);
    if (entry.streamId) {
      assert.equal(entry.prevSeq ?? null, lastOfStream.get(entry.streamId) ?? null, `${where}: prevSeq`);
      lastOfStream.set(entry.streamId, entry.seq);
    }
  });
}

/** What the service doesn't take from events: the token comes from the contract's storage. */
export function withoutStorageFields({ token, ...stream }) {
  return stream;
}

/** The newest log position of each stream. @param {any[]} entries @returns {Map<string, number>} */
export function versions(entries) {
  return new Map(entries.filter(({ streamId }) => streamId).map(({ streamId, seq }) => [streamId, seq]));
}

/**
 * The log says exactly what the chain's events say, in their order: places, names, and the stream after each.
 * @param {any[]} entries the whole log
 * @param {any[]} events of getEvents, all that the server follows, in order
 * @param {any} sim
 */
export function checkLogAgainstChain(entries, events, sim) {
  assert.deepEqual(entries.map(({ eventId }) => eventId), events.map(({ id }) => id), 'the events and their order');
  const fold = new IndependentFold({ token: null });
  const hashes = new Map();
  entries.forEach((entry, index) => {
    const event = events[index];
    const where = `entry ${entry.seq} (${entry.kind})`;
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
      return;
    }
    assert.equal(entry.streamId, id, where);
    assert.equal(entry.event, NAMES.get(kind) ?? 'stream.updated', where);
    const expected = { ...streamJson(fold.streams.get(id), parseSeconds(event.ledgerClosedAt)), version: entry.seq };
    assert.deepEqual(withoutStorageFields(entry.stream), withoutStorageFields(expected), where);
  });
}
