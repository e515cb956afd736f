import { wholeNumber } from './whole_number.js';

// It is part of the statements.
const TABLE = /^([a-z_][a-z0-9_]{0,62}\.)?([a-z_][a-z0-9_]{0,50})$/;
const DEFAULT_TABLE = 'fluxora_seen_deliveries';

// Of advisory locks: "fluxora" as a number.
const SCHEMA_LOCK = '28829699412030049';

const CLAIMS_BETWEEN_SWEEPS = 100;
const SWEEP_ROWS = 1000;

export class ClaimLost extends Error {
  constructor() {
    super('Another copy of this delivery was let in.');
    this.name = 'ClaimLost';
  }
}

function checkedTable(table) {
  if (typeof table !== 'string' || !TABLE.test(table)) throw new TypeError('table: not a name of a table.');
  return table;
}

export function postgresSchema({ table = DEFAULT_TABLE } = {}) {
  const [, , name] = TABLE.exec(checkedTable(table));
  return `-- Run it as one text: IF NOT EXISTS alone fails for those who make the same table at the same time.
SELECT pg_advisory_xact_lock(${SCHEMA_LOCK});
CREATE TABLE IF NOT EXISTS ${table} (
  id text PRIMARY KEY,
  token text, -- of the claim; null once the delivery was handled
  expires_at timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS ${name}_expires_at ON ${table} (expires_at);
`;
}

const FROM_NOW = "clock_timestamp() + $3::bigint * interval '1 millisecond'";

function statements(table) {
  const finish = `INSERT INTO ${table} AS seen (id, token, expires_at) SELECT $1, NULL, ${FROM_NOW}
ON CONFLICT (id) DO UPDATE SET token = NULL, expires_at = excluded.expires_at
WHERE seen.token = $2::text OR seen.expires_at <= clock_timestamp()`;
  return {
    // A claim that its client sends again, having lost the reply, finds its own token.
    claim: `INSERT INTO ${table} AS seen (id, token, expires_at) VALUES ($1, $2, ${FROM_NOW})
ON CONFLICT (id) DO UPDATE SET token = excluded.token, expires_at = excluded.expires_at
WHERE seen.expires_at <= clock_timestamp() OR seen.token = excluded.token RETURNING id`,
    held: `SELECT token IS NULL AS done,
greatest(0, ceil(extract(epoch FROM expires_at - clock_timestamp()) * 1000))::bigint AS left_ms
FROM ${table} WHERE id = $1`,
    complete: `${finish} OR seen.token IS NULL RETURNING id`,
    completeOnce: `${finish} RETURNING id`,
    release: `DELETE FROM ${table} WHERE id = $1 AND token = $2`,
    // The index is no use for a time that goes on while it is read.
    sweep: `DELETE FROM ${table} WHERE id IN (SELECT id FROM ${table} WHERE expires_at <= statement_timestamp()
LIMIT $1::int FOR UPDATE SKIP LOCKED) RETURNING id`,
  };
}

class PostgresStore {
  #query;
  #statements;
  #claims = 0;

  constructor(query, table) {
    this.#query = query;
    this.#statements = statements(table);
  }

  async claim(id, { leaseMs }) {
    const token = crypto.randomUUID();
    const inserted = await this.#rows(this.#statements.claim, [id, token, leaseMs]);
    if (inserted.length === 0) return this.#held(id);
    await this.#sweepNowAndThen();
    return { state: 'new', token };
  }

  /** Why there was nothing to claim. A row that went in between was a claim. */
  async #held(id) {
    const [row] = await this.#rows(this.#statements.held, [id]);
    if (row?.done) return { state: 'done' };
    return { state: 'busy', retryAfterMs: Number(row?.left_ms ?? 0) };
  }

  async complete(id, token, { keepMs }) {
    return (await this.#rows(this.#statements.complete, [id, token, keepMs])).length === 1;
  }

  async completeIn(query, { id, token, keepMs }) {
    const finished = await this.#rows(this.#statements.completeOnce, [id, token, keepMs], query);
    if (finished.length === 0) throw new ClaimLost();
  }

  async release(id, token) {
    await this.#rows(this.#statements.release, [id, token]);
  }

  async sweep(limit = SWEEP_ROWS) {
    return (await this.#rows(this.#statements.sweep, [wholeNumber(limit, 1, 1_000_000, 'limit')])).length;
  }

  /** Functions that live for a few requests each do it too: with their first one. */
  async #sweepNowAndThen() {
    const isDue = this.#claims % CLAIMS_BETWEEN_SWEEPS === 0;
    this.#claims += 1;
    // A table that isn't swept this time is only larger: the delivery must not wait for another one because of it.
    if (isDue) await this.sweep().catch(() => {});
  }

  async #rows(text, values, query = this.#query) {
    const result = await query(text, values);
    return Array.isArray(result) ? result : result.rows;
  }
}

export function postgresStore(query, { table = DEFAULT_TABLE } = {}) {
  if (typeof query !== 'function') throw new TypeError('query: not a function.');
  return new PostgresStore(query, checkedTable(table));
}
