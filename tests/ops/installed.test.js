// What cmake --install puts where, and the installed program: it finds its demo page by itself, and tells its service
// manager how it is.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { request } from '../integration/harness/http_client.js';
import { disown, own } from '../integration/harness/ownership.js';
import { PROJECT_ROOT, ServerProcess, serverProgram } from '../integration/harness/server_process.js';
import { newDatabase, serverEnvironment } from '../integration/harness/stack.js';
import { waitFor } from '../integration/harness/wait.js';

const BUILD = dirname(dirname(dirname(serverProgram())));
/** The prefix that a build has unless it is told another one. */
const PREFIX = 'usr/local';

let root;
/** @param {string[]} path below the prefix */
const installed = (...path) => join(root, PREFIX, ...path);

const install = () => execFileSync('cmake', ['--install', BUILD], { env: { ...process.env, DESTDIR: root }, stdio: 'pipe' });

before(() => {
  root = mkdtempSync(join(tmpdir(), 'fluxora-installed-'));
  install();
});

after(() => rmSync(root, { recursive: true, force: true }));

/** A service manager's end of NOTIFY_SOCKET, and what came. Node.js has no sockets of that kind. */
async function startManager() {
  const socket = join(root, 'notify');
  const listener = spawn('perl', ['-MSocket', '-e', `
    socket(my $end, AF_UNIX, SOCK_DGRAM, 0) or die $!;
    bind($end, sockaddr_un($ARGV[0])) or die $!;
    $| = 1;
    print "bound\\n";
    while (defined recv($end, my $text, 4096, 0)) { print "$text\\n" }`, socket]);
  const owner = own({ end: async () => { listener.kill(); }, endNow: () => { listener.kill('SIGKILL'); } });
  let said = '';
  listener.stdout.setEncoding('utf8').on('data', (text) => { said += text; });
  await waitFor(() => said.startsWith('bound\n'), { what: 'the socket' });
  return {
    socket,
    messages: () => said.split('\n').slice(1, -1),
    stop() {
      listener.kill();
      disown(owner);
    },
  };
}

test('program, units, settings and documents are where they belong', () => {
  for (const path of ['bin/fluxora-server', 'share/doc/fluxora-server/README.md', 'share/doc/fluxora-server/docs/install.md']) {
    assert.ok(existsSync(installed(path)), path);
  }
  const settings = installed('etc/fluxora/fluxora.env');
  assert.equal(statSync(settings).mode & 0o777, 0o640, 'it may come to hold secrets');
  const lines = readFileSync(settings, 'utf8').split('\n');
  assert.ok(lines.includes('#DATABASE_URL='));
  assert.deepEqual(lines.filter((line) => line !== '' && !line.startsWith('#')), [], 'as it comes it sets nothing');
  const unit = (name) => readFileSync(installed('lib/systemd/system', name), 'utf8');
  assert.match(unit('fluxora-server.service'), new RegExp(`^ExecStart=/${PREFIX}/bin/fluxora-server serve$`, 'm'));
  assert.match(unit('fluxora-server.service'), new RegExp(`^EnvironmentFile=/${PREFIX}/etc/fluxora/fluxora.env$`, 'm'));
  assert.match(unit('fluxora-backup.service'), new RegExp(`/${PREFIX}/bin/fluxora-server backup --to `));
  for (const name of ['fluxora-server.service', 'fluxora-backup.service', 'fluxora-backup.timer']) {
    assert.doesNotMatch(unit(name), /@\w+@/, `${name} has a name that CMake didn't replace`);
  }
});

test('another installation leaves the settings that are there alone', () => {
  const settings = installed('etc/fluxora/fluxora.env');
  writeFileSync(settings, 'DATABASE_URL=postgres://fluxora@127.0.0.1/fluxora\n');
  install();
  assert.equal(readFileSync(settings, 'utf8'), 'DATABASE_URL=postgres://fluxora@127.0.0.1/fluxora\n');
});

/** The page's files have their contents' hashes in their names: those of each version would add up to what no server takes. */
test('another installation leaves nothing of the page that was there, where it has one to put in its place', () => {
  const files = (folder) => readdirSync(folder, { recursive: true }).sort();
  const page = installed('share/fluxora/demo');
  mkdirSync(join(page, 'assets'), { recursive: true });
  writeFileSync(join(page, 'assets/index-B3f0re00.js'), '');
  const before = files(page);
  install();
  const built = join(PROJECT_ROOT, 'build/wasm/demo');
  assert.deepEqual(files(page), existsSync(join(built, 'index.html')) ? files(built) : before);
});

test('the installed program serves the page beside it, and says when it is ready and when it ends', async () => {
  // Where the demo page wasn't built there is none to install: any will do.
  if (!existsSync(installed('share/fluxora/demo/index.html'))) {
    mkdirSync(installed('share/fluxora/demo'), { recursive: true });
    writeFileSync(installed('share/fluxora/demo/index.html'), '<!doctype html><title>Fluxora</title>');
  }
  const manager = await startManager();
  process.env.FLUXORA_SERVER = installed('bin/fluxora-server');
  const environment = serverEnvironment(await newDatabase(), null);
  const server = await ServerProcess.start({ ...environment, NOTIFY_SOCKET: manager.socket });
  await waitFor(() => manager.messages().length > 0, { what: 'a notification' });
  assert.deepEqual(manager.messages(), ['READY=1']);
  const page = await request(`${server.baseUrl}/demo/`);
  assert.equal(page.status, 200);
  assert.equal(page.text, readFileSync(installed('share/fluxora/demo/index.html'), 'utf8'));
  await server.stop();
  await waitFor(() => manager.messages().length > 1, { what: 'another notification' });
  assert.deepEqual(manager.messages(), ['READY=1', 'STOPPING=1']);

  // Nobody has to be told, and nobody has to see the page.
  await server.restart({ NOTIFY_SOCKET: undefined, DEMO_ROOT: 'none' });
  assert.equal((await request(`${server.baseUrl}/demo/`)).status, 404);
  await server.stop();
  manager.stop();
});
