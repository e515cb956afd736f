// Bearer tokens as attackers shape them: every case of the vectors, signed again for this server's key and clock.
import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { request } from '../integration/harness/http_client.js';
import { checkSecurityHeaders } from '../integration/harness/security_headers.js';
import { startStack } from '../integration/harness/stack.js';
import { needsVectors, vectorPath } from '../integration/harness/vectors.js';

const SECRET = randomBytes(32).toString('hex');
/** Between making a token and its arrival; a case's own margins are a second, an hour or for ever. */
const SLACK_S = 60;
/** What SPEC section 5 lets a header block be; a longer token never arrives. */
const HEADER_LIMIT = 16 * 1024;
const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

const encode = (value) => Buffer.from(value).toString('base64url');
const decode = (text) => Buffer.from(text, 'base64url');
const sign = (input, key, hash = 'sha256') => createHmac(hash, key).update(input).digest();

/** Case and test have the same distance to their clocks; what isn't about the time gets slack. */
function moveTimes(claims, entry) {
  const now = Math.floor(Date.now() / 1000);
  return claims.replace(/"(exp|nbf|iat)":(\d+)/g, (_, name, time) => {
    const distance = Number(time) - entry.now;
    const slack = entry.expected === (name === 'exp') ? SLACK_S : -SLACK_S;
    // An attack's tokens are good for an hour, or wrong by seconds: slack makes neither the other.
    return `"${name}":${now + distance + (Math.abs(distance) < 3_600 ? slack : 0)}`;
  });
}

/**
 * How a case's signature came about, as a function that makes ours of it in the same way.
 * @param {any} entry
 * @param {string} input header and claims, as signed
 * @param {string} signature as in the case
 * @param {string} stranger another signing input, whose signature the case may carry
 * @returns {{way: string, make: (input: string, stranger: string) => string}}
 */
function wayOfSigning(entry, input, signature, stranger) {
  const key = decode(entry.key);
  const bytes = decode(signature);
  const ours = (text, hash) => sign(text, SECRET, hash).toString('base64url');
  const genuine = sign(input, key);
  const text = genuine.toString('base64url');
  if (signature === '') return { way: 'no signature', make: () => '' };
  for (const hash of ['sha256', 'sha384', 'sha512']) {
    if (bytes.equals(sign(input, key, hash)) && signature === bytes.toString('base64url')) {
      return { way: `${hash} by the key`, make: (own) => ours(own, hash) };
    }
  }
  if (stranger !== input && bytes.equals(sign(stranger, key)))
    return { way: 'of other claims', make: (_, other) => ours(other) };
  for (const [way, alien] of [
    ['an empty key', ''],
    ['the public key as the secret', entry.rsaPublicPem ?? ''],
  ]) {
    if (bytes.equals(sign(input, alien))) return { way, make: (own) => sign(own, alien).toString('base64url') };
  }
  if (signature === `${text}=`) return { way: 'padded', make: (own) => `${ours(own)}=` };
  if (bytes.equals(genuine)) {
    // The last of 43 characters has two bits that belong to no byte.
    const changed = BASE64URL.indexOf(signature.at(-1)) ^ BASE64URL.indexOf(text.at(-1));
    const change = (own) => own.slice(0, -1) + BASE64URL[BASE64URL.indexOf(own.at(-1)) ^ changed];
    return { way: 'unused bits', make: (own) => change(ours(own)) };
  }
  if (bytes.length < genuine.length && bytes.equals(genuine.subarray(0, bytes.length))) {
    return { way: 'cut short', make: (own) => sign(own, SECRET).subarray(0, bytes.length).toString('base64url') };
  }
  const difference = bytes.length === genuine.length ? bytes.map((byte, index) => byte ^ genuine[index]) : Buffer.of();
  if (difference.filter((byte) => byte !== 0).length === 1) {
    const flip = (own) => own.map((byte, index) => byte ^ difference[index]);
    return { way: 'a bit flipped', make: (own) => Buffer.from(flip(sign(own, SECRET))).toString('base64url') };
  }
  if (bytes.length === 256) return { way: 'RSA', make: () => signature };
  throw new Error(`nobody knows how "${entry.comment}" was signed`);
}

