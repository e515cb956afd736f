// Before anything is timed: the server and the yardstick give the same answers.
import assert from 'node:assert/strict';

import { streamId } from './dataset.mjs';

const TERMS = {
  sender: 'GBKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKK3J',
  recipient: 'GDXO53XO53XO53XO53XO53XO53XO53XO53XO53XO53XO53XO53XO5I2I',
  depositAmount: '12.3456789',
  ratePerSecond: '0.0000001',
  startTime: 4_000_000_000,
};
const BAD_TERMS = { sender: 'GBKV', recipient: 7, depositAmount: 12, ratePerSecond: '-1' };

async function answer(url, path, body) {
  const init = body && { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  const response = await fetch(url + path, init);
  return { status: response.status, body: await response.json() };
}

/** Without what no two answers share: the moment, and a cursor that only its maker reads. */
function comparable({ status, body }) {
  const plain = ({ asOf, streamedAmount, withdrawableAmount, ...rest }) => rest;
  if (body.streams === undefined) return { status, body: plain(body) };
  return { status, body: { ...body, next_cursor: typeof body.next_cursor, streams: body.streams.map(plain) } };
}

const created = ({ status, body: { id, version, createdAt, updatedAt, asOf, ...body } }) => ({ status, body });
const problems = ({ status, body }) => ({ status, fields: body.errors.map(({ field }) => field).sort() });

export async function requireSameAnswers({ fluxora, fluxoraWrites, express, expressWrites }) {
  for (const path of [`/api/streams/${streamId(7)}`, '/api/streams?limit=20']) {
    const [own, other] = [await answer(fluxora.url, path), await answer(express.url, path)];
    assert.deepEqual(comparable(other), comparable(own), path);
  }
  const path = '/api/streams';
  const [own, other] = [await answer(fluxoraWrites.url, path, TERMS), await answer(expressWrites.url, path, TERMS)];
  assert.equal(own.status, 201);
  assert.deepEqual(created(other), created(own), 'a creation');
  const refusal = await answer(fluxoraWrites.url, path, BAD_TERMS);
  const otherRefusal = await answer(expressWrites.url, path, BAD_TERMS);
  assert.equal(refusal.status, 400);
  assert.deepEqual(problems(otherRefusal), problems(refusal), 'a refusal');
}
