// One stream, and a list of them: what the server reads in one statement is read in one here, prepared by name.
import { queryProblems, sendProblem } from './problem.mjs';
import { COLUMNS, asOf, streamJson } from './stream.mjs';

const STREAM_ID = /^(api-[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}|C[A-Z2-7]{55}-(0|[1-9][0-9]{0,19}))$/;
const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 100;

export const FIND = {
  name: 'find',
  text: `SELECT h.epoch, h.seq, c.closed_at, ${COLUMNS} FROM log_head h CROSS JOIN indexer_checkpoint c
    LEFT JOIN streams s ON s.id = $1`,
};
const LIST = {
  name: 'list',
  text: `SELECT h.epoch, h.seq, c.closed_at, ${COLUMNS} FROM log_head h CROSS JOIN indexer_checkpoint c
    LEFT JOIN LATERAL (SELECT * FROM streams ORDER BY created_seq DESC, id DESC LIMIT $1) s ON true
    ORDER BY s.created_seq DESC, s.id DESC`,
};

const cursorOf = (row) => `${row.epoch}-${row.seq}`;
const noStream = (response) => sendProblem(response, 404, 'There is no such stream.');

/** @param {import('pg').Pool} pool @returns {import('express').RequestHandler} */
export const readStream = (pool) => async (request, response) => {
  const problems = queryProblems(request, []);
  if (problems.length > 0) return sendProblem(response, 400, 'The request is not valid.', problems);
  const { id } = request.params;
  if (!STREAM_ID.test(id)) return noStream(response);
  const { rows: [row] } = await pool.query({ ...FIND, values: [id] });
  if (row.id === null) return noStream(response);
  const now = asOf(row);
  response.set({ ETag: `"${row.epoch}-${row.version}-${now}"`, 'Cache-Control': 'no-cache', 'X-Fluxora-Cursor': cursorOf(row) });
  return response.json(streamJson(row, now));
};

/** @param {import('pg').Pool} pool @returns {import('express').RequestHandler} */
export const listStreams = (pool) => async (request, response) => {
  const problems = queryProblems(request, ['limit']);
  const limit = Number(request.query.limit ?? DEFAULT_LIMIT);
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT) {
    problems.push({ field: 'limit', code: 'VALIDATION_ERROR', message: `must be a whole number from 1 to ${MAX_LIMIT}.` });
  }
  if (problems.length > 0) return sendProblem(response, 400, 'The request is not valid.', problems);
  const { rows } = await pool.query({ ...LIST, values: [limit + 1] });
  const found = rows.filter(({ id }) => id !== null);
  const shown = found.slice(0, limit);
  const last = shown.at(-1);
  response.set('X-Fluxora-Cursor', cursorOf(rows[0]));
  return response.json({
    streams: shown.map((row) => streamJson(row, asOf(row))),
    has_more: found.length > limit,
    next_cursor: found.length > limit ? Buffer.from(`${last.created_seq}/${last.id}`).toString('base64url') : null,
  });
};
