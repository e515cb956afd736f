// Which plots the report shows.
import { plot } from './plots.mjs';
import { settledFit } from './verdicts.mjs';

const MIB = 1024 * 1024;

/** A series of the samples, and the fit over its second half where flatness is asked for. */
function sampled(samples, name, of, withFit) {
  const points = samples.map((sample) => [sample.at, of(sample)]);
  const { line } = settledFit(samples, of);
  return [
    { name, points },
    ...(withFit && line.length > 0 ? [{ name: `fit of ${name}`, points: line, dashed: true }] : []),
  ];
}

/** All plots of a result, as HTML. @param {any} result see scenario.mjs */
export function charts({ figures, samples, tables, scenario }) {
  const { points, pointSeconds, phases: list } = figures;
  const over = (of) => points.map((point) => [point.at, of(point)]);
  const fit = scenario === 'soak';
  const marks = list.map(({ begun, name }) => ({ at: begun, name }));
  const largest =
    tables.length === 0
      ? []
      : Object.entries(tables[tables.length - 1].bytes)
          .sort(([, a], [, b]) => b - a)
          .slice(0, 6)
          .map(([name]) => name);
  return [
    plot({
      title: 'Requests',
      unit: 'a second',
      marks,
      series: [
        { name: 'answered', points: over(({ ok }) => ok / pointSeconds) },
        { name: 'refused (429, 503)', points: over(({ refused }) => refused / pointSeconds) },
        { name: 'failed', points: over(({ failed }) => failed / pointSeconds) },
        { name: 'not sent', points: over(({ unsent }) => unsent / pointSeconds) },
      ],
    }),
    plot({
      title: 'Latency',
      unit: 'ms, from when a request was due',
      marks,
      series: [
        { name: 'p50', points: over(({ p50 }) => p50) },
        { name: 'p95', points: over(({ p95 }) => p95) },
        { name: 'p99', points: over(({ p99 }) => p99) },
      ],
    }),
    plot({
      title: 'Memory',
      unit: 'MiB',
      fromZero: false,
      series: [
        ...sampled(samples, 'VmRSS', ({ rssMiB }) => rssMiB, fit),
        ...sampled(samples, 'PSS', ({ pssMiB }) => pssMiB, false),
        ...sampled(samples, 'Pss_Anon', ({ anonymousMiB }) => anonymousMiB, fit),
      ],
    }),
    plot({
      title: 'Descriptors and threads',
      series: [
        ...sampled(samples, 'descriptors', ({ descriptors }) => descriptors, false),
        ...sampled(
          samples,
          "those that aren't clients'",
          ({ descriptors, connections }) => descriptors - connections,
          fit,
        ),
        ...sampled(samples, 'threads', ({ threads }) => threads, false),
        ...sampled(
          samples,
          'database connections',
          ({ databaseConnections }) => databaseConnections ?? undefined,
          false,
        ).map(({ name, points: all }) => ({ name, points: all.filter(([, value]) => value !== undefined) })),
      ],
    }),
    plot({
      title: 'Processor',
      unit: '% of one core',
      series: [
        ...sampled(samples, 'server', ({ serverCpu }) => serverCpu, false),
        ...sampled(samples, 'generator', ({ generatorCpu }) => generatorCpu, false),
      ],
    }),
    plot({
      title: 'Behind',
      series: [
        ...sampled(samples, 'ledgers, the indexer', ({ ledgersBehind }) => ledgersBehind, false),
        ...sampled(samples, 'webhooks that wait', ({ webhooksWaiting }) => webhooksWaiting, false),
        ...sampled(samples, 'messages queued for feeds', ({ queuedMessages }) => queuedMessages, false),
        ...sampled(samples, 'reads that wait', ({ readsWaiting }) => readsWaiting, false),
      ],
    }),
    plot({
      title: 'Log',
      unit: 'entries',
      fromZero: false,
      series: sampled(samples, 'head', ({ logSeq }) => logSeq, false),
    }),
    plot({
      title: 'Largest tables',
      unit: 'MiB',
      series: largest.map((name) => ({
        name,
        points: tables.map(({ at, bytes }) => [at, (bytes[name] ?? 0) / MIB]),
      })),
    }),
  ].join('');
}
