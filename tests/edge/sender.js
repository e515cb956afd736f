// Deliveries as the service sends them, signed here with node:crypto alone, and what may be done to them on their way.
import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';

import { DEADLINE_MS } from '../integration/harness/wait.js';

export const BODY_MAX = 256 * 1024;

export const newSecret = () => `whsec_${randomBytes(32).toString('base64')}`;
export const nowSeconds = () => Math.floor(Date.now() / 1000);
export const newId = () => `msg_${randomUUID()}`;

/** A body about a stream. @param {string} [streamId] */
export function eventBody(streamId = 'api-0190b5f0-0000-7000-8000-000000000000') {
  const entry = { schemaVersion: 1, cursor: 'k3f9-1042', seq: 1042, event: 'stream.updated', streamId };
  return JSON.stringify({ type: 'stream.updated', timestamp: '2026-03-29T09:31:27Z', data: entry });
}

const hmac = (key, bytes) => createHmac('sha256', key).update(bytes);

/** `v1,` and base64, over id, time and bytes. */
export function standardToken(secret, id, timestamp, body) {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  return `v1,${hmac(key, Buffer.concat([Buffer.from(`${id}.${timestamp}.`), Buffer.from(body)])).digest('base64')}`;
}

/** The seven headers, of SPEC section 8. The first secret signs the Fluxora family, all of them the standard one. */
export function signedHeaders({ id, timestamp, body, secrets }) {
  const [secret] = secrets;
  return {
    'content-type': 'application/json',
    'x-fluxora-event': 'stream.updated',
    'x-fluxora-delivery-id': id,
    'x-fluxora-timestamp': String(timestamp),
    'x-fluxora-signature': hmac(secret, Buffer.concat([Buffer.from(`${timestamp}.`), Buffer.from(body)])).digest('hex'),
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': secrets.map((live) => standardToken(live, id, timestamp, body)).join(' '),
  };
}

/**
 * One POST on a connection of its own, and the whole answer.
 * @param {string | Uint8Array | Readable} body a stream is sent in pieces, without saying how long it is
 */
function send(url, headers, body) {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method: 'POST', headers, agent: false, timeout: DEADLINE_MS }, async (response) => {
      try {
        const answer = await text(response);
        const isJson = response.headers['content-type'] === 'application/json';
        resolve({
          status: response.statusCode, headers: response.headers, text: answer,
          json: isJson ? JSON.parse(answer) : undefined,
        });
      } catch (error) {
        reject(error);
      }
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error(`${url}: no answer`))).on('error', reject);
    if (body instanceof Readable) body.pipe(outgoing);
    else outgoing.end(body);
  });
}

/** One receiver's sender; remembers what was accepted. */
export class Sender {
  /** @param {string} url @param {string} secret */
  constructor(url, secret) {
    this.url = url;
    this.secret = secret;
    /** Ids that were answered as handled now. @type {string[]} */
    this.accepted = [];
  }

  /**
   * A delivery, signed.
   * @param {{id?: string, timestamp?: string | number, body?: string | Uint8Array, secrets?: string[]}} [parts]
   */
  delivery({ id = newId(), timestamp = nowSeconds(), body = eventBody(), secrets = [this.secret] } = {}) {
    return { id, body, headers: signedHeaders({ id, timestamp, body, secrets }) };
  }

  /**
   * Sends one, as it is or with headers replaced (undefined: left out) or another body.
   * @param {{id: string, body: any, headers: Record<string, string>}} delivery
   * @param {{headers?: Record<string, string | undefined>, body?: any}} [changes]
   */
  async post(delivery, changes = {}) {
    const all = Object.entries({ ...delivery.headers, ...changes.headers });
    const headers = Object.fromEntries(all.filter(([, value]) => value !== undefined));
    const answer = await send(this.url, headers, changes.body ?? delivery.body);
    if (answer.status === 200 && answer.json?.ok && !answer.json.duplicate) this.accepted.push(delivery.id);
    return answer;
  }

  /** A new delivery, in one step. @param {Parameters<Sender['delivery']>[0]} [parts] */
  send(parts) {
    return this.post(this.delivery(parts));
  }
}
