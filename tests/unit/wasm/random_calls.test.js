import assert from 'node:assert/strict';
import { test } from 'node:test';

import { aStream, newCore, newEd25519, newVerify, withCode } from './support.js';

// So many calls with seeded arguments of every kind, hostile ones among them, spread over all functions of the package.
const CALLS = Number.parseInt(process.env.FLUXORA_CALLS ?? '100000', 10);
const SEED = Number(process.env.FLUXORA_SEED ?? 1);

class OwnError extends Error {}

function randomWords(seed) {
  let x = Math.imul(seed, 0x9E3779B1) | 1;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return x >>> 0;
  };
}

const random = randomWords(SEED);
const below = (n) => random() % n;
const pick = (list) => list[below(list.length)];

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const CONTRACT = 'CABQGAYDAMBQGAYDAMBQGAYDAMBQGAYDAMBQGAYDAMBQGAYDAMBQGCK3';
const TEXTS = ['', '0', '1.5', '-1', '+007', '1e9', '9'.repeat(64), 'AAAAAQ==', 'AAAADwAAAAZwYXVzZWQAAA==',
  'AAAABQAAAAAAAAAH', CONTRACT, `${CONTRACT}-7`, 'ep-5', 'ep-99999999999999999999', SECRET, 'whpk_', `whpk_${'A'.repeat(43)}=`,
  'linear', 'cliff_slope', 'active', 'cancelled', 'floor', 'half_even', 'whole_log', 'party', 'resumed', 'gap', 'streamed',
  'remaining', 'account', 'contract', '__proto__', 'constructor', '\0', '\uD800', 'é', '💶'.repeat(50), 'v1,AAAA', 'msg_1',
  '1774780287', '18446744073709551615', '18446744073709551616', 'ab'.repeat(32), 'toString'];
const NUMBERS = [0, -0, 1, -1, 5, 37, 1.5, NaN, Infinity, -Infinity, 2 ** 31, 2 ** 32, 2 ** 53, -(2 ** 53), 1774780287];
const BIGINTS = [0n, 1n, -1n, 1n << 63n, (1n << 64n) - 1n, 1n << 64n, (1n << 127n) - 1n, -(1n << 127n), 1n << 127n, 1n << 4000n];
const PROPERTIES = ['id', 'kind', 'status', 'depositAmount', 'ratePerSecond', 'withdrawnAmount', 'settledAmount',
  'checkpointedAmount', 'checkpointedAt', 'cliffTime', 'endTime', 'cancelledAt', 'topics', 'value',
  'inSuccessfulContractCall', 'contractId', 'ledger', 'txHash', 'closedAt', 'seq', 'epoch', 'cursor', 'resume', 'streamId',
  'prevSeq', 'scope', 'from', 'headers', 'body', 'now', 'secret', 'graceEnds', 'timestamp', 'requireStandard', 'get', 'ids',
  'event', 'retracts', 'xdr', 'length', 'webhook-id', 'Webhook-Timestamp', 'webhook-signature', 'x-fluxora-signature', 'then', 'toString'];

function aDetached() {
  const bytes = new Uint8Array(64);
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
  return pick([bytes, bytes.buffer]);
}

class Liar extends Uint8Array {
  get length() { return pick([0, 1 << 30, -1, NaN]); }

  get byteLength() { return pick([0, 1 << 30]); }

  get buffer() { throw new OwnError('buffer'); }

  *[Symbol.iterator]() { throw new OwnError('iterator'); }
}

function bytes() {
  const size = pick([0, 1, 16, 32, 64, 200, 5000]);
  const array = Uint8Array.from({ length: size }, () => random());
  return pick([() => array, () => array.buffer, () => Buffer.from(array), () => new Liar(array), aDetached,
    () => new Uint8ClampedArray(array), () => new DataView(array.buffer), () => new SharedArrayBuffer(8),
    () => new BigUint64Array(below(8)), () => new Float64Array([NaN]), () => Object.create(Uint8Array.prototype),
    () => new Proxy(array, {}), () => ({ __proto__: Uint8Array.prototype, length: 1e9 })])();
}

/** An object whose properties answer with anything, or throw, or take what they are read from with them. */
function hostile(depth) {
  return new Proxy(pick([{}, [], () => {}]), {
    get(_, name) {
      if (below(8) === 0) throw new OwnError('get');
      return name === Symbol.iterator ? pick([undefined, () => ({ next: () => ({ done: true }) })]) : value(depth + 1);
    },
    ownKeys: () => pick([[], ['webhook-id'], ['length']]).filter(() => below(4) === 0),
    getOwnPropertyDescriptor: () => ({ configurable: true, enumerable: true, value: 1 }),
  });
}

function record(depth) {
  const made = pick([() => ({}), () => Object.create(null), () => aStream(),
    () => ({ contractId: CONTRACT, ledger: 1, txHash: 'ab'.repeat(32), closedAt: 5, seq: 1 }),
    () => ({ topics: ['AAAADwAAAAZwYXVzZWQAAA==', 'AAAABQAAAAAAAAAH'], value: 'AAAAAQ==' }),
    () => ({ headers: { 'webhook-id': 'a' }, body: '', now: 5 }), () => ({ secret: SECRET, id: 'a', body: '' }),
    () => ({ event: pick(['stream.created', 'stream.ended', 'stream.retracted', 'chain.event']), streamId: `${CONTRACT}-7`,
      seq: random(), prevSeq: null, closedAt: '2026-03-29T09:31:27Z', ledger: 5, txHash: null, retracts: 1,
      xdr: { topics: ['AAAADwAAAAZwYXVzZWQAAA==', 'AAAABQAAAAAAAAAH'], value: 'AAAAAQ==' } }),
    () => ({ scope: 'party', from: 'ep-1' }), () => ({ cursor: 'ep-2', streamId: 's' })])();
  for (let i = below(4); i > 0; i -= 1) {
    const name = pick(PROPERTIES);
    if (below(10) === 0) {
      Object.defineProperty(made, name, { configurable: true, enumerable: true, get() { throw new OwnError(name); } });
    } else {
      Object.defineProperty(made, name, { configurable: true, enumerable: true, writable: true, value: value(depth + 1) });
    }
  }
  return made;
}

