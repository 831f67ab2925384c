-- Imports of rooms that have not ended. room is the number that the room will have: its messages are in room_messages already. content is
-- the rest of the room, as JSON.
CREATE TABLE room_imports (
  room INTEGER PRIMARY KEY,
  address TEXT NOT NULL UNIQUE,
  content TEXT NOT NULL CHECK (json_valid(content)),
  begun_at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX room_imports_by_begin ON room_imports (begun_at_ms);
