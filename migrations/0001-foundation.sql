-- "AMPR": marks the file as an Ampere store.
PRAGMA application_id = 1095585874;

-- The roster version starts at the time of creation and grows by one with each change: it never repeats for the same JID.
-- Changes up to roster_floor can no longer be told one by one. The offline counters make the quota check independent of the queue.
CREATE TABLE accounts (
  id INTEGER PRIMARY KEY,
  jid TEXT NOT NULL UNIQUE,
  domain TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL,
  bcrypt TEXT,
  last_seen_at_ms INTEGER,
  last_status TEXT,
  roster_version INTEGER NOT NULL,
  roster_floor INTEGER NOT NULL,
  offline_messages INTEGER NOT NULL DEFAULT 0 CHECK (offline_messages >= 0),
  offline_bytes INTEGER NOT NULL DEFAULT 0 CHECK (offline_bytes >= 0)
) STRICT;
CREATE INDEX accounts_by_domain ON accounts (domain, jid);

CREATE TABLE credentials (
  account_id INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  hash TEXT NOT NULL CHECK (hash IN ('SHA-1', 'SHA-256', 'SHA-512')),
  salt BLOB NOT NULL,
  iterations INTEGER NOT NULL CHECK (iterations > 0),
  stored_key BLOB NOT NULL,
  server_key BLOB NOT NULL,
  PRIMARY KEY (account_id, hash)
) STRICT, WITHOUT ROWID;

CREATE TABLE roster_items (
  account_id INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  contact TEXT NOT NULL,
  name TEXT NOT NULL,
  groups TEXT NOT NULL CHECK (json_valid(groups)),
  subscription TEXT NOT NULL CHECK (subscription IN ('none', 'to', 'from', 'both')),
  ask INTEGER NOT NULL CHECK (ask IN (0, 1)),
  approved INTEGER NOT NULL CHECK (approved IN (0, 1)),
  pending_in BLOB,
  in_roster INTEGER NOT NULL CHECK (in_roster IN (0, 1)),
  version INTEGER NOT NULL,
  PRIMARY KEY (account_id, contact)
) STRICT, WITHOUT ROWID;

-- What clients of an older roster version must forget; only the latest are kept.
CREATE TABLE roster_tombstones (
  account_id INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  contact TEXT NOT NULL,
  version INTEGER NOT NULL,
  PRIMARY KEY (account_id, contact)
) STRICT, WITHOUT ROWID;

-- AUTOINCREMENT: an id that was given out is never given again, whatever was deleted.
CREATE TABLE offline_messages (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  account_id INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  sender TEXT NOT NULL,
  received_at_ms INTEGER NOT NULL,
  size INTEGER NOT NULL,
  bytes BLOB NOT NULL
) STRICT;
CREATE INDEX offline_messages_by_account ON offline_messages (account_id);

CREATE TABLE private_xml (
  account_id INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  ns TEXT NOT NULL,
  xml TEXT NOT NULL,
  PRIMARY KEY (account_id, name, ns)
) STRICT;

CREATE TABLE vcards (
  account_id INTEGER PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
  xml TEXT NOT NULL
) STRICT;

CREATE TABLE blocklist (
  account_id INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  jid TEXT NOT NULL,
  PRIMARY KEY (account_id, jid)
) STRICT, WITHOUT ROWID;

CREATE TABLE secrets (
  name TEXT PRIMARY KEY,
  value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
