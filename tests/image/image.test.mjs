// The image of docker/Dockerfile, run as docker/compose.yaml runs it: a read-only root, no capabilities, nobody's user.
// $PODMAN has it as localhost/fluxora, built a second time without the compiler's cache as localhost/fluxora-again.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { appendFileSync, lstatSync, mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { create } from '../integration/harness/api_streams.js';
import { request } from '../integration/harness/http_client.js';
import { freePort } from '../integration/harness/postgres_cluster.js';
import { newDatabase } from '../integration/harness/stack.js';
import { waitFor } from '../integration/harness/wait.js';
import { WsClient } from '../integration/harness/ws_client.js';
import { CONFINED, Container, ended, podman, tryPodman } from './podman.mjs';

const IMAGE = 'localhost/fluxora';
const USER = '10001';
const PROGRAM = '/usr/bin/fluxora-server';

/** Shown by scripts/test, whose runner is silent about what passes. @param {string} line */
function report(line) {
  if (process.env.IMAGE_REPORT) appendFileSync(process.env.IMAGE_REPORT, `${line}\n`);
}

/** @param {string} image */
async function configOf(image) {
  return JSON.parse(await podman('image', 'inspect', image))[0];
}

/** Everything in an image, unpacked. @param {string} image @param {string} parent */
async function unpack(image, parent) {
  const folder = mkdtempSync(join(parent, 'image-'));
  const id = await podman('create', image);
  const archive = `${folder}.tar`;
  await podman('export', '--output', archive, id);
  await podman('rm', id);
  const { status, stderr } = spawnSync('tar', ['-C', folder, '-xpf', archive], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  rmSync(archive);
  return folder;
}

/** What the engine puts into every container for its mounts. */
const ENGINES = /^(dev|proc|sys|run|etc\/(hosts|hostname|resolv\.conf|mtab))(\/|$)/;

/** @param {string} folder @param {string} [path] @returns {{path: string, stat: import('node:fs').Stats}[]} */
function walk(folder, path = '') {
  return readdirSync(join(folder, path)).sort().flatMap((name) => {
    const entry = join(path, name);
    if (ENGINES.test(entry)) return [];
    const stat = lstatSync(join(folder, entry));
    return [{ path: entry, stat }, ...(stat.isDirectory() ? walk(folder, entry) : [])];
  });
}

/** A server in a container, on this machine's network. @param {Record<string, string>} env */
async function startServer(env, options = []) {
  const port = await freePort();
  const settings = Object.entries({ HOST: '127.0.0.1', PORT: String(port), ...env }).map(([name, value]) => `--env=${name}=${value}`);
  const container = await Container.start(IMAGE, ['--network=host', ...CONFINED, ...settings, ...options]);
  return { container, url: `http://127.0.0.1:${port}` };
}

describe('a container', () => {
  /** @type {import('../integration/harness/stack.js').Database} */
  let db;
  /** @type {{container: Container, url: string}} */
  let server;

  before(async () => {
    db = await newDatabase();
    server = await startServer({ DATABASE_URL: db.url }, ['--volume=fluxora-test-backups:/backups']);
  });

  after(() => tryPodman('volume', 'rm', '--force', 'fluxora-test-backups'));

  test('becomes healthy, by its own program', async () => {
    const { Config } = await server.container.inspect();
    assert.deepEqual(Config.Healthcheck.Test, ['CMD', PROGRAM, 'health']);
    await waitFor(async () => (await tryPodman('healthcheck', 'run', server.container.name)).code === 0, {
      what: 'a healthy container', giveUp: () => ended(server.container), describe: () => server.container.logs(),
    });
  });

  test('serves the API, the live feed and the demo page', async () => {
    const root = await request(`${server.url}/`);
    assert.equal(root.status, 200);
    const { Labels } = await configOf(IMAGE);
    assert.equal(root.json.version, Labels['org.opencontainers.image.version']);
    assert.equal((await request(`${server.url}/health`)).json.status, 'ok');

    const client = await WsClient.open(`${server.url.replace('http', 'ws')}/ws/streams`);
    await client.subscribe({ streamId: '*' });
    const created = await create(server.url);
    assert.equal(created.status, 201, created.text);
    await client.waitFor((message) => message.payload?.streamId === created.json.id, { what: 'the new stream on the feed' });
    client.socket.terminate();

    const page = await request(`${server.url}/demo/`);
    assert.equal(page.status, 200);
    assert.match(page.text, /<html/);
    const [, script] = /<script [^>]*src="([^"]+)"/.exec(page.text);
    const code = await request(new URL(script, `${server.url}/demo/`).href);
    assert.equal(code.status, 200);
    const [module] = /fluxora_core-[\w-]+\.wasm/.exec(code.text);
    const core = await request(`${server.url}/demo/assets/${module}`);
    assert.equal(core.status, 200);
    assert.equal(core.headers['content-type'], 'application/wasm');
  });

  test('is nobody, with no capability, on a root that it can’t write', async () => {
    const { State } = await server.container.inspect();
    const status = readFileSync(`/proc/${State.Pid}/status`, 'utf8');
    assert.match(status, new RegExp(`^Uid:\\s+${USER}\\s+${USER}\\s+${USER}\\s+${USER}$`, 'm'));
    assert.match(status, new RegExp(`^Gid:\\s+${USER}\\s+${USER}\\s+${USER}\\s+${USER}$`, 'm'));
    assert.match(status, /^CapEff:\s+0{16}$/m);
    assert.match(status, /^CapBnd:\s+0{16}$/m);
    assert.match(status, /^NoNewPrivs:\s+1$/m);
    const mounts = readFileSync(`/proc/${State.Pid}/mountinfo`, 'utf8').split('\n').map((line) => line.split(' '));
    const root = mounts.find((fields) => fields[4] === '/');
    assert.ok(root && root[5].split(',').includes('ro'), String(root));
  });

  test('runs the other commands', async () => {
    const version = await server.container.exec(PROGRAM, 'version');
    const { Labels } = await configOf(IMAGE);
    assert.equal(version.stdout.trim(), Labels['org.opencontainers.image.version']);
    const key = await server.container.exec(PROGRAM, 'keys', 'create', '--name', 'image test', '--scope', 'streams:write');
    assert.equal(key.code, 0, key.stderr);
    const verified = await server.container.exec(PROGRAM, 'verify');
    assert.equal(verified.code, 0, verified.stdout);
  });

  test('writes a backup to a volume, and restores it', async () => {
    const backup = await server.container.exec(PROGRAM, 'backup', '--to', '/backups/image-test.dump');
    assert.equal(backup.code, 0, backup.stdout + backup.stderr);
    const empty = await newDatabase();
    const restore = await tryPodman('run', '--rm', '--network=host', ...CONFINED, '--volume=fluxora-test-backups:/backups',
      `--env=DATABASE_URL=${empty.url}`, IMAGE, 'restore', '--from', '/backups/image-test.dump');
    assert.equal(restore.code, 0, restore.stdout + restore.stderr);
    const { count } = await empty.row('SELECT count(*)::int AS count FROM streams');
    assert.equal(count, 1);
  });

  test('ends in order on SIGTERM, within 10 s', async () => {
    assert.equal(await server.container.stop(10), 0); // killed, it would be 137
    assert.match(await server.container.logs(), /"event":"stopped"/);
  });
});

