// What webhooks are measured beside: a sender as one writes it first, with pg and node:http. One delivery after another: it
// is claimed, signed, sent over a connection that is kept, and recorded with its attempt, in one transaction.
import { createHmac } from 'node:crypto';
import { Agent, request } from 'node:http';

import pg from 'pg';

const TABLES = `
  CREATE TABLE deliveries (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, stream text NOT NULL, event text NOT NULL, body text NOT NULL,
    state smallint NOT NULL DEFAULT 0, attempts integer NOT NULL DEFAULT 0, due_at timestamptz NOT NULL DEFAULT now(), finished_at timestamptz);
  CREATE INDEX deliveries_due ON deliveries (due_at, id) WHERE state = 0;
  CREATE TABLE attempts (delivery bigint NOT NULL, number integer NOT NULL, at timestamptz NOT NULL, duration_ms integer NOT NULL,
    status smallint, response text NOT NULL, PRIMARY KEY (delivery, number));`;
const CLAIM = {
  name: 'claim',
  text: 'SELECT id, event, body, attempts FROM deliveries WHERE state = 0 AND due_at <= now() ORDER BY due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED',
};
const FINISH = { name: 'finish', text: 'UPDATE deliveries SET state = 1, attempts = $2, finished_at = now() WHERE id = $1' };
const NOTE = {
  name: 'note',
  text: 'INSERT INTO attempts (delivery, number, at, duration_ms, status, response) VALUES ($1, $2, $3, $4, $5, $6)',
};

const hmac = (key, text, encoding) => createHmac('sha256', key).update(text).digest(encoding);

/** Both families of headers, as the service sends them. */
function headersOf({ id, event, body }, { prefix, secret }) {
  const delivery = `${prefix}-${id}`;
  const timestamp = Math.floor(Date.now() / 1000);
  const standard = hmac(Buffer.from(secret.slice('whsec_'.length), 'base64'), `${delivery}.${timestamp}.${body}`, 'base64');
  return {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'x-fluxora-delivery-id': delivery,
    'x-fluxora-timestamp': timestamp,
    'x-fluxora-signature': hmac(secret, `${timestamp}.${body}`, 'hex'),
    'x-fluxora-event': event,
    'webhook-id': delivery,
    'webhook-timestamp': timestamp,
    'webhook-signature': `v1,${standard}`,
  };
}

/** @returns {Promise<{status: number, text: string}>} */
function post(url, agent, headers, body) {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST', agent, headers }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (piece) => { text += piece; }).on('end', () => resolve({ status: answer.statusCode, text }));
    });
    sent.on('error', reject).end(body);
  });
}

/** Sends one. False: nothing waits. */
async function sendOne(client, agent, work) {
  await client.query('BEGIN');
  const { rows: [delivery] } = await client.query(CLAIM);
  if (delivery === undefined) {
    await client.query('COMMIT');
    return false;
  }
  const at = new Date();
  const { status, text } = await post(work.url, agent, headersOf(delivery, work), delivery.body);
  if (status !== 200) throw new Error(`the receiver answered ${status}: ${text}`);
  const number = delivery.attempts + 1;
  await client.query({ ...FINISH, values: [delivery.id, number] });
  await client.query({ ...NOTE, values: [delivery.id, number, at, Date.now() - at.getTime(), status, text.slice(0, 1024)] });
  await client.query('COMMIT');
  return true;
}

/**
 * Sends the bodies and gives how many a second that were.
 * @param {{database: string, prefix: string, url: string, secret: string, bodies: {stream: string, event: string, body: string}[]}} work
 *   `prefix`: of the delivery ids, which the receiver hasn't seen
 */
export async function sendSequentially(work) {
  const { database, bodies } = work;
  const client = new pg.Client({ connectionString: database });
  await client.connect();
  const agent = new Agent({ keepAlive: true });
  try {
    await client.query(`DROP TABLE IF EXISTS attempts, deliveries; ${TABLES}`);
    const columns = [bodies.map(({ stream }) => stream), bodies.map(({ event }) => event), bodies.map(({ body }) => body)];
    await client.query('INSERT INTO deliveries (stream, event, body) SELECT * FROM unnest($1::text[], $2::text[], $3::text[])', columns);
    await client.query('ANALYZE deliveries');
    const begun = process.hrtime.bigint();
    let sent = 0;
    while (await sendOne(client, agent, work)) sent += 1;
    const seconds = Number(process.hrtime.bigint() - begun) / 1e9;
    if (sent !== bodies.length) throw new Error(`${sent} of ${bodies.length} were sent`);
    return { sent, rate: sent / seconds };
  } finally {
    agent.destroy();
    await client.end();
  }
}
