-- Webhooks: who is told, of what, and how that went. SPEC section 8.
--
-- Rows are locked in this order, by everyone: log_head, webhook_endpoints, webhook_lanes, webhook_deliveries,
-- webhook_messages; several of one table in the order of its key.

-- Grows with every change to the endpoints, which holds this row: whoever appends entries holds it too, and knows by it
-- whether the endpoints that it has in mind are still those that there are.
ALTER TABLE log_head ADD COLUMN webhooks_version bigint NOT NULL DEFAULT 0;

-- Rows are never deleted: what was delivered keeps whom it went to.
CREATE TABLE webhook_endpoints (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  configured boolean NOT NULL DEFAULT false,  -- by FLUXORA_WEBHOOK_URL, not through the API
  configured_at_ms bigint,            -- when an instance last said so; NULL: made through the API
  url text NOT NULL,
  description text NOT NULL DEFAULT '',
  events text NOT NULL DEFAULT '',    -- names separated by spaces; '': all
  stream_id text COLLATE "C",         -- NULL: any; entries have to fit all three
  sender text COLLATE "C",
  recipient text COLLATE "C",
  secret bytea,                       -- sealed (core's SecretBox); NULL: the configured one's, which isn't kept here
  enabled boolean NOT NULL DEFAULT true,
  disabled_reason text NOT NULL DEFAULT '',  -- operator, gone, failing, backlog, configuration; '': it is enabled
  disabled_at_ms bigint,
  failing_since_ms bigint,            -- the first failure behind the last success; NULL: none
  since_epoch text COLLATE "C" NOT NULL,  -- the log's end when it was last enabled, or disabled: it hears, or doesn't,
  since_seq bigint NOT NULL,              -- of what comes behind it
  created_at_ms bigint NOT NULL DEFAULT (extract(epoch FROM clock_timestamp()) * 1000)::bigint,
  updated_at_ms bigint NOT NULL DEFAULT (extract(epoch FROM clock_timestamp()) * 1000)::bigint,
  deleted_at_ms bigint
);
CREATE UNIQUE INDEX webhook_endpoints_configured ON webhook_endpoints ((true)) WHERE configured;
CREATE INDEX webhook_endpoints_live ON webhook_endpoints (id) WHERE deleted_at_ms IS NULL;

-- Secrets that were replaced: each signs beside its endpoint's until its own end. Changed by whoever has locked the
-- endpoint, and removed by anyone once they are over.
CREATE TABLE webhook_former_secrets (
  endpoint bigint NOT NULL,
  number bigint GENERATED ALWAYS AS IDENTITY,  -- grows, from 1 on
  secret bytea NOT NULL,              -- sealed, as it was
  until_ms bigint NOT NULL,
  PRIMARY KEY (endpoint, number)
);
CREATE INDEX webhook_former_secrets_over ON webhook_former_secrets (until_ms);

-- What is sent, once for all endpoints: its bytes stay as they were, whatever becomes of the log or of this program.
CREATE SEQUENCE webhook_tests;
CREATE TABLE webhook_messages (
  epoch text COLLATE "C" NOT NULL,    -- the entry's cursor; '' and a number by time and webhook_tests: a test
  seq bigint NOT NULL,
  event text NOT NULL,
  stream_id text COLLATE "C" NOT NULL,  -- '': an entry that is no stream's
  body text NOT NULL,
  deliveries integer NOT NULL,        -- rows of webhook_deliveries: whoever makes or removes some counts them here
  PRIMARY KEY (epoch, seq)
);

-- A message for an endpoint. Its own key is what receivers see as its id. No foreign keys: they are looked up a row at
-- a time, and endpoints stay.
CREATE TABLE webhook_deliveries (
  endpoint bigint NOT NULL,
  epoch text COLLATE "C" NOT NULL,
  seq bigint NOT NULL,
  lane text COLLATE "C" NOT NULL,     -- the message's stream; of a test: its id, so that it waits for nothing
  state smallint NOT NULL DEFAULT 0,  -- ports::DeliveryState: 0 waiting, 1 delivered, 2 dead, 3 cancelled
  attempts integer NOT NULL DEFAULT 0,
  tries integer NOT NULL DEFAULT 0,   -- of these since it was made or last redelivered: its place in the retry schedule
  created_at_ms bigint NOT NULL DEFAULT (extract(epoch FROM clock_timestamp()) * 1000)::bigint,
  finished_at_ms bigint,              -- NULL while it waits
  PRIMARY KEY (endpoint, epoch, seq)
);
CREATE INDEX webhook_deliveries_waiting ON webhook_deliveries (endpoint, epoch, lane, seq) WHERE state = 0;
CREATE INDEX webhook_deliveries_dead ON webhook_deliveries (created_at_ms, endpoint, epoch, seq) WHERE state = 2;
CREATE INDEX webhook_deliveries_finished ON webhook_deliveries (finished_at_ms) WHERE finished_at_ms IS NOT NULL;

-- What waits, in the order in which it has to arrive: a stream's messages for an endpoint, one after another. There as
-- long as something waits in it; claimed and released as a whole.
CREATE TABLE webhook_lanes (
  endpoint bigint NOT NULL,
  epoch text COLLATE "C" NOT NULL,
  lane text COLLATE "C" NOT NULL,
  due_at_ms bigint NOT NULL,
  claimed_by bigint,                  -- a dispatcher; NULL: nobody
  -- Until due_at_ms, which ends it: claims look through the others alone. So do lanes of endpoints that are disabled,
  -- until they are enabled.
  resting boolean NOT NULL DEFAULT false,
  PRIMARY KEY (endpoint, epoch, lane)
) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 5000);
CREATE INDEX webhook_lanes_due ON webhook_lanes (endpoint, due_at_ms) WHERE claimed_by IS NULL AND NOT resting;
CREATE INDEX webhook_lanes_resting ON webhook_lanes (due_at_ms) WHERE resting;
CREATE INDEX webhook_lanes_claimed ON webhook_lanes (claimed_by) WHERE claimed_by IS NOT NULL;

