// What is needed to write streams through the API, and to tell from SPEC alone what must come of it.
import assert from 'node:assert/strict';
import { xdr, Address, scValToNative } from '@stellar/stellar-sdk';
import { request } from './http_client.js';
import { parseSeconds, streamJson } from './independent_fold.js';
import { checkDatabase } from './log_database.js';

// Accounts and a contract whose 32 bytes are all the same.
export const SENDER = 'GBKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKK3J';
export const RECIPIENT = 'GDXO53XO53XO53XO53XO53XO53XO53XO53XO53XO53XO53XO53XO5I2I';
export const CONTRACT = 'CBYHA4DQOBYHA4DQOBYHA4DQOBYHA4DQOBYHA4DQOBYHA4DQOBYHAGEP';

/** A good creation. */
export const TERMS = { sender: SENDER, recipient: RECIPIENT, depositAmount: '1000', ratePerSecond: '0.5' };

/** @param {string} url @param {string} method @param {unknown} body @param {Record<string, string>} [headers] */
export function send(url, method, body, headers = {}) {
  const text = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  return request(url, { method, headers: { 'content-type': 'application/json', ...headers }, body: text });
}

/** @param {string} baseUrl @param {Record<string, unknown>} [terms] @param {Record<string, string>} [headers] */
export const create = (baseUrl, terms = {}, headers = {}) => send(`${baseUrl}/api/streams`, 'POST', { ...TERMS, ...terms }, headers);

/** @param {string} baseUrl @param {string} id @param {string} status @param {Record<string, string>} [headers] */
export const setStatus = (baseUrl, id, status, headers = {}) => send(`${baseUrl}/api/streams/${id}`, 'PATCH', { status }, headers);

/** @param {string} baseUrl @param {string} id @param {Record<string, string>} [headers] */
export const cancel = (baseUrl, id, headers = {}) => request(`${baseUrl}/api/streams/${id}`, { method: 'DELETE', headers });

const i128 = (parts) => scValToNative(parts);

/**
 * Streams folded again from the rows of `events` that have no ledger, with the official SDK and BigInt alone.
 * @param {any[]} rows of the table, in order
 */
export function foldApiRows(rows) {
  const streams = new Map();
  for (const row of rows) {
    const topics = readTopics(row.topics);
    const kind = scValToNative(topics[0]);
    const value = xdr.ScVal.fromXDR(row.value);
    const at = BigInt(row.closed_at);
    if (kind === 'created') {
      const fields = Object.fromEntries(value.map().map((entry) => [scValToNative(entry.key()), entry.val()]));
      streams.set(row.stream_id, {
        id: row.stream_id,
        kind: 'linear',
        status: 'active',
        sender: Address.fromScVal(fields.sender).toString(),
        recipient: Address.fromScVal(fields.recipient).toString(),
        deposit: i128(fields.deposit_amount),
        rate: i128(fields.rate_per_second),
        withdrawn: 0n,
        settled: 0n,
        start: scValToNative(fields.start_time),
        cliff: scValToNative(fields.cliff_time),
        end: scValToNative(fields.end_time),
        cancelledAt: null,
        checkpointAmount: 0n,
        checkpointAt: scValToNative(fields.start_time),
        createdAt: at,
      });
    }
    const stream = streams.get(row.stream_id);
    if (kind === 'paused') stream.status = 'paused';
    if (kind === 'resumed') stream.status = 'active';
    if (kind === 'cancelled') Object.assign(stream, { status: 'cancelled', cancelledAt: at });
    Object.assign(stream, { updatedAt: at, version: Number(row.seq) });
  }
  return streams;
}

/** The column `topics`: an XDR array of opaque values. @param {Buffer} bytes */
function readTopics(bytes) {
  const topics = [];
  let offset = 4;
  for (let left = bytes.readUInt32BE(0); left > 0; left -= 1) {
    const size = bytes.readUInt32BE(offset);
    topics.push(xdr.ScVal.fromXDR(bytes.subarray(offset + 4, offset + 4 + size)));
    offset += 4 + size + ((4 - (size % 4)) % 4);
  }
  return topics;
}

/** What a stream of the API has none of. */
const NOT_OF_THE_CHAIN = { token: null, archived: false, ledger: null, txHash: null, contractId: null };

/** A stream of foldApiRows as an answer shows it. @param {any} stream @param {number | bigint} asOf */
export function apiStreamJson(stream, asOf) {
  const shown = streamJson({ ...stream, ...NOT_OF_THE_CHAIN }, BigInt(asOf));
  return { ...shown, source: 'api', version: stream.version };
}

const ACTIONS = { created: 'stream.create', paused: 'stream.pause', resumed: 'stream.resume', cancelled: 'stream.cancel' };

/**
 * What the table of streams says is the fold of the log, and so is what is served; the audit log has each entry once.
 * Gives the rows of `events` that the API wrote.
 * @param {import('./stack.js').Stack} stack
 */
export async function checkFold(stack) {
  await checkDatabase(stack.db);
  const rows = await stack.db.rows('SELECT * FROM events WHERE ledger IS NULL ORDER BY seq');
  const records = await stack.db.rows("SELECT action, target, detail FROM audit_log WHERE action LIKE 'stream.%' ORDER BY position");
  assert.deepEqual(records.map(({ action, target, detail }) => [action, target, JSON.parse(detail)]),
    rows.map((row) => [ACTIONS[row.kind], row.stream_id, { seq: Number(row.seq) }]));
  const folded = foldApiRows(rows);
  const served = (await stack.allStreams()).filter(({ source }) => source === 'api');
  assert.equal(served.length, folded.size);
  for (const stream of served) assert.deepEqual(stream, apiStreamJson(folded.get(stream.id), stream.asOf));
  return rows;
}

export { parseSeconds };
