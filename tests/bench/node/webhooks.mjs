// Verifying a delivery of Standard Webhooks. Every contender does the whole of it as it is done with that library: the
// id, timestamp and body authenticated, the header's base64 decoded, the two compared in constant time, the timestamp
// held against the clock. This package's verifier also does all else that SPEC section 8's table asks.
import assert from 'node:assert/strict';
import { createHmac, createSecretKey, randomBytes, timingSafeEqual, webcrypto } from 'node:crypto';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import sodium from 'libsodium-wrappers-sumo';

import { race } from '../measure.mjs';

const NOW = 1774776687;
const TOLERANCE_SECONDS = 300;

const isInTime = (timestamp) => Math.abs(NOW - Number(timestamp)) <= TOLERANCE_SECONDS;
const signatureOf = (header) => Buffer.from(header.slice('v1,'.length), 'base64');

function equalInConstantTime(a, b) {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i += 1) difference |= a[i] ^ b[i];
  return difference === 0;
}

const encoder = new TextEncoder();

async function contenders(core, secret, headers, body) {
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature } = headers;
  const verifier = core.webhooks.verifier(secret);
  const delivery = { headers, body, now: NOW };
  const keyObject = createSecretKey(key);
  const webKey = await webcrypto.subtle.importKey('raw', key, { name: 'HMAC', hash: 'SHA-256' }, false, ['verify']);
  await sodium.ready;
  return {
    wasm: () => verifier.verify(delivery).ok,
    'node:crypto': () => {
      const tag = createHmac('sha256', keyObject).update(`${id}.${timestamp}.`).update(body).digest();
      return isInTime(timestamp) && timingSafeEqual(tag, signatureOf(signature));
    },
    WebCrypto: async () => {
      const head = encoder.encode(`${id}.${timestamp}.`);
      const message = new Uint8Array(head.length + body.length);
      message.set(head);
      message.set(body, head.length);
      return isInTime(timestamp) && await webcrypto.subtle.verify('HMAC', webKey, signatureOf(signature), message);
    },
    'libsodium-wrappers-sumo': () => {
      const state = sodium.crypto_auth_hmacsha256_init(key);
      sodium.crypto_auth_hmacsha256_update(state, `${id}.${timestamp}.`);
      sodium.crypto_auth_hmacsha256_update(state, body);
      return isInTime(timestamp) && sodium.memcmp(sodium.crypto_auth_hmacsha256_final(state), signatureOf(signature));
    },
    '@noble/hashes': () => {
      const tag = hmac.create(sha256, key).update(encoder.encode(`${id}.${timestamp}.`)).update(body).digest();
      return isInTime(timestamp) && equalInConstantTime(tag, signatureOf(signature));
    },
  };
}

/** Each says yes to the delivery, and no once a byte of it is another. */
async function checkAll(core, secret, headers, body) {
  for (const [name, verify] of Object.entries(await contenders(core, secret, headers, body))) {
    assert.equal(await verify(), true, name);
  }
  const tampered = Uint8Array.from(body);
  tampered[body.length >> 1] ^= 1;
  for (const [name, verify] of Object.entries(await contenders(core, secret, headers, tampered))) {
    assert.equal(await verify(), false, name);
  }
}

/** The samples of each. */
export async function raceVerifiers(core, bodySize) {
  const secret = `whsec_${randomBytes(32).toString('base64')}`;
  const body = new Uint8Array(randomBytes(bodySize));
  const headers = core.webhooks.sign({ secret, id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', timestamp: NOW, body });
  await checkAll(core, secret, headers, body);
  return race(await contenders(core, secret, headers, body));
}
