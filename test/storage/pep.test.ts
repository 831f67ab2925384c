import Database from 'better-sqlite3';
import { expect } from 'chai';
import { migrate } from '../../src/storage/sqlite/migrate.ts';
import { defaultMigrationsDir } from '../../src/storage/sqlite/open-sqlite-storage.ts';

describe('nodes in SQLite', () => {
  it('find their last item by indexes, without sorting', () => {
    const db = new Database(':memory:');
    migrate(db, defaultMigrationsDir, '.');
    const plan = db
      .prepare<[], { detail: string }>(
        `EXPLAIN QUERY PLAN SELECT payload FROM accounts JOIN pep_nodes ON account_id = accounts.id
         JOIN pep_items ON node_id = pep_nodes.id WHERE accounts.jid = 'a' AND pep_nodes.name = 'n' ORDER BY seq DESC LIMIT 1`,
      )
      .all();
    db.close();
    expect(plan.map(({ detail }) => detail)).to.deep.equal([
      'SEARCH accounts USING COVERING INDEX sqlite_autoindex_accounts_1 (jid=?)',
      'SEARCH pep_nodes USING COVERING INDEX sqlite_autoindex_pep_nodes_1 (account_id=? AND name=?)',
      'SEARCH pep_items USING INDEX pep_items_by_node (node_id=?)',
    ]);
  });
});
