// The log as it lies in PostgreSQL, for tests that end the server in the middle of a write.
import assert from 'node:assert/strict';

/**
 * What must hold at every instant, whatever happened to the server: no hole, nothing twice, the streams are where
 * their last entries are, and the checkpoint is not behind any entry.
 * @param {import('./stack.js').Database} db
 */
export async function checkDatabase(db) {
  const log = await db.row(`
    SELECT count(*)::int AS entries, coalesce(max(e.seq), 0)::int AS last, h.seq::int AS head,
           count(*) FILTER (WHERE stands)::int AS standing,
           count(DISTINCT (e.ledger_hash, e.event_id, coalesce(e.stream_id, ''))) FILTER (WHERE stands)::int AS identities,
           coalesce(max(e.ledger) FILTER (WHERE stands), 0)::int AS ledger, coalesce(c.ledger, 0)::int AS checkpoint
    FROM log_head h CROSS JOIN indexer_checkpoint c LEFT JOIN
      (SELECT *, retracts IS NULL AND NOT EXISTS (SELECT FROM events r WHERE r.retracts = all_events.seq) AS stands
       FROM events all_events) e ON true
    GROUP BY h.seq, c.ledger`);
  assert.equal(log.last, log.head, 'the head is the last entry');
  assert.equal(log.entries, log.head, 'the log has no hole');
  assert.equal(log.identities, log.standing, 'no entry stands twice');
  assert.ok(log.checkpoint >= log.ledger, `the checkpoint ${log.checkpoint} covers every standing entry's ledger, ${log.ledger}`);
  const [stale] = await db.rows(`
    SELECT s.id, s.version, last.seq FROM streams s
    FULL JOIN (SELECT * FROM (SELECT DISTINCT ON (stream_id) stream_id, seq, stream_state FROM events
                              WHERE stream_state IS NOT NULL ORDER BY stream_id, seq DESC) newest
               WHERE stream_state <> '') last ON last.stream_id = s.id
    WHERE s.version IS DISTINCT FROM last.seq LIMIT 1`);
  assert.equal(stale, undefined, 'each stream is folded up to its last entry');
  return log;
}

/** Everything of the log and its fold that doesn't depend on when it was written. @param {import('./stack.js').Database} db */
export async function dumpDatabase(db) {
  return {
    events: await db.rows('SELECT * FROM events ORDER BY seq'),
    streams: await db.rows('SELECT * FROM streams ORDER BY id'),
    ledgers: await db.rows('SELECT * FROM ledgers WHERE sequence IN (SELECT ledger FROM events) ORDER BY sequence'),
    checkpoint: await db.rows('SELECT ledger, ledger_hash, closed_at FROM indexer_checkpoint'),
  };
}

/** deepEqual with a message that stays readable over thousands of rows. @param {any} actual @param {any} expected */
export function assertSameDump(actual, expected) {
  for (const table of Object.keys(expected)) {
    assert.equal(actual[table].length, expected[table].length, `rows of ${table}`);
    expected[table].forEach((row, index) => assert.deepEqual(actual[table][index], row, `row ${index + 1} of ${table}`));
  }
}
