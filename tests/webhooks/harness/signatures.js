// The signatures of SPEC section 8, made with Node's own crypto: what the server's are compared with.
import { createHmac } from 'node:crypto';

/** @param {string} secret `whsec_…` @param {string} id @param {string | number} timestamp @param {Buffer | string} body */
export function standardToken(secret, id, timestamp, body) {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64')}`;
}

/** @param {string} secret @param {string | number} timestamp @param {Buffer | string} body */
export function fluxoraSignature(secret, timestamp, body) {
  return createHmac('sha256', secret).update(`${timestamp}.`).update(body).digest('hex');
}

/** All headers of a delivery. @param {string} secret @param {string} id @param {number} timestamp @param {Buffer | string} body */
export function signedHeaders(secret, id, timestamp, body) {
  return {
    'content-type': 'application/json',
    'x-fluxora-delivery-id': id,
    'x-fluxora-timestamp': String(timestamp),
    'x-fluxora-signature': fluxoraSignature(secret, timestamp, body),
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': standardToken(secret, id, timestamp, body),
  };
}
