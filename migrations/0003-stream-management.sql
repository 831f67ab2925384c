-- Sessions that clients can come back to (XEP-0198 §5). The key is a hash of the token the client holds. An ended session stays for a
-- while without its stanzas, so that the client can be told how far its own were handled.
CREATE TABLE resumable_sessions (
  key TEXT PRIMARY KEY,
  account_id INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  resource TEXT NOT NULL,
  handled INTEGER NOT NULL DEFAULT 0 CHECK (handled >= 0),
  max_seconds INTEGER NOT NULL,
  state TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(state)),
  detached_at_ms INTEGER,
  ended_at_ms INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX resumable_sessions_by_account ON resumable_sessions (account_id);
CREATE INDEX resumable_sessions_by_end ON resumable_sessions (ended_at_ms) WHERE ended_at_ms IS NOT NULL;

-- Stanzas handed to a session whose client has not proven yet that it has them. Without a session they go back on the road at the start.
CREATE TABLE unacknowledged (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  account_id INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  session TEXT REFERENCES resumable_sessions (key) ON DELETE SET NULL,
  sequence INTEGER,
  received_at_ms INTEGER NOT NULL,
  bytes BLOB NOT NULL
) STRICT;
CREATE INDEX unacknowledged_by_account ON unacknowledged (account_id);
CREATE INDEX unacknowledged_by_session ON unacknowledged (session);
