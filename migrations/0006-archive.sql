-- Every account has an archive of messages, and its number is never given to another one. An archive that has lost its account is
-- removed little by little. The preferences are JSON, absent if they are the default; `entries` counts the rows in archive_entries.
CREATE TABLE archives (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  account_id INTEGER UNIQUE REFERENCES accounts (id) ON DELETE SET NULL,
  preferences TEXT CHECK (preferences IS NULL OR json_valid(preferences)),
  entries INTEGER NOT NULL DEFAULT 0 CHECK (entries >= 0)
) STRICT;
INSERT INTO archives (account_id) SELECT id FROM accounts ORDER BY id;

-- Each message once, whether one archive has it or two. The id is a moment: milliseconds since 1970, times 1024, plus a count.
CREATE TABLE archive_messages (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  sender_archive INTEGER,
  sender_peer INTEGER,
  recipient_archive INTEGER,
  recipient_peer INTEGER,
  bytes BLOB NOT NULL
) STRICT;

-- The bare JIDs that users have exchanged messages with.
CREATE TABLE archive_peers (
  id INTEGER PRIMARY KEY,
  jid TEXT NOT NULL UNIQUE
) STRICT;

-- Which messages are in which archive, up to the one that archive_progress names. For the later ones archive_messages says it: each of
-- these rows lies in a page of its own, so they are written later, many in order.
CREATE TABLE archive_entries (
  archive INTEGER NOT NULL,
  id INTEGER NOT NULL,
  peer INTEGER NOT NULL,
  PRIMARY KEY (archive, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX archive_entries_by_peer ON archive_entries (archive, peer, id);

-- `changes` grows with each change of an archive, so that what the storage thread remembers can be compared with what was committed.
CREATE TABLE archive_progress (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  indexed_up_to INTEGER NOT NULL,
  changes INTEGER NOT NULL
) STRICT;
INSERT INTO archive_progress (one, indexed_up_to, changes) VALUES (1, 0, 0);
