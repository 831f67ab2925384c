-- Rooms (XEP-0045). The configuration is JSON; what searches need of it is in columns, too.
CREATE TABLE rooms (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  address TEXT NOT NULL UNIQUE,
  domain TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL,
  config TEXT NOT NULL CHECK (json_valid(config)),
  name TEXT NOT NULL,
  is_public INTEGER NOT NULL CHECK (is_public IN (0, 1)),
  occupant_key BLOB NOT NULL,
  subject BLOB,
  subject_at_ms INTEGER,
  CHECK ((subject IS NULL) = (subject_at_ms IS NULL))
) STRICT;
CREATE INDEX public_rooms ON rooms (domain, address, name) WHERE is_public = 1;

-- How many rooms a domain has, and how many of them are public.
CREATE TABLE room_totals (
  domain TEXT PRIMARY KEY,
  rooms INTEGER NOT NULL CHECK (rooms >= 0),
  public_rooms INTEGER NOT NULL CHECK (public_rooms >= 0)
) STRICT, WITHOUT ROWID;

-- How users belong to rooms, by bare JID or domain. nick_key is the text by which nicknames are compared.
CREATE TABLE room_affiliations (
  room INTEGER NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
  jid TEXT NOT NULL,
  affiliation TEXT NOT NULL,
  nick TEXT,
  nick_key TEXT,
  reason TEXT,
  PRIMARY KEY (room, jid)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX reserved_nicks ON room_affiliations (room, nick_key) WHERE nick_key IS NOT NULL;
CREATE INDEX room_affiliations_by_jid ON room_affiliations (jid, affiliation);

-- What is left of destroyed rooms for a while; owners is a JSON array of bare JIDs.
CREATE TABLE room_tombstones (
  address TEXT PRIMARY KEY,
  until_ms INTEGER NOT NULL,
  alternative TEXT,
  reason TEXT,
  owners TEXT NOT NULL CHECK (json_valid(owners))
) STRICT, WITHOUT ROWID;
CREATE INDEX room_tombstones_by_end ON room_tombstones (until_ms);

-- How many messages each room has. Those of abandoned rooms, which are gone, are removed little by little.
CREATE TABLE room_archives (
  room INTEGER PRIMARY KEY,
  messages INTEGER NOT NULL DEFAULT 0 CHECK (messages >= 0),
  abandoned INTEGER NOT NULL DEFAULT 0 CHECK (abandoned IN (0, 1))
) STRICT;
CREATE INDEX abandoned_rooms ON room_archives (room) WHERE abandoned = 1;

-- The id is a moment, as that of archive_messages, and counts on over all rooms. So new messages come at the end, and so do old ones at the
-- beginning; the index has the messages of a room in their order.
CREATE TABLE room_messages (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  room INTEGER NOT NULL,
  author TEXT NOT NULL,
  occupant_id TEXT NOT NULL,
  bytes BLOB NOT NULL
) STRICT;
CREATE INDEX room_messages_by_room ON room_messages (room);
