// Deliveries as a sender makes them, and the ways in which they reach a receiver.
import { randomBytes } from 'node:crypto';

import { newCore } from '../wasm/support.js';

export const { sign } = newCore().webhooks;

export const newSecret = () => `whsec_${randomBytes(32).toString('base64')}`;
export const SECRET = newSecret();
export const OTHER = newSecret();
export const NOW = 1774780287;
export const EVENT = { type: 'stream.updated', timestamp: '2026-03-29T10:31:27Z', data: { seq: 7, text: 'é 💶' } };
export const BODY = JSON.stringify(EVENT);

/** Milliseconds that only a test moves on. */
export function handClock(seconds = NOW) {
  let ms = seconds * 1000;
  return { clock: () => ms, advance: (by) => { ms += by; } };
}

/** Headers of both families, with changes: undefined takes one away. */
export function headersOf({ secret = SECRET, id = 'msg_1', timestamp = NOW, body = BODY } = {}, changes = {}) {
  const headers = { ...sign({ secret, id, timestamp, body }), ...changes };
  return Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined));
}

/** Those of one family. */
export const only = (headers, family) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith(family)));

export const requestOf = (headers, body, method = 'POST') => {
  const hasBody = method !== 'GET' && method !== 'HEAD';
  const given = hasBody ? { body, duplex: 'half' } : {};
  return new Request('https://receiver.example/hook', { method, headers, ...given });
};

/** As `fetch` and as plain values: both give { status, headers, answer }. */
export const WAYS = {
  async fetch(receiver, headers, body = BODY, { method, context } = {}) {
    const response = await receiver(requestOf(headers, body, method), context);
    return { status: response.status, headers: Object.fromEntries(response.headers), answer: await response.json() };
  },
  async handle(receiver, headers, body = BODY, { method = 'POST', context } = {}) {
    const header = (name) => headers[name] ?? null;
    const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body;
    const response = await receiver.handle({ method, header, body: bytes }, context);
    const answer = JSON.parse(response.body);
    return { status: response.status, headers: Object.fromEntries(response.headers), answer };
  },
};

/** A promise that a test settles. */
export function deferred() {
  const made = {};
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
}
