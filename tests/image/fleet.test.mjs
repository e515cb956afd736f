// Three instances behind docker/haproxy.cfg on a network of their own, found by the name that they share, following the
// simulator's image: what `docker compose --profile full up --scale app=3` starts, by podman.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer, connect } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { create } from '../integration/harness/api_streams.js';
import { request } from '../integration/harness/http_client.js';
import { disown, own } from '../integration/harness/ownership.js';
import { newDatabase } from '../integration/harness/stack.js';
import { waitFor } from '../integration/harness/wait.js';
import { WsClient } from '../integration/harness/ws_client.js';
import { CONFINED, Container, podman, tryPodman } from './podman.mjs';

const DOCKER = resolve(dirname(fileURLToPath(import.meta.url)), '../../docker');
const NETWORK = 'fluxora-test';
const INSTANCES = 3;
const DELAY_MS = 4000; // docker/compose.yaml's

/** The values that docker/.env.example has for the chain simulator. */
function simulatorSettings() {
  const [, block] = readFileSync(join(DOCKER, '.env.example'), 'utf8').split('# The chain simulator');
  const settings = [...block.split('\n\n')[0].matchAll(/^#([A-Z_]+)="?([^"\n]*)"?$/gm)].map(([, name, value]) => [name, value]);
  assert.deepEqual(settings.map(([name]) => name), ['STELLAR_RPC_URL', 'NETWORK_PASSPHRASE', 'CONTRACT_IDS']);
  return Object.fromEntries(settings);
}

/** Lets the containers reach what listens on this machine's loopback. @param {string} address @param {number} port */
async function forward(address, port) {
  const sockets = new Set();
  const server = createServer((inward) => {
    const outward = connect({ host: '127.0.0.1', port });
    for (const [one, other] of [[inward, outward], [outward, inward]]) {
      sockets.add(one);
      one.pipe(other);
      one.on('error', () => other.destroy());
      one.on('close', () => { sockets.delete(one); other.destroy(); });
    }
  });
  await new Promise((done, failed) => server.once('error', failed).listen(0, address, () => done(undefined)));
  const endNow = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  const owner = own({ end: endNow, endNow });
  return { port: /** @type {import('node:net').AddressInfo} */ (server.address()).port, end: () => { endNow(); disown(owner); } };
}

describe('a fleet', () => {
  /** @type {Container[]} */
  const instances = [];
  let base = '';
  let figures = '';

  /** What the balancer has counted of each instance. @returns {Promise<Map<string, {up: boolean, answers: number}>>} */
  async function seenByBalancer() {
    const { text } = await request(`${figures}/metrics`);
    const seen = new Map();
    for (const [, server, up] of text.matchAll(/^haproxy_server_status\{proxy="instances",server="(\w+)",state="UP"\} (\d)/gm)) {
      seen.set(server, { up: up === '1', answers: 0 });
    }
    const answers = /^haproxy_server_http_responses_total\{proxy="instances",server="(\w+)",code="2xx"\} (\d+)/gm;
    for (const [, server, count] of text.matchAll(answers)) {
      seen.get(server).answers = Number(count);
    }
    return seen;
  }

  const upCount = async () => [...(await seenByBalancer()).values()].filter(({ up }) => up).length;

  before(async () => {
    await tryPodman('network', 'rm', '--force', NETWORK); // what a run that was killed has left
    await podman('network', 'create', NETWORK);
    const [{ subnets: [{ gateway }] }] = JSON.parse(await podman('network', 'inspect', NETWORK));
    const inNetwork = (name) => [`--network=${NETWORK}`, `--network-alias=${name}`, ...CONFINED];
    const simulator = await Container.start('localhost/fluxora-chain-sim', inNetwork('chain-sim'), ['--seed', '7', '--close-every', '1000']);
    await waitFor(async () => /listening on/.test(await simulator.logs()), { what: 'the simulator' });
    // The network's bridge, and its gateway's address, are there with the first container.
    const db = await newDatabase();
    const database = await forward(gateway, db.cluster.port);
    const settings = {
      ...simulatorSettings(),
      DATABASE_URL: db.url.replace(`127.0.0.1:${db.cluster.port}`, `${gateway}:${database.port}`),
      SHUTDOWN_DELAY_MS: String(DELAY_MS),
    };
    const environment = Object.entries(settings).map(([name, value]) => `--env=${name}=${value}`);
    for (let i = 0; i < INSTANCES; i += 1) {
      instances.push(await Container.start('localhost/fluxora', [...inNetwork('app'), ...environment]));
    }
    const configuration = `--volume=${join(DOCKER, 'haproxy.cfg')}:/haproxy.cfg:ro`;
    const balancer = await Container.start('localhost/fluxora-balancer', [...inNetwork('balancer'), configuration]);
    const address = await balancer.address();
    base = `http://${address}:3000`;
    figures = `http://${address}:8404`;
    await waitFor(async () => (await upCount()) === INSTANCES, {
      what: 'three instances that are up', describe: async () => [await balancer.logs(), await instances[0].logs()],
    });
  });

  after(async () => {
    for (const instance of instances) await instance.end();
    await tryPodman('network', 'rm', '--force', NETWORK);
  });

  test('answers from each of its instances, and keeps their figures to itself', async () => {
    await waitFor(async () => {
      assert.equal((await request(`${base}/api/streams`)).status, 200);
      return [...(await seenByBalancer()).values()].filter(({ answers }) => answers > 0).length === INSTANCES;
    }, { what: 'an answer of each' });
    assert.equal((await request(`${base}/metrics`)).status, 403);
    assert.equal((await request(`${figures}/health`)).status, 200);
  });

  test('follows the simulator under its name', async () => {
    await waitFor(async () => (await request(`${base}/health`)).json.indexer.status === 'healthy', { what: 'a healthy indexer' });
    await waitFor(async () => (await request(`${base}/api/streams`)).json.streams.length > 0, { what: 'streams of the simulator' });
  });

  test('takes WebSocket and event streams through', async () => {
    const client = await WsClient.open(`${base.replace('http', 'ws')}/ws/streams`);
    await client.subscribe({ streamId: '*' });
    const events = request(`${base}/api/events/stream`);
    const created = await create(base);
    assert.equal(created.status, 201, created.text);
    await client.waitFor((message) => message.payload?.streamId === created.json.id, { what: 'the new stream on the feed' });
    assert.match((await events).text, /^(id|event|data|retry|:)/m);
    client.socket.terminate();
  });

  test('loses no request while one of its instances ends', async () => {
    const state = { ends: false, asked: 0 };
    const failed = [];
    const ask = async () => {
      while (!state.ends) {
        state.asked += 1;
        const answer = await request(`${base}/api/streams?limit=1`).catch((error) => ({ status: 0, text: String(error) }));
        if (answer.status !== 200) failed.push([answer.status, answer.text]);
      }
    };
    const asking = [ask(), ask()];
    assert.equal(await instances[0].stop(20), 0);
    await waitFor(async () => (await upCount()) === INSTANCES - 1, { what: 'the balancer to see it' });
    state.ends = true;
    await Promise.all(asking);
    assert.ok(state.asked > 0);
    assert.deepEqual(failed, []);
  });
});
