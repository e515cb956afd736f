// Prometheus' text format 0.0.4, read strictly: what the server writes must be what a scraper takes.

/**
 * @typedef {{name: string, labels: Record<string, string>, value: number}} Sample
 * @typedef {{name: string, type: string, help: string, samples: Sample[]}} Family
 */

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*/;
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|\})/;

/** @param {string} line @returns {Sample} */
function readSample(line) {
  const name = NAME.exec(line)?.[0];
  if (name === undefined) throw new Error(`no name in ${line}`);
  let rest = line.slice(name.length);
  /** @type {Record<string, string>} */
  const labels = {};
  if (rest.startsWith('{')) {
    rest = rest.slice(1);
    for (let more = true; more;) {
      const [all, label, value, end] = LABEL.exec(rest) ?? [];
      if (all === undefined || label === undefined) throw new Error(`no label in ${line}`);
      if (label in labels) throw new Error(`${label} twice in ${line}`);
      labels[label] = value.replace(/\\(.)/g, (_, c) => (c === 'n' ? '\n' : c));
      rest = rest.slice(all.length);
      more = end === ',';
    }
  }
  const [, text] = /^ (-?[0-9][0-9.e+-]*|[+-]Inf|NaN)$/.exec(rest) ?? [];
  if (text === undefined) throw new Error(`no value in ${line}`);
  return { name, labels, value: text.endsWith('Inf') ? Infinity : JSON.parse(text.replace('NaN', 'null')) };
}

/** The family that a sample belongs to: a histogram's have endings. @param {string} name @param {Map<string, Family>} families */
function familyOf(name, families) {
  const whole = families.get(name);
  if (whole !== undefined && whole.type !== 'histogram') return whole;
  const histogram = families.get(name.replace(/_(bucket|sum|count)$/, ''));
  if (histogram?.type !== 'histogram') throw new Error(`${name} has no TYPE`);
  return histogram;
}

/** @param {Family} family */
function checkHistogram({ name, samples }) {
  const series = groupBy(samples, sampleKey);
  for (const [key, own] of series) {
    const buckets = own.filter((sample) => sample.name.endsWith('_bucket'));
    const bounds = buckets.map(({ labels }) => (labels.le === '+Inf' ? Infinity : JSON.parse(labels.le)));
    const counts = buckets.map(({ value }) => value);
    const count = own.find((sample) => sample.name === `${name}_count`)?.value;
    const rising = (list) => list.every((value, i) => i === 0 || value >= list[i - 1]);
    if (bounds.at(-1) !== Infinity || !rising(bounds) || !rising(counts) || counts.at(-1) !== count) {
      throw new Error(`${name}${key} is no histogram: ${JSON.stringify(own)}`);
    }
  }
}

function sampleKey({ labels: { le, ...labels } }) {
  return JSON.stringify(labels);
}

function groupBy(items, key) {
  const groups = new Map();
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return groups;
}

/** @param {string} text @returns {Map<string, Family>} */
export function readPrometheusText(text) {
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  /** @type {Map<string, Family>} */
  const families = new Map();
  const helps = new Map();
  const seen = new Set();
  /** @type {Family | undefined} the samples of a family stand together */
  let current;
  for (const line of text.split('\n').slice(0, -1)) {
    const [, kind, name, rest] = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$/.exec(line) ?? [];
    if (kind === 'HELP') {
      if (helps.has(name)) throw new Error(`a second HELP of ${name}`);
      helps.set(name, rest);
    } else if (kind === 'TYPE') {
      if (families.has(name) || !/^(counter|gauge|histogram)$/.test(rest)) throw new Error(`wrong: ${line}`);
      current = { name, type: rest, help: helps.get(name) ?? '', samples: [] };
      families.set(name, current);
    } else {
      const sample = readSample(line);
      if (familyOf(sample.name, families) !== current) throw new Error(`${sample.name} stands apart from its family`);
      const identity = sample.name + JSON.stringify(sample.labels);
      if (seen.has(identity)) throw new Error(`twice: ${line}`);
      seen.add(identity);
      current?.samples.push(sample);
    }
  }
  for (const family of families.values()) {
    if (family.help === '') throw new Error(`${family.name} has no HELP`);
    if (family.type === 'counter' && !family.name.endsWith('_total')) throw new Error(`the counter ${family.name} lacks _total`);
    if (family.type === 'histogram') checkHistogram(family);
  }
  return families;
}

/** The value of the one sample that has these labels, 0 where there is none yet. */
export function sampleValue(families, name, labels = {}) {
  const family = families.get(name) ?? families.get(name.replace(/_(bucket|sum|count)$/, ''));
  const found = family?.samples.filter((sample) =>
    sample.name === name && Object.entries(labels).every(([label, value]) => sample.labels[label] === value)) ?? [];
  if (found.length > 1) throw new Error(`${name}${JSON.stringify(labels)} names ${found.length} samples`);
  return found[0]?.value ?? 0;
}
