// GET /api/streams/{id}/proof: our stream beside the contract's storage entry, checked with the official SDK.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { xdr } from '@stellar/stellar-sdk';
import { contractDataKey, streamKey, streamScVal } from '../chain-sim/src/contract_storage.js';
import { create } from '../integration/harness/api_streams.js';
import { request } from '../integration/harness/http_client.js';
import { formatAmount } from '../integration/harness/independent_fold.js';
import { checkSecurityHeaders } from '../integration/harness/security_headers.js';
import { ServerProcess } from '../integration/harness/server_process.js';
import { serverEnvironment, startStack } from '../integration/harness/stack.js';
import { waitFor } from '../integration/harness/wait.js';

/** @type {import('../integration/harness/stack.js').Stack} */
let stack;
/** Each closed ledger's hash, and what each stream's entry held in it. @type {Map<string, Map<string, string>>} */
const storedBy = new Map();

/** Notes what the contract holds now, under the hash of the ledger that has just closed. */
function note() {
  const { sim } = stack;
  const entries = new Map();
  for (const [number, { stream }] of sim.contract.entries)
    entries.set(String(number), streamScVal(stream).toXDR('base64'));
  storedBy.set(sim.latest.hash, entries);
}

const proofPath = (number) => `/api/streams/${stack.streamId(number)}/proof`;

/** @param {any} answer @param {number} status @param {string} error */
function checkProblem(answer, status, error) {
  assert.equal(answer.status, status, answer.text);
  assert.equal(answer.headers['content-type'], 'application/problem+json');
  assert.equal(answer.json.error, error);
  checkSecurityHeaders(answer.headers, error);
  return answer.json;
}

/** A 503 that says when to come again. @param {any} answer */
function checkUnavailable(answer) {
  checkProblem(answer, 503, 'SERVICE_UNAVAILABLE');
  assert.match(String(answer.headers['retry-after']), /^[1-9]\d*$/);
}

/** What the contract's struct says, in our stream's words. */
function fieldsOf(scVal) {
  const fields = Object.fromEntries(scVal.map().map((entry) => [entry.key().sym().toString(), entry.val()]));
  const amount = (name) => {
    const parts = fields[name].i128();
    return formatAmount((BigInt(parts.hi().toString()) << 64n) | BigInt(parts.lo().toString()));
  };
  const time = (name) => Number(fields[name].u64().toString());
  return {
    depositAmount: amount('deposit_amount'),
    ratePerSecond: amount('rate_per_second'),
    withdrawnAmount: amount('withdrawn_amount'),
    startTime: time('start_time'),
    endTime: time('end_time'),
  };
}

/** Everything in a proof that can be checked without the server. */
function checkProof(number, answer) {
  assert.equal(answer.status, 200, answer.text);
  checkSecurityHeaders(answer.headers, 'a proof');
  const { stream, entry, ledger } = answer.json;
  assert.deepEqual(Object.keys(answer.json), ['stream', 'entry', 'ledger']);
  assert.equal(stream.id, stack.streamId(number));
  assert.equal(entry.key, contractDataKey(stack.sim.contractId, streamKey(BigInt(number))).toXDR('base64'));
  const held = xdr.LedgerEntryData.fromXDR(entry.xdr, 'base64').contractData();
  assert.equal(held.durability().name, 'persistent');
  assert.equal(
    held.val().toXDR('base64'),
    storedBy.get(ledger.hash)?.get(String(number)),
    'of that ledger, and no other',
  );
  assert.equal(stack.sim.chain.ledger(ledger.sequence).hash.toString('hex'), ledger.hash);
  assert.equal(Date.parse(ledger.closedAt), stack.sim.chain.ledger(ledger.sequence).closedAt * 1_000);
  assert.ok(entry.lastModifiedLedger <= ledger.sequence && entry.liveUntilLedger >= ledger.sequence);
  return { stream, entry, ledger, held: held.val() };
}

before(async () => {
  stack = await startStack({ simulator: { seed: 'proof', streams: 12 } });
  for (let i = 0; i < 6; i += 1) {
    stack.sim.runScenario(1, { actionsPerLedger: 5 });
    note();
  }
  stack.expected.take();
  stack.sim.closeLedger();
  note();
  await stack.waitForLedger();
});
after(() => stack.stop());

test("the entry is the contract's, of the ledger that is named, and agrees with our stream", async () => {
  let proved = 0;
  for (const [number] of stack.sim.contract.entries) {
    const answer = await stack.request(proofPath(number));
    const { stream, entry, held } = checkProof(number, answer);
    assert.equal(entry.lastModifiedLedger, stream.ledger, 'both know the same last change');
    const expected = fieldsOf(held);
    const shown = Object.fromEntries(Object.keys(expected).map((name) => [name, stream[name]]));
    assert.deepEqual(shown, expected);
    assert.equal(answer.headers['cache-control'], 'no-store');
    assert.match(String(answer.headers['x-fluxora-cursor']), /^[a-z0-9]+-\d+$/);
    proved += 1;
  }
  assert.ok(proved >= 5, `only ${proved} streams`);
});

test('HEAD has the headers alone', async () => {
  const answer = await stack.request(proofPath(0), { method: 'HEAD' });
  assert.equal(answer.status, 200);
  assert.equal(answer.text, '');
});

