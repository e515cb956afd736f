-- What is still to be read from the contract's storage, and what comparing streams with it has found. SPEC sections 3 and 9.

-- Streams whose entry is to be read. Written in the transactions that hold the indexer's checkpoint.
CREATE TABLE observation_list (
  stream_id text PRIMARY KEY,
  not_before bigint NOT NULL,         -- a ledger: worth a look once the checkpoint has reached it
  audited boolean NOT NULL,           -- the audit wants it: what differs is told
  absent_at bigint NOT NULL           -- a ledger in which there was no entry; 0: none was seen
);
CREATE INDEX observation_list_by_ledger ON observation_list (not_before, stream_id);

-- Streams from before there were observations, held ones and those that only have events. Of those that were closed the
-- contract has no entry any more, but still a token.
INSERT INTO observation_list (stream_id, not_before, audited, absent_at)
SELECT DISTINCT e.stream_id, 0, false, 0
FROM events e LEFT JOIN streams s ON s.id = e.stream_id
WHERE e.contract_id IS NOT NULL AND e.in_successful_call AND (s.token IS NULL OR NOT s.archived)
  AND (SELECT contracts FROM indexer_checkpoint) IS DISTINCT FROM '*';

-- The audit of all streams. One row: the pass under way, if any, and the last that was completed; times in Unix milliseconds.
CREATE TABLE reconciliation (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  started_at bigint,                  -- NULL: none is under way
  after_stream text NOT NULL DEFAULT '',
  streams bigint NOT NULL DEFAULT 0,
  differences bigint NOT NULL DEFAULT 0,
  last_started_at bigint,             -- NULL: none was completed yet
  last_completed_at bigint NOT NULL DEFAULT 0,
  last_streams bigint NOT NULL DEFAULT 0,
  last_differences bigint NOT NULL DEFAULT 0
);
INSERT INTO reconciliation DEFAULT VALUES;

-- The newest differences; older ones are removed.
CREATE TABLE reconciliation_differences (
  position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  found_at timestamptz NOT NULL DEFAULT now(),
  stream_id text NOT NULL,
  kind smallint NOT NULL,             -- ports::DifferenceKind
  ledger bigint NOT NULL,             -- the checkpoint at which it was found
  fields text NOT NULL                -- JSON object: what is held and what is right, by field
);

-- Which ledger a time was passed by.
CREATE INDEX ledgers_by_close ON ledgers (closed_at);
