-- The same message in the archive of its owner; NULL if it is not there. Such messages are counted apart: each kind has the whole quota.
ALTER TABLE offline_messages ADD COLUMN archived_id INTEGER;
ALTER TABLE accounts ADD COLUMN offline_archived_messages INTEGER NOT NULL DEFAULT 0 CHECK (offline_archived_messages >= 0);
ALTER TABLE accounts ADD COLUMN offline_archived_bytes INTEGER NOT NULL DEFAULT 0 CHECK (offline_archived_bytes >= 0);

-- Whether a client of the account has read its archive.
ALTER TABLE archives ADD COLUMN was_read INTEGER NOT NULL DEFAULT 0 CHECK (was_read IN (0, 1));
