// The checks that every runtime runs, over the whole API. What comes out is text: all runtimes must give the same, and
// `wrong` must be empty. Only the language itself is used here, nothing of a runtime's.

const NOW = 1774780287;
const STREAMS = 200;

/** A seeded generator of u32 (xorshift32). */
function randomWords(seed) {
  let x = seed;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return x >>> 0;
  };
}

/** What can't be JSON as text that shows what it was. */
function plain(value) {
  if (typeof value === 'bigint') return `${value}n`;
  if (value === undefined) return 'undefined';
  if (value instanceof Uint8Array) return `bytes ${[...value].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`;
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, plain(part)]));
  }
  return value;
}

/** A list of named outcomes, of which those with a known answer are compared with it. */
class Transcript {
  lines = [];
  wrong = [];

  constructor(FluxoraError) {
    this.FluxoraError = FluxoraError;
  }

  /** What a call gives, or the code it throws with. */
  outcome(call) {
    try {
      return plain(call());
    } catch (error) {
      if (error instanceof this.FluxoraError) return { code: error.code, offset: error.offset, field: plain(error.field) };
      return { thrown: `${error}` };
    }
  }

  note(name, call) {
    const outcome = this.outcome(call);
    if (outcome?.thrown !== undefined) this.wrong.push({ name, outcome });
    this.lines.push([name, outcome]);
  }

  expect(name, expected, call) {
    const outcome = this.outcome(call);
    if (JSON.stringify(outcome) !== JSON.stringify(plain(expected))) this.wrong.push({ name, outcome, expected: plain(expected) });
    this.lines.push([name, outcome]);
  }

  refuses(name, code, call) {
    const outcome = this.outcome(call);
    if (outcome?.code !== code) this.wrong.push({ name, outcome, expected: code });
    this.lines.push([name, outcome]);
  }

  report() {
    return { lines: this.lines, wrong: this.wrong };
  }
}

function amounts(t, { amounts: a }) {
  t.expect('parse', 12505000000n, () => a.parse('1250.5'));
  t.expect('parse: plus and leading zeros', 116n, () => a.parse('+0000.0000116'));
  t.expect('format', '-0.0000001', () => a.format(-1n));
  t.expect('format: i128 min', '-17014118346046923173168730371588.4105728', () => a.format(-(1n << 127n)));
  t.expect('format many', ['0.0000000', '1.0000000', '-2.5000000'], () => a.formatAll([0n, 10000000n, -25000000n]));
  t.expect('divide', 4168333333n, () => a.divideFixed(12505000000n, 30000000n, 'half_even'));
  t.expect('multiply', 37515000000n, () => a.multiplyFixed(12505000000n, 30000000n, 'floor'));
  t.expect('rescale', 2n, () => a.rescale(15n, 1, 0, 'half_even'));
  t.refuses('parse: a letter', 'DECIMAL_INVALID_FORMAT', () => a.parse('1x'));
  t.refuses('parse: a number', 'DECIMAL_INVALID_TYPE', () => a.parse(1));
  t.refuses('parse: empty', 'DECIMAL_EMPTY_VALUE', () => a.parse(''));
  t.refuses('parse: 8 decimals', 'DECIMAL_OUT_OF_RANGE', () => a.parse('0.00000001'));
  t.refuses('add: overflow', 'AMOUNT_OVERFLOW', () => a.add((1n << 127n) - 1n, 1n));
  t.refuses('divide by zero', 'DIVIDE_BY_ZERO', () => a.divideFixed(1n, 0n, 'floor'));
}

function someStreams() {
  const random = randomWords(0x5eed);
  const pick = (list) => list[random() % list.length];
  const wide = () => (BigInt(random()) << 32n) | BigInt(random());
  return Array.from({ length: STREAMS }, (_, i) => {
    const start = NOW - 100_000 + random() % 200_000;
    const cliff = start + random() % 50_000;
    return {
      id: `s-${i}`,
      kind: pick(['linear', 'cliff_only', 'cliff_slope']),
      status: pick(['scheduled', 'active', 'paused', 'completed', 'cancelled']),
      depositAmount: wide() << BigInt(random() % 60),
      ratePerSecond: wide() << BigInt(random() % 50),
      withdrawnAmount: wide(),
      settledAmount: BigInt(random() % 3),
      checkpointedAmount: BigInt(random()),
      checkpointedAt: start,
      cliffTime: cliff,
      endTime: `${cliff + random() % 100_000}`,
      cancelledAt: pick([null, NOW - 5]),
    };
  });
}

