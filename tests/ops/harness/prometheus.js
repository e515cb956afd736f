// A real Prometheus with the project's rules, which scrapes servers of a test.
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { tmpdir } from 'node:os';
import { BoundedText, spawnBound } from '../../integration/harness/child.js';
import { request, withQuery } from '../../integration/harness/http_client.js';
import { disown, own } from '../../integration/harness/ownership.js';
import { freePort } from '../../integration/harness/postgres_cluster.js';
import { PROJECT_ROOT } from '../../integration/harness/server_process.js';
import { waitFor } from '../../integration/harness/wait.js';

export const PROMETHEUS_FOLDER = join(PROJECT_ROOT, 'docker/prometheus');

/** @param {string} program */
const isInstalled = (program) => (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, program)));
export const NO_PROMTOOL = isInstalled('promtool') && isInstalled('prometheus') ? undefined : 'Prometheus is not installed: no promtool';

/** prometheus.yml, for these targets and in a hurry. @param {string[]} targets */
function configuration(targets) {
  const theirs = readFileSync(join(PROMETHEUS_FOLDER, 'prometheus.yml'), 'utf8');
  const ours = theirs
    .replaceAll(/_interval: 15s$/gm, '_interval: 1s')
    .replace(/ {4}dns_sd_configs:\n(?: {6}.*\n)+/, `    static_configs:\n      - targets: ${JSON.stringify(targets)}\n`);
  if (!ours.includes('static_configs') || !ours.includes('evaluation_interval: 1s')) throw new Error('prometheus.yml has another shape by now');
  return ours;
}

export class Prometheus {
  constructor() {
    this.directory = mkdtempSync(join(tmpdir(), 'fluxora-prometheus-'));
    this.output = new BoundedText();
  }

  /** @param {string[]} targets host:port of servers */
  static async start(targets) {
    const prometheus = own(new Prometheus());
    const { directory } = prometheus;
    cpSync(join(PROMETHEUS_FOLDER, 'alerts.yml'), join(directory, 'alerts.yml'));
    writeFileSync(join(directory, 'prometheus.yml'), configuration(targets));
    const port = await freePort();
    prometheus.url = `http://127.0.0.1:${port}`;
    const child = spawnBound('prometheus', [
      `--config.file=${join(directory, 'prometheus.yml')}`, `--storage.tsdb.path=${join(directory, 'data')}`, `--web.listen-address=127.0.0.1:${port}`,
    ], { stdio: ['ignore', 'ignore', 'pipe'] });
    child.stderr?.setEncoding('utf8').on('data', (text) => prometheus.output.add(text));
    prometheus.process = child;
    prometheus.exited = new Promise((done) => { child.once('close', done); });
    await waitFor(async () => (await request(`${prometheus.url}/-/ready`)).status === 200, {
      what: 'Prometheus to be ready', describe: () => String(prometheus.output),
    });
    return prometheus;
  }

  /** What the API answers as data. @param {string} path @param {Record<string, string>} [query] */
  async get(path, query = {}) {
    const { json } = await request(withQuery(`${this.url}/api/v1/${path}`, query));
    if (json?.status !== 'success') throw new Error(`${path} ${JSON.stringify(query)}: ${JSON.stringify(json)}`);
    return json.data;
  }

  /** The series that an expression gives now; an error where it is none. @param {string} expression @returns {Promise<any[]>} */
  async query(expression) {
    return (await this.get('query', { query: expression })).result;
  }

  /** All rules, of all groups. @returns {Promise<any[]>} */
  async rules() {
    return (await this.get('rules')).groups.flatMap(({ rules }) => rules);
  }

  async end() {
    this.endNow();
    await this.exited;
    rmSync(this.directory, { recursive: true, force: true });
    disown(this);
  }

  endNow() {
    this.process?.kill('SIGKILL');
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  }
}

/** The metrics that an expression asks for. @param {string} expression */
export function metricsOf(expression) {
  const names = expression.replaceAll(/"[^"]*"/g, '""').match(/\b(?:fluxora|process|node)_\w+/g) ?? [];
  return [...new Set(names)];
}
