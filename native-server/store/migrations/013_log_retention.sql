-- The log in partitions by seq, and what is left of the oldest ones once they are pruned. SPEC section 11, docs/retention.md.

-- In the order in which appenders take them, so that none that runs beside us holds what we wait for.
LOCK TABLE indexer_checkpoint, log_head, events IN ACCESS EXCLUSIVE MODE;

-- Partitions are made by whoever appends beyond the last one. What was pruned is seen in oldest_seq: below it stands no
-- log any more but a snapshot of it, rows of events that are kept for what comes after them: of each stream its newest
-- entry, its newest one with a state, the newest of those that stand, and the standing ones of time; of the API's
-- streams all. The four columns behind pruned_ledger are NULL as long as nothing was pruned.
ALTER TABLE log_head
  ADD COLUMN partitioned_to bigint NOT NULL DEFAULT 1,  -- every seq below it has a partition
  ADD COLUMN pruned_ledger bigint,    -- every event of a ledger up to this one is below oldest_seq, of a later one isn't;
                                      -- NULL: none was pruned
  ADD COLUMN pruned_closed_at bigint, -- when the newest held ledger up to that one closed, unix seconds;
                                      -- 0: none is held
  ADD COLUMN pruned_digest bytea,     -- of the log up to that ledger; zeros where none was pruned
  ADD COLUMN pruned_states bytea,     -- core's snapshot_digest over what is left of the streams
  ADD COLUMN pruned_at_ms bigint;

-- The log as it is becomes the first partition: checked, but not written again.
DROP VIEW audit_trail;
DROP INDEX events_by_retracted;
ALTER TABLE events RENAME TO events_1;
ALTER INDEX events_pkey RENAME TO events_1_pkey;
ALTER INDEX events_by_stream RENAME TO events_1_by_stream;
ALTER INDEX events_by_ledger RENAME TO events_1_by_ledger;
ALTER INDEX events_by_event RENAME TO events_1_by_event;
ALTER INDEX events_by_former_sender RENAME TO events_1_by_former_sender;
ALTER INDEX events_by_former_recipient RENAME TO events_1_by_former_recipient;
ALTER INDEX events_unfolded RENAME TO events_1_unfolded;
CREATE INDEX events_1_by_retracted ON events_1 (retracts) WHERE retracts IS NOT NULL;

CREATE TABLE events (LIKE events_1 INCLUDING DEFAULTS) PARTITION BY RANGE (seq);
ALTER TABLE events ADD CONSTRAINT events_pkey PRIMARY KEY (seq);
CREATE INDEX events_by_stream ON events (stream_id, seq) WHERE stream_id IS NOT NULL;
CREATE INDEX events_by_ledger ON events (ledger);
CREATE INDEX events_by_event ON events (event, seq);
CREATE INDEX events_by_former_sender ON events ((change::json #>> '{sender,0}')) WHERE change LIKE '%"sender":[%';
CREATE INDEX events_by_former_recipient ON events ((change::json #>> '{recipient,0}'))
  WHERE change LIKE '%"recipient":[%';
CREATE INDEX events_unfolded ON events (stream_id, seq) WHERE stream_state IS NULL OR stream_state = '';
-- Unique no more: over partitions no index can say it. That no entry is undone twice is seen to by the indexer, as that
-- none stands twice: it undoes what stands, looked at in the transaction that holds its checkpoint.
CREATE INDEX events_by_retracted ON events (retracts) WHERE retracts IS NOT NULL;

DO $$
DECLARE
  last_seq bigint := (SELECT seq FROM log_head);
  -- Where a program of the version before still appends while the first of this one starts, it finds no partition made
  -- for it: room for what it does until it is replaced.
  room CONSTANT bigint := 1000000;
BEGIN
  IF last_seq = 0 THEN
    DROP TABLE events_1;
  ELSE
    EXECUTE format('ALTER TABLE events ATTACH PARTITION events_1 FOR VALUES FROM (MINVALUE) TO (%s)', last_seq + room + 1);
    UPDATE log_head SET partitioned_to = last_seq + room + 1;
  END IF;
END
$$;

CREATE VIEW audit_trail AS
  SELECT 'service' AS source, position, at_ms, actor, action, target, address, request_id, detail FROM audit_log
  UNION ALL
  SELECT 'chain', seq, closed_at * 1000, 'chain:' || contract_id, event, coalesce(stream_id, ''), '', '',
    '{"seq":' || seq || '}'
  FROM events WHERE contract_id IS NOT NULL AND seq >= (SELECT oldest_seq FROM log_head);