function accrual(t, core) {
  const stream = {
    id: 's', kind: 'linear', status: 'active', depositAmount: '1000.0000000', ratePerSecond: '0.0000116',
    withdrawnAmount: '0.0000000', settledAmount: '0.0000000', checkpointedAmount: '0.0000000',
    checkpointedAt: 1774776687, cliffTime: 1774776687, endTime: 1774863087, cancelledAt: null,
  };
  t.expect('one stream', '0.0417600', () => core.balancesAt(stream, NOW).streamed);
  t.expect('its curve', ['0.0000000', '0.0417600', '1.0022400'],
    () => core.balancesOver(stream, [0, NOW, 1774863088n]).map(({ streamed }) => streamed));
  t.expect('its terms', 417600n, () => core.accrued(stream, NOW));
  t.refuses('a bad amount', 'DECIMAL_INVALID_FORMAT', () => core.balancesAt({ ...stream, depositAmount: '1,0' }, NOW));

  const streams = someStreams();
  const columns = core.streamColumns();
  columns.setAll(streams);
  t.note('columns', () => [...columns.accrue(NOW)]);
  t.expect('a column of texts', true,
    () => columns.accrue(NOW).texts('remaining').join() === columns.texts(NOW, 'remaining').join());
  const balances = columns.accrue(NOW);
  t.expect('columns agree with single calls', [], () => streams.filter((one, row) => {
    const alone = core.balancesAt(one, NOW);
    return alone.streamed !== balances.streamed(row) || alone.withdrawableUnits !== balances.withdrawableUnits(row)
      || alone.remaining !== balances.remaining(row);
  }).map(({ id }) => id));
  columns.delete('s-0');
  t.expect('the last row fills the hole', 0, () => columns.rowOf(`s-${STREAMS - 1}`));
  t.refuses('balances of before', 'STALE_BALANCES', () => balances.streamed(0));
  columns.dispose();
  t.refuses('columns of before', 'DISPOSED', () => columns.accrue(NOW));
}

const ACCOUNT = 'GAAQCAIBAEAQCAIBAEAQCAIBAEAQCAIBAEAQCAIBAEAQCAIBAEAQDZ7H';
export const CONTRACT = 'CABQGAYDAMBQGAYDAMBQGAYDAMBQGAYDAMBQGAYDAMBQGAYDAMBQGCK3';

function addresses(t, core) {
  const { strkey, cursor } = core;
  t.expect('decode an account', { kind: 'account', payload: new Uint8Array(32).fill(1) }, () => strkey.decode(ACCOUNT));
  t.expect('encode a contract', CONTRACT, () => strkey.encode('contract', new Uint8Array(32).fill(3)));
  t.expect('parties', [true, true, false], () => [ACCOUNT, CONTRACT, 'G'].map((text) => strkey.isStreamParty(text)));
  t.expect('contracts', [false, true], () => [ACCOUNT, CONTRACT].map((text) => strkey.isContractId(text)));
  t.refuses('a wrong letter', 'STRKEY_INVALID_CHECKSUM', () => strkey.decode(ACCOUNT.replace('QC', 'QD')));
  t.expect('cursor', { epoch: 'k3f9', seq: 1042n }, () => cursor.parse('k3f9-1042'));
  t.expect('cursor as text', 'k3f9-1042', () => cursor.format({ epoch: 'k3f9', seq: 1042n }));
  t.refuses('no cursor', 'CURSOR_INVALID', () => cursor.parse('k3f9-01'));
  t.expect('stream ids', [true, true, false],
    () => [`${CONTRACT}-7`, 'api-0190b5f0-0000-7000-8000-000000000000', `${ACCOUNT}-7`]
      .map((id) => core.isStreamId(id)));
}

// A withdrawal of 5,000 units from stream 7.
const WITHDREW = {
  topics: ['AAAADwAAAAh3aXRoZHJldw==', 'AAAABQAAAAAAAAAH'],
  value: 'AAAAEQAAAAEAAAADAAAADwAAAAZhbW91bnQAAAAAAAoAAAAAAAAAAAAAAAAAABOIAAAADwAAAAlyZWNpcGllbnQAAAAAAAASAAAAAAAAAAACAg'
    + 'ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgAAAA8AAAAJc3RyZWFtX2lkAAAAAAAABQAAAAAAAAAH',
};

