-- The push services that clients have enabled for their devices (XEP-0357). A row that is replaced gets a larger id, so the smallest id of an
-- account is the one that was enabled longest ago. options holds the publish options as JSON: a list of pairs of a name and its values.
CREATE TABLE push_registrations (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  account_id INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  service TEXT NOT NULL,
  node TEXT NOT NULL,
  resource TEXT NOT NULL,
  options TEXT NOT NULL CHECK (json_valid(options)),
  UNIQUE (account_id, service, node)
) STRICT;
