-- The event log and what is folded from it. SPEC section 4, docs/data-model.md.

-- The log's end. One row: its lock serialises writers, so commit order is seq order.
CREATE TABLE log_head (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  epoch text NOT NULL,
  seq bigint NOT NULL DEFAULT 0,
  oldest_seq bigint NOT NULL DEFAULT 1
);
INSERT INTO log_head (epoch) VALUES (substr(replace(gen_random_uuid()::text, '-', ''), 1, 8));

-- Every change there ever was. Rows are never updated.
CREATE TABLE events (
  seq bigint PRIMARY KEY,
  event text NOT NULL,                -- stream.created, …
  kind text NOT NULL,                 -- the contract's topic, '' where that is no symbol
  stream_id text,
  event_id text NOT NULL,
  contract_id text,
  ledger bigint NOT NULL,
  ledger_hash bytea NOT NULL,
  tx_hash bytea NOT NULL,
  closed_at bigint NOT NULL,          -- unix seconds
  in_successful_call boolean NOT NULL,
  topics bytea NOT NULL,              -- XDR array of the topics' own XDR
  value bytea NOT NULL,               -- XDR as the chain gave it
  change text NOT NULL,               -- JSON object of what differs from the entry before
  stream_state bytea,                 -- the stream after this entry (core's encode_stream); NULL: not folded
  prev_seq bigint                     -- the stream's previous entry
);
CREATE UNIQUE INDEX events_identity ON events (event_id, ledger_hash, coalesce(stream_id, ''));
CREATE INDEX events_by_stream ON events (stream_id, seq) WHERE stream_id IS NOT NULL;
CREATE INDEX events_by_ledger ON events (ledger);
CREATE INDEX events_by_event ON events (event, seq);

-- Headers as they were read: every ledger with entries, each batch's first and last, and some in between.
CREATE TABLE ledgers (
  sequence bigint PRIMARY KEY,
  hash bytea NOT NULL,
  previous_hash bytea NOT NULL,
  closed_at bigint NOT NULL
);

-- The fold of the log; nothing else writes it. Amounts are base units (7 decimals), times unix seconds.
CREATE TABLE streams (
  id text PRIMARY KEY,
  source smallint NOT NULL,           -- 0 chain, 1 api
  kind smallint NOT NULL,             -- 0 linear, 1 cliff_only, 2 cliff_slope
  status smallint NOT NULL,           -- 0 active, 1 paused, 2 completed, 3 cancelled
  archived boolean NOT NULL,
  sender text NOT NULL,
  recipient text NOT NULL,
  token text,
  deposit numeric(39, 0) NOT NULL,
  rate_per_second numeric(39, 0) NOT NULL,
  withdrawn numeric(39, 0) NOT NULL,
  settled numeric(39, 0) NOT NULL,
  start_time numeric(20, 0) NOT NULL,
  cliff_time numeric(20, 0) NOT NULL,
  end_time numeric(20, 0) NOT NULL,
  cancelled_at numeric(20, 0),
  checkpoint_amount numeric(39, 0) NOT NULL,
  checkpoint_at numeric(20, 0) NOT NULL,
  created_at_ms bigint NOT NULL,
  updated_at_ms bigint NOT NULL,
  version bigint NOT NULL,            -- seq of the last change
  created_seq bigint NOT NULL,
  ledger bigint,
  tx_hash bytea
);
CREATE INDEX streams_by_creation ON streams (created_seq DESC, id DESC);
CREATE INDEX streams_by_sender ON streams (sender, created_seq DESC, id DESC);
CREATE INDEX streams_by_recipient ON streams (recipient, created_seq DESC, id DESC);
CREATE INDEX streams_by_status ON streams (status, created_seq DESC, id DESC);

-- What the indexer follows and how far the log is complete. One row: every writer of chain entries holds it.
CREATE TABLE indexer_checkpoint (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  network_passphrase text,
  contracts text,
  ledger bigint,                      -- NULL: nothing indexed yet
  ledger_hash bytea,
  closed_at bigint,
  updated_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO indexer_checkpoint DEFAULT VALUES;
