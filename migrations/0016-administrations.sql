-- What operators have done: the audit log. Contains no contents of messages.
CREATE TABLE administrations (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at_ms INTEGER NOT NULL,
  operator TEXT NOT NULL,
  origin TEXT NOT NULL,
  operation TEXT NOT NULL,
  subject TEXT,
  result TEXT NOT NULL
) STRICT;
CREATE INDEX administrations_by_time ON administrations (at_ms);
