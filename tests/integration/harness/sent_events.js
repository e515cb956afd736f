// Contract events as those send them who read the chain for the server, and what a log of them must come to.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { scValJsonFromBase64 } from './sep51.js';
import { request } from './http_client.js';
import { ServerProcess } from './server_process.js';
import { newDatabase, serverEnvironment } from './stack.js';
import { waitFor } from './wait.js';

export const PATH = '/internal/indexer/contract-events';
export const MAX_EVENTS = 100;
export const WORKER_TOKEN = `worker-${randomBytes(24).toString('hex')}`;
/** JSON's own depth limit: what is nested deeper travels as base64. */
const SEP51_DEPTH = 14;

const depthOf = (value) => (value !== null && typeof value === 'object' ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0);

/** A ScVal in SEP-51 where the body can hold it. @param {string} base64 */
function sep51(base64) {
  const json = scValJsonFromBase64(base64);
  return depthOf(json) > SEP51_DEPTH ? base64 : json;
}

/**
 * What `getEvents` says of an event, as it is sent on.
 * @param {any} item
 * @param {string} ledgerHash
 * @param {{json?: boolean}} [how] json: topics and value in SEP-51
 */
export function sentEvent(item, ledgerHash, { json = false } = {}) {
  const form = json ? sep51 : (/** @type {string} */ base64) => base64;
  return {
    eventId: item.id,
    ledger: item.ledger,
    ledgerHash,
    contractId: item.contractId,
    txHash: item.txHash,
    txIndex: item.transactionIndex ?? 1,
    operationIndex: item.operationIndex ?? 0,
    eventIndex: Number(item.id.split('-')[1]),
    happenedAt: item.ledgerClosedAt,
    topics: item.topic.map(form),
    value: form(item.value),
    ...(item.inSuccessfulContractCall === false ? { inSuccessfulContractCall: false } : {}),
  };
}

/**
 * A server that takes events and reads no chain.
 * @param {string} contracts
 * @param {Record<string, string | undefined>} [env]
 * @param {import('./stack.js').Database} [db] instead of one of its own
 */
export async function startTaker(contracts, env = {}, db = undefined) {
  const database = db ?? await newDatabase();
  const server = await ServerProcess.start({
    ...serverEnvironment(database, null), CONTRACT_IDS: contracts, INDEXER_WORKER_TOKEN: WORKER_TOKEN, WRITE_RATE_LIMIT: '0', ...env,
  });
  return { db: database, server };
}

/**
 * @param {ServerProcess} server
 * @param {any} body an object, or text as it is
 * @param {Record<string, string>} [headers]
 */
export function post(server, body, headers = { 'x-indexer-worker-token': WORKER_TOKEN }) {
  return request(server.baseUrl + PATH, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
  });
}

/** Sends a batch until it is taken: what is busy is asked again, what is too large goes in halves. */
export async function send(server, events) {
  const answer = await waitFor(async () => {
    const said = await post(server, { events });
    return said.status !== 503 && said;
  }, { what: 'a batch to be taken' });
  if (answer.status === 413 && events.length > 1) {
    const middle = Math.ceil(events.length / 2);
    await send(server, events.slice(0, middle));
    await send(server, events.slice(middle));
    return;
  }
  assert.equal(answer.status, 200, `${events[0].eventId} and ${events.length - 1} more: ${answer.text.slice(0, 1000)}`);
  assert.equal(answer.json.insertedCount, answer.json.insertedIds.length);
  assert.equal(answer.json.duplicateCount, answer.json.duplicateIds.length);
  assert.deepEqual(
    [...answer.json.insertedIds, ...answer.json.duplicateIds].sort(),
    events.map(({ eventId }) => eventId).sort(),
  );
}

/** The digest of each ledger that has one. @param {import('./stack.js').Database} db */
export async function digestsOf(db) {
  const rows = await db.rows('SELECT sequence, hash, digest FROM ledgers WHERE digest IS NOT NULL ORDER BY sequence');
  return rows.map(({ sequence, hash, digest }) => `${sequence} ${hash.toString('hex')} ${digest.toString('hex')}`);
}

/** The streams without their places in the log, and without what only the contract's storage says. */
export function streamsOf(db) {
  return db.rows(`SELECT id, source, status, archived, sender, recipient, deposit, rate_per_second, withdrawn, settled, start_time,
    cliff_time, end_time, cancelled_at, checkpoint_amount, checkpoint_at, created_at_ms, updated_at_ms, ledger, tx_hash
    FROM streams ORDER BY id`);
}

/** The hashes of ledgers with events, by number. @param {import('./stack.js').Database} db @returns {Promise<Map<number, string>>} */
export async function ledgerHashes(db) {
  const rows = await db.rows('SELECT sequence, hash FROM ledgers');
  return new Map(rows.map(({ sequence, hash }) => [Number(sequence), hash.toString('hex')]));
}