function chain(t, core) {
  t.expect('an ScVal', '{"symbol":"withdrew"}', () => core.scvalToJson(WITHDREW.topics[0]));
  t.refuses('half an ScVal', 'XDR_TRUNCATED', () => core.scvalToJson('AAAADwAAAAg='));
  t.refuses('no base64', 'BASE64_INVALID', () => core.scvalToJson('*'));
  t.note('an event', () => core.contractEventToJson(WITHDREW));
  t.expect('its name', ['stream.updated', 'withdrew', '7'], () => {
    const { event, kind, streamNumber } = JSON.parse(core.contractEventToJson(WITHDREW));
    return [event, kind, streamNumber];
  });
  t.expect('a failed call\'s', 'chain.event',
    () => JSON.parse(core.contractEventToJson({ ...WITHDREW, inSuccessfulContractCall: false })).event);
}

// A stream of 1,000 at 0.0000116 a second, created and then withdrawn from.
export const CREATED = {
  topics: ['AAAADwAAAAdjcmVhdGVkAA==', 'AAAABQAAAAAAAAAH'],
  value: 'AAAAEQAAAAEAAAALAAAADwAAAApjbGlmZl90aW1lAAAAAAAFAAAAAGnI8W8AAAAPAAAADmRlcG9zaXRfYW1vdW50AAAAAAAKAAAAAAAAAAAAAA'
    + 'ACVAvkAAAAAA8AAAAIZW5kX3RpbWUAAAAFAAAAAGnKQu8AAAAPAAAABG1lbW8AAAABAAAADwAAAAhtZXRhZGF0YQAAAAEAAAAPAAAAD3JhdGVfcG'
    + 'VyX3NlY29uZAAAAAAKAAAAAAAAAAAAAAAAAAAAdAAAAA8AAAAJcmVjaXBpZW50AAAAAAAAEgAAAAAAAAAAAgICAgICAgICAgICAgICAgICAgICAg'
    + 'ICAgICAgICAgIAAAAPAAAABnNlbmRlcgAAAAAAEgAAAAAAAAAAAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEAAAAPAAAACnN0YXJ0X3'
    + 'RpbWUAAAAAAAUAAAAAacjxbwAAAA8AAAAJc3RyZWFtX2lkAAAAAAAABQAAAAAAAAAHAAAADwAAABd3aXRoZHJhd19kdXN0X3RocmVzaG9sZAAAAA'
    + 'AKAAAAAAAAAAAAAAAAAAAAAA==',
};

function reducer(t, core) {
  const place = (seq) => ({ contractId: CONTRACT, ledger: 51000293 + seq, txHash: 'ab'.repeat(32), closedAt: 1774776687, seq });
  t.note('a creation, folded', () => core.fold(null, CREATED, place(1)).stream.toJson(NOW));
  t.expect('a withdrawal, folded', { withdrawnAmount: ['0.0000000', '0.0005000'] },
    () => core.fold(core.fold(null, CREATED, place(1)).stream, WITHDREW, place(2)).change);
  t.expect('what it shows', ['0.0417600', '0.0005000', '0.0412600'], () => {
    const { stream } = core.fold(core.fold(null, CREATED, place(1)).stream, WITHDREW, place(2));
    const { streamedAmount, withdrawnAmount, withdrawableAmount } = JSON.parse(stream.toJson(NOW));
    return [streamedAmount, withdrawnAmount, withdrawableAmount];
  });
  t.note('its bytes', () => core.fold(null, CREATED, place(1)).stream.bytes);
  t.expect('its bytes, read again', true, () => {
    const { stream } = core.fold(null, CREATED, place(1));
    return core.streamFromBytes(stream.bytes).toJson(NOW) === stream.toJson(NOW);
  });
  const history = core.streamHistory(`${CONTRACT}-7`);
  const fold = (seq, changes) => history.fold({ streamId: `${CONTRACT}-7`, seq, prevSeq: seq === 1 ? null : seq - 1,
    closedAt: '2026-03-29T09:31:27Z', ledger: 51000293 + seq, txHash: 'ab'.repeat(32), ...changes });
  t.expect('a history of them', true, () => {
    fold(1, { event: 'stream.created', xdr: CREATED });
    return fold(2, { event: 'stream.updated', xdr: WITHDREW }).stream.toJson(NOW)
      === core.fold(core.fold(null, CREATED, place(1)).stream, WITHDREW, place(2)).stream.toJson(NOW);
  });
  t.expect('the withdrawal, retracted', { withdrawnAmount: ['0.0005000', '0.0000000'] },
    () => fold(3, { event: 'stream.retracted', retracts: 2 }).change);
  t.refuses('a stream that is not held', 'FOLD_UNKNOWN_STREAM', () => core.fold(null, WITHDREW, place(2)));
  t.refuses('a stream twice', 'FOLD_DUPLICATE_STREAM',
    () => core.fold(core.fold(null, CREATED, place(1)).stream, CREATED, place(2)));
}

