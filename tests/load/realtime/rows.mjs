// The feed's figures as rows of a table, with their aims.
import { median } from '../../bench/measure.mjs';
import { milliseconds, row, thousands, timesOther } from '../table.mjs';

const PACED = '10 updates a second';
const LEAST_SHARE = 0.95; // of the rate that was meant

const rates = (samples) => samples.map(({ deliveries, microseconds }) => (deliveries * 1e6) / microseconds);
const middle = (samples, name) => median(samples.map((sample) => sample[name]));

/** The bare program with one thread or with two, whichever is the better here. @param {(samples: any[]) => number} worse */
const better = ({ bareOne, bareTwo }, worse) => (worse(bareOne) <= worse(bareTwo) ? bareOne : bareTwo);

function burstRows({ flood, oneByOne, paced }, subscribers, aims) {
  const { bytes } = flood.fluxora[0];
  const faster = (samples) => -median(rates(samples));
  const against = (what, { fluxora, ...bares }, most) => timesOther(what, rates(fluxora), rates(better(bares, faster)), most);
  const what = `${thousands(subscribers)} subscribers of one stream, updates of ${thousands(bytes)} bytes in bursts of 10`;
  return [
    timesOther(`${what}, in flood, against \`ws\``, rates(flood.fluxora), rates(flood.ws), aims?.ws),
    against('the same, against the bare program', flood),
    against('the same bursts one by one, against the bare program', oneByOne, aims?.bare),
    pacedRow(paced, aims?.paced),
  ];
}

/** Ours as a multiple of the other's: the median over the rounds. */
function pacedRow({ fluxora, ...bares }, most) {
  const bare = better(bares, (samples) => middle(samples, 'p99'));
  const ratio = median(fluxora.map(({ p99 }, round) => p99 / bare[round].p99));
  const cell = (samples) => `p99 ${milliseconds(middle(samples, 'p99'))}`;
  return row(`the same subscribers, ${PACED}, against the bare program`, cell(fluxora), cell(bare), `${ratio.toFixed(2)} ×`,
    most && `≤ ${most} ×`, ratio <= most);
}

/** What the others' latency is beside clients that never read, as a multiple of what it is without them. */
function deafRow({ without, beside }, { deaf, deafRate }, most) {
  const ratio = beside.p99 / without.p99;
  const what = `the same subscribers, ${thousands(deafRate)} updates a second, beside ${deaf} clients that never read (${beside.ended} of them ended meanwhile), against without them`;
  return row(what, `p99 ${milliseconds(beside.p99)}`, `p99 ${milliseconds(without.p99)}`, `${ratio.toFixed(2)} ×`, `≤ ${most} ×`,
    ratio <= most && beside.ended === deaf);
}

const latencies = ({ p50, p99 }) => `p50 ${milliseconds(p50)}, p99 ${milliseconds(p99)}`;

/** A run in which the writer couldn't keep to its rate doesn't count. */
function keptRate(figures, wanted) {
  return (figures.events * 1e6) / figures.microseconds >= wanted * LEAST_SHARE;
}

function logRow(what, figures, { name, most, wanted }) {
  const aim = most && `${name} ≤ ${most} ms`;
  return row(what, latencies(figures), `from before the transaction: ${latencies(figures.sinceBegin)}`, '', aim, figures[name] <= most * 1000 && keptRate(figures, wanted));
}

function idleRow(what, { connections, beforeKiB, afterKiB }, most) {
  const each = (afterKiB - beforeKiB) / connections;
  return row(`${thousands(connections)} idle connections, ${what}, resident memory of each`, `${each.toFixed(2)} KiB`, '', '',
    most && `≤ ${most} KB`, each * 1.024 <= most);
}

/**
 * @param {any} results
 * @param {{subscribers: number, streams: number, manyRate: number, fewRate: number, deaf: number, deafRate: number}} size
 */
export function rows({ short, own, log, idle }, size) {
  const { subscribers, streams, manyRate, fewRate } = size;
  return [
    ...burstRows(short, subscribers, { ws: 15, bare: 0.8, paced: 1.2 }),
    ...burstRows(own, subscribers),
    deafRow(own.deaf, size, 1.2),
    logRow(`the whole server: ${PACED} to ${thousands(subscribers)} subscribers of one stream`, log.one, {}),
    logRow(`the whole server: ${thousands(manyRate)} updates a second, ${thousands(streams)} streams with a subscriber each`,
      log.many, { name: 'p99', most: 25, wanted: manyRate }),
    logRow(`the whole server: ${thousands(fewRate)} updates a second, 100 streams with a subscriber each`, log.few,
      { name: 'p50', most: 5, wanted: fewRate }),
    logRow('the same as server-sent events', log.events, {}),
    idleRow('subscribed to a stream', idle.subscribed, 11),
    idleRow('subscribed to nothing', idle.silent),
  ];
}

export const NOTES = 'Rates are deliveries a second: medians, with the slowest and the fastest round; ratios are medians over the rounds. '
  + 'Latencies reach from when an update was asked for to when a client had read it; with the whole server from when the '
  + 'transaction that brings the event was known to be committed, and from before it was begun.';
