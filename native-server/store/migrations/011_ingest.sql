-- What makes large batches cheap. SPEC section 4.

-- Identifiers are ASCII and compared byte by byte, whatever the database's locale: quicker, and an index made under one
-- version of the operating system's collations is right under the next.
DROP VIEW audit_trail;
ALTER TABLE events
  ALTER COLUMN event TYPE text COLLATE "C",
  ALTER COLUMN stream_id TYPE text COLLATE "C",
  ALTER COLUMN event_id TYPE text COLLATE "C";
ALTER TABLE streams
  ALTER COLUMN id TYPE text COLLATE "C",
  ALTER COLUMN sender TYPE text COLLATE "C",
  ALTER COLUMN recipient TYPE text COLLATE "C",
  ALTER COLUMN token TYPE text COLLATE "C";
CREATE VIEW audit_trail AS
  SELECT 'service' AS source, position, at_ms, actor, action, target, address, request_id, detail FROM audit_log
  UNION ALL
  SELECT 'chain', seq, closed_at * 1000, 'chain:' || contract_id, event, coalesce(stream_id, ''), '', '',
    '{"seq":' || seq || '}'
  FROM events WHERE contract_id IS NOT NULL;

-- Entries that left their stream alone, or left none: with a stream's version they say which entry is its newest.
CREATE INDEX events_unfolded ON events (stream_id, seq) WHERE stream_state IS NULL OR stream_state = '';

-- Room in each page for the next version of its rows, so that a change of no indexed column touches no index.
ALTER TABLE streams SET (fillfactor = 70);
