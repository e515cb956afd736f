// What Prometheus and Grafana are given: the alert rules by promtool's unit tests, and rules and dashboard before a real
// server, so that none asks for a metric, a runbook or a function that there isn't.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { dashboard, dashboardText } from '../../docker/grafana/dashboard.mjs';
import { PROJECT_ROOT } from '../integration/harness/server_process.js';
import { waitFor } from '../integration/harness/wait.js';
import { metricsOf, NO_PROMTOOL, Prometheus, PROMETHEUS_FOLDER } from './harness/prometheus.js';
import { startWatchedStack } from './harness/watched_stack.js';

const RUNBOOKS = 'docs/runbooks';
/** Pages that no alert leads to. */
const NOT_FOR_ALERTS = ['README', 'restore'];
const UNIT_TESTS = readdirSync(join(PROMETHEUS_FOLDER, 'tests')).map((name) => join('tests', name));

/** @param {string[]} args */
function promtool(...args) {
  const { status, stdout, stderr } = spawnSync('promtool', args, { cwd: PROMETHEUS_FOLDER, encoding: 'utf8' });
  return { status, text: stdout + stderr };
}

const panels = dashboard().panels.filter(({ type }) => type !== 'row');
const targets = panels.flatMap(({ title, targets: ofPanel }) => ofPanel.map((target) => ({ title, ...target })));

/** As Grafana asks it. @param {string} expression @param {string} [job] */
const interpolated = (expression, job = 'fluxora') =>
  expression.replaceAll('$job', job).replaceAll('$instance', '.*').replaceAll('$__rate_interval', '1m');

describe('alert rules', { skip: NO_PROMTOOL }, () => {
  test('are rules, and prometheus.yml a configuration', () => {
    for (const args of [['check', 'rules', 'alerts.yml'], ['check', 'config', 'prometheus.yml']]) {
      const { status, text } = promtool(...args);
      assert.equal(status, 0, text);
      assert.doesNotMatch(text, /duplicate|warning/i, text);
    }
  });

  for (const file of UNIT_TESTS) {
    test(`fire when they should, and only then: ${file}`, () => {
      const { status, text } = promtool('test', 'rules', file);
      assert.equal(status, 0, text);
    });
  }

  test('each has a unit test in which it fires', () => {
    const rules = readFileSync(join(PROMETHEUS_FOLDER, 'alerts.yml'), 'utf8').match(/(?<=- alert: )\w+/g) ?? [];
    const tested = UNIT_TESTS.map((file) => readFileSync(join(PROMETHEUS_FOLDER, file), 'utf8')).join();
    assert.ok(rules.length > 0);
    assert.deepEqual(rules.filter((name) => !tested.includes(`'{alertname="${name}"}', value: 1`)), []);
  });
});

describe('the dashboard', () => {
  test('is what its description says', () => {
    const written = readFileSync(join(PROJECT_ROOT, 'docker/grafana/dashboards/fluxora.json'), 'utf8');
    assert.equal(written, dashboardText(), 'run: node docker/grafana/dashboard.mjs');
  });

  test('has panels of their own ids and places, with units and sources', () => {
    const taken = new Map();
    const ids = new Set();
    for (const { id, title, type, gridPos: { x, y, w, h }, fieldConfig, datasource, targets: lines } of dashboard().panels) {
      assert.ok(!ids.has(id), `panel ${id} twice`);
      ids.add(id);
      assert.ok(w > 0 && h > 0 && x >= 0 && x + w <= 24, title);
      for (let column = x; column < x + w; column += 1) {
        for (let line = y; line < y + h; line += 1) {
          assert.equal(taken.get(`${column} ${line}`), undefined, `${title} lies over another`);
          taken.set(`${column} ${line}`, title);
        }
      }
      if (type === 'row') continue;
      assert.match(fieldConfig.defaults.unit, /^(none|short|s|bytes|ops|reqps|percentunit|bool_yes_no)$/, title);
      assert.equal(datasource.uid, '${datasource}', title);
      assert.equal(new Set(lines.map(({ refId }) => refId)).size, lines.length, title);
      for (const line of lines) assert.equal(line.datasource.uid, '${datasource}', title);
    }
    const variables = dashboard().templating.list.map(({ name }) => name);
    assert.deepEqual(variables, ['datasource', 'job', 'instance']);
  });
});

