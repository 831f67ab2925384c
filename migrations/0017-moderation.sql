-- Domains that the operator has blocked while the server ran, beside those of the configuration. `*.` stands for all subdomains.
CREATE TABLE blocked_domains (
  domain TEXT PRIMARY KEY,
  at_ms INTEGER NOT NULL,
  reason TEXT
) STRICT, WITHOUT ROWID;

-- Accounts whose users may not log in. With remove_at_ms the account is removed then.
CREATE TABLE suspensions (
  account_id INTEGER PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
  at_ms INTEGER NOT NULL,
  reason TEXT,
  remove_at_ms INTEGER
) STRICT;

-- What users of a domain are told when they come online.
CREATE TABLE notices (
  domain TEXT PRIMARY KEY,
  at_ms INTEGER NOT NULL,
  text TEXT NOT NULL
) STRICT, WITHOUT ROWID;
