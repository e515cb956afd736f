// The signatures' panel: what is signed, what can happen to it, and that each of these has the verdict it is there for.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { load } from '../../../wasm/package/src/node.js';
import { CHECKS, checkStates, decidingFamily, okAlthough } from '../../../web-demo/compiled/signatures/checks.js';
import { curlCommand, eventOf, shellQuoted } from '../../../web-demo/compiled/signatures/curl.js';
import { HEADER_NAMES, newSecret, sign, untouched, verdictOn } from '../../../web-demo/compiled/signatures/delivery.js';
import { bodyDifference, differences, putBack } from '../../../web-demo/compiled/signatures/differences.js';
import { SAMPLE_DELIVERY } from '../../../web-demo/compiled/signatures/sample_delivery.js';
import { TAMPERING_GROUPS, flipByte, rewriteJson } from '../../../web-demo/compiled/signatures/tampering.js';
import { root } from '../wasm/support.js';

const core = await load();
const another = newSecret();
const draft = { secret: newSecret(), timestamp: '1774776690', ...SAMPLE_DELIVERY };
const sent = sign(core, draft);
const verdict = (received, delivery = sent) => verdictOn(core, delivery, received, another);
const tamperings = new Map(TAMPERING_GROUPS.flatMap((group) => group.tamperings.map((each) => [each.name, each])));

/** What arrives after these, in their order. */
function tampered(...names) {
  return names.reduce((received, name) => tamperings.get(name).apply(received, sent), untouched(sent));
}

const read = (path) => readFileSync(join(root, path), 'utf8');

test('an untouched delivery is accepted', () => {
  const { ok, code, deliveryId } = verdict(untouched(sent));
  assert.deepEqual({ ok, code, deliveryId }, { ok: true, code: 'ok', deliveryId: 'wd_1_k3f9a2b1_1043' });
  assert.deepEqual(differences(sent, untouched(sent)), []);
  assert.equal(okAlthough(untouched(sent), false, sent.id), null);
});

test('the table of checks is the documentation’s: every code, its status, the order', () => {
  const verifying = read('docs/webhooks.md').split('\n## Verifying')[1].split('\n### ')[0];
  const rows = verifying.split('\n').filter((line) => /^\|.*`[a-z_]+`.*\| [0-9]{3}/.test(line));
  const told = rows.flatMap((line) => {
    const [, , codes, status] = line.split('|');
    return [...codes.matchAll(/`([a-z_]+)`/g)].map(([, code]) => [code, status.trim().slice(0, 3)]);
  });
  assert.deepEqual(CHECKS.map(({ code, status }) => [code, status]), told);
});

test('each of the core’s verdicts has its row', () => {
  const union = read('wasm/package/src/index.d.ts').match(/export type WebhookCode =([^;]+);/)[1];
  const codes = [...union.matchAll(/'([a-z_]+)'/g)].map(([, code]) => code);
  assert.ok(codes.length >= 10);
  const rows = CHECKS.map(({ code }) => code).filter((code) => code !== 'duplicate_delivery');
  assert.deepEqual(rows.toSorted(), codes.toSorted());
});

test('checks before the one that decides have passed, those behind it aren’t reached', () => {
  assert.deepEqual(checkStates('missing_secret'), ['decides', ...Array(10).fill('unreached')]);
  assert.deepEqual(checkStates('signature_mismatch'),
    [...Array(7).fill('passed'), 'decides', 'unreached', 'unreached', 'unreached']);
  assert.deepEqual(checkStates('ok'), [...Array(9).fill('passed'), 'elsewhere', 'decides']);
});

const OUTCOMES = {
  'flip-byte': 'signature_mismatch',
  'add-space': 'signature_mismatch',
  'rewrite-json': 'signature_mismatch',
  pad: 'payload_too_large',
  'another-id': 'signature_mismatch',
  'later-timestamp': 'signature_mismatch',
  'odd-timestamp': 'invalid_timestamp',
  'drop-id': 'missing_delivery_id',
  'drop-timestamp': 'missing_timestamp',
  'drop-signature': 'missing_signature',
  'only-fluxora': 'ok',
  'only-standard': 'ok',
  'clock-ahead': 'timestamp_outside_tolerance',
  'clock-behind': 'timestamp_outside_tolerance',
  'no-secret': 'missing_secret',
  'another-secret': 'signature_mismatch',
  'in-grace': 'ok',
  'past-grace': 'previous_secret_expired',
  'require-standard': 'ok',
};

test('each tampering has the verdict that it is there for, and is told', () => {
  assert.deepEqual(Object.keys(OUTCOMES).toSorted(), [...tamperings.keys()].toSorted());
  for (const [name, code] of Object.entries(OUTCOMES)) {
    const received = tampered(name);
    assert.equal(verdict(received).code, code, name);
    assert.ok(differences(sent, received).length > 0, name);
  }
  const reached = new Set(Object.values(OUTCOMES));
  assert.deepEqual(CHECKS.map(({ code }) => code).filter((code) => !reached.has(code)), ['duplicate_delivery']);
});

