// Whether the figures are good enough.

/**
 * @typedef {object} Verdict
 * @property {string} name
 * @property {string} limit
 * @property {string} value
 * @property {boolean} met
 */

/** The last half: what the first requests bring about is over by then. */
const SETTLED_FROM = 0.5;
/** Of the second half; fewer looks than these say nothing about a slope. */
const WINDOWS = 20;
const MIB = 1024 * 1024;

const number = (value) => (Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(2).replace(/\.?0+$/, ''));

/**
 * @param {string} name
 * @param {number | null | undefined} value
 * @param {number} most
 * @param {string} unit
 * @returns {Verdict}
 */
function atMost(name, value, most, unit) {
  const known = value !== null && value !== undefined;
  return {
    name,
    limit: `≤ ${number(most)}${unit}`,
    value: known ? `${number(value)}${unit}` : 'unknown',
    met: known && value <= most,
  };
}

/** @param {number[]} values */
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

/**
 * The line whose slope is the median of those between any two points (Theil and Sen): what stands out doesn't tilt it.
 * @param {[number, number][]} points
 */
export function robustLine(points) {
  const slopes = points.flatMap(([x, y], n) =>
    points.slice(n + 1).map(([otherX, otherY]) => (otherY - y) / (otherX - x)),
  );
  const slope = median(slopes);
  const base = median(points.map(([x, y]) => y - slope * x));
  return { slope, at: (x) => base + slope * x };
}

/**
 * The second half of a series: the least value of each of some windows, the line through these, and how much it grows.
 * A burst raises a value for a while; a leak raises the least that it ever is.
 * @param {any[]} samples
 * @param {(sample: any) => number | null | undefined} of
 */
export function settledFit(samples, of) {
  const points = samples.flatMap((sample) => {
    const value = of(sample);
    return value === null || value === undefined ? [] : [/** @type {[number, number]} */ ([sample.at, value])];
  });
  const last = points[points.length - 1]?.[0] ?? 0;
  const settled = points.filter(([at]) => at >= last * SETTLED_FROM);
  if (settled.length < WINDOWS) return { count: settled.length, growth: null, line: [] };
  const size = settled.length / WINDOWS;
  const floors = Array.from({ length: WINDOWS }, (_, n) =>
    settled
      .slice(Math.floor(n * size), Math.floor((n + 1) * size))
      .reduce((low, point) => (point[1] < low[1] ? point : low)),
  );
  const { at } = robustLine(floors);
  const ends = [settled[0][0], last];
  return { count: settled.length, growth: at(ends[1]) - at(ends[0]), line: ends.map((x) => [x, at(x)]) };
}

/**
 * @param {string} name
 * @param {any[]} samples
 * @param {(sample: any) => number | null | undefined} of
 * @param {number} most
 * @param {string} unit
 */
function flat(name, samples, of, most, unit) {
  const { count, growth } = settledFit(samples, of);
  return atMost(`${name}: growth over the second half (${count} looks)`, growth, most, unit);
}

/** Tables whose rows are replaced and not added to: more than this is rubbish that isn't cleaned up. */
const STEADY_TABLES = [
  'log_head',
  'indexer_checkpoint',
  'observation_list',
  'webhook_lanes',
  'webhook_endpoints',
  'webhook_dispatchers',
  'indexer_leader',
];
const STEADY_TABLES_MIB = 4;

/** Bytes that an entry adds to all tables, in the first half and in the second. @param {any[]} tables */
function bytesPerEntry(tables) {
  const total = ({ bytes }) => Object.values(bytes).reduce((sum, size) => sum + size, 0);
  const middle = tables[Math.floor(tables.length / 2)];
  const per = (from, to) => (total(to) - total(from)) / Math.max(1, to.seq - from.seq);
  // The first samples are of tables that are being made.
  return { first: per(tables[Math.floor(tables.length / 10)], middle), second: per(middle, tables[tables.length - 1]) };
}

/** @param {any[]} samples @param {any[]} tables @returns {Verdict[]} */
export function flatnessVerdicts(samples, tables) {
  const steady = ({ bytes }) => STEADY_TABLES.reduce((sum, name) => sum + (bytes[name] ?? 0), 0) / MIB;
  const verdicts = [
    flat('memory (VmRSS)', samples, ({ rssMiB }) => rssMiB, 2, ' MiB'),
    flat('anonymous memory (Pss_Anon)', samples, ({ anonymousMiB }) => anonymousMiB, 2, ' MiB'),
    // How many connections the clients have open is theirs to decide, and differs from moment to moment.
    flat(
      "descriptors that aren't a client's connection",
      samples,
      ({ descriptors, connections }) => descriptors - connections,
      3,
      '',
    ),
    flat('threads', samples, ({ threads }) => threads, 0.5, ''),
    flat('database connections', samples, ({ databaseConnections }) => databaseConnections, 1, ''),
    flat('ledgers that the indexer is behind', samples, ({ ledgersBehind }) => ledgersBehind, 2, ''),
    flat('webhooks that wait', samples, ({ webhooksWaiting }) => webhooksWaiting, 50, ''),
    flat('messages queued for feeds', samples, ({ queuedMessages }) => queuedMessages, 100, ''),
    atMost(
      'tables that are only updated, at the end',
      tables.length === 0 ? null : steady(tables[tables.length - 1]),
      STEADY_TABLES_MIB,
      ' MiB',
    ),
  ];
  if (tables.length >= WINDOWS) {
    const { first, second } = bytesPerEntry(tables);
    verdicts.push(
      atMost('bytes of all tables for an entry of the log, second half against the first', second / first, 1.3, ' ×'),
    );
  }
  return verdicts;
}

