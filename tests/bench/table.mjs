// The figures as one markdown table.
import { slower, summary } from './measure.mjs';

const UNITS = [[1e6, 'ms'], [1e3, 'µs'], [1, 'ns']];

/** Three digits: 12.3 µs. */
function duration(nanoseconds, [size, name] = UNITS.find(([unit]) => nanoseconds >= unit) ?? UNITS.at(-1)) {
  const value = nanoseconds / size;
  return `${value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2)} ${name}`;
}

/** The median, with the fastest and the slowest sample. */
function spread(samples) {
  const { min, median, max } = summary(samples);
  const unit = UNITS.find(([size]) => median >= size);
  const bare = (value) => duration(value, unit).split(' ')[0];
  return `${duration(median, unit)} (${bare(min)}–${bare(max)})`;
}

const kibibytes = (bytes) => `${(bytes / 1024).toFixed(1)} KiB`;
const times = (ratio) => `${ratio.toFixed(ratio >= 100 ? 0 : ratio >= 10 ? 1 : 2)} ×`;

/** Our time as a multiple of the other's. */
function atMostTimes(what, own, other, target) {
  const ratio = 1 / slower(other, own);
  return row(what, spread(own), spread(other), `${times(ratio)} its time`, target && `≤ ${target} ×`, !target || ratio <= target);
}

/** How many times as fast as the other. */
function timesFaster(what, own, other, target) {
  const ratio = slower(other, own);
  return row(what, spread(own), spread(other), `${times(ratio)} faster`, target && `≥ ${target} ×`, !target || ratio >= target);
}

function atMost(what, value, show, target) {
  return row(what, show(value), '', '', target && `≤ ${show(target)}`, !target || value <= target);
}

const alone = (what, nanoseconds) => row(what, duration(nanoseconds), '', '', '', true);

function row(what, own, other, ratio, target, met) {
  return { cells: [what, own, other, ratio, target || '', target ? (met ? 'met' : 'missed') : ''], what, met };
}

export function rows({ verify1KiB, verify256KiB, balances, sizes, coldStart, native }) {
  const { accrue, texts, allTexts } = balances;
  const verified = (size, { wasm, ...others }, targets) => Object.entries(others).map(([name, samples]) => {
    const what = `verify ${size}, against ${name}`;
    return name === 'node:crypto'
      ? atMostTimes(what, wasm, samples, targets[name])
      : timesFaster(what, wasm, samples, targets[name]);
  });
  const raced = (what, { wasm, ...others }, targets) => Object.entries(others)
    .map(([name, samples]) => timesFaster(`${what}, against ${name}`, wasm, samples, targets[name]));
  return [
    ...verified('1 KiB', verify1KiB, { 'node:crypto': 2, WebCrypto: 10 }),
    ...verified('256 KiB', verify256KiB, {}),
    ...raced('accrue 10,000 streams', accrue, { BigInt: 1.8, 'decimal.js': 300 }),
    ...raced('accrue and format 10,000 balances', texts, { BigInt: 3 }),
    ...raced('accrue 10,000 streams and format all 30,000 balances', allTexts, {}),
    atMost('`fluxora_core.wasm`, brotli', sizes.coreModule, kibibytes, 32 * 1024),
    atMost('`fluxora_verify.wasm`, brotli', sizes.verifyModule, kibibytes, 8 * 1024),
    atMost('`fluxora_ed25519.wasm`, brotli', sizes.ed25519Module, kibibytes),
    atMost('loader (entry, `memory.js`, `errors.js`), brotli', sizes.loader, kibibytes, 2 * 1024),
    atMost('all JavaScript of `@fluxora/core`, brotli', sizes.coreScripts, kibibytes),
    atMost('all JavaScript of `/verify`, brotli', sizes.verifyScripts, kibibytes),
    atMost('all JavaScript of `/feed`, brotli', sizes.feedScripts, kibibytes),
    ...Object.entries(coldStart).flatMap(([name, { fromBytes, fromModule, freshInstances }]) => [
      startRow(`${name}: fresh instance to its first verdict`, freshInstances, START_MOST_NS),
      startRow(`${name}: the same, first in a process`, fromModule),
      startRow(`${name}: the same from bytes, first in a process`, fromBytes),
    ]),
    ...native.map(({ name, nanoseconds }) => alone(`native: ${name}`, nanoseconds)),
  ];
}

const START_MOST_NS = 1e6;

function startRow(what, samples, most) {
  return row(what, spread(samples), '', '', most && `≤ ${duration(most)}`, !most || summary(samples).median <= most);
}

export function markdown(list, machine) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [
    line(['', 'here', 'the other', 'ratio', 'aim', '']),
    line(['---', '---', '---', '---', '---', '---']),
    ...list.map(({ cells }) => line(cells)),
    '',
    `Measured on ${machine}. Times are medians, with the fastest and the slowest round; ratios are medians over the rounds.`,
  ].join('\n');
}
