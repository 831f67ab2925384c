-- Nodes of accounts (XEP-0163). items and bytes count what is in pep_items.
CREATE TABLE pep_nodes (
  id INTEGER PRIMARY KEY,
  account_id INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  config TEXT NOT NULL CHECK (json_valid(config)),
  created_at_ms INTEGER NOT NULL,
  items INTEGER NOT NULL DEFAULT 0 CHECK (items >= 0),
  bytes INTEGER NOT NULL DEFAULT 0 CHECK (bytes >= 0),
  UNIQUE (account_id, name)
) STRICT;

-- seq is the order of publication at a node: a new row gets one that is larger than all others.
CREATE TABLE pep_items (
  seq INTEGER PRIMARY KEY,
  node_id INTEGER NOT NULL REFERENCES pep_nodes (id) ON DELETE CASCADE,
  item TEXT NOT NULL,
  published_at_ms INTEGER NOT NULL,
  payload TEXT NOT NULL,
  UNIQUE (node_id, item)
) STRICT;
CREATE INDEX pep_items_by_node ON pep_items (node_id, seq);

-- Who has asked for the events of a node, apart from contacts, who get them because of their presence.
CREATE TABLE pep_subscriptions (
  node_id INTEGER NOT NULL REFERENCES pep_nodes (id) ON DELETE CASCADE,
  jid TEXT NOT NULL,
  PRIMARY KEY (node_id, jid)
) STRICT, WITHOUT ROWID;
CREATE INDEX pep_subscriptions_by_jid ON pep_subscriptions (jid);

-- The nodes that clients want events of, by the verified hash of their capabilities (XEP-0115). Older rows make room for new ones.
CREATE TABLE wanted_nodes (
  id INTEGER PRIMARY KEY,
  caps TEXT NOT NULL UNIQUE,
  nodes TEXT NOT NULL CHECK (json_valid(nodes))
) STRICT;
