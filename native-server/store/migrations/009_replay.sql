-- Jobs over the whole log: reading the chain again into a new epoch, folding the log again. SPEC section 9.

-- Rows are never deleted. Whoever runs a job holds an advisory lock of the session, so a row that says running without
-- it is one whose process died.
CREATE TABLE replay_jobs (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind text NOT NULL,                 -- replay, rebuild
  state text NOT NULL,                -- queued, running, paused, done, failed, cancelled
  contracts text NOT NULL,            -- that a replay follows; ''
  from_ledger bigint,                 -- NULL: where the log begins
  restart boolean NOT NULL,           -- what an earlier replay has read is still to be dropped
  started_by text NOT NULL,           -- as audit_log.actor
  done bigint NOT NULL DEFAULT 0,     -- of total: ledgers of a replay, entries of a rebuild
  total bigint NOT NULL DEFAULT 0,    -- 0: not known
  rows_done bigint NOT NULL DEFAULT 0,
  rows_per_second bigint NOT NULL DEFAULT 0,
  remaining_ms bigint,
  created_at_ms bigint NOT NULL DEFAULT (extract(epoch FROM clock_timestamp()) * 1000)::bigint,
  started_at_ms bigint,
  updated_at_ms bigint NOT NULL DEFAULT (extract(epoch FROM clock_timestamp()) * 1000)::bigint,
  finished_at_ms bigint,
  message text NOT NULL DEFAULT ''
);
-- One at a time.
CREATE UNIQUE INDEX replay_jobs_active ON replay_jobs ((true)) WHERE state IN ('queued', 'running', 'paused');
