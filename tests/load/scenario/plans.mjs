// The four scenarios: what is asked how often and for how long, who listens meanwhile, and what must hold.

/**
 * @typedef {object} Phase
 * @property {string} name
 * @property {number} seconds
 * @property {number} rate requests a second
 * @property {boolean} [step] one of a staircase: it ends with the first step that breaks a limit
 * @property {boolean} [overload] beyond the staircase's end: refusals are what is wanted
 * @property {boolean} [apart] its latencies don't count among those that the thresholds are about
 */

/**
 * @typedef {object} Plan
 * @property {Phase[]} phases in order; of a staircase only as many steps as it takes
 * @property {{webSockets: number, reconnecting: number, slow: number, party: number, sse: number}} followers
 * @property {number} endpoints of webhooks
 * @property {number} streams made before it begins
 * @property {number} connections for requests, at most; a request that is due waits for one
 * @property {Record<string, number>} limits see verdicts.mjs
 * @property {boolean} flat whether memory, descriptors and the rest must stay as they are
 */

/**
 * Enough to be asked for; and so many that whatever the server remembers of the log's end, 10,000 entries at most, is
 * full.
 */
const [SOME_STREAMS, FULL_MEMORY] = [200, 10_500];
const FEW = { webSockets: 3, reconnecting: 2, slow: 1, party: 2, sse: 2 };
const MANY = { webSockets: 20, reconnecting: 10, slow: 3, party: 10, sse: 10 };
/** A server of someone's: within the hundred feeds that an address may have. */
const AS_A_GUEST = { webSockets: 5, reconnecting: 3, slow: 0, party: 2, sse: 3 };

/** Milliseconds, shares, counts. What a service on two cores that it shares with all else here should keep easily. */
const LIMITS = { p50Ms: 25, p99Ms: 250, refusedShare: 0.01, feedP99Ms: 1_000, webhookP99Ms: 2_000, ledgersBehind: 5 };

const CONNECTIONS = 64;
/** So that what is too much waits at the server, and not here. */
const MANY_CONNECTIONS = 512;

const STAIRCASE = [1, 2, 4, 8, 12, 16, 24, 32, 40, 50];
const STEP_SECONDS = 8;
const OVERLOAD = 1.5;
const MAX_STRESS_RATE = 5_000;

/** @param {number} base */
function stressPhases(base) {
  const steps = STAIRCASE.map((times) => base * times)
    .filter((rate) => rate <= MAX_STRESS_RATE)
    .map((rate) => ({ name: `${rate}/s`, rate, seconds: STEP_SECONDS, step: true }));
  return [
    { name: 'warm-up', rate: base, seconds: 2, apart: true },
    ...steps,
    // Its rate is decided by the step that broke: see `overloadRate`.
    { name: 'overload', rate: 0, seconds: STEP_SECONDS, overload: true, apart: true },
    { name: 'calm', rate: 1, seconds: 5, apart: true },
    { name: 'recovery', rate: base, seconds: STEP_SECONDS },
  ];
}

/** @param {number} brokenRate */
export const overloadRate = (brokenRate) => Math.round(brokenRate * OVERLOAD);

/**
 * @param {{scenario: string, url?: string, minutes?: number, rate?: number, p50Ms?: number, p99Ms?: number,
 * refusedShare?: number}} options
 * @returns {Plan}
 */
export function planFor({ scenario, url, minutes, rate, p50Ms, p99Ms, refusedShare = LIMITS.refusedShare }) {
  const own = url === undefined;
  const limits = { ...LIMITS, p50Ms: p50Ms ?? LIMITS.p50Ms, p99Ms: p99Ms ?? LIMITS.p99Ms, refusedShare };
  const usual = {
    followers: own ? MANY : AS_A_GUEST,
    endpoints: own ? 2 : 0,
    streams: SOME_STREAMS,
    connections: CONNECTIONS,
    limits,
    flat: false,
  };
  // How long things take isn't looked at unless someone asks for it.
  const timeless = { refusedShare, p50Ms, p99Ms };
  // The first seconds fill caches and open connections.
  const steady = (seconds, perSecond) => [
    { name: 'warm-up', rate: perSecond, seconds: Math.min(5, seconds / 10), apart: true },
    { name: 'steady', rate: perSecond, seconds },
  ];
  switch (scenario) {
    case 'smoke':
      return {
        ...usual,
        phases: steady(9, rate ?? 40),
        followers: own ? FEW : AS_A_GUEST,
        endpoints: own ? 1 : 0,
        limits: timeless,
      };
    case 'load':
      return { ...usual, phases: steady((minutes ?? 5) * 60, rate ?? 200) };
    case 'stress':
      return {
        ...usual,
        phases: stressPhases(rate ?? 100),
        followers: FEW,
        endpoints: 1,
        connections: MANY_CONNECTIONS,
      };
    case 'soak':
      return {
        ...usual,
        phases: steady((minutes ?? 10) * 60, rate ?? 120),
        streams: FULL_MEMORY,
        limits: timeless,
        flat: own,
      };
    default:
      throw new Error(`no plan for ${scenario}`);
  }
}
