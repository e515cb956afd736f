// Streamed, withdrawable and remaining of 10,000 streams at a moment, as base units and as text.
import assert from 'node:assert/strict';
import BigNumber from 'bignumber.js';
import { Decimal } from 'decimal.js';

import { race } from '../measure.mjs';
import { BigIntStreams, formatUnits } from './bigint_streams.mjs';
import { DecimalStreams } from './decimal_streams.mjs';

export const STREAMS = 10_000;
const NOW = 1774780287;
const NAMES = ['streamed', 'withdrawable', 'remaining'];
const AMOUNTS = ['depositAmount', 'ratePerSecond', 'withdrawnAmount', 'settledAmount', 'checkpointedAmount'];

// Far more digits than any sum here has: nothing is rounded.
const Exact = Decimal.clone({ precision: 60 });

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

/** Streams as a treasury has them: most of them linear and running. */
function someStreams() {
  const random = randomWords(7);
  const pick = (list) => list[random() % list.length];
  return Array.from({ length: STREAMS }, (_, i) => {
    const start = NOW - random() % 100_000;
    const cliff = start + random() % 20_000;
    const end = cliff + 1 + random() % 200_000;
    const rate = BigInt(random());
    const deposit = rate * BigInt(end - start);
    return {
      id: `s-${i}`,
      kind: pick(['linear', 'linear', 'linear', 'cliff_slope', 'cliff_only']),
      status: pick(['active', 'active', 'active', 'active', 'paused', 'completed', 'cancelled']),
      depositAmount: deposit,
      ratePerSecond: rate,
      withdrawnAmount: deposit / 100n,
      settledAmount: 0n,
      checkpointedAmount: BigInt(random()),
      checkpointedAt: start,
      cliffTime: cliff,
      endTime: end,
      cancelledAt: NOW - random() % 1000,
    };
  });
}

function holders(core) {
  const units = someStreams();
  const texts = units.map((stream) => ({
    ...stream,
    ...Object.fromEntries(AMOUNTS.map((name) => [name, formatUnits(stream[name])])),
  }));
  const columns = core.streamColumns();
  columns.setAll(units);
  return {
    columns,
    bigints: new BigIntStreams(units),
    decimals: new DecimalStreams(texts, Exact),
    bigNumbers: new DecimalStreams(texts, BigNumber),
  };
}

const fixed = (amount) => amount.toFixed(7);

/** A clock that moves, so that no result can be kept from one call to the next. */
function movingClock() {
  let tick = 0;
  return () => {
    tick = (tick + 1) % 1000;
    return NOW + tick;
  };
}

/** What each contender does at a time, by task. The same task gives the same from all. */
function tasksOf({ columns, bigints, decimals, bigNumbers }) {
  const textsAfterAccrual = (streams, format) => (at) => {
    streams.accrue(at);
    return NAMES.map((name) => streams[name].map(format));
  };
  return {
    // Streamed, withdrawable and remaining, left where the library keeps them.
    accrue: {
      wasm: (at) => columns.accrue(at),
      BigInt: (at) => bigints.accrue(at),
      'decimal.js': (at) => decimals.accrue(at),
      'bignumber.js': (at) => bigNumbers.accrue(at),
    },
    // The text of what is withdrawable of each stream; the plain contenders compute no more than that needs.
    texts: {
      wasm: (at) => columns.texts(at, 'withdrawable'),
      BigInt: (at) => bigints.withdrawableAt(at).map(formatUnits),
      'decimal.js': (at) => decimals.withdrawableAt(at).map(fixed),
      'bignumber.js': (at) => bigNumbers.withdrawableAt(at).map(fixed),
    },
    // The texts of all three.
    allTexts: {
      wasm(at) {
        const balances = columns.accrue(at);
        return NAMES.map((name) => balances.texts(name));
      },
      BigInt: textsAfterAccrual(bigints, formatUnits),
      'decimal.js': textsAfterAccrual(decimals, fixed),
      'bignumber.js': textsAfterAccrual(bigNumbers, fixed),
    },
  };
}

function checkAll({ texts, allTexts }) {
  const same = (task) => {
    const expected = task.BigInt(NOW);
    for (const [name, call] of Object.entries(task)) assert.deepEqual(call(NOW), expected, name);
  };
  same(texts);
  same(allTexts);
}

/** The samples of every task. */
export async function raceBalances(core) {
  const tasks = tasksOf(holders(core));
  checkAll(tasks);
  const results = {};
  for (const [task, calls] of Object.entries(tasks)) {
    const now = movingClock();
    results[task] = await race(Object.fromEntries(Object.entries(calls).map(([name, call]) => [name, () => call(now())])));
  }
  return results;
}