test('proofs asked for while ledgers close and fork are each of one ledger', async () => {
  const numbers = [...stack.sim.contract.entries.keys()];
  let closing = true;
  let proofs = 0;
  const asking = Promise.all(
    Array.from({ length: 8 }, async (_, asker) => {
      for (let n = asker; closing; n += 1) {
        const number = numbers[n % numbers.length];
        const answer = await stack.request(proofPath(number));
        if (answer.status === 200) {
          const { ledger, entry } = answer.json;
          const held = xdr.LedgerEntryData.fromXDR(entry.xdr, 'base64').contractData().val();
          assert.equal(held.toXDR('base64'), storedBy.get(ledger.hash)?.get(String(number)));
          proofs += 1;
        } else if (answer.status === 404) {
          assert.match(answer.json.detail, /closed/);
        } else {
          checkUnavailable(answer);
        }
      }
    }),
  );
  for (let i = 0; i < 60; i += 1) {
    stack.sim.runScenario(1, { actionsPerLedger: 3 });
    note();
    // A ledger that is replaced keeps its number and its content, and gets another hash.
    if (i % 5 === 4) {
      stack.sim.fork(1);
      note();
    }
    await waitFor(() => proofs >= i * 2, { what: 'proofs to be given meanwhile' });
  }
  closing = false;
  await asking;
  stack.sim.closeLedger();
  note();
  await stack.waitForLedger();
  console.log(`proof: ${proofs} proofs over ${storedBy.size} ledgers`);
});

describe("what can't be proved", () => {
  test("a stream that there is not, one of the API's, and one that the contract has closed are 404", async () => {
    const details = new Set();
    for (const id of ['nothing', stack.streamId(999_999), 'api-0190163d-8694-739b-aea5-966c26f8ad91']) {
      details.add(checkProblem(await stack.request(`/api/streams/${id}/proof`), 404, 'NOT_FOUND').detail);
    }
    assert.equal(details.size, 1, 'nobody knows any of them');
    const { json } = await create(stack.baseUrl);
    details.add(checkProblem(await stack.request(`/api/streams/${json.id}/proof`), 404, 'NOT_FOUND').detail);

    const closed = (await stack.allEvents({ event: 'stream.updated' })).find(({ kind }) => kind === 'closed');
    const gone = closed?.streamId ?? (await closeOne());
    details.add(checkProblem(await stack.request(`/api/streams/${gone}/proof`), 404, 'NOT_FOUND').detail);
    assert.equal(details.size, 3, 'each says why');
  });

  /** A stream that ran out and was closed: its entry goes, its history stays. */
  async function closeOne() {
    const number = stack.sim.createStream({ depositAmount: 50n, ratePerSecond: 10n, duration: 5 });
    for (let i = 0; i < 3; i += 1) stack.sim.closeLedger();
    stack.sim.withdraw(number);
    stack.sim.closeLedger();
    stack.sim.submit({ op: 'close', id: number });
    const { failed } = stack.sim.closeLedger();
    assert.deepEqual(failed, []);
    stack.sim.closeLedger();
    await stack.waitForLedger();
    return stack.streamId(number);
  }

  test('parameters are checked', async () => {
    const answer = await stack.request(`${proofPath(0)}?at=5`);
    assert.equal(checkProblem(answer, 400, 'VALIDATION_ERROR').errors[0].field, 'at');
  });

  for (const kind of ['http', 'rpcError', 'timeout', 'reset', 'garbage', 'truncated', 'wrongId']) {
    test(`while the RPC fails (${kind}) it is 503 with Retry-After, and then it works again`, async () => {
      for (const method of ['getLatestLedger', 'getLedgerEntries']) {
        stack.sim.faults.clear();
        // A connection that was cut is tried once more on a new one.
        stack.sim.faults.add({ kind, count: 2, methods: [method] });
        checkUnavailable(await stack.request(proofPath(0)));
        stack.sim.faults.clear();
        assert.ok([200, 404].includes((await stack.request(proofPath(0))).status));
      }
    });
  }

  test('a slow RPC has one question at a time: those who wait share the next', async () => {
    const numbers = [...stack.sim.contract.entries.keys()];
    const calls = () => stack.sim.calls.get('getLedgerEntries') ?? 0;
    stack.sim.faults.clear();
    stack.sim.faults.add({ kind: 'slow', methods: ['getLedgerEntries'], delayMs: 500 });
    const before = calls();
    const first = stack.request(proofPath(numbers[0]));
    await waitFor(() => calls() > before, { what: 'the first question' });
    const crowd = await Promise.all(
      Array.from({ length: 250 }, (_, n) => stack.request(proofPath(numbers[n % numbers.length]))),
    );
    assert.ok([200, 503].includes((await first).status));
    for (const answer of crowd.filter(({ status }) => status !== 200)) checkUnavailable(answer);
    const given = crowd.filter(({ status }) => status === 200).length;
    const questions = calls() - before;
    console.log(`proof: ${given} of ${crowd.length} at once were given, by ${questions} questions`);
    assert.ok(given > 0 && questions * 4 < given);
  });

  test('without an RPC it is 503, and the rest works', async () => {
    const bare = await ServerProcess.start(serverEnvironment(stack.db, null));
    const ask = (path) => request(bare.baseUrl + path);
    checkUnavailable(await ask(proofPath(0)));
    assert.equal((await ask(proofPath(0).replace('/proof', ''))).status, 200);
    checkProblem(await ask('/api/streams/nothing/proof'), 404, 'NOT_FOUND');
    await bare.end();
  });

  test("a shutdown doesn't wait for the RPC", async () => {
    stack.sim.faults.add({ kind: 'timeout', methods: ['getLatestLedger'], count: 10 });
    const waiting = stack.request(proofPath(0)).catch(() => null);
    await waitFor(() => stack.sim.faults.pending < 10, { what: 'the RPC to be asked' });
    await stack.server.restart();
    const answer = await waiting;
    if (answer !== null) checkUnavailable(answer);
    stack.sim.faults.clear();
    assert.equal((await stack.request(proofPath(0))).status, 200);
  });
});
