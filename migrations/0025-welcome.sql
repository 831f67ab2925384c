-- Besides the text for users who come online there is one for those who come online for the first time at all.
ALTER TABLE notices RENAME TO old_notices;
CREATE TABLE notices (
  domain TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('online', 'welcome')),
  at_ms INTEGER NOT NULL,
  text TEXT NOT NULL,
  PRIMARY KEY (domain, kind)
) STRICT, WITHOUT ROWID;
INSERT INTO notices (domain, kind, at_ms, text) SELECT domain, 'online', at_ms, text FROM old_notices;
DROP TABLE old_notices;
