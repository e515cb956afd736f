-- Streams that are created and changed through the API: entries of the same log, of no ledger. SPEC sections 4 and 5.

ALTER TABLE events
  ALTER COLUMN ledger DROP NOT NULL,
  ALTER COLUMN ledger_hash DROP NOT NULL,
  ALTER COLUMN tx_hash DROP NOT NULL;

-- Which creation answered which Idempotency-Key. The answer itself is the entry's stream at as_of.
CREATE TABLE idempotency_keys (
  caller text NOT NULL,
  key text NOT NULL,
  body_sha256 bytea NOT NULL,         -- of the request's body as received
  seq bigint NOT NULL,                -- the entry that created the stream
  as_of bigint NOT NULL,              -- unix seconds that the answer's amounts were computed for
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (caller, key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);