function value(depth = 0) {
  const kinds = [() => undefined, () => null, () => pick([true, false]), () => pick(NUMBERS), () => pick(BIGINTS),
    () => pick(TEXTS), () => pick(TEXTS), () => String.fromCharCode(...Array.from({ length: below(40) }, () => random() & 0xFFFF)),
    () => Buffer.from(Array.from({ length: below(60) }, () => random())).toString('base64'), () => Symbol('s'), bytes,
    () => () => value(depth + 1)];
  const deep = [() => hostile(depth), () => record(depth), () => record(depth), () => record(depth),
    () => Array.from({ length: below(5) }, () => value(depth + 1)), () => new Map([['webhook-id', value(depth + 1)]]),
    () => Array(below(500) === 0 ? 2e6 : 70), () => new Date(NaN)];
  return pick(depth < 3 ? [...kinds, ...deep, ...deep] : kinds)();
}

/** Every function that can be reached from what `load()` gives, as something to call. */
function functionsOf(core, verifying) {
  const columns = core.streamColumns();
  columns.set(aStream());
  const feed = core.feedClient({ scope: 'whole_log', from: 'ep-1' });
  const verifier = core.webhooks.verifier([SECRET, { secret: SECRET, graceEnds: 5 }]);
  const made = [];
  const later = (make) => (...args) => {
    const one = make(...args);
    made.push(one);
    if (made.length > 50) made.splice(below(50), 1)[0].dispose();
  };
  const methods = (target, skip = []) => {
    const prototype = Object.getPrototypeOf(target);
    const names = [...Object.keys(target), ...(prototype === Object.prototype ? [] : Object.getOwnPropertyNames(prototype))];
    return names.filter((name) => !['constructor', ...skip].includes(name)).map((name) => (...args) => {
      const member = target[name];
      return typeof member === 'function' ? member.apply(target, args) : member;
    });
  };
  return [
    ...methods(core, ['amounts', 'strkey', 'cursor', 'webhooks', 'streamColumns', 'feedClient']),
    ...methods(core.amounts), ...methods(core.strkey), ...methods(core.cursor), ...methods(columns, ['dispose']),
    ...methods(core.streamHistory(`${CONTRACT}-7`)), ...methods(feed, ['dispose']), ...methods(verifier, ['dispose']),
    (...args) => methods(columns.accrue(150)).forEach((method) => method(...args)),
    later(() => core.streamColumns()), later((...args) => core.feedClient(...args)),
    ...[core, ...verifying].map(({ webhooks }) => later((...args) => webhooks.verifier(...args))), core.webhooks.sign,
    (...args) => made[below(made.length)]?.verify?.(...args),
    (...args) => made[below(made.length)]?.entry?.(...args),
  ];
}

test(`${CALLS} seeded calls with anything throw the package’s own error, and the core goes on`, () => {
  console.log(`FLUXORA_SEED=${SEED}`);
  const core = newCore();
  const verifying = [newVerify(), newEd25519()];
  const functions = functionsOf(core, verifying);
  const outcomes = { gave: 0, refused: 0, own: 0 };
  for (let call = 0; call < CALLS; call += 1) {
    const target = call % functions.length;
    const args = Array.from({ length: below(4) }, () => value());
    try {
      const result = functions[target](...args);
      // What is lazy is looked at too.
      if (typeof result?.next === 'function') for (const one of result) outcomes.gave += one === null ? 0 : 0;
      outcomes.gave += 1;
    } catch (error) {
      if (error instanceof OwnError) {
        outcomes.own += 1;
      } else {
        const where = `seed ${SEED}, call ${call}, function ${target} ${functions[target]}`;
        assert.equal(error?.name, 'FluxoraError', `${where}: ${error?.stack}`);
        assert.notEqual(error.code, 'CORE_ABORTED', `${where}: ${error.cause?.stack}`);
        outcomes.refused += 1;
      }
    }
  }
  console.log(JSON.stringify(outcomes));
  assert.ok(outcomes.gave > CALLS / 100 && outcomes.refused > CALLS / 100 && outcomes.own > 10, JSON.stringify(outcomes));
  assert.equal(core.amounts.format(core.amounts.parse('12.5')), '12.5000000');
  assert.equal(core.balancesAt(aStream(), 150).streamed, '25.0000000');
  const headers = core.webhooks.sign({ secret: SECRET, id: 'a', body: 'b' });
  for (const { webhooks } of verifying) {
    assert.equal(webhooks.verifier(SECRET).verify({ headers, body: 'b' }).code, 'ok');
  }
});

test('a stack that ends inside a call stops that core alone, by a typed error', () => {
  const core = newCore();
  const deeper = () => {
    core.amounts.format(1n);
    deeper();
  };
  assert.throws(deeper, (error) => error instanceof RangeError || withCode('CORE_ABORTED')(error));
  try {
    assert.equal(core.amounts.format(1n), '0.0000001');
  } catch (error) {
    withCode('CORE_ABORTED')(error);
  }
  assert.equal(newCore().amounts.format(1n), '0.0000001');
});
