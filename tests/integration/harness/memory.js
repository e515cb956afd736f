// How much memory the server has.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

const MIB = 1024 * 1024;
/** A sanitizer keeps what was freed, so that its sizes say nothing about ours. */
const measurable = !/^[at]san$/.test(process.env.FLUXORA_PRESET ?? '');

/** Resident bytes. @param {import('./server_process.js').ServerProcess} server */
export function residentBytes(server) {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${server.process?.pid}/status`, 'utf8'))?.[1]) * 1024;
}

/** @param {import('./server_process.js').ServerProcess} server @param {number} before @param {number} limitMiB */
export function checkGrowth(server, before, limitMiB) {
  const grown = (residentBytes(server) - before) / MIB;
  if (measurable) assert.ok(grown < limitMiB, `the server grew by ${grown.toFixed(1)} MiB, not less than ${limitMiB}`);
}