function feed(t, core) {
  const client = core.feedClient({ scope: 'whole_log', from: 'k3f9-10' });
  t.expect('subscribed', true, () => client.opened({ resume: 'resumed', cursor: 'k3f9-10' }));
  t.expect('the next entry', { action: 'apply' }, () => client.entry({ cursor: 'k3f9-11', streamId: 's' }));
  t.expect('the same again', { action: 'drop' }, () => client.entry({ cursor: 'k3f9-11', streamId: 's' }));
  t.expect('one behind a hole', { action: 'ask', after: 'k3f9-11', to: 'k3f9-14', streamId: null },
    () => client.entry({ cursor: 'k3f9-14', streamId: 's', prevSeq: 13 }));
  t.note('the hole is filled', () => [12, 13, 14].map((seq) => client.entry({ cursor: `k3f9-${seq}`, prevSeq: seq - 1 })));
  t.note('the replay is over', () => client.replayed('resumed'));
  t.expect('where it stands', 'k3f9-14', () => client.cursor);
  t.expect('another log', { action: 'refetch' }, () => client.entry({ cursor: 'aaaa-15' }));
  t.refuses('no cursor', 'CURSOR_INVALID', () => client.entry({ cursor: '15' }));
  client.dispose();
  t.refuses('a client of before', 'DISPOSED', () => client.cursor);
}

// Signatures made by another implementation (Node's own crypto), over this body, id and time.
const SECRET = 'whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=';
const OTHER_SECRET = 'whsec_ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA=';
const BODY = '{"type":"stream.updated"}';
const SIGNED = {
  'x-fluxora-delivery-id': 'msg_1',
  'x-fluxora-timestamp': '1774780287',
  'x-fluxora-signature': '348d2f1494f97135153fbfa4e6176788430536372fcaa33f635ea56d8e48396f',
  'webhook-id': 'msg_1',
  'webhook-timestamp': '1774780287',
  'webhook-signature': 'v1,zzkliAyoLK+kag52x7JiegMZdOMuR+kgzpeN3DeFizA=',
};
const PUBLIC_KEY = 'whpk_/RckOFqgx1tk+3jNYC+h2ZH96/drE8WO1wLqyDXp9hg=';
const SIGNED_V1A = {
  'webhook-id': 'msg_1',
  'webhook-timestamp': '1774780287',
  'webhook-signature': 'v1a,sl1pWOQOMwcXCP2H6J9Ep7KYRec7XHRGpAl94CCQb1aBdUPjAZWlXRPESkVUcFhJfv8s+cgzf/o/wm+rIWGDDw==',
};

const without = (headers, ...names) => Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name)));
const FLUXORA_ALONE = without(SIGNED, 'webhook-id', 'webhook-timestamp', 'webhook-signature');

