-- Grows with each change of the password, and starts at the time of creation: it never repeats for the same JID.
-- Accounts that are older than this column have 0.
ALTER TABLE accounts ADD COLUMN password_version INTEGER NOT NULL DEFAULT 0;

-- The devices of accounts: installations of clients, by a hash of the id that they name (XEP-0388 §2.3). A device knows the password if
-- its password_version is that of the account.
CREATE TABLE devices (
  id INTEGER PRIMARY KEY,
  account_id INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  key TEXT NOT NULL,
  software TEXT,
  name TEXT,
  first_seen_ms INTEGER NOT NULL,
  last_seen_ms INTEGER NOT NULL,
  keep_until_ms INTEGER NOT NULL,
  password_version INTEGER,
  UNIQUE (account_id, key)
) STRICT;
CREATE INDEX devices_by_end ON devices (keep_until_ms);

-- Tokens of FAST (XEP-0484), encrypted. A device has at most two: the one it has used last, and a newer one. AUTOINCREMENT: a token keeps
-- its id for itself, whatever was deleted.
CREATE TABLE fast_tokens (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  device_id INTEGER NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
  mechanism TEXT NOT NULL,
  secret BLOB NOT NULL,
  issued_at_ms INTEGER NOT NULL,
  expires_at_ms INTEGER NOT NULL,
  used INTEGER NOT NULL DEFAULT 0 CHECK (used IN (0, 1)),
  count INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX fast_tokens_by_device ON fast_tokens (device_id);
