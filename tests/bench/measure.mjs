// Times contenders beside each other: every round runs each of them, in another order, so that what disturbs the
// machine for a while disturbs all. Samples are times of one call, in nanoseconds.

const ROUNDS = 15;
const SAMPLE_MS = 25;
const WARM_UP_MS = 150;

function timed(call, count) {
  const started = process.hrtime.bigint();
  for (let i = 0; i < count; i += 1) call();
  return Number(process.hrtime.bigint() - started) / count;
}

async function timedAwaiting(call, count) {
  const started = process.hrtime.bigint();
  for (let i = 0; i < count; i += 1) await call();
  return Number(process.hrtime.bigint() - started) / count;
}

const isAsync = (call) => call.constructor.name === 'AsyncFunction';
const time = (call, count) => (isAsync(call) ? timedAwaiting(call, count) : timed(call, count));

/** Warms a contender up; gives how many calls make a sample. */
async function callsASample(call) {
  const end = performance.now() + WARM_UP_MS;
  let nanoseconds = await time(call, 1);
  for (let count = 1; performance.now() < end; count *= 2) nanoseconds = await time(call, count);
  return Math.max(1, Math.round((SAMPLE_MS * 1e6) / nanoseconds));
}

export function median(samples) {
  const sorted = samples.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export const summary = (samples) => ({ min: Math.min(...samples), median: median(samples), max: Math.max(...samples) });

/**
 * @param {Record<string, () => unknown>} contenders by name; an async function is awaited at each call
 * @returns {Promise<Record<string, number[]>>} the samples of each, one a round
 */
export async function race(contenders) {
  const runners = [];
  for (const [name, call] of Object.entries(contenders)) {
    runners.push({ name, call, count: await callsASample(call), samples: [] });
  }
  for (let round = 0; round < ROUNDS; round += 1) {
    const first = round % runners.length;
    for (const runner of [...runners.slice(first), ...runners.slice(0, first)]) {
      runner.samples.push(await time(runner.call, runner.count));
    }
  }
  return Object.fromEntries(runners.map(({ name, samples }) => [name, samples]));
}

/** How many times as long `other` takes as `own`: the median over the rounds. */
export const slower = (other, own) => median(other.map((sample, round) => sample / own[round]));
