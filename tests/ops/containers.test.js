// docker/ as far as reading can check it: what needs an engine is in tests/image. docker-compose, where it is
// installed, reads compose.yaml by itself; haproxy runs as haproxy.cfg says.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import { contractAddress } from '../chain-sim/src/accounts.js';
import { TEST_PASSPHRASE } from '../chain-sim/src/simulator.js';
import { request } from '../integration/harness/http_client.js';
import { PROJECT_ROOT, runCommand } from '../integration/harness/server_process.js';
import { LoadBalancer } from './harness/load_balancer.js';

const read = (path) => readFileSync(join(PROJECT_ROOT, path), 'utf8');
const compose = parse(read('docker/compose.yaml'), { merge: true });
const services = Object.entries(compose.services);
const dockerfiles = ['docker/Dockerfile', 'docker/chain-sim.Dockerfile', 'tests/image/balancer.Dockerfile'];

/** The lines NAME=value of .env.example; those in comments too. @returns {{name: string, value: string, used: boolean}[]} */
function exampleLines() {
  const lines = [...read('docker/.env.example').matchAll(/^(#?)([A-Z][A-Z_]*)=(.*)$/gm)];
  return lines.map(([, mark, name, value]) => ({ name, value: value.replace(/^"(.*)"$/, '$1'), used: mark === '' }));
}

describe('compose.yaml', () => {
  test('has the services of each profile', () => {
    const of = (profile) => services
      .filter(([, { profiles = [] }]) => profiles.length === 0 || profiles.includes(profile))
      .map(([name]) => name);
    assert.deepEqual(of(''), ['app', 'balancer', 'postgres']);
    assert.deepEqual(of('redis'), ['app', 'balancer', 'postgres', 'redis']);
    assert.deepEqual(of('full'), ['app', 'balancer', 'postgres', 'redis', 'chain-sim', 'prometheus', 'grafana']);
  });

  for (const [name, service] of services) {
    test(`${name} is healthy or isn’t, bounded, and may do nothing that it needn’t`, () => {
      assert.equal(service.healthcheck.test[0], 'CMD');
      assert.equal(service.read_only, true);
      assert.deepEqual(service.cap_drop, ['ALL']);
      assert.deepEqual(service.security_opt, ['no-new-privileges:true']);
      assert.ok(service.user && !/^(root|0)/.test(service.user), service.user);
      assert.equal(service.privileged, undefined);
      assert.equal(service.network_mode, undefined);
      assert.ok(service.cpus && service.mem_limit && service.pids_limit);
      assert.ok(service.logging.options['max-size'] && service.logging.options['max-file']);
      for (const port of service.ports ?? []) assert.match(port, /^(127\.0\.0\.1|\$\{FLUXORA_ADDRESS:-127\.0\.0\.1\}):/);
      for (const { condition } of Object.values(service.depends_on ?? {})) assert.equal(condition, 'service_healthy');
      // Either of this repository, or of a named series of releases.
      if (service.build) assert.ok(existsSync(join(PROJECT_ROOT, service.build.dockerfile)));
      else assert.match(service.image, /:[v\d][\w.-]+$/);
      for (const volume of service.volumes ?? []) {
        const [source] = volume.split(':');
        if (source.startsWith('.')) assert.ok(existsSync(join(PROJECT_ROOT, 'docker', source)), `there is no ${source}`);
        else assert.ok(source in compose.volumes, `there is no volume ${source}`);
      }
    });
  }

  test('instances believe the balancer, at an address that no other container is given', () => {
    const { app, balancer } = compose.services;
    const address = balancer.networks.front.ipv4_address;
    assert.equal(app.environment.TRUSTED_PROXIES, address);
    const [{ subnet, ip_range: range }] = compose.networks.front.ipam.config;
    const number = (text) => text.split('/')[0].split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
    const inside = (network) => {
      const size = 2 ** (32 - Number(network.split('/')[1]));
      return Math.floor(number(address) / size) === Math.floor(number(network) / size);
    };
    assert.ok(inside(subnet) && !inside(range));
  });

  test('gives instances longer to end than they take', () => {
    const { app } = compose.services;
    const grace = /SHUTDOWN_GRACE_MS`\s*\|\s*`(\d+)`/.exec(read('docs/configuration.md'));
    assert.ok(grace);
    assert.ok(parseInt(app.stop_grace_period, 10) * 1000 > Number(app.environment.SHUTDOWN_DELAY_MS) + Number(grace[1]));
  });

  test('is what docker-compose takes, and asks for the password', (t) => {
    if (spawnSync('docker-compose', ['version']).error) {
      t.skip('docker-compose isn’t installed');
      return;
    }
    const folder = mkdtempSync(join(tmpdir(), 'fluxora-compose-'));
    try {
      mkdirSync(join(folder, 'docker'));
      copyFileSync(join(PROJECT_ROOT, 'docker/compose.yaml'), join(folder, 'docker/compose.yaml'));
      const config = (text) => {
        writeFileSync(join(folder, 'docker/.env'), text);
        return spawnSync('docker-compose', ['--file', 'compose.yaml', '--profile', 'full', 'config'], {
          cwd: join(folder, 'docker'), encoding: 'utf8', env: { PATH: process.env.PATH, HOME: folder },
        });
      };
      const example = read('docker/.env.example');
      const refused = config(example);
      assert.notEqual(refused.status, 0);
      assert.match(refused.stderr, /set POSTGRES_PASSWORD in \.env/);
      const filled = example.replace('POSTGRES_PASSWORD=', 'POSTGRES_PASSWORD=sesame').replace('INSTANCES=1', 'INSTANCES=3');
      const taken = config(filled);
      assert.equal(taken.status, 0, taken.stderr);
      const resolved = parse(taken.stdout);
      assert.deepEqual(Object.keys(resolved.services).sort(), Object.keys(compose.services).sort());
      assert.equal(resolved.services.app.environment.DATABASE_URL, 'postgres://fluxora:sesame@postgres:5432/fluxora');
      assert.equal(resolved.services.app.environment.AUTH_REQUIRED, 'true');
      assert.equal(resolved.services.app.deploy.replicas, 3);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('.env.example', () => {
  test('names what compose.yaml or the server knows, and nothing that compose.yaml decides', () => {
    const text = read('docker/compose.yaml');
    const settings = read('docs/configuration.md');
    for (const { name } of exampleLines()) {
      const known = name.startsWith('COMPOSE_') || text.includes(`\${${name}:`) || settings.includes(`| \`${name}\` |`);
      assert.ok(known, `nobody knows ${name}`);
      assert.ok(!(name in compose.services.app.environment), `compose.yaml decides ${name}`);
    }
    for (const [, name] of text.matchAll(/\$\{(\w+):/g)) assert.ok(exampleLines().some((line) => line.name === name), `${name} isn’t in it`);
  });

  test('knows the simulator’s chain', () => {
    const values = Object.fromEntries(exampleLines().filter(({ used }) => !used).map(({ name, value }) => [name, value]));
    const [seed] = /"--seed", "(\w+)"/.exec(read('docker/chain-sim.Dockerfile'))?.slice(1) ?? [];
    assert.equal(values.CONTRACT_IDS, contractAddress(seed, 'streams'));
    assert.equal(values.NETWORK_PASSPHRASE, TEST_PASSPHRASE);
  });

  test('is a valid configuration as it is, and with either chain', async () => {
    const { TRUSTED_PROXIES } = compose.services.app.environment;
    const decided = { DATABASE_URL: 'postgres://fluxora:sesame@postgres:5432/fluxora', TRUSTED_PROXIES };
    const used = Object.fromEntries(exampleLines().filter(({ used: is }) => is).map(({ name, value }) => [name, value]));
    const [testnet, simulator] = read('docker/.env.example').split('\n# The chain simulator')
      .map((text) => Object.fromEntries([...text.matchAll(/^#([A-Z_]+)="?([^"\n]*)"?$/gm)].map(([, name, value]) => [name, value])));
    const contract = { CONTRACT_IDS: contractAddress(1, 'streams') };
    for (const chain of [{}, { ...testnet, ...contract }, simulator]) {
      const { code, stderr } = await runCommand(['check-config'], { ...used, ...chain, ...decided });
      assert.equal(code, 0, stderr);
    }
  });
});

test('the balancer keeps figures to itself however their path is written, and tells instances the address of whoever asks', async (t) => {
  if (spawnSync('haproxy', ['-v'], { env: { PATH: `${process.env.PATH}:/usr/sbin` } }).error) {
    t.skip('haproxy isn’t installed');
    return;
  }
  const instance = createServer((incoming, response) => {
    response.end(`${incoming.headers['x-forwarded-for'] ?? ''}\n`);
  });
  await new Promise((done) => { instance.listen(0, '127.0.0.1', () => done(undefined)); });
  const port = /** @type {import('node:net').AddressInfo} */ (instance.address()).port;
  const balancer = await LoadBalancer.start([port]);
  try {
    await balancer.waitForState(port, /UP/);
    for (const path of ['/metrics', '/metrics?a=b', '/%6detrics', '/%6D%65trics']) {
      assert.equal((await request(balancer.baseUrl + path)).status, 403, path);
    }
    const answer = await request(`${balancer.baseUrl}/api/streams`, { headers: { 'x-forwarded-for': '10.1.2.3' } });
    assert.equal(answer.text, '127.0.0.1\n');
  } finally {
    await balancer.end();
    instance.closeAllConnections();
    instance.close();
  }
});

test('haproxy takes haproxy.cfg', (t) => {
  const { error, status, stderr } = spawnSync('haproxy', ['-c', '-f', join(PROJECT_ROOT, 'docker/haproxy.cfg')], {
    encoding: 'utf8', env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` },
  });
  if (error) {
    t.skip('haproxy isn’t installed');
    return;
  }
  assert.equal(status, 0, stderr);
});

test('what the images are built from is there, and reaches the builder', () => {
  const rules = read('.dockerignore').split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  assert.equal(rules[0], '*');
  const allowed = rules.filter((rule) => rule.startsWith('!')).map((rule) => rule.slice(1));
  for (const path of allowed) assert.ok(existsSync(join(PROJECT_ROOT, path)), `there is no ${path}`);
  for (const file of dockerfiles) {
    const copied = [...read(file).matchAll(/^COPY (?!--from)(.+)$/gm)].flatMap(([, list]) => list.split(' ').slice(0, -1));
    for (const path of copied) {
      assert.ok(existsSync(join(PROJECT_ROOT, path)), `${file}: there is no ${path}`);
      assert.ok(allowed.some((known) => path === known || path.startsWith(`${known}/`)), `.dockerignore keeps ${path} from the builder`);
    }
  }
});

test('the image is of this version, on a base that the builder chooses', () => {
  const [version] = /^project\(fluxora VERSION ([\d.]+)/m.exec(read('CMakeLists.txt'))?.slice(1) ?? [];
  assert.equal(/^ARG VERSION=(.*)$/m.exec(read('docker/Dockerfile'))?.[1], version);
  for (const file of dockerfiles) {
    assert.match(read(file), /^ARG BASE=debian:12-slim$/m);
    const stages = [...read(file).matchAll(/^FROM \S+ AS (\w+)$/gm)].map(([, name]) => name);
    for (const [, base] of read(file).matchAll(/^FROM (\S+)/gm)) assert.ok(['${BASE}', 'scratch', ...stages].includes(base), `${file}: ${base}`);
  }
});
