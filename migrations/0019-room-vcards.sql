-- The vCards of rooms (XEP-0486). avatar_hashes is a JSON array with the SHA-1 of each photo.
CREATE TABLE room_vcards (
  room INTEGER PRIMARY KEY REFERENCES rooms (id) ON DELETE CASCADE,
  xml TEXT NOT NULL,
  avatar_hashes TEXT NOT NULL CHECK (json_valid(avatar_hashes))
) STRICT;