/** The case's token for this server. @param {any} entry @param {any} plain the case whose token is just good */
function signAgain(entry, plain) {
  const [, prefix, whole] = /^(.* |)([^ ]*)$/.exec(entry.token) ?? [];
  const [header, claims, signature, ...more] = whole.split('.');
  const movedInput = (source, head, body) => `${head}.${encode(moveTimes(decode(body).toString(), source))}`;
  const input = movedInput(entry, header, claims);
  const [plainHeader, plainClaims] = plain.token.split('.');
  const stranger = movedInput(plain, plainHeader, plainClaims);
  if (signature === undefined) return { way: 'two parts', token: prefix + input };
  const { way, make } = wayOfSigning(entry, `${header}.${claims}`, signature, `${plainHeader}.${plainClaims}`);
  return { way, token: prefix + [input, make(input, stranger), ...more].join('.') };
}

describe('the attack shapes of the vectors', needsVectors, () => {
  /** @type {import('../integration/harness/stack.js').Stack} */
  let stack;
  /** @type {any[]} */
  let cases = [];

  before(async () => {
    cases = JSON.parse(readFileSync(vectorPath('jwt/hs256_cases.json'), 'utf8'));
    stack = await startStack({ simulator: false, server: { env: { JWT_SECRET: SECRET, WRITE_RATE_LIMIT: '0' } } });
  });
  after(() => stack.stop());

  const show = (token) => request(`${stack.baseUrl}/admin/audit`, { headers: { authorization: `Bearer ${token}` } });

  /** None of the cases has our scope: a good one is told so, and a bad one that it is no good. */
  function checkVerdict(answer, accepted, what) {
    const challenge = String(answer.headers['www-authenticate']);
    checkSecurityHeaders(answer.headers, what);
    if (accepted) {
      assert.equal(answer.status, 403, `${what}: ${answer.text}`);
      assert.match(challenge, /error="insufficient_scope", scope="admin"/, what);
    } else {
      const shape = answer.status === 400 ? /error="invalid_request"/ : /error="invalid_token"/;
      assert.ok([400, 401].includes(answer.status), `${what}: ${answer.status} ${answer.text}`);
      assert.match(challenge, shape, what);
    }
    assert.equal(
      answer.json.error,
      { 400: 'VALIDATION_ERROR', 401: 'UNAUTHORIZED', 403: 'FORBIDDEN' }[answer.status],
      what,
    );
  }

  test('each of them gets the verdict that the file gives it', async () => {
    const plain = cases.find(({ comment }) => comment === 'valid');
    const ways = new Map();
    for (const entry of cases) {
      const { way, token } = signAgain(entry, plain);
      const answer = await show(token);
      ways.set(way, (ways.get(way) ?? 0) + 1);
      if (token.length > HEADER_LIMIT) {
        assert.equal(answer.status, 431, entry.comment);
      } else if (entry.token.startsWith(' ')) {
        // RFC 9110 section 11.4 has any number of spaces before a token: it is the header's, not the token's.
        checkVerdict(answer, true, entry.comment);
      } else {
        checkVerdict(answer, entry.expected, entry.comment);
      }
    }
    const told = [...ways].map(([way, count]) => `${way} ${count}`).join(', ');
    console.log(`tokens: ${cases.length} cases sent: ${told}`);
    assert.equal(
      [...ways.values()].reduce((sum, count) => sum + count, 0),
      cases.length,
    );
    assert.ok(cases.length >= 30 && ways.size >= 10, 'the file has lost cases');
  });

  test('the long one is accepted at a length that a header may have', async () => {
    const long = cases.find(({ token }) => token.length > HEADER_LIMIT);
    const [header, claims] = long.token.split('.');
    const shorter = decode(claims)
      .toString()
      .replace(/a{1000,}/, 'a'.repeat(10_000));
    const input = `${header}.${encode(moveTimes(shorter, long))}`;
    checkVerdict(await show(`${input}.${sign(input, SECRET).toString('base64url')}`), long.expected, long.comment);
  });

  test('each as it stands in the file, for another key and another time, is refused', async () => {
    for (const { comment, token } of cases.filter((entry) => entry.token.length <= HEADER_LIMIT)) {
      checkVerdict(await show(token), false, comment);
    }
  });
});
