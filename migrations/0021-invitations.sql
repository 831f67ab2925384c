-- Invitations (XEP-0379, XEP-0401, XEP-0445) and links that set a new password. The tokens themselves are not stored. One that is used up is
-- deleted, and nothing distinguishes it from one that never was.
CREATE TABLE invitations (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  token_hash BLOB NOT NULL UNIQUE,
  kind TEXT NOT NULL CHECK (kind IN ('account', 'contact', 'reset')),
  domain TEXT NOT NULL,
  -- Whose contact the new user becomes, or whose password is set.
  account_id INTEGER REFERENCES accounts (id) ON DELETE CASCADE,
  -- Who has made it; NULL for the operator.
  maker_id INTEGER REFERENCES accounts (id) ON DELETE CASCADE,
  -- The only name that can be registered with it, reserved until it ends.
  username TEXT,
  uses INTEGER NOT NULL CHECK (uses > 0),
  created_at_ms INTEGER NOT NULL,
  expires_at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX invitations_by_account ON invitations (account_id) WHERE account_id IS NOT NULL;
CREATE INDEX invitations_by_maker ON invitations (maker_id) WHERE maker_id IS NOT NULL;
CREATE INDEX invitations_by_name ON invitations (domain, username) WHERE username IS NOT NULL;
CREATE INDEX invitations_by_end ON invitations (expires_at_ms);
