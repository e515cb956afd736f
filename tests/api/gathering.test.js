// Reads that arrive together are few statements. They are held up by a lock, so that they are together for certain.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startStack } from '../integration/harness/stack.js';
import { waitFor } from '../integration/harness/wait.js';

const READS = 200;
/** Two that the database holds up, and one for all that came meanwhile. */
const MOST_STATEMENTS = 3;
const TERMS = JSON.stringify({
  sender: 'GBKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKK3J',
  recipient: 'GDXO53XO53XO53XO53XO53XO53XO53XO53XO53XO53XO53XO53XO5I2I',
  depositAmount: '1000',
  ratePerSecond: '0.5',
});

async function create(stack) {
  const headers = { 'content-type': 'application/json' };
  const answer = await stack.request('/api/streams', { method: 'POST', headers, body: TERMS });
  assert.equal(answer.status, 201, answer.text);
  return answer.json.id;
}

/** A number of /metrics. */
async function metric(stack, name) {
  const { text } = await stack.request('/metrics');
  const found = new RegExp(`^${name} (\\d+)$`, 'm').exec(text);
  assert.ok(found, `${name} in /metrics`);
  return Number(found[1]);
}

/** Sends all the reads while the database holds the first ones up, then lets it go on. */
async function together(stack, paths) {
  const holder = stack.db.cluster.client(stack.db.name);
  await holder.connect();
  await holder.query('BEGIN; LOCK TABLE streams IN ACCESS EXCLUSIVE MODE');
  const counts = async () => ({
    queries: await metric(stack, 'fluxora_db_queries_total'),
    gathered: await metric(stack, 'fluxora_db_reads_gathered_total'),
  });
  const before = await counts();
  const since = async () => {
    const now = await counts();
    return { queries: now.queries - before.queries, gathered: now.gathered - before.gathered };
  };
  const answers = paths.map((path) => stack.request(path));
  await waitFor(async () => {
    const { queries, gathered } = await since();
    return queries + gathered + await metric(stack, 'fluxora_db_reads_waiting') === paths.length;
  }, {
    what: 'all reads to be there',
    describe: async () => (await stack.request('/metrics')).text.match(/^fluxora_db.*$/gm),
  });
  await holder.query('ROLLBACK');
  await holder.end();
  return { answers: await Promise.all(answers), ...await since() };
}

test('reads by id are few statements, and each gets its own answer', async () => {
  const stack = await startStack({ simulator: false });
  const ids = [];
  for (let i = 0; i < 10; i += 1) ids.push(await create(stack));
  ids.push('api-00000000-0000-7000-8000-000000000000'); // there is no such stream
  const asked = Array.from({ length: READS }, (_, index) => ids[index % ids.length]);
  const { answers, queries, gathered } = await together(stack, asked.map((id) => `/api/streams/${id}`));
  for (const [index, answer] of answers.entries()) {
    if (asked[index] === ids.at(-1)) assert.equal(answer.status, 404);
    else assert.equal(answer.json.id, asked[index]);
  }
  assert.equal(queries + gathered, READS, 'each read was a statement or found one');
  assert.ok(queries <= MOST_STATEMENTS, `${queries} statements`);
  await stack.stop();
});

test('equal lists share their answers, different ones have their own', async () => {
  const stack = await startStack({ simulator: false });
  const ids = [];
  for (let i = 0; i < 5; i += 1) ids.unshift(await create(stack));
  const equal = Array.from({ length: READS }, () => '/api/streams?limit=3');
  const { answers, queries, gathered } = await together(stack, equal);
  for (const answer of answers) {
    assert.deepEqual(answer.json.streams.map((stream) => stream.id), ids.slice(0, 3));
    assert.equal(answer.json.has_more, true);
    assert.equal(answer.text, answers[0].text);
  }
  assert.equal(queries + gathered, READS);
  assert.ok(queries <= MOST_STATEMENTS, `${queries} statements`);

  const different = ['limit=3', 'limit=1', 'limit=1&include_total=true'];
  const [three, one, counted] = await Promise.all(different.map((query) => stack.get(`/api/streams?${query}`)));
  assert.equal(three.streams.length, 3);
  assert.equal(one.streams.length, 1);
  assert.equal(one.total, undefined);
  assert.equal(counted.total, 5);
  await stack.stop();
});

test('health asks the database nothing', async () => {
  const stack = await startStack({ simulator: false });
  await create(stack);
  const before = await metric(stack, 'fluxora_db_queries_total');
  const answers = await Promise.all(Array.from({ length: READS }, () => stack.request('/health')));
  for (const answer of answers) assert.equal(answer.json.dependencies.postgres, 'healthy');
  assert.equal(await metric(stack, 'fluxora_db_queries_total'), before);
  await stack.stop();
});
