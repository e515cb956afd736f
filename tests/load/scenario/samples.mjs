// Looks at the server while it works: its process, what it says of itself, and its database. Every figure is of one
// moment; nothing is averaged here.
import { readFileSync, readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import { readPrometheusText, sampleValue } from '../../api/harness/prometheus_text.js';

const MAX_SAMPLES = 1_200;
const EVERY_DATABASE = 5;
const EVERY_LOG = 10;
const MIB = 1024 * 1024;
const TICKS_A_SECOND = 100; // USER_HZ, which /proc counts in

const CONNECTIONS =
  "SELECT count(*)::int AS count FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'";
/** With indexes and TOAST; partitions under their table. */
const TABLES = `
  SELECT coalesce(pg_partition_root(c.oid), c.oid)::regclass::text AS name, sum(pg_total_relation_size(c.oid))::bigint AS bytes
  FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace GROUP BY 1`;

/** @param {number} pid */
function processFigures(pid) {
  const file = (name) => readFileSync(`/proc/${pid}/${name}`, 'utf8');
  const kib = (text, name) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1]);
  const [status, memory] = [file('status'), file('smaps_rollup')];
  // Behind the name in brackets, which may hold anything: fields 3 and on.
  const fields = file('stat').split(') ').at(-1).split(' ');
  return {
    rssMiB: kib(status, 'VmRSS') / 1024,
    pssMiB: kib(memory, 'Pss') / 1024,
    anonymousMiB: kib(memory, 'Pss_Anon') / 1024,
    threads: Number(/^Threads:\s+(\d+)/m.exec(status)?.[1]),
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND,
  };
}

/** The same of a server elsewhere, as far as it tells. @param {ReturnType<typeof readPrometheusText>} page */
function toldFigures(page) {
  return {
    rssMiB: sampleValue(page, 'process_resident_memory_bytes') / MIB,
    descriptors: sampleValue(page, 'process_open_fds'),
    cpuSeconds: sampleValue(page, 'process_cpu_seconds_total'),
  };
}

/** @param {ReturnType<typeof readPrometheusText>} page */
function serviceFigures(page) {
  const value = (name, labels) => (page.has(name) ? sampleValue(page, name, labels) : null);
  const followsChain = page.has('fluxora_indexer_last_ledger');
  return {
    ledgersBehind: followsChain
      ? Math.max(0, value('fluxora_indexer_chain_latest_ledger') - value('fluxora_indexer_last_ledger'))
      : null,
    connections: value('fluxora_connections'),
    logSeq: value('fluxora_log_tail_seq'),
    webSockets: value('fluxora_websocket_connections'),
    queuedMessages: value('fluxora_websocket_queued_messages'),
    readsWaiting: value('fluxora_db_reads_waiting'),
    webhooksWaiting: value('fluxora_webhook_deliveries', { state: 'waiting' }),
  };
}

export class Sampler {
  /** @param {any} target @param {import('./recorder.mjs').Recorder} recorder @param {number} expectedSeconds */
  constructor(target, recorder, expectedSeconds) {
    Object.assign(this, { target, recorder });
    this.everySeconds = Math.max(1, Math.ceil(expectedSeconds / MAX_SAMPLES));
    this.samples = [];
    this.tables = [];
    this.missed = 0;
    this.ending = new AbortController();
  }

  start() {
    this.running = this.#run();
  }

  async stop() {
    this.ending.abort();
    await this.running;
  }

  async #run() {
    const { signal } = this.ending;
    for (let taken = 0; !signal.aborted; taken += 1) {
      try {
        await this.#sample(taken);
      } catch (error) {
        // An overloaded server may be slow to tell; a process that is gone shows in everything else.
        this.missed += 1;
        this.lastTrouble = String(error);
      }
      await sleep(this.everySeconds * 1000, undefined, { signal }).catch(() => {});
    }
  }

  async #sample(taken) {
    const { target, recorder } = this;
    const at = recorder.seconds();
    const page = readPrometheusText(await (await fetch(`${target.url}/metrics`)).text());
    const { cpuSeconds, ...figures } = target.own ? processFigures(target.pid) : toldFigures(page);
    const { user, system } = process.cpuUsage();
    const used = { at, server: cpuSeconds, generator: (user + system) / 1e6 };
    const cpu = (name) =>
      this.used === undefined ? null : (100 * (used[name] - this.used[name])) / (at - this.used.at);
    const sample = {
      at,
      ...figures,
      ...serviceFigures(page),
      serverCpu: cpu('server'),
      generatorCpu: cpu('generator'),
    };
    this.used = used;
    if (target.own && taken % EVERY_DATABASE === 0) await this.#sampleDatabase(sample);
    if (target.own && taken % EVERY_LOG === EVERY_LOG - 1) target.emptyLog();
    this.samples.push(sample);
  }

  async #sampleDatabase(sample) {
    const { db } = this.target;
    const [{ count }, tables, { seq }] = await Promise.all([
      db.row(CONNECTIONS),
      db.rows(TABLES),
      db.row('SELECT seq::int FROM log_head'),
    ]);
    sample.databaseConnections = count;
    this.tables.push({
      at: sample.at,
      seq,
      bytes: Object.fromEntries(tables.map(({ name, bytes }) => [name, Number(bytes)])),
    });
  }
}
