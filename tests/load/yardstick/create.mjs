// A creation: the body's checks, and one transaction that writes the log's entry, the stream, the log's head and the audit
// log's record, as the server does.
import { randomBytes } from 'node:crypto';

import { queryProblems, sendProblem } from './problem.mjs';
import { asOf, streamJson } from './stream.mjs';
import { isParty } from './strkey.mjs';

const AMOUNT = /^([+-]?)([0-9]+)(?:\.([0-9]+))?$/;
const MAX_AMOUNT_LENGTH = 64;
const DECIMALS = 7;
const I128_MAX = (1n << 127n) - 1n;
const U64_MAX = (1n << 64n) - 1n;
const API = 1;

/** UUID of version 7 (RFC 9562 section 5.7). */
function newStreamId() {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(Date.now(), 0, 6);
  bytes[6] = 0x70 | (bytes[6] & 0x0f);
  bytes[8] = 0x80 | (bytes[8] & 0x3f);
  const hex = bytes.toString('hex');
  return `api-${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** Base units, or the code of what is wrong: SPEC section 1. @param {unknown} value */
function parseAmount(value) {
  if (value === undefined || value === null || (typeof value === 'string' && value.trim() === '')) return 'DECIMAL_EMPTY_VALUE';
  if (typeof value !== 'string') return 'DECIMAL_INVALID_TYPE';
  const match = value.length <= MAX_AMOUNT_LENGTH && AMOUNT.exec(value);
  if (!match) return 'DECIMAL_INVALID_FORMAT';
  const fraction = (match[3] ?? '').replace(/0+$/, '');
  if (fraction.length > DECIMALS) return 'DECIMAL_OUT_OF_RANGE';
  const units = BigInt(`${match[2]}${fraction.padEnd(DECIMALS, '0')}`);
  if (units > I128_MAX) return 'DECIMAL_OUT_OF_RANGE';
  return match[1] === '-' ? -units : units;
}

/** The terms, and every problem that they have. */
function readTerms(body) {
  const errors = [];
  const wrong = (field, message, code = 'VALIDATION_ERROR') => { errors.push({ field, code, message }); };
  for (const field of ['sender', 'recipient']) {
    if (!isParty(body[field])) wrong(field, 'must be a Stellar address, G… or C….');
  }
  if (body.sender !== undefined && body.sender === body.recipient) wrong('recipient', 'must not be the sender.');
  const [deposit, rate] = ['depositAmount', 'ratePerSecond'].map((field) => {
    const amount = parseAmount(body[field]);
    if (typeof amount === 'string') wrong(field, 'is no amount.', amount);
    else if (amount <= 0n) wrong(field, 'must be positive.');
    return amount;
  });
  const time = (field, otherwise) => {
    const given = body[field];
    if (given === undefined) return otherwise;
    if (Number.isSafeInteger(given) && given >= 0) return BigInt(given);
    if (typeof given === 'string' && /^(0|[1-9][0-9]{0,19})$/.test(given) && BigInt(given) <= U64_MAX) return BigInt(given);
    wrong(field, 'must be unix seconds.');
    return otherwise;
  };
  const start = time('startTime', BigInt(Math.floor(Date.now() / 1000)));
  const cliff = time('cliffTime', start);
  const lasts = errors.length === 0 ? (deposit + rate - 1n) / rate : 0n;
  const end = time('endTime', start + lasts);
  if (end > U64_MAX) wrong('endTime', 'would be above 18446744073709551615 by the deposit and the rate.');
  else if (errors.length === 0 && end <= start) wrong('endTime', 'must be after startTime.');
  else if (errors.length === 0 && (cliff < start || cliff > end)) wrong('cliffTime', 'must be from startTime to endTime.');
  return { errors, terms: { sender: body.sender, recipient: body.recipient, deposit, rate, start, cliff, end } };
}

/** The row of `streams` of the entry `seq`. */
function newRow(terms, seq) {
  const now = `${BigInt(Math.floor(Date.now() / 1000)) * 1000n}`;
  const { start, cliff, end } = terms;
  return {
    id: newStreamId(), source: API, kind: 0, status: 0, archived: false, sender: terms.sender, recipient: terms.recipient, token: null,
    deposit: `${terms.deposit}`, rate_per_second: `${terms.rate}`, withdrawn: '0', settled: '0', start_time: `${start}`,
    cliff_time: `${cliff}`, end_time: `${end}`, cancelled_at: null, checkpoint_amount: '0', checkpoint_at: `${start}`,
    created_at_ms: now, updated_at_ms: now, version: seq, created_seq: seq, ledger: null, tx_hash: null,
  };
}

const INSERT_ENTRY = {
  name: 'insert_entry',
  text: `INSERT INTO events (seq, event, kind, stream_id, event_id, closed_at, in_successful_call, topics, value, change, stream_state)
    VALUES ($1, 'stream.created', 'created', $2, $3, $4, true, $5, $6, $7, $8)`,
};
const INSERT_STREAM = {
  name: 'insert_stream',
  text: `INSERT INTO streams (id, source, kind, status, archived, sender, recipient, token, deposit, rate_per_second, withdrawn,
    settled, start_time, cliff_time, end_time, cancelled_at, checkpoint_amount, checkpoint_at, created_at_ms, updated_at_ms, version,
    created_seq, ledger, tx_hash)
    VALUES (${Array.from({ length: 24 }, (_, index) => `$${index + 1}`).join(', ')})`,
};
const INSERT_RECORD = {
  name: 'insert_record',
  text: `INSERT INTO audit_log (actor, action, target, address, request_id, detail) VALUES ($1, 'stream.create', $2, $3, $4, $5)`,
};

/** The entry's own columns hold JSON here, where the server writes XDR of about the same size. */
async function write(client, terms, by) {
  const { rows: [head] } = await client.query({
    name: 'take_seq',
    text: `UPDATE log_head h SET seq = h.seq + 1 FROM indexer_checkpoint c RETURNING h.epoch, h.seq, c.closed_at`,
  });
  const row = newRow(terms, head.seq);
  const value = Buffer.from(JSON.stringify({ ...terms, deposit: row.deposit, rate: row.rate_per_second, start: row.start_time,
    cliff: row.cliff_time, end: row.end_time }));
  const change = JSON.stringify({ depositAmount: [null, row.deposit], ratePerSecond: [null, row.rate_per_second] });
  await client.query({ ...INSERT_ENTRY, values: [head.seq, row.id, `api-${head.seq}`, `${BigInt(row.created_at_ms) / 1000n}`,
    Buffer.from('["created"]'), value, change, Buffer.from(JSON.stringify(row))] });
  await client.query({ ...INSERT_STREAM, values: Object.values(row) });
  await client.query({ ...INSERT_RECORD, values: [by.actor, row.id, by.address, by.requestId, `{"seq":${head.seq}}`] });
  await client.query('NOTIFY fluxora_yardstick');
  return { ...head, ...row };
}

/** @param {import('pg').Pool} pool @returns {import('express').RequestHandler} */
export const createStream = (pool) => async (request, response) => {
  const { errors, terms } = readTerms(request.body ?? {});
  errors.push(...queryProblems(request, []));
  if (errors.length > 0) return sendProblem(response, 400, 'The request is not valid.', errors);
  const address = request.socket.remoteAddress;
  const client = await pool.connect();
  let row;
  try {
    await client.query('BEGIN');
    row = await write(client, terms, { actor: `address:${address}`, address, requestId: response.get('X-Request-Id') });
    await client.query('COMMIT');
    client.release();
  } catch (error) {
    client.release(true); // in the middle of a transaction: not to be used again
    throw error;
  }
  const now = asOf(row);
  response.set({
    Location: `/api/streams/${row.id}`,
    ETag: `"${row.epoch}-${row.version}-${now}"`,
    'Cache-Control': 'no-cache',
    'X-Fluxora-Version': row.version,
    'X-Fluxora-Cursor': `${row.epoch}-${row.version}`,
  });
  return response.status(201).json(streamJson(row, now));
};
