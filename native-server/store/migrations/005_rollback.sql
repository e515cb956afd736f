-- Entries that undo others, the digests of ledgers, and time. SPEC section 4.

-- A retraction leaves its stream as stream_state says, in no bytes at all where it leaves none.
ALTER TABLE events ADD COLUMN retracts bigint;  -- the entry that this one undoes
CREATE UNIQUE INDEX events_by_retracted ON events (retracts) WHERE retracts IS NOT NULL;

-- What names an entry, (ledger_hash, event_id, stream_id), is unique among those that stand, which no index can say:
-- the indexer looks before it appends, in the transaction that holds its checkpoint.
DROP INDEX events_identity;

ALTER TABLE ledgers ADD COLUMN digest bytea;    -- of the log up to here; where the ledger has entries

-- Streams whose cliff or end a ledger's close may pass.
CREATE INDEX streams_by_cliff ON streams (cliff_time) WHERE status IN (0, 1) AND cliff_time > start_time;
CREATE INDEX streams_by_end ON streams (end_time) WHERE status IN (0, 1);