test('of several, the first check that fails decides', () => {
  assert.equal(verdict(tampered('flip-byte', 'clock-ahead')).code, 'timestamp_outside_tolerance');
  assert.equal(verdict(tampered('flip-byte', 'clock-ahead', 'drop-id')).code, 'missing_delivery_id');
  assert.equal(verdict(tampered('flip-byte', 'drop-id', 'no-secret')).code, 'missing_secret');
});

test('the clock is good for 300 seconds on either side', () => {
  for (const [clock, code] of [[300n, 'ok'], [-300n, 'ok'], [301n, 'timestamp_outside_tolerance']]) {
    assert.equal(verdict({ ...untouched(sent), clock }).code, code);
  }
  const early = sign(core, { ...draft, timestamp: '5' });
  assert.equal(verdict({ ...untouched(early), clock: -300n, secrets: 'past_grace' }, early).code, 'ok');
});

test('without webhook-* another id is accepted, which is why they can be insisted on', () => {
  const alone = tampered('only-fluxora', 'another-id');
  assert.equal(verdict(alone).code, 'ok');
  assert.match(okAlthough(alone, true, sent.id), /another id/);
  assert.match(okAlthough(tampered('only-fluxora'), true, sent.id), /don’t sign the delivery id/);
  assert.match(okAlthough(tampered('in-grace'), true, sent.id), /all the same/);
  assert.equal(verdict(tampered('only-fluxora', 'require-standard')).code, 'missing_delivery_id');
});

test('which family is said to decide is the one that does', () => {
  for (let mask = 0; mask < 64; mask += 1) {
    for (const requireStandard of [false, true]) {
      const headers = Object.fromEntries(HEADER_NAMES.map(
        (name, i) => [name, mask & (1 << i) ? sent.headers[name] : '']));
      const received = { ...untouched(sent), headers, requireStandard };
      const decides = decidingFamily(received);
      // Of the other family, the signature means nothing.
      const other = decides === 'webhook-*' ? 'x-fluxora-signature' : 'webhook-signature';
      const spoilt = { ...received, headers: { ...headers, [other]: headers[other] === '' ? '' : 'spoilt' } };
      assert.equal(verdict(spoilt).code, verdict(received).code, `${mask} ${requireStandard}`);
    }
  }
});

test('a flipped byte is one byte, and the same again undoes it', () => {
  for (const body of [SAMPLE_DELIVERY.body, '{"a":"0.0000000"}', 'x', '~!y', 'é1']) {
    const flipped = flipByte(body);
    const [before, after] = [Buffer.from(body), Buffer.from(flipped)];
    assert.equal(after.length, before.length);
    assert.equal(before.filter((byte, i) => byte !== after[i]).length, 1, body);
  }
  assert.match(flipByte('{"from":"0.0000000","to":"0.0215445"}'), /^\{"from":"0\.0000000","to":"0\.0215444"\}$/);
  assert.equal(flipByte(''), '');
  assert.equal(flipByte('é'), 'é');
});

test('JSON written again means the same; what is no JSON stays as it is', () => {
  const again = rewriteJson(SAMPLE_DELIVERY.body);
  assert.notEqual(again, SAMPLE_DELIVERY.body);
  assert.deepEqual(JSON.parse(again), JSON.parse(SAMPLE_DELIVERY.body));
  assert.equal(rewriteJson(again), SAMPLE_DELIVERY.body);
  assert.equal(rewriteJson('{'), '{');
});

test('what differs of a body is one stretch, counted in bytes', () => {
  assert.equal(bodyDifference('same', 'same'), null);
  const cases = [
    ['abcdef', 'abXdef', { byte: 2, before: 'ab', was: 'c', now: 'X', after: 'def' }],
    ['é12', 'é132', { byte: 3, before: 'é1', was: '', now: '3', after: '2' }],
    ['aaa', 'aa', { byte: 2, before: 'aa', was: 'a', now: '', after: '' }],
    ['', 'x', { byte: 0, before: '', was: '', now: 'x', after: '' }],
    // The halves of a character stay together.
    ['😀', '😁', { byte: 0, before: '', was: '😀', now: '😁', after: '' }],
    ['𐀀', '😀', { byte: 0, before: '', was: '𐀀', now: '😀', after: '' }],
  ];
  for (const [was, now, expected] of cases) assert.deepEqual(bodyDifference(was, now), expected);
});