/**
 * @param {import('./plans.mjs').Plan['limits']} limits
 * @param {ReturnType<import('./recorder.mjs').Recorder['figures']>} figures
 * @param {any[]} samples
 * @returns {Verdict[]}
 */
export function loadVerdicts(limits, { total, lags }, samples) {
  const sent = total.ok + total.refused + total.failed;
  const verdicts = [
    { name: 'requests answered', limit: '≥ 1', value: `${total.ok}`, met: total.ok > 0 },
    atMost('requests that failed', total.failed, 0, ''),
    atMost(
      'requests refused, of all',
      sent === 0 ? null : (100 * total.refused) / sent,
      100 * limits.refusedShare,
      ' %',
    ),
    atMost(`requests not sent because too many were on their way`, total.unsent, 0, ''),
  ];
  if (limits.p50Ms !== undefined) verdicts.push(atMost('latency p50', total.p50, limits.p50Ms, ' ms'));
  if (limits.p99Ms !== undefined) verdicts.push(atMost('latency p99', total.p99, limits.p99Ms, ' ms'));
  const lagOf = (name, text, most) => {
    if (most !== undefined && lags[name] !== undefined) verdicts.push(atMost(text, lags[name].p99, most, ' ms'));
  };
  lagOf('feed', "from a creation's request to its WebSocket message, p99", limits.feedP99Ms);
  lagOf('webhook', "from a creation's request to its webhook, p99", limits.webhookP99Ms);
  const behind = samples
    .map(({ ledgersBehind }) => ledgersBehind)
    .filter((value) => value !== null && value !== undefined);
  if (limits.ledgersBehind !== undefined && behind.length > 0) {
    verdicts.push(
      atMost('ledgers that the indexer is behind the chain, at most', Math.max(...behind), limits.ledgersBehind, ''),
    );
  }
  return verdicts;
}

/**
 * Whether a step of the staircase breaks a limit, and which.
 * @param {any} figures of a phase
 * @param {Record<string, number>} limits
 * @returns {string} '' where it doesn't
 */
export function brokenLimit({ ok, refused, failed, unsent, p99 }, limits) {
  const sent = ok + refused + failed;
  if (failed > 0) return `${failed} failed`;
  if (unsent > 0) return `${unsent} were not sent: too many waited`;
  if (refused > limits.refusedShare * sent) return `${refused} of ${sent} were refused`;
  if (p99 > limits.p99Ms) return `p99 ${number(p99)} ms`;
  return '';
}

/**
 * @param {ReturnType<import('./recorder.mjs').Recorder['figures']>} figures
 * @param {{limits: Record<string, number>, broken: {rate: number, why: string} | null}} staircase
 * @returns {Verdict[]}
 */
export function stressVerdicts({ phases, kinds, errors }, { limits, broken }) {
  const phase = (name) => phases.find((one) => one.name === name);
  const first = phases.find(({ step }) => step);
  const why = first === undefined ? 'no step ran' : brokenLimit(first, limits);
  const recovered = brokenLimit(phase('recovery'), limits);
  const greedy = kinds['creation of a greedy client'];
  const failures = phases.reduce((sum, { failed }) => sum + failed, 0);
  return [
    { name: 'the first step keeps all limits', limit: 'yes', value: why === '' ? 'yes' : why, met: why === '' },
    {
      name: 'what gave first',
      limit: '',
      value: broken === null ? 'nothing, up to the last step' : `${broken.why} at ${broken.rate}/s`,
      met: true,
    },
    {
      name: 'failures of any phase: what is too much is refused with 429 or 503 and Retry-After',
      limit: '0',
      value: `${failures}`,
      met: failures === 0,
    },
    {
      name: 'a client that writes more than its limit is told 429',
      limit: '≥ 1',
      value: `${greedy?.refused ?? 0} of ${(greedy?.ok ?? 0) + (greedy?.refused ?? 0)}`,
      met: (greedy?.refused ?? 0) > 0,
    },
    { name: "its 429 aren't others'", limit: '0', value: `${othersRefused(errors)}`, met: othersRefused(errors) === 0 },
    {
      name: 'after the overload all limits are kept again',
      limit: 'yes',
      value: recovered === '' ? 'yes' : recovered,
      met: recovered === '',
    },
  ];
}

/** @param {Record<string, number>} errors */
function othersRefused(errors) {
  return Object.entries(errors).reduce(
    (sum, [name, count]) => sum + (/: 429 /.test(name) && !name.startsWith('creation of a greedy client') ? count : 0),
    0,
  );
}
