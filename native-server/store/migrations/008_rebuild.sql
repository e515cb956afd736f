-- Folding the log again, and digests by ledger over HTTP. SPEC sections 4 and 9.

-- The digests are of the ledgers from this one on: NULL as long as nothing is indexed.
ALTER TABLE indexer_checkpoint ADD COLUMN first_ledger bigint;
UPDATE indexer_checkpoint SET first_ledger = (SELECT min(sequence) FROM ledgers) WHERE ledger IS NOT NULL;

CREATE INDEX ledgers_with_digest ON ledgers (sequence) WHERE digest IS NOT NULL;

-- Where a rebuild is, and what the streams were there: the newest row of each, by seq. Unlogged: after a crash of the
-- database both are empty, and the rebuild starts anew.
CREATE UNLOGGED TABLE rebuild_place (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  epoch text NOT NULL,
  seq bigint NOT NULL                 -- the last folded entry
);
CREATE UNLOGGED TABLE rebuild_states (
  seq bigint NOT NULL,                -- the place that it was kept with
  id text NOT NULL,
  stream_state bytea                  -- NULL: nothing is left of the stream
);