describe('a start that can’t go well', () => {
  const start = (env) => tryPodman('run', '--rm', '--network=host', ...CONFINED, ...env.map((setting) => `--env=${setting}`), IMAGE);

  test('without DATABASE_URL ends with 2 and names it', async () => {
    const { code, stderr } = await start([]);
    assert.equal(code, 2);
    assert.match(stderr, /DATABASE_URL must be set/);
  });

  test('with another database’s URL ends with 2 and names it', async () => {
    const { code, stderr } = await start(['DATABASE_URL=mysql://user:sesame@127.0.0.1/fluxora']);
    assert.equal(code, 2);
    assert.match(stderr, /DATABASE_URL/);
    assert.ok(!stderr.includes('sesame'));
  });

  test('with a database that isn’t there ends with 1 and says so, without its password', async () => {
    const { code, stdout, stderr } = await start([`DATABASE_URL=postgres://user:sesame@127.0.0.1:${await freePort()}/fluxora`]);
    assert.equal(code, 1);
    assert.match(stdout, /"event":"start_failed"/);
    assert.ok(!(stdout + stderr).includes('sesame'));
  });
});

describe('the image', () => {
  const parent = mkdtempSync(join(tmpdir(), 'fluxora-image-'));
  /** @type {string} */
  let root;
  /** @type {ReturnType<typeof walk>} */
  let entries;

  before(async () => {
    root = await unpack(IMAGE, parent);
    entries = walk(root);
  });

  after(() => rmSync(parent, { recursive: true, force: true }));

  test('has five programs, and neither shell nor package manager nor compiler', () => {
    const executables = entries.filter(({ stat }) => stat.isFile() && (stat.mode & 0o111) !== 0).map(({ path }) => path);
    const expected = [
      /^usr\/lib(64)?\/.*ld-linux-[^/]*\.so\.\d+$/,
      /^usr\/bin\/fluxora-server$/,
      /^usr\/lib\/postgresql\/\d+\/bin\/pg_dump$/,
      /^usr\/lib\/postgresql\/\d+\/bin\/pg_restore$/,
      /^usr\/lib\/postgresql\/\d+\/bin\/psql$/,
    ];
    const libraries = /^usr\/lib\/.*\.so(\.[\d.]+)?$/;
    assert.deepEqual(executables.filter((path) => !libraries.test(path) && !expected.some((pattern) => pattern.test(path))), []);
    for (const pattern of expected) assert.equal(executables.filter((path) => pattern.test(path)).length, 1, String(pattern));
    assert.deepEqual(entries.filter(({ path }) => path.startsWith('usr/bin/')).map(({ path }) => path), ['usr/bin/fluxora-server']);
  });

  test('has nothing that runs as somebody else, and nothing that anybody may write', () => {
    assert.deepEqual(entries.filter(({ stat }) => (stat.mode & 0o6000) !== 0 && !stat.isDirectory()).map(({ path }) => path), []);
    const writable = entries.filter(({ stat }) => !stat.isSymbolicLink() && (stat.mode & 0o002) !== 0);
    assert.deepEqual(writable.map(({ path }) => path), []);
    const owners = entries.filter(({ stat }) => stat.uid !== 0);
    assert.deepEqual(owners.map(({ path, stat }) => [path, stat.uid]), [['backups', Number(USER)]]);
    const dangling = entries.filter(({ path, stat }) => stat.isSymbolicLink() && !exists(root, path));
    assert.deepEqual(dangling.map(({ path }) => path), []);
  });

  test('tells scanners which packages its files are from, and has their licences', () => {
    const packages = readdirSync(join(root, 'var/lib/dpkg/status.d'));
    assert.ok(packages.includes('libc6') && packages.includes('libssl3'), packages.join(' '));
    for (const name of packages) {
      assert.match(readFileSync(join(root, 'var/lib/dpkg/status.d', name), 'utf8'), /^Version: /m);
      assert.ok(lstatSync(join(root, 'usr/share/doc', name, 'copyright')).size > 0, name);
    }
    report(`packages: ${packages.join(' ')}`);
  });

  test('is told about by its labels, and stops by SIGTERM', async () => {
    const { Labels, Config, Size } = await configOf(IMAGE);
    for (const name of ['title', 'description', 'licenses', 'version', 'revision']) {
      assert.ok(Labels[`org.opencontainers.image.${name}`], name);
    }
    assert.equal(Config.User, `${USER}:${USER}`);
    assert.equal(Config.StopSignal, 'SIGTERM');
    assert.deepEqual(Object.keys(Config.ExposedPorts), ['3000/tcp']);
    const files = entries.filter(({ stat }) => stat.isFile());
    report(`${files.length} files, ${(Size / 1e6).toFixed(1)} MB; ${PROGRAM} ${(lstatSync(join(root, PROGRAM)).size / 1e6).toFixed(1)} MB`);
    const ours = files.map(({ path }) => `/${path}`).filter((path) => !/^\/(usr\/share|var\/lib\/dpkg)\//.test(path));
    report(`besides licences, descriptions of packages and the demo page: ${ours.join(' ')}`);
  });

  test('is the same, byte for byte, built again without the compiler’s cache', async () => {
    const again = await unpack('localhost/fluxora-again', parent);
    const [first, second] = [digests(root), digests(again)];
    assert.deepEqual(first.filter((file) => !second.includes(file)), []);
    assert.deepEqual(second.filter((file) => !first.includes(file)), []);
  });
});

/** @param {string} root @param {string} path a link's, whose target counts from `root` */
function exists(root, path) {
  const target = readlinkSync(join(root, path));
  try {
    lstatSync(target.startsWith('/') ? join(root, target) : join(root, path, '..', target));
    return true;
  } catch {
    return false;
  }
}

/** Every file's path, mode, owner, time and content. @param {string} root */
function digests(root) {
  return walk(root).map(({ path, stat }) => {
    const content = stat.isFile() ? createHash('sha256').update(readFileSync(join(root, path))).digest('hex') : '';
    const link = stat.isSymbolicLink() ? readlinkSync(join(root, path)) : '';
    return [path, stat.mode, stat.uid, stat.gid, stat.isDirectory() ? 0 : stat.mtimeMs, content, link].join(' ');
  });
}
