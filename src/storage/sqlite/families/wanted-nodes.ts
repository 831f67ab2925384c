import type Database from 'better-sqlite3';

/** How many capabilities are remembered: far more than there are clients and versions of them in use. */
const maxCaps = 10_000;

/** Prepares what is remembered of the capabilities of clients; a part of the family of PEP. */
export function prepareWantedNodes(db: Database.Database) {
  const get = db.prepare<[string], string>('SELECT nodes FROM wanted_nodes WHERE caps = ?').pluck();
  const put = db.prepare<[string, string]>('INSERT OR REPLACE INTO wanted_nodes (caps, nodes) VALUES (?, ?)');
  const trim = db.prepare<[number]>(
    'DELETE FROM wanted_nodes WHERE id <= (SELECT id FROM wanted_nodes ORDER BY id DESC LIMIT 1 OFFSET ?)',
  );
  return {
    reads: {
      wantedNodes: (caps: string): string[] | undefined => {
        const nodes = get.get(caps);
        return nodes === undefined ? undefined : JSON.parse(nodes);
      },
    },
    writes: {
      rememberWantedNodes: (caps: string, nodes: readonly string[]): void => {
        put.run(caps, JSON.stringify(nodes));
        trim.run(maxCaps);
      },
    },
  };
}
