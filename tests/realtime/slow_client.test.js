// Clients that never read: they end with 4008 (SPEC section 6), may resume by their cursor, and nobody else notices.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';
import WebSocket from 'ws';
import { readPrometheusText, sampleValue } from '../api/harness/prometheus_text.js';
import { checkGrowth, residentBytes } from '../integration/harness/memory.js';
import { own } from '../integration/harness/ownership.js';
import { startStack } from '../integration/harness/stack.js';
import { waitFor } from '../integration/harness/wait.js';
import { SseClient } from './harness/sse_client.js';

const OTHERS = 1_000;
const AT_ONCE = 100;
/**
 * The hub keeps 16 MiB of the log's last entries for whoever falls behind, and each slow client 1 MiB; the rest is the
 * allocator's.
 */
const GROWTH_MIB = 40;
/** How much the kernel takes off a queue before it fills isn't ours to say, nor how long a client may take nothing. */
const MAX_ROUNDS = 200;

/** What the log has after one position, up to another. @param {number} after @param {number} last */
const positions = (after, last) => Array.from({ length: last - after }, (_, index) => after + 1 + index);

/** A subscriber of one stream that looks at positions alone: a thousand of them read in one process. */
class Reader {
  constructor(url) {
    /** @type {number[]} */
    this.seqs = [];
    this.begin = -1;
    this.socket = new WebSocket(url, { perMessageDeflate: false });
    this.socket.on('message', (data) => this.take(/** @type {Buffer} */ (data)));
    this.socket.on('close', (code) => { this.closed = code; });
    this.socket.on('error', () => {});
  }

  /** @param {Buffer} data */
  take(data) {
    const text = data.toString('latin1');
    if (text.startsWith('{"type":"stream_update"')) this.seqs.push(Number(/"seq":(\d+)/.exec(text)?.[1]));
    else this.begin = Number(/"cursor":"[a-z0-9]+-(\d+)"/.exec(text)?.[1]);
  }

  subscribe(streamId) {
    this.socket.on('open', () => this.socket.send(JSON.stringify({ type: 'subscribe', streamId })));
    return waitFor(() => this.begin >= 0, { what: 'a subscription', describe: () => ({ closed: this.closed }) });
  }
}

async function openOthers(stack, streamId) {
  const others = [];
  own({ end: () => others.forEach(({ socket }) => socket.terminate()), endNow: () => {} });
  while (others.length < OTHERS) {
    const some = Array.from({ length: AT_ONCE }, () => new Reader(stack.wsUrl));
    others.push(...some);
    await Promise.all(some.map((one) => one.subscribe(streamId)));
  }
  return others;
}

test(`clients that never read end with 4008, ${OTHERS} others get everything, memory stays bounded`, async () => {
  const stack = await startStack({
    simulator: { seed: 'slow client', streams: 100, tokenEvents: false },
    server: { env: { WS_MAX_CONNECTIONS_PER_IP: String(2 * OTHERS), WRITE_RATE_LIMIT: '0' } },
  });
  const hot = stack.sim.createStream({ depositAmount: 1_000_000_000n, ratePerSecond: 1n, duration: 1_000_000n });
  stack.runScenario(2, { actionsPerLedger: 20 });
  await stack.settle();
  const others = await openOthers(stack, stack.streamId(hot));
  const quick = await stack.openWebSocket();
  await quick.subscribe({ streamId: '*' });
  const before = residentBytes(stack.server);

  const [never, late] = await Promise.all([stack.openWebSocket(), stack.openWebSocket()]);
  const slowSse = await SseClient.open(stack.baseUrl);
  const { cursor } = await late.subscribe({ streamId: '*' });
  await never.subscribe({ streamId: '*' });
  await slowSse.resumed();
  for (const slow of [never.socket, late.socket, slowSse]) slow.pause();
  const given = async (name) => sampleValue(readPrometheusText((await stack.request('/metrics')).text), name);
  const socketsGivenUp = async () => await given('fluxora_websocket_slow_consumers_total') === 2;
  const allGivenUp = async () => await socketsGivenUp() && await given('fluxora_sse_slow_consumers_total') === 1;
  let goesOn = true;
  const readsOn = (async () => {
    while (goesOn && !await socketsGivenUp()) await sleep(100);
    late.socket.resume();
  })();
  for (let round = 0; round < MAX_ROUNDS && !await allGivenUp(); round += 1) {
    for (let ledger = 0; ledger < 5; ledger += 1) {
      stack.sim.topUp(hot, 1n);
      stack.runScenario(1, { actionsPerLedger: 40 });
    }
    await stack.settle();
    await quick.waitForSeq((await stack.head()).seq);
    checkGrowth(stack.server, before, GROWTH_MIB);
  }
  goesOn = false;
  await readsOn;
  assert.ok(await allGivenUp(), 'they may take nothing for ever');
  // Who reads again within five seconds is told, and this machine may be slower; either way what came before is whole.
  const ending = (await late.waitForClose())?.code;
  assert.ok([4008, 1006].includes(ending), `closed with ${ending}`);
  const seen = late.updates();
  const begin = Number(cursor.split('-')[1]);
  assert.deepEqual(seen.map(({ seq }) => seq), positions(begin, begin + seen.length));
  const slow = ({ event, code }) => event === 'ws_disconnect' && code === 4008;
  await waitFor(() => stack.server.logs.filter(slow).length === 2, { what: 'both lines' });
  assert.equal(quick.closed, null);

  // Each of the others has its stream's entries, in order.
  const wanted = (await stack.allEvents({ streamId: stack.streamId(hot) })).map(({ seq }) => seq);
  const haveAll = () => others.every(({ seqs }) => seqs.at(-1) === wanted.at(-1));
  await waitFor(haveAll, { what: 'the others to have the last entry' });
  for (const { seqs, begin, closed: code } of others) {
    assert.equal(code, undefined);
    assert.deepEqual(seqs, wanted.filter((seq) => seq > begin));
  }
  const all = quick.updates().map(({ seq }) => seq);
  assert.deepEqual(all, positions(all[0] - 1, all.at(-1)));

  // They go on from where they were.
  const again = await stack.openWebSocket();
  assert.equal((await again.subscribe({ streamId: '*', after: seen.at(-1)?.cursor ?? cursor })).resume, 'resumed');
  const { seq: head } = await stack.head();
  await again.waitForSeq(head);
  assert.deepEqual([...seen, ...again.updates()].map(({ seq }) => seq), positions(begin, head));

  slowSse.resume();
  await slowSse.waitForEnd();
  const read = slowSse.entries();
  const last = read.at(-1).seq;
  assert.deepEqual(read.map(({ seq }) => seq), positions(last - read.length, last), 'what came before is whole');
  const resumed = await SseClient.open(stack.baseUrl, {}, { headers: { 'last-event-id': read.at(-1).cursor } });
  assert.equal((await resumed.resumed()).resume, 'resumed');
  await resumed.waitForSeq(head);
  assert.deepEqual(resumed.entries().map(({ seq }) => seq), positions(last, head));
  for (const { socket } of others) socket.close();
  await stack.stop();
});
