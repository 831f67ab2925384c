-- Where an account's messages go instead, if its user wants them elsewhere.
ALTER TABLE accounts ADD COLUMN forward_to TEXT;

-- The rules that may still fire while a message waits, and when the first of them does by time alone.
ALTER TABLE offline_messages ADD COLUMN rules TEXT;
ALTER TABLE offline_messages ADD COLUMN due_at_ms INTEGER;
CREATE INDEX offline_messages_by_due_time ON offline_messages (due_at_ms, id) WHERE due_at_ms IS NOT NULL;

-- What the server has to tell because of what it has done to a stored message: written with the deed, removed when it is told.
CREATE TABLE outbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  bytes BLOB NOT NULL
) STRICT;
