-- Stanzas on their way to other servers and to components, until they have provably arrived. Those found at a start go on the road again.
CREATE TABLE outgoing (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  received_at_ms INTEGER NOT NULL,
  bytes BLOB NOT NULL
) STRICT;
