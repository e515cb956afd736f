// The service's figures as rows of a table, with their aims.
import { median, summary } from '../bench/measure.mjs';

export const thousands = (value) => String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',');
export const mebibytes = (kib) => `${(kib / 1024).toFixed(1)} MiB`;
export const milliseconds = (microseconds) => `${(microseconds / 1000).toFixed(2)} ms`;

/** Requests a second: the median, with the slowest and the fastest round. */
function rates(samples) {
  const { min, median: middle, max } = summary(samples);
  return `${thousands(middle)} (${thousands(min)}–${thousands(max)})`;
}

export function row(what, own, other, ratio, aim, met) {
  return { cells: [what, own, other, ratio, aim ?? '', aim === undefined ? '' : met ? 'met' : 'missed'], what, met: aim === undefined || met };
}

/** Our rate as a multiple of the other's: the median over the rounds. */
export function timesOther(what, own, other, least) {
  const ratio = median(own.map((sample, round) => sample / other[round]));
  return row(what, rates(own), rates(other), `${ratio.toFixed(2)} ×`, least && `≥ ${least} ×`, ratio >= least);
}

function latencyRow(what, samples, most) {
  const ratio = median(samples.map(({ p50, p99 }) => p99 / p50));
  const middle = (name) => milliseconds(median(samples.map((sample) => sample[name])));
  return row(what, `p99 ${middle('p99')}`, `p50 ${middle('p50')}`, `${ratio.toFixed(2)} ×`, `≤ ${most} ×`, ratio <= most);
}

function memoryRows({ idle, early, late }, mostIdleMiB, mostGrowth) {
  const growth = late.residentKiB / early.residentKiB;
  return [
    row('resident memory, idle', mebibytes(idle), '', '', `≤ ${mostIdleMiB} MiB`, idle <= mostIdleMiB * 1024),
    row(`resident memory after ${thousands(late.requests)} requests, against after ${thousands(early.requests)}`,
      mebibytes(late.residentKiB), mebibytes(early.residentKiB), `${growth.toFixed(2)} ×`, `≤ ${mostGrowth} ×`, growth <= mostGrowth),
  ];
}

export function rows({ health, one, list, create, latency, memory }) {
  return [
    timesOther('`GET /health`, against nginx and a file of 200 bytes', health.fluxora, health.nginx, 0.9),
    timesOther('`GET /api/streams/{id}`, against pgbench and the same SELECT from as many connections', one.fluxora, one.pgbench, 1.2),
    timesOther('the same, against pgbench at its best, with 4 clients', one.fluxora, one.fewClients),
    timesOther('`GET /api/streams/{id}`, against Express', one.fluxora, one.express, 20),
    timesOther('the same, against two workers of Express', one.fluxora, one.workers),
    timesOther('`GET /api/streams?limit=20`, against Express', list.fluxora, list.express, 8),
    timesOther('the same, against two workers of Express', list.fluxora, list.workers),
    timesOther('`POST /api/streams`, against Express', create.fluxora, create.express, 5),
    timesOther('the same, against two workers of Express', create.fluxora, create.workers),
    latencyRow('`GET /api/streams/{id}` at 128 connections', latency.fluxora, 3),
    ...memoryRows(memory, 24, 1.2),
  ];
}

export const NOTES = 'Rates are requests a second: medians, with the slowest and the fastest round; ratios are medians over the rounds.';