function webhooks(t, { webhooks: hooks }) {
  const verifier = hooks.verifier(SECRET);
  const verdict = (name, code, { keys, ...change }) => t.expect(name, code, () => {
    const own = keys === undefined ? verifier : hooks.verifier(keys);
    return own.verify({ headers: SIGNED, body: BODY, now: NOW, ...change }).code;
  });
  t.expect('verify', { ok: true, code: 'ok', status: 200, deliveryId: 'msg_1', timestamp: NOW },
    () => verifier.verify({ headers: SIGNED, body: BODY, now: NOW }));
  verdict('as bytes', 'ok', { body: new TextEncoder().encode(BODY) });
  verdict('headers with get', 'ok', { headers: { get: (name) => SIGNED[name] ?? null } });
  verdict('the Fluxora family alone', 'ok', { headers: FLUXORA_ALONE });
  verdict('another body', 'signature_mismatch', { body: `${BODY} ` });
  verdict('another id', 'signature_mismatch', { headers: { ...SIGNED, 'webhook-id': 'msg_2' } });
  verdict('another time', 'signature_mismatch', { headers: { ...SIGNED, 'webhook-timestamp': '1774780288' } });
  verdict('another secret', 'signature_mismatch', { keys: OTHER_SECRET });
  verdict('no headers', 'missing_delivery_id', { headers: {} });
  verdict('no signature', 'missing_signature', { headers: without(SIGNED, 'webhook-signature') });
  verdict('an exact time only', 'invalid_timestamp', { headers: { ...SIGNED, 'webhook-timestamp': '1774780287.5' } });
  verdict('the last second', 'ok', { now: NOW + 300 });
  verdict('too late', 'timestamp_outside_tolerance', { now: NOW + 301 });
  verdict('too much', 'payload_too_large', { body: new Uint8Array(256 * 1024 + 1) });
  verdict('no secret', 'missing_secret', { keys: [undefined] });
  verdict('a previous secret', 'ok', { keys: [OTHER_SECRET, { secret: SECRET, graceEnds: NOW }] });
  verdict('its grace is over', 'previous_secret_expired', { keys: [OTHER_SECRET, { secret: SECRET, graceEnds: NOW - 1 }] });
  t.refuses('no secret at all', 'WEBHOOK_SECRET_INVALID', () => hooks.verifier('whsec_*'));
  t.refuses('a body of another type', 'ARGUMENT_INVALID', () => verifier.verify({ headers: SIGNED, body: {}, now: NOW }));
  verifier.dispose();
  t.refuses('a verifier of before', 'DISPOSED', () => verifier.verify({ headers: SIGNED, body: BODY, now: NOW }));
}

/** What the main entry alone does. */
function signing(t, { webhooks: { sign } }) {
  t.expect('sign', SIGNED, () => sign({ secret: SECRET, id: 'msg_1', timestamp: NOW, body: BODY }));
  t.refuses('an id with a dot', 'WEBHOOK_ID_INVALID', () => sign({ secret: SECRET, id: 'a.b', timestamp: NOW, body: BODY }));
}

/** A sender's public key: only the module with ed25519 takes one. */
function publicKeys(t, { webhooks: hooks }) {
  const verify = (body) => hooks.verifier([SECRET, PUBLIC_KEY]).verify({ headers: SIGNED_V1A, body, now: NOW }).code;
  t.expect('verify v1a', 'ok', () => verify(BODY));
  t.expect('verify v1a: another body', 'signature_mismatch', () => verify(`${BODY} `));
}

function withoutPublicKeys(t, { webhooks: hooks }) {
  t.refuses('a public key', 'KEY_UNSUPPORTED', () => hooks.verifier(PUBLIC_KEY));
}

/** What is no module is refused, in words of this package's. */
async function loading(t, entry) {
  t.refuses('no module', 'MODULE_INVALID', () => entry.fromModule({}));
  const [first, second] = [await entry.load(), await entry.load()];
  t.expect('two of them are two', true, () => first !== second);
}

/**
 * All checks of the package's entries, as JSON text.
 * @param {object} mainEntry `@fluxora/core`, as imported
 * @param {object} verifyEntry `@fluxora/core/verify`
 * @param {object} ed25519Entry `@fluxora/core/ed25519`
 */
export async function transcript(mainEntry, verifyEntry, ed25519Entry) {
  const core = new Transcript(mainEntry.FluxoraError);
  const main = await mainEntry.load();
  await loading(core, mainEntry);
  const all = [amounts, accrual, addresses, chain, reducer, feed, webhooks, signing, withoutPublicKeys];
  for (const checks of all) checks(core, main);

  const verify = new Transcript(verifyEntry.FluxoraError);
  const small = await verifyEntry.load();
  await loading(verify, verifyEntry);
  for (const checks of [webhooks, withoutPublicKeys]) checks(verify, small);

  const ed25519 = new Transcript(ed25519Entry.FluxoraError);
  const withKeys = await ed25519Entry.load();
  await loading(ed25519, ed25519Entry);
  for (const checks of [webhooks, publicKeys]) checks(ed25519, withKeys);

  return JSON.stringify({ core: core.report(), verify: verify.report(), ed25519: ed25519.report() });
}
