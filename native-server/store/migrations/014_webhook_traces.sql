-- Whose trace a message's deliveries go on: W3C Trace Context's traceparent of the request or the indexer's batch that made
-- its entry; '' where that was of no trace, and for tests and entries whose message a replay makes anew.
ALTER TABLE webhook_messages ADD COLUMN traceparent text NOT NULL DEFAULT '';
