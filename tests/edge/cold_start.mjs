// How long a receiver takes in workerd from nothing to its first verdict; `scripts/load webhooks` has the figure.
//
//   node cold_start.mjs [ROUNDS]      prints a line "edge cold start … ms"
//
// Clocks stand still in workerd while code runs, so the time is taken outside. A Worker in it makes other Workers on
// demand (a worker loader); each request has a new one made, and its answer is that Worker's first. In turns that is the
// example for Workers, with a delivery that it accepts and handles, and a Worker that does nothing but answer. Both are
// new isolates in a process that is warm, reached over the same connection, so the difference of the medians is what the
// receiver adds: reading its script, compiling its WebAssembly, making its keys, and the verdict.
//
// The script is the example's folder as wrangler bundles it, from the packed packages; handled deliveries are remembered
// in the isolate's memory, because an object elsewhere would be measured with it otherwise. Isolates of one process
// share what V8 has compiled from the same bytes, so each gets a module of its own, the same but for a section that says
// nothing. And they live on, each dearer than the one before: after a few of them there is a new process.
import { Agent, request as httpRequest } from 'node:http';
import { fileURLToPath } from 'node:url';

import { loadMiniflare } from '../packaging/runtimes/libraries.js';
import { Packages } from './example_project.js';
import { bundleWorker } from './hosts/bundle.js';
import { Sender, newSecret } from './sender.js';

const COMPATIBILITY_DATE = '2026-04-01';
const ROUNDS_A_PROCESS = 5;

// The outer Worker: the path says which Worker to make, a query that is new each time that it is to be a new one.
const HOST = `
import receiver from './receiver.txt';
import wasm from './receiver.bin';
const nothing = 'export default { fetch: () => new Response(null) };';
// A custom section "n" with four bytes.
const numbered = (number) => {
  const bytes = new Uint8Array(wasm.byteLength + 8);
  bytes.set(new Uint8Array(wasm));
  bytes.set([0, 6, 1, 0x6e], wasm.byteLength);
  new DataView(bytes.buffer).setUint32(wasm.byteLength + 4, number);
  return bytes.buffer;
};
const common = { compatibilityDate: '${COMPATIBILITY_DATE}', mainModule: 'main.js' };
export default {
  async fetch(request, { LOADER, SECRET }) {
    const url = new URL(request.url);
    const modules = url.pathname === '/webhooks'
      ? { 'main.js': receiver, 'fluxora_verify.wasm': { wasm: numbered(Number(url.search.slice(1))) } }
      : { 'main.js': nothing };
    return LOADER.get(url.href, () => ({ ...common, modules, env: { FLUXORA_WEBHOOK_SECRET: SECRET } })).getEntrypoint().fetch(request);
  },
};`;

/** The example, from packed packages, with the store that is there without a Durable Object and a silent handler. */
async function bundleExample() {
  const packages = new Packages();
  try {
    const example = packages.example('cloudflare-workers', (copy) => {
      copy.edit('src/index.js', '  seen: (env) => durableObjectStore(env.SEEN),\n', '');
      copy.write('src/handler.js', 'export const onEvent = () => {};\n');
    });
    const { script, wasm } = await bundleWorker(example.folder);
    if (wasm.map(({ name }) => name).join() !== 'fluxora_verify.wasm') throw new Error('not the verifier alone');
    return { script, wasm: wasm[0].contents };
  } finally {
    packages.remove();
  }
}

async function startWorkerd({ script, wasm }, secret) {
  const { Miniflare } = await loadMiniflare();
  return new Miniflare({
    cf: false,
    host: '127.0.0.1',
    port: 0,
    compatibilityDate: COMPATIBILITY_DATE,
    modulesRoot: '/',
    modules: [
      { type: 'ESModule', path: '/host.js', contents: HOST },
      { type: 'Text', path: '/receiver.txt', contents: script },
      { type: 'Data', path: '/receiver.bin', contents: wasm },
    ],
    bindings: { SECRET: secret },
    workerLoaders: { LOADER: {} },
  });
}

/** Sends one request over the agent's connection; gives its time in milliseconds and its answer. */
function timed(agent, url, { headers, body }) {
  return new Promise((done, failed) => {
    const began = performance.now();
    const options = { method: 'POST', agent, headers: { ...headers, 'content-length': Buffer.byteLength(body) } };
    const outgoing = httpRequest(url, options, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk)).on('error', failed).on('end', () => {
        done({ ms: performance.now() - began, status: response.statusCode, text: Buffer.concat(chunks).toString() });
      });
    });
    outgoing.on('error', failed).end(body);
  });
}

const quantile = (values, part) => values.toSorted((a, b) => a - b)[Math.floor(values.length * part)];

/** A few rounds in a new process, of which the first one only warms it. Adds to `times`. */
async function measureRounds(bundle, rounds, times) {
  const secret = newSecret();
  const worker = await startWorkerd(bundle, secret);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  try {
    const base = (await worker.ready).origin;
    const sender = new Sender(base, secret);
    for (let round = 0; round <= rounds; round += 1) {
      const delivery = sender.delivery();
      const receiver = await timed(agent, `${base}/webhooks?${round}`, delivery);
      const nothing = await timed(agent, `${base}/nothing?${round}`, delivery);
      if (receiver.text !== '{"ok":true}') throw new Error(`${receiver.status} ${receiver.text}`);
      if (nothing.status !== 200) throw new Error(`${nothing.status} ${nothing.text}`);
      if (round === 0) continue;
      times.receiver.push(receiver.ms);
      times.nothing.push(nothing.ms);
    }
  } finally {
    agent.destroy();
    await worker.dispose();
  }
}

/** Times of first requests, in milliseconds: { receiver, nothing }. */
async function measureFirstRequests(rounds) {
  const bundle = await bundleExample();
  const times = { receiver: [], nothing: [] };
  for (let left = rounds; left > 0; left -= ROUNDS_A_PROCESS) {
    await measureRounds(bundle, Math.min(left, ROUNDS_A_PROCESS), times);
  }
  return times;
}

/** What a receiver adds to a new Worker's first answer: milliseconds, of medians. @param {number} rounds */
export async function coldStart(rounds) {
  const { receiver, nothing } = await measureFirstRequests(rounds);
  return quantile(receiver, 0.5) - quantile(nothing, 0.5);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const rounds = Number(process.argv[2] ?? 50);
  const { receiver, nothing } = await measureFirstRequests(rounds);
  const ms = (values, part) => quantile(values, part).toFixed(1);
  const difference = quantile(receiver, 0.5) - quantile(nothing, 0.5);
  console.log(`edge cold start ${difference.toFixed(1)} ms (${rounds} rounds; a new Worker's first answer: median `
    + `${ms(receiver, 0.5)} ms with the receiver, ${ms(nothing, 0.5)} ms with nothing in it; `
    + `p95 ${ms(receiver, 0.95)} and ${ms(nothing, 0.95)} ms)`);
}
