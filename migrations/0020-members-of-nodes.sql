-- Finds the nodes with members when the account of a member is removed. Most nodes have none.
CREATE INDEX pep_nodes_with_members ON pep_nodes (id) WHERE json_type(config, '$.members') IS NOT NULL;