test('every change is told in words, and can be put back alone', () => {
  const received = tampered('flip-byte', 'pad', 'another-id', 'drop-timestamp', 'clock-behind', 'in-grace',
    'require-standard');
  const found = differences(sent, received);
  assert.deepEqual(found.map(({ text }) => text), [
    `Body: byte ${sent.body.indexOf('0.0215445') + 8} is another one`,
    'Body: 262,145 bytes of spaces behind it',
    'webhook-id is another one',
    'webhook-timestamp is missing',
    'x-fluxora-delivery-id is another one',
    'x-fluxora-timestamp is missing',
    'The receiver’s clock is 301 s behind',
    'The receiver has a new secret; this one is good for another day',
    'The receiver insists on webhook-*',
  ]);
  const restored = found.reduce((now, { place }) => putBack(now, sent, place), received);
  assert.deepEqual(restored, untouched(sent));
  const told = (received) => differences(sent, received)[0].text;
  const count = (text) => text.length.toLocaleString('en');
  assert.equal(told(tampered('add-space')), `Body: 1 byte more, at byte ${count(sent.body)}`);
  assert.match(told(tampered('rewrite-json')), /^Body: from byte 1 on, [0-9,]+ bytes instead of [0-9,]+ bytes$/);
  assert.equal(told({ ...untouched(sent), body: sent.body.slice(1) }), 'Body: 1 byte less, at byte 0');
});

test('what can’t be signed says which field is wrong, with the core’s code', () => {
  const cases = [
    [{ secret: 'whsec_?' }, 'secret', 'WEBHOOK_SECRET_INVALID'],
    [{ secret: '' }, 'secret', 'WEBHOOK_SECRET_INVALID'],
    [{ id: 'a.b' }, 'id', 'WEBHOOK_ID_INVALID'],
    [{ id: '' }, 'id', 'WEBHOOK_ID_INVALID'],
    [{ timestamp: '0' }, 'timestamp', 'TIME_INVALID'],
    [{ timestamp: '' }, 'timestamp', 'ARGUMENT_INVALID'],
    [{ timestamp: 'now' }, 'timestamp', 'ARGUMENT_INVALID'],
    [{ body: 'x'.repeat(256 * 1024 + 1) }, 'body', 'INPUT_TOO_LONG'],
  ];
  for (const [change, field, code] of cases) {
    const problem = sign(core, { ...draft, ...change });
    assert.deepEqual([problem.field, problem.code], [field, code], JSON.stringify(change).slice(0, 60));
  }
});

test('a secret is whsec_ and 32 bytes, another one each time', () => {
  const [one, other] = [newSecret(), newSecret()];
  assert.match(one, /^whsec_[A-Za-z0-9+/]{43}=$/);
  assert.notEqual(one, other);
});

/** The arguments that a shell makes of a command, the program's name first. */
function wordsOf(command) {
  const name = command.split(' ')[0];
  const script = `${name}() { printf '%s\\0' ${name} "$@"; }\n${command}`;
  return execFileSync('sh', ['-c', script], { encoding: 'utf8' }).split('\0').slice(0, -1);
}

test('whatever is quoted, a shell takes for one word', () => {
  const texts = ['', 'plain', "it's", "'", "''", '$(id)', '`id`', '"', '\\', "\\'", 'a\nb', '!', '-x', '*', ' a ',
    'é€😀', '@file', '#'];
  for (const text of texts) assert.deepEqual(wordsOf(`curl ${shellQuoted(text)}`), ['curl', text]);
});

test('the command sends what arrives, byte by byte, with the headers that are there', () => {
  const received = { ...tampered('only-standard'), body: '@{"type":"stream.updated",\n"note":"it\'s $HOME"}' };
  const [program, ...words] = wordsOf(curlCommand("http://127.0.0.1:8080/a'b?x=[1]", received));
  assert.equal(program, 'curl');
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature } = sent.headers;
  assert.deepEqual(words, [
    '--globoff', '--include', '--request', 'POST', '--url', "http://127.0.0.1:8080/a'b?x=[1]",
    '--header', 'content-type: application/json',
    '--header', `webhook-id: ${id}`,
    '--header', `webhook-timestamp: ${timestamp}`,
    '--header', `webhook-signature: ${signature}`,
    '--data-raw', received.body,
  ]);
  assert.ok(wordsOf(curlCommand('http://x', untouched(sent))).includes('x-fluxora-event: stream.updated'));
  assert.equal(curlCommand('http://x', tampered('pad')), null);
  assert.equal(curlCommand('http://x', { ...received, body: '€'.repeat(50_000) }), null);
  assert.equal(curlCommand('http://x', { ...received, body: 'a\0b' }), null);
});

test('the event is the body’s type, where it has one', () => {
  assert.equal(eventOf(SAMPLE_DELIVERY.body), 'stream.updated');
  for (const body of ['', '{', 'null', '{"type":7}', '{"type":"a\\nb: c"}']) assert.equal(eventOf(body), null);
});

test('one’s own code has the same place in every example, so it is shown once', () => {
  const folders = ['node-http', 'express', 'deno', 'bun', 'cloudflare-workers/src', 'vercel-edge', 'aws-lambda'];
  const texts = new Set(folders.map((folder) => read(`edge/examples/${folder}/handler.js`)));
  assert.equal(texts.size, 1);
});
