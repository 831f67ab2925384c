-- Files that users have uploaded (XEP-0363). A file without an account is gone: its content waits to be deleted, or was deleted at
-- `deleted_at_ms`.
CREATE TABLE uploads (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  account_id INTEGER REFERENCES accounts (id) ON DELETE SET NULL,
  name TEXT NOT NULL,
  type TEXT NOT NULL,
  size INTEGER NOT NULL CHECK (size >= 0),
  uploaded_at_ms INTEGER NOT NULL,
  deleted_at_ms INTEGER
) STRICT;
CREATE INDEX uploads_by_account ON uploads (account_id, uploaded_at_ms) WHERE account_id IS NOT NULL;
CREATE INDEX uploads_by_age ON uploads (uploaded_at_ms) WHERE account_id IS NOT NULL;
CREATE INDEX uploads_to_delete ON uploads (id) WHERE account_id IS NULL AND deleted_at_ms IS NULL;
CREATE INDEX deleted_uploads ON uploads (deleted_at_ms) WHERE deleted_at_ms IS NOT NULL;