-- Who claims lanes. What a dispatcher has claimed is anyone's once its time is over. Numbered by chance: numbers of a
-- sequence come again after a restore, and two would take each other's lanes for theirs.
CREATE TABLE webhook_dispatchers (
  id bigint PRIMARY KEY DEFAULT (('x' || left(gen_random_uuid()::text, 8) || right(gen_random_uuid()::text, 8))::bit(64)
    ::bigint & 9223372036854775807),
  alive_until_ms bigint NOT NULL
);

CREATE TABLE webhook_attempts (
  endpoint bigint NOT NULL,
  epoch text COLLATE "C" NOT NULL,
  seq bigint NOT NULL,
  number integer NOT NULL,            -- from 1 on
  at_ms bigint NOT NULL,              -- its beginning
  duration_ms integer NOT NULL,
  status smallint,                    -- NULL: there was no answer
  error text NOT NULL,                -- ports::TransportFailure's name; '': there was an answer
  detail text NOT NULL,               -- a sentence for people; ''
  response text NOT NULL,             -- how the answer's body begins
  PRIMARY KEY (endpoint, epoch, seq, number)
);

-- Entries of the past that are to be delivered again. Rows are never deleted.
CREATE TABLE webhook_replays (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  endpoint bigint NOT NULL,
  epoch text COLLATE "C" NOT NULL,
  after_seq bigint NOT NULL,          -- entries above this one
  through_seq bigint NOT NULL,        -- up to this one
  from_ledger bigint,                 -- of these only the chain's, and times', from this ledger on; NULL: all
  place bigint NOT NULL,              -- entries up to this one were looked at
  deliveries bigint NOT NULL DEFAULT 0,  -- that came of it so far
  state text NOT NULL,                -- running, paused, done, failed, cancelled
  started_by text NOT NULL,           -- as audit_log.actor; replay: a log that took the served one's place
  message text NOT NULL DEFAULT '',
  created_at_ms bigint NOT NULL DEFAULT (extract(epoch FROM clock_timestamp()) * 1000)::bigint,
  updated_at_ms bigint NOT NULL DEFAULT (extract(epoch FROM clock_timestamp()) * 1000)::bigint,
  finished_at_ms bigint
);
-- One at a time for an endpoint.
CREATE UNIQUE INDEX webhook_replays_active ON webhook_replays (endpoint) WHERE state IN ('running', 'paused');
CREATE INDEX webhook_replays_listed ON webhook_replays (endpoint, id);
