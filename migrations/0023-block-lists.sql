-- The entries of the block lists of other servers that this server follows, as it last knew them. A list is named by its XMPP URI.
CREATE TABLE listed_entries (
  list TEXT NOT NULL,
  entry TEXT NOT NULL,
  PRIMARY KEY (list, entry)
) STRICT, WITHOUT ROWID;
