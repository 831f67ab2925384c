-- Reports of users about addresses that they have blocked (XEP-0377). `texts`, `passing_on` and `messages` are JSON arrays.
CREATE TABLE reports (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  account_id INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  at_ms INTEGER NOT NULL,
  jid TEXT NOT NULL,
  reason TEXT NOT NULL,
  texts TEXT NOT NULL CHECK (json_valid(texts)),
  passing_on TEXT NOT NULL CHECK (json_valid(passing_on)),
  messages TEXT NOT NULL CHECK (json_valid(messages))
) STRICT;
CREATE INDEX reports_by_account ON reports (account_id, id);
