/** Handled deliveries in a table of PostgreSQL: atomic, and in the handler's own transaction where that is wanted. */
import type { SeenClaim, SeenStore } from './seen.js';

/**
 * Runs one statement with values for $1, $2, …: gives its rows, alone or as `rows`. What it runs in has to be
 * PostgreSQL's default isolation, READ COMMITTED.
 *
 * - npm `pg`: `(text, values) => pool.query(text, values)`
 * - npm `postgres`: `(text, values) => sql.unsafe(text, values)`
 * - npm `@neondatabase/serverless`: `(text, values) => sql.query(text, values)`
 */
export type PostgresQuery = (
  text: string,
  values: (string | number)[],
) => PromiseLike<{ rows: any[] } | readonly any[]>;

export interface PostgresStoreOptions {
  /** Of lower-case letters, digits and underscores, with its schema or without. Default `fluxora_seen_deliveries`. */
  table?: string;
}

/** Goes by the database's clock. Now and then a claim removes up to 1,000 rows that have served their time. */
export interface PostgresStore extends SeenStore {
  /**
   * Within the handler's transaction: what it wrote and that it did are committed together, or neither. With this, an
   * event has its effect in that database exactly once. Throws ClaimLost where the claim ran out and another copy
   * was let in: let it roll the transaction back.
   */
  completeIn(query: PostgresQuery, claim: SeenClaim): Promise<void>;
  /** Removes up to `limit` (1,000) rows that have served their time; gives their number. */
  sweep(limit?: number): Promise<number>;
}

export function postgresStore(query: PostgresQuery, options?: PostgresStoreOptions): PostgresStore;

/**
 * The statements that make the table, for a migration or a start: run as one text, without values. They can be run
 * again, and by several at once.
 */
export function postgresSchema(options?: PostgresStoreOptions): string;

/** Somebody else is handling the delivery by now. */
export class ClaimLost extends Error {}
