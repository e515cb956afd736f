// The Durable Object's own class over a real SQLite, at a time that the tests set. In workerd itself: tests/edge.
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';

import initSqlJs from 'sql.js';

import { durableObjectStore, SeenDeliveries } from '../../../edge/src/durable_object.js';
import { NOW } from './deliveries.js';
import { checkStore } from './store_rules.js';

const { Database } = await initSqlJs();
const HOUR = 3_600_000;
const START = NOW * 1000;

mock.timers.enable({ apis: ['Date'], now: START });
const pass = (ms) => mock.timers.setTime(Date.now() + ms);

/** What workerd gives an object: SQL that answers at once, and one alarm. */
class Storage {
  #db = new Database();
  alarmAt = null;
  sql = { exec: (text, ...values) => this.#exec(text, values) };

  getAlarm = async () => this.alarmAt;
  setAlarm = async (at) => { this.alarmAt = at; };

  #exec(text, values) {
    if (values.length === 0 && !text.startsWith('SELECT')) return this.#db.exec(text);
    const statement = this.#db.prepare(text, values);
    const rows = [];
    while (statement.step()) rows.push(statement.getAsObject());
    statement.free();
    return rows;
  }
}

/** Objects by their names, each with a storage of its own. */
function newNamespace() {
  const objects = new Map();
  const object = (name) => {
    if (!objects.has(name)) {
      const storage = new Storage();
      objects.set(name, { storage, seen: new SeenDeliveries({ storage }) });
    }
    return objects.get(name);
  };
  const get = (name) => ({ fetch: (url, init) => object(name).seen.fetch(new Request(url, init)) });
  return { namespace: { idFromName: (name) => name, get }, object };
}

checkStore('Durable Object', () => ({
  store: durableObjectStore(newNamespace().namespace),
  passed: async (ms) => pass(ms),
}));

test('Durable Object: an alarm removes what is over, a part at a time, and is set anew as long as something is kept', async () => {
  const { namespace, object } = newNamespace();
  const store = durableObjectStore(namespace, { shards: 1 });
  const claim = (id, leaseMs) => store.claim(id, { leaseMs });
  for (let i = 0; i < 1500; i += 1) await claim(`msg_${i}`, 1000);
  const { token } = await claim('kept', 1000);
  await store.complete('kept', token, { keepMs: 3 * HOUR });
  const { storage, seen } = object('shard-0');
  const rows = () => storage.sql.exec('SELECT count(*) AS rows FROM seen')[0].rows;
  assert.equal(storage.alarmAt, Date.now() + HOUR);

  pass(HOUR);
  await seen.alarm();
  assert.equal(rows(), 501);
  assert.equal(storage.alarmAt, Date.now() + 1000, 'there is more to remove');
  await seen.alarm();
  assert.equal(rows(), 1);
  assert.equal(storage.alarmAt, Date.now() + 2 * HOUR, 'when the one that is left is over');

  pass(2 * HOUR);
  storage.alarmAt = null; // as when it goes off
  await seen.alarm();
  assert.equal(rows(), 0);
  assert.equal(storage.alarmAt, null);
});

test('Durable Object: what it isn’t asked for isn’t there', async () => {
  const { object } = newNamespace();
  const answer = await object('shard-0').seen.fetch(new Request('https://seen/other', { method: 'POST', body: '{}' }));
  assert.equal(answer.status, 404);
});
