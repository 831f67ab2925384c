-- The clients in rooms, in the order of their last presence. seen_id is the last archived message that a client has confirmed.
CREATE TABLE room_occupants (
  id INTEGER PRIMARY KEY,
  room INTEGER NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
  jid TEXT NOT NULL,
  nick TEXT NOT NULL,
  role TEXT NOT NULL,
  presence BLOB NOT NULL,
  seen_id INTEGER NOT NULL,
  UNIQUE (room, jid)
) STRICT;

-- The nicknames that somebody has left in the last minutes: after a crash, others may not have been told.
CREATE TABLE room_departures (
  room INTEGER NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
  nick TEXT NOT NULL,
  left_at_ms INTEGER NOT NULL,
  PRIMARY KEY (room, nick)
) STRICT, WITHOUT ROWID;
CREATE INDEX room_departures_by_time ON room_departures (left_at_ms);

-- Rooms that end when nobody is in them.
CREATE INDEX temporary_rooms ON rooms (address) WHERE json_extract(config, '$.persistent') = 0;

-- Has a row if the last run of the server ended in an orderly way.
CREATE TABLE orderly_stops (at_ms INTEGER NOT NULL) STRICT;
