-- What the indexer calls an operator for, and what the leading instance lets the others know. SPEC section 9.

-- One row an alarm, never deleted. The same alarm of the same log is raised again rather than beside itself, until it
-- has ended and was acknowledged.
CREATE TABLE indexer_alarms (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind text NOT NULL,                 -- stalled, network_reset, other_network, retention
  epoch text NOT NULL,                -- of the log that it was raised for
  reason text NOT NULL,
  raised_at_ms bigint NOT NULL DEFAULT (extract(epoch FROM clock_timestamp()) * 1000)::bigint,
  cleared_at_ms bigint,               -- NULL: its cause goes on
  acknowledged_at_ms bigint,
  acknowledged_by text                -- as audit_log.actor
);
CREATE UNIQUE INDEX indexer_alarms_up ON indexer_alarms (kind, epoch)
  WHERE cleared_at_ms IS NULL OR acknowledged_at_ms IS NULL;

-- One row, written by whoever leads; nobody decides anything by it.
CREATE TABLE indexer_leader (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  network text NOT NULL,
  last_safe_ledger bigint NOT NULL,
  synced_at_ms bigint,
  reorg_detected boolean NOT NULL,
  rpc_healthy boolean NOT NULL,
  halted boolean NOT NULL,
  trouble text NOT NULL,              -- why clients are told service.degraded; '': they aren't
  summary text NOT NULL,
  retention_ledgers bigint
);
