-- When the user has registered the account; NULL if the operator has made or imported it, and for all accounts from before this migration.
ALTER TABLE accounts ADD COLUMN registered_at_ms INTEGER;

-- 1: the user has registered the account, and waits for the operator's approval.
ALTER TABLE suspensions ADD COLUMN awaits_approval INTEGER NOT NULL DEFAULT 0;
