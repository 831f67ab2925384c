-- The SHA-256 of the addresses of removed accounts. Nobody can register them for a while, because others may still write to the old user.
CREATE TABLE removed_accounts (
  hash BLOB PRIMARY KEY,
  removed_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX removed_accounts_by_time ON removed_accounts (removed_at_ms);
