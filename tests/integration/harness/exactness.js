// The strongest thing that can be said of a stack: everything it serves is what the chain says.
import assert from 'node:assert/strict';
import { checkLogAgainstChain, checkLogOrder, checkTimes, versions } from './log_checks.js';

/**
 * Compares every page of the streams' listing with the fold, as of the last indexed ledger.
 * @param {import('./stack.js').Stack} stack settled
 * @param {Record<string, any>} [query]
 */
export async function checkListing(stack, query = {}) {
  const { indexer } = await stack.health();
  const asOf = stack.sim.chain.ledger(indexer.lastLedger).closedAt;
  const newest = versions(await stack.allEvents());
  const expected = stack.expected.list(asOf).map((stream) => ({ ...stream, version: newest.get(stream.id) }));
  assert.deepEqual(await stack.allStreams(query), expected);
}

/**
 * The log is exactly the chain's events, entry by entry, and the streams are their fold.
 * @param {import('./stack.js').Stack} stack settled
 */
export async function checkExact(stack) {
  const entries = await stack.allEvents();
  checkLogOrder(entries, (await stack.head()).epoch);
  checkLogAgainstChain(entries, stack.expected.events, stack.sim);
  await checkListing(stack);
  const { indexer } = await stack.health();
  checkTimes(entries, await stack.allStreams(), stack.sim.chain.ledger(indexer.lastLedger).closedAt);
}
