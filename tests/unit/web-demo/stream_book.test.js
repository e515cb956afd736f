// The streams that the page holds, and their balances at a second, at the next and between the two.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { load } from '../../../wasm/package/src/node.js';
import { StreamBook, between } from '../../../web-demo/compiled/live/stream_book.js';

const core = await load();

/** 0.5 a second from 100 to 2100. */
const aStream = (changes = {}) => ({
  id: 's-1', kind: 'linear', status: 'active', depositAmount: '1000.0000000', ratePerSecond: '0.5000000',
  withdrawnAmount: '0.0000000', settledAmount: '0.0000000', checkpointedAmount: '0.0000000', checkpointedAt: 100,
  startTime: 100, cliffTime: 100, endTime: 2100, cancelledAt: null, version: 1, ...changes,
});

function bookOf(...streams) {
  const book = new StreamBook(core);
  book.replaceAll(streams);
  return book;
}

const exact = (book, id, name) => book.exact(book.rowOf(id), name);

test('between two seconds an amount moves in integers and never reaches the next', () => {
  assert.equal(between(10n, 1010n, 0), 10n);
  assert.equal(between(10n, 1010n, 500), 510n);
  assert.equal(between(10n, 1010n, 999), 1009n);
  assert.equal(between(0n, 116n, 999), 115n);
  const huge = (1n << 127n) - 1n;
  assert.equal(between(huge - 1000n, huge, 1), huge - 999n);
});

test('a second is computed once, and anew when a stream changes', () => {
  const book = bookOf(aStream());
  assert.equal(book.second, null);
  assert.equal(book.turnTo(101), true);
  assert.equal(book.turnTo(101), false);
  assert.equal(book.second, 101);
  assert.equal(exact(book, 's-1', 'streamed'), 5_000_000n);
  assert.equal(book.exactNext(book.rowOf('s-1'), 'streamed'), 10_000_000n);
  assert.equal(book.moving(book.rowOf('s-1'), 'streamed', 200), 6_000_000n);
  assert.equal(book.turnTo(102), true);
  assert.equal(exact(book, 's-1', 'streamed'), 10_000_000n);
  book.put(aStream({ withdrawnAmount: '0.2500000' }));
  assert.equal(book.turnTo(102), true);
  assert.equal(exact(book, 's-1', 'withdrawable'), 7_500_000n);
  book.turnTo(9_000);
  assert.equal(exact(book, 's-1', 'streamed'), 10_000_000_000n);
  assert.equal(book.moving(book.rowOf('s-1'), 'streamed', 999), 10_000_000_000n);
});

test('the second after a change is not what was computed before it', () => {
  const book = bookOf(aStream());
  book.turnTo(101);
  book.put(aStream({ ratePerSecond: '1.0000000' }));
  book.turnTo(102);
  assert.equal(exact(book, 's-1', 'streamed'), 20_000_000n);
});

test('streams come, change and go, and who draws can see it', () => {
  const book = bookOf(aStream(), aStream({ id: 's-2' }));
  const { revision, membership } = book;
  assert.equal(book.put(aStream({ depositAmount: '2.0000000' })), false);
  assert.deepEqual([book.revision > revision, book.membership], [true, membership]);
  assert.equal(book.get('s-1').depositAmount, '2.0000000');
  assert.equal(book.put(aStream({ id: 's-3' })), true);
  assert.ok(book.membership > membership);
  book.remove('s-1');
  book.remove('s-1');
  assert.deepEqual([...book.all()].map(({ id }) => id), ['s-2', 's-3']);
  assert.equal(book.size, 2);
  assert.equal(book.rowOf('s-1'), undefined);
  book.turnTo(110);
  for (const id of ['s-2', 's-3']) assert.equal(exact(book, id, 'streamed'), 50_000_000n);
  book.replaceAll([]);
  assert.equal(book.size, 0);
  assert.equal(book.rowOf('s-2'), undefined);
});

/** What a book shows of all streams is what one that was filled just now shows. */
function checkAsFresh(book, second, what) {
  const fresh = bookOf(...book.all());
  fresh.turnTo(second);
  for (const { id } of book.all()) {
    for (const name of ['streamed', 'withdrawable']) {
      const balances = (of) => [of.exact(of.rowOf(id), name), of.exactNext(of.rowOf(id), name)];
      assert.deepEqual(balances(book), balances(fresh), `${what}: ${name} of ${id} at ${second}`);
    }
  }
}

test('whatever happens to streams between two looks, the balances are those of a book that is filled anew', () => {
  const book = bookOf(...Array.from({ length: 150 }, (_, i) => aStream({ id: `s-${i}` })));
  let made = 150;
  let at = 12_345;
  const random = (below) => {
    at = (at * 1_103_515_245 + 12_345) % 2 ** 31;
    return at % below;
  };
  const anId = () => [...book.all()][random(book.size)].id;
  const steps = [
    ['another rate', () => book.put(aStream({ id: anId(), ratePerSecond: `${random(9)}.${1_000_000 + random(1_000_000)}` }))],
    ['a withdrawal', () => book.put(aStream({ id: anId(), withdrawnAmount: '0.2500000' }))],
    ['a new one', () => book.put(aStream({ id: `s-${made++}` }))],
    ['one that goes', () => book.remove(anId())],
    ['more than a few', () => { for (let i = 0; i < 120; i += 1) book.put(aStream({ id: `s-${made++}`, ratePerSecond: '0.7500000' })); }],
    ['nothing', () => {}],
  ];
  let second = 101;
  for (let round = 0; round < 300; round += 1) {
    const did = [];
    for (let n = random(4); n >= 0; n -= 1) {
      const [what, step] = steps[random(round % 20 === 0 ? steps.length : 3)];
      step();
      did.push(what);
    }
    second += [0, 0, 1, 1, 1, 2, -1][random(7)];
    book.turnTo(second);
    if (random(3) === 0) book.prepare();
    if (round % 10 === 0 || did.length > 1) checkAsFresh(book, second, did.join(', '));
    assert.equal(book.turnTo(second), false, 'a second time there is nothing to do');
  }
});

test('balances compare as the numbers that they are, above 64 bits too', () => {
  const most = '17014118346046923173168730371588.4105727'; // 2^127 - 1 base units
  const book = bookOf(
    aStream({ id: 'none', ratePerSecond: '0.0000000' }),
    aStream({ id: 'small' }),
    aStream({ id: 'large', depositAmount: most, ratePerSecond: '9000000000000.0000000' }),
    aStream({ id: 'largest', depositAmount: most, ratePerSecond: '9000000000000.0000001' }),
  );
  book.turnTo(2_000);
  const rows = ['none', 'small', 'large', 'largest'].map((id) => book.rowOf(id));
  assert.ok(book.exact(rows[2], 'streamed') > 1n << 64n);
  for (const [i, a] of rows.entries()) {
    for (const [j, b] of rows.entries()) assert.equal(Math.sign(book.compare(a, b, 'streamed')), Math.sign(i - j));
  }
});
