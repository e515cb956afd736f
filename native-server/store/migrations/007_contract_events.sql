-- Ledgers that only the events of others speak of: an event names its ledger's hash, but not the one before. SPEC section 9,
-- the ingest endpoint.

ALTER TABLE ledgers ALTER COLUMN previous_hash DROP NOT NULL;  -- NULL: nobody has said it
