-- Who may do what, and who did what. SPEC section 5, docs/security.md.

-- Rows are never deleted: a revoked key stays, so that the audit log's keys have names.
CREATE TABLE api_keys (
  id text PRIMARY KEY,                -- 16 hexadecimal digits, part of the key, not secret
  name text NOT NULL,
  scopes text NOT NULL,               -- separated by spaces
  secret_hash bytea NOT NULL,         -- SHA-256 of the key's secret part
  created_at_ms bigint NOT NULL DEFAULT (extract(epoch FROM clock_timestamp()) * 1000)::bigint,
  expires_at_ms bigint,
  last_used_at_ms bigint,             -- to within five minutes
  revoked_at_ms bigint
);
CREATE INDEX api_keys_by_creation ON api_keys (created_at_ms DESC, id DESC);

CREATE TABLE audit_log (
  position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at_ms bigint NOT NULL DEFAULT (extract(epoch FROM clock_timestamp()) * 1000)::bigint,
  actor text NOT NULL,                -- key:<id>, jwt:<sub>, address:<ip>, command
  action text NOT NULL,               -- stream.create, key.revoke, access.denied, …
  target text NOT NULL,
  address text NOT NULL,
  request_id text NOT NULL,
  detail text NOT NULL                -- JSON object
);

-- Append only, for everyone who isn't the table's owner and sets out to change that.
CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER audit_log_rows BEFORE UPDATE OR DELETE ON audit_log
  FOR EACH ROW EXECUTE FUNCTION refuse_audit_change();
CREATE TRIGGER audit_log_table BEFORE TRUNCATE ON audit_log
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();

-- With the chain's changes, which the log has already: seen as records, not written again.
CREATE VIEW audit_trail AS
  SELECT 'service' AS source, position, at_ms, actor, action, target, address, request_id, detail FROM audit_log
  UNION ALL
  SELECT 'chain', seq, closed_at * 1000, 'chain:' || contract_id, event, coalesce(stream_id, ''), '', '',
    '{"seq":' || seq || '}'
  FROM events WHERE contract_id IS NOT NULL;
