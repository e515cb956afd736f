// One key, many requests, several servers on one database: one stream. SPEC section 5, "Idempotency-Key".
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { checkFold, create } from '../integration/harness/api_streams.js';
import { checkSecurityHeaders } from '../integration/harness/security_headers.js';
import { ServerProcess } from '../integration/harness/server_process.js';
import { serverEnvironment, startStack } from '../integration/harness/stack.js';
import { waitFor } from '../integration/harness/wait.js';

const NO_LIMIT = { WRITE_RATE_LIMIT: '0' };
const REQUESTS = 200;
/** What belongs to the answer itself, and not to its way here. */
const ANSWER_HEADERS = ['location', 'etag', 'content-type', 'x-fluxora-version', 'x-fluxora-cursor'];

describe('two servers on one database', () => {
  /** @type {import('../integration/harness/stack.js').Stack} */
  let stack;
  /** @type {ServerProcess} */
  let second;
  before(async () => {
    stack = await startStack({ simulator: false, server: { env: NO_LIMIT } });
    second = await ServerProcess.start({ ...serverEnvironment(stack.db, null), ...NO_LIMIT });
  });
  after(async () => {
    await checkFold(stack);
    await second.end();
    await stack.stop();
  });

  const urls = () => [stack.baseUrl, second.baseUrl];
  const streamCount = async () => (await stack.db.row('SELECT count(*)::int AS n FROM streams')).n;
  /**
   * At once, by turns to both servers.
   * @param {(index: number) => [object, Record<string, string>]} make terms and headers
   */
  const race = (make, count = REQUESTS) =>
    Promise.all(Array.from({ length: count }, (_, index) => create(urls()[index % 2], ...make(index))));
  const replayed = ({ headers }) => headers['idempotency-replayed'] === 'true';

  /** All of them got one answer, and one of them made it. @param {any[]} answers */
  function checkOneAnswer(answers) {
    for (const answer of answers) {
      assert.equal(answer.status, 201, answer.text);
      assert.equal(answer.text, answers[0].text, 'byte for byte');
      for (const name of ANSWER_HEADERS) assert.equal(answer.headers[name], answers[0].headers[name], name);
      checkSecurityHeaders(answer.headers, 'a creation');
    }
    assert.equal(new Set(answers.map(({ headers }) => headers['x-request-id'])).size, answers.length);
    assert.equal(
      answers.filter((answer) => !replayed(answer)).length,
      1,
      'the others are told that theirs is a replay',
    );
  }

  test('200 identical creations at once make one stream, and all get its answer, byte for byte', async () => {
    for (let round = 0; round < 3; round += 1) {
      const before = await streamCount();
      const others = [];
      const answers = await race((index) => {
        if (index % 10 === 0) others.push(create(urls()[0], {}, { 'idempotency-key': `other-${round}-${index}` }));
        return [{}, { 'idempotency-key': `round-${round}` }];
      });
      assert.ok(
        (await Promise.all(others)).every((answer) => answer.status === 201 && !replayed(answer)),
        'other keys',
      );
      checkOneAnswer(answers);
      assert.equal(await streamCount(), before + 1 + others.length);
    }
  });

  test('two bodies race for a key: one has it, and every request with the other is 422', async () => {
    const winners = [];
    for (let round = 0; round < 5; round += 1) {
      const before = await streamCount();
      const bodies = [{ depositAmount: '100' }, { depositAmount: '200' }];
      const answers = await race((index) => [bodies[(index >> 1) % 2], { 'idempotency-key': `bodies-${round}` }], 80);
      const sides = bodies.map((_, side) => answers.filter((__, index) => (index >> 1) % 2 === side));
      const winner = sides.findIndex((side) => side[0].status === 201);
      checkOneAnswer(sides[winner]);
      assert.equal(sides[winner][0].json.depositAmount, `${bodies[winner].depositAmount}.0000000`);
      for (const answer of sides[1 - winner]) {
        assert.equal(answer.status, 422, answer.text);
        assert.equal(answer.json.error, 'VALIDATION_ERROR');
      }
      assert.equal(await streamCount(), before + 1);
      winners.push(winner);
    }
    assert.equal(winners.length, 5);
  });

  test('an answer is replayed by the other server, and after a restart', async () => {
    const headers = { 'idempotency-key': 'across' };
    const first = await create(stack.baseUrl, {}, headers);
    const there = await create(second.baseUrl, {}, headers);
    await second.restart();
    checkOneAnswer([first, there, await create(second.baseUrl, {}, headers)]);
  });

  test('the same key of another caller is another key', async () => {
    const proxied = await ServerProcess.start({
      ...serverEnvironment(stack.db, null),
      ...NO_LIMIT,
      TRUSTED_PROXIES: '127.0.0.0/8',
    });
    const from = (address) => create(proxied.baseUrl, {}, { 'idempotency-key': 'shared', 'x-forwarded-for': address });
    const addresses = ['203.0.113.1', '203.0.113.2', '2001:db8::1', '2001:db8::2'];
    const answers = await Promise.all(addresses.map(from));
    assert.equal(new Set(answers.map(({ json }) => json.id)).size, addresses.length);
    assert.ok(!answers.some(replayed));
    for (const [index, address] of addresses.entries()) assert.equal((await from(address)).text, answers[index].text);
    await proxied.end();
  });

  test('kill -9 of one server in the middle: whoever asks again gets the one answer there is', async () => {
    for (let round = 0; round < 5; round += 1) {
      const before = await streamCount();
      const headers = { 'idempotency-key': `killed-${round}` };
      // Others' creations go before ours, so that the end comes while ours waits, is written, or is answered.
      const others = Array.from({ length: round * 15 }, () => create(second.baseUrl).catch(() => null));
      const running = Array.from({ length: 60 }, (_, index) =>
        create(urls()[index % 2], {}, headers).catch(() => null),
      );
      await Promise.race(others.length > 0 ? others : running);
      await second.kill9();
      await second.start();
      const answered = (await Promise.all(running)).filter((answer) => answer !== null);
      const made = (await Promise.all(others)).filter((answer) => answer !== null);
      const again = await Promise.all(urls().map((url) => create(url, {}, headers)));
      for (const answer of [...answered, ...again]) {
        assert.equal(answer.status, 201, answer.text);
        assert.equal(answer.text, again[0].text);
      }
      assert.ok(answered.filter((answer) => !replayed(answer)).length <= 1);
      assert.ok(again.every(replayed), 'it was there before');
      const { n } = await stack.db.row('SELECT count(*)::int AS n FROM idempotency_keys WHERE key = $1', [
        headers['idempotency-key'],
      ]);
      assert.equal(n, 1);
      const streams = (await streamCount()) - before;
      assert.ok(streams >= 1 + made.length && streams <= 1 + others.length, 'one, and those without a key');
    }
    await waitFor(async () => (await create(second.baseUrl)).status === 201, { what: 'the second server to go on' });
  });
});