describe('before a real server', { skip: NO_PROMTOOL }, () => {
  /** @type {Awaited<ReturnType<typeof startWatchedStack>>} */
  let stack;
  /** @type {Prometheus} */
  let prometheus;
  /** @type {any[]} */
  let rules;
  before(async () => {
    stack = await startWatchedStack();
    prometheus = await Prometheus.start([`127.0.0.1:${stack.server.port}`]);
    await waitFor(async () => {
      rules = await prometheus.rules();
      return rules.every(({ health }) => health !== 'unknown') && (await prometheus.query('up{job="fluxora"} == 1')).length === 1;
    }, { what: 'the server to be scraped and the rules to be evaluated', describe: () => String(prometheus.output) });
  });
  after(async () => {
    await stack.stop();
    await prometheus.end();
    await stack.cluster.end();
  });

  test('every rule can be evaluated, and says all that somebody who is woken needs', () => {
    for (const { name, type, health, lastError, labels, annotations } of rules) {
      assert.equal(type, 'alerting', name);
      assert.equal(health, 'ok', `${name}: ${lastError}`);
      assert.match(labels.severity, /^(page|warn)$/, name);
      assert.ok(annotations.summary && annotations.description, name);
      assert.match(annotations.runbook, /^docs\/runbooks\/[a-z-]+\.md$/, name);
    }
    assert.equal(new Set(rules.map(({ name }) => name)).size, rules.length, 'names are unique');
  });

  test('every rule has its runbook, and every runbook its rule, which its list names', () => {
    const wanted = new Set(rules.map(({ annotations }) => annotations.runbook));
    assert.deepEqual([...wanted].filter((path) => !existsSync(join(PROJECT_ROOT, path))), []);
    const pages = readdirSync(join(PROJECT_ROOT, RUNBOOKS)).map((name) => name.replace(/\.md$/, ''));
    assert.deepEqual(pages.filter((name) => !NOT_FOR_ALERTS.includes(name) && !wanted.has(`${RUNBOOKS}/${name}.md`)), []);
    const list = readFileSync(join(PROJECT_ROOT, RUNBOOKS, 'README.md'), 'utf8');
    for (const { name, annotations } of rules) {
      const file = annotations.runbook.slice(RUNBOOKS.length + 1);
      const [line] = list.split('\n').filter((each) => each.includes(`(${file}) |`));
      assert.ok(line?.includes(`\`${name}\``), `${name} in the list of ${RUNBOOKS}/README.md`);
      assert.ok(readFileSync(join(PROJECT_ROOT, annotations.runbook), 'utf8').includes(name) || list.includes(name), name);
    }
  });

  test('every metric that a rule or panel asks for is one that servers show', () => {
    const asked = [...rules.map(({ query }) => query), ...targets.map(({ expr }) => expr)].flatMap(metricsOf);
    const others = /^node_filesystem_(avail|size)_bytes$/; // the node_exporter's
    assert.deepEqual([...new Set(asked)].filter((name) => !stack.metrics.has(name) && !others.test(name)), []);
  });

  test('every panel\'s query can be asked', async () => {
    for (const { title, expr } of targets) {
      await assert.doesNotReject(prometheus.query(interpolated(expr)), `${title}: ${expr}`);
    }
    const { list } = dashboard().templating;
    for (const { name, query } of list.filter(({ type }) => type === 'query')) {
      const [, metric, label] = /^label_values\((\S+), (\w+)\)$/.exec(query.query) ?? [];
      const found = await prometheus.query(interpolated(String(metric)));
      assert.ok(found.length === 1 && found[0].metric[label], name);
    }
  });

  test('panels of what every server has show something', async () => {
    const always = new Set(['Instances', 'Database answers', 'Alarms that stand', 'In flight, connections', 'State', 'Head', 'Reads', 'Processor', 'Memory', 'File descriptors', 'Runs for']);
    for (const { title, expr } of targets.filter((target) => always.delete(target.title))) {
      await waitFor(async () => (await prometheus.query(interpolated(expr))).length > 0, { what: `${title}: ${expr}` });
    }
    assert.deepEqual([...always], [], 'panels of these titles');
  });

  test('an alert follows what happens to the server', async () => {
    const alerts = async () => (await prometheus.get('alerts')).alerts.map(({ labels }) => labels.alertname);
    assert.ok(!(await alerts()).includes('FluxoraDatabaseDown'));
    await stack.cluster.stop();
    await waitFor(async () => (await alerts()).includes('FluxoraDatabaseDown'), { what: 'FluxoraDatabaseDown to be pending', describe: alerts });
    await stack.cluster.start();
    await waitFor(async () => !(await alerts()).includes('FluxoraDatabaseDown'), { what: 'it to be over', describe: alerts });
  });
});
