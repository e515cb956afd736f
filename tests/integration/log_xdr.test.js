// `xdr=true`: with each entry what the log keeps of it, so that anyone can fold the log again. SPEC section 4.
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { scValToNative, xdr } from '@stellar/stellar-sdk';
import { streamScVal } from '../chain-sim/src/contract_storage.js';
import { KIND } from '../chain-sim/src/simulator.js';
import { create } from './harness/api_streams.js';
import { startStack } from './harness/stack.js';

const OF_TIME = ['stream.cliff_reached', 'stream.ended'];

/** @type {import('./harness/stack.js').Stack} */
let stack;
/** @type {any[]} */
let entries;
/** The chain's events by their ids, those that a fork has taken back too. */
const events = new Map();
let apiStream = '';

function noteEvents() {
  const { contractId } = stack.sim;
  for (const { id, topic, value } of stack.sim.events({ contractId })) events.set(id, { topics: topic, value });
}

before(async () => {
  stack = await startStack({ simulator: { seed: 'xdr', kinds: Object.keys(KIND), streams: 20 } });
  // Its cliff and its end come to pass.
  stack.sim.createStream({ depositAmount: 1_000n, ratePerSecond: 1n, startDelay: 0n, cliffDelay: 2n, duration: 4n });
  stack.runScenario(12, { actionsPerLedger: 5 });
  await stack.settle();
  noteEvents();
  stack.sim.fork(4);
  stack.runScenario(4, { actionsPerLedger: 5 });
  await stack.settle();
  noteEvents();
  const created = await create(stack.baseUrl);
  assert.equal(created.status, 201, created.text);
  apiStream = created.json.id;
  entries = await stack.allEvents({ xdr: true });
});

const decoded = (base64) => scValToNative(xdr.ScVal.fromXDR(base64, 'base64'));

describe('xdr=true', () => {
  test('an event’s topics and value are those that the chain gave', () => {
    const ofChain = entries.filter(({ eventId }) => events.has(eventId));
    for (const { seq, eventId, xdr: bytes } of ofChain) assert.deepEqual(bytes, events.get(eventId), `entry ${seq}`);
    assert.deepEqual(new Set(ofChain.map(({ eventId }) => eventId)), new Set(events.keys()), 'all of them are there');
  });

  test('an observation has the contract’s storage entry, the stream’s number and the token', () => {
    const storage = new Map(stack.sim.contractStorage().map((stream) => [stack.streamId(stream.streamId), stream]));
    const observed = entries.filter(({ event }) => event === 'stream.observed');
    let compared = 0;
    for (const { seq, streamId, eventId, xdr: bytes } of observed) {
      const number = BigInt(streamId.split('-')[1]);
      assert.deepEqual(bytes.topics.map(decoded), ['observed', number, stack.sim.tokenId], `entry ${seq}`);
      const stored = storage.get(streamId);
      // What the contract has written again since is another entry.
      if (stored?.lastModifiedLedger !== Number(eventId.split('-')[1])) continue;
      assert.equal(bytes.value, streamScVal(stored).toXDR('base64'), `entry ${seq}`);
      compared += 1;
    }
    assert.ok(compared > 0, 'no storage entry was compared');
  });

  test('a change through the API is told as the contract would tell it', () => {
    const [entry] = entries.filter(({ streamId }) => streamId === apiStream);
    assert.equal(decoded(entry.xdr.topics[0]), 'created');
    const { sender, deposit_amount: deposit } = decoded(entry.xdr.value);
    assert.deepEqual([sender, deposit], [entry.stream.sender, 10_000_000_000n]);
  });

  test('what is made without any has null', () => {
    const without = entries.filter((entry) => entry.xdr === null).map(({ event }) => event);
    const made = entries.filter(({ event }) => [...OF_TIME, 'stream.retracted'].includes(event)).map(({ event }) => event);
    assert.deepEqual(without, made);
    for (const event of [...OF_TIME, 'stream.retracted']) assert.ok(made.includes(event), `there is no ${event}`);
  });

  test('changes nothing else, and a stream’s own history has it too', async () => {
    const plain = await stack.allEvents();
    assert.deepEqual(entries.map(({ xdr: _, ...entry }) => entry), plain);
    assert.ok(plain.every((entry) => !('xdr' in entry)));
    assert.deepEqual(await stack.allEvents({ xdr: false }), plain);
    const { streamId } = entries.find(({ event }) => event === 'stream.observed');
    const { events: history } = await stack.get(`/api/streams/${streamId}/events`, { xdr: true, limit: 1000 });
    assert.deepEqual(history, entries.filter((entry) => entry.streamId === streamId));
  });
});
