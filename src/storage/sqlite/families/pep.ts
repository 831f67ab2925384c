import type Database from 'better-sqlite3';
import type {
  ItemSelection,
  PepItem,
  PepNodeAddress,
  PepNodeRecord,
  PepStore,
  PepSubscription,
  Publication,
} from '../../pep.ts';
import { StorageError } from '../../storage-error.ts';
import { defineFamily } from '../family.ts';
import { prepareOwners } from './owners.ts';
import { prepareWantedNodes } from './wanted-nodes.ts';

const itemColumns = 'item AS id, published_at_ms AS publishedAtMs, payload';

/** The nodes of accounts, their items and subscribers, and what clients want of them. */
export const pep = defineFamily({
  name: 'pep',
  prepare: (db) => {
    const wanted = prepareWantedNodes(db);
    return {
      reads: { ...prepareReads(db), ...wanted.reads },
      writes: {
        ...prepareNodeWrites(db),
        ...prepareItemWrites(db),
        ...prepareSubscriptionWrites(db),
        ...wanted.writes,
      },
    };
  },
  adds: ['create', 'publish', 'subscribe', 'rememberWantedNodes'],
  store: ({ run }): PepStore => ({
    nodes: (owner) => run('nodes', owner),
    create: (owner, node) => run('create', owner, node),
    configure: (owner, node, config) => run('configure', owner, node, config),
    publish: (owner, node, publication) => run('publish', owner, node, publication),
    retract: (owner, node, item) => run('retract', owner, node, item),
    purge: (owner, node) => run('purge', owner, node),
    remove: (owner, node) => run('remove', owner, node),
    items: (owner, node, selection) => run('items', owner, node, selection),
    itemIds: (owner, node) => run('itemIds', owner, node),
    lastItems: (nodes) => run('lastItems', nodes),
    subscribers: (owner, node) => run('subscribers', owner, node),
    subscriptions: (owner, jid) => run('subscriptions', owner, jid),
    subscribe: (owner, node, jid, maxSubscribers) => run('subscribe', owner, node, jid, maxSubscribers),
    unsubscribe: (owner, node, jid) => run('unsubscribe', owner, node, jid),
    unsubscribeAll: (jid, owner) => run('unsubscribeAll', jid, owner),
    forget: (jid) => run('forget', jid),
    wantedNodes: (caps) => run('wantedNodes', caps),
    rememberWantedNodes: (caps, nodes) => run('rememberWantedNodes', caps, nodes),
  }),
});

/** Finds the row ids of nodes. */
function prepareNodeIds(db: Database.Database) {
  const byName = db
    .prepare<[string, string], number>(
      `SELECT pep_nodes.id FROM pep_nodes JOIN accounts ON accounts.id = account_id
       WHERE accounts.jid = ? AND pep_nodes.name = ?`,
    )
    .pluck();
  const need = (owner: string, node: string): number => {
    const id = byName.get(owner, node);
    if (id === undefined) throw new StorageError('not-found', `${owner} has no node ${JSON.stringify(node)}`);
    return id;
  };
  return { find: (owner: string, node: string) => byName.get(owner, node), need };
}

function prepareSubscribers(db: Database.Database) {
  const list = db.prepare<[number], string>('SELECT jid FROM pep_subscriptions WHERE node_id = ? ORDER BY jid').pluck();
  return (id: number): string[] => list.all(id);
}

function prepareReads(db: Database.Database) {
  const ids = prepareNodeIds(db);
  const subscribersOf = prepareSubscribers(db);
  const nodes = db.prepare<[string], PepNodeRecord>(
    `SELECT name, config, pep_nodes.created_at_ms AS createdAtMs FROM pep_nodes JOIN accounts ON accounts.id = account_id
     WHERE accounts.jid = ? ORDER BY pep_nodes.id`,
  );
  const newest = db.prepare<[number, number], PepItem>(
    `SELECT ${itemColumns} FROM pep_items WHERE node_id = ? ORDER BY seq DESC LIMIT ?`,
  );
  // One statement, because a login asks for the last item of every node of every contact.
  const last = db.prepare<[string, string], PepItem>(
    `SELECT ${itemColumns} FROM accounts JOIN pep_nodes ON account_id = accounts.id JOIN pep_items ON node_id = pep_nodes.id
     WHERE accounts.jid = ? AND pep_nodes.name = ? ORDER BY seq DESC LIMIT 1`,
  );
  const byId = db.prepare<[number, string], PepItem>(
    `SELECT ${itemColumns} FROM pep_items WHERE node_id = ? AND item = ?`,
  );
  const subscriptions = db.prepare<[string, string, string, string], PepSubscription>(
    `SELECT name AS node, jid FROM pep_subscriptions JOIN pep_nodes ON pep_nodes.id = node_id
     WHERE account_id = (SELECT id FROM accounts WHERE jid = ?) AND (jid = ? OR (jid > ? AND jid < ?)) ORDER BY node, jid`,
  );
  const itemIds = db.prepare<[number], string>('SELECT item FROM pep_items WHERE node_id = ? ORDER BY seq').pluck();
  return {
    nodes: (owner: string): PepNodeRecord[] => nodes.all(owner),
    items: (owner: string, node: string, { newest: limit = -1, ids: wanted }: ItemSelection): PepItem[] => {
      const id = ids.find(owner, node);
      if (id === undefined) return [];
      if (wanted) return wanted.flatMap((item) => byId.get(id, item) ?? []);
      return newest.all(id, limit).reverse();
    },
    itemIds: (owner: string, node: string): string[] => {
      const id = ids.find(owner, node);
      return id === undefined ? [] : itemIds.all(id);
    },
    lastItems: (addresses: readonly PepNodeAddress[]): (PepItem | undefined)[] =>
      addresses.map(({ owner, node }) => last.get(owner, node)),
    subscriptions: (owner: string, jid: string): PepSubscription[] =>
      subscriptions.all(owner, jid, `${jid}/`, `${jid}0`),
    subscribers: (owner: string, node: string): string[] => {
      const id = ids.find(owner, node);
      return id === undefined ? [] : subscribersOf(id);
    },
  };
}

/** Inserts a node and returns its row id. */
function prepareCreation(db: Database.Database) {
  const owners = prepareOwners(db);
  const insert = db.prepare<[number, string, string, number]>(
    'INSERT INTO pep_nodes (account_id, name, config, created_at_ms) VALUES (?, ?, ?, ?)',
  );
  return (owner: string, { name, config, createdAtMs }: PepNodeRecord): number =>
    Number(insert.run(owners.need(owner), name, config, createdAtMs).lastInsertRowid);
}

function prepareNodeWrites(db: Database.Database) {
  const ids = prepareNodeIds(db);
  const create = prepareCreation(db);
  const subscribersOf = prepareSubscribers(db);
  const configure = db.prepare<[string, number]>('UPDATE pep_nodes SET config = ? WHERE id = ?');
  const remove = db.prepare<[number]>('DELETE FROM pep_nodes WHERE id = ?');
  return {
    create: (owner: string, node: PepNodeRecord): void => {
      const exists = ids.find(owner, node.name) !== undefined;
      if (exists) throw new StorageError('conflict', `${owner} has a node ${JSON.stringify(node.name)} already`);
      create(owner, node);
    },
    configure: (owner: string, node: string, config: string): void => {
      configure.run(config, ids.need(owner, node));
    },
    remove: (owner: string, node: string): string[] => {
      const id = ids.need(owner, node);
      const subscribers = subscribersOf(id);
      remove.run(id);
      return subscribers;
    },
  };
}

function prepareItemWrites(db: Database.Database) {
  const ids = prepareNodeIds(db);
  const create = prepareCreation(db);
  const subscribersOf = prepareSubscribers(db);
  const take = prepareRemoval(db);
  const put = db.prepare<[number, string, number, string]>(
    'INSERT INTO pep_items (node_id, item, published_at_ms, payload) VALUES (?, ?, ?, ?)',
  );
  const count = db.prepare<[number, number, number]>(
    'UPDATE pep_nodes SET items = items + ?, bytes = bytes + ? WHERE id = ?',
  );
  const itemsOf = db.prepare<[number], number>('SELECT items FROM pep_nodes WHERE id = ?').pluck();
  const bytesOfAll = db
    .prepare<[number], number>(
      'SELECT sum(bytes) FROM pep_nodes WHERE account_id = (SELECT account_id FROM pep_nodes WHERE id = ?)',
    )
    .pluck();
  return {
    publish: (owner: string, node: string, publication: Publication): string[] => {
      const { create: record, items = [], removed = [], maxItems, maxBytes } = publication;
      const id = ids.find(owner, node) ?? (record ? create(owner, record) : ids.need(owner, node));
      for (const item of removed) take.one(id, item);
      for (const item of items) {
        take.one(id, item.id);
        put.run(id, item.id, item.publishedAtMs, item.payload);
        count.run(1, Buffer.byteLength(item.payload), id);
      }
      take.oldest(id, (itemsOf.get(id) ?? 0) - maxItems);
      if ((bytesOfAll.get(id) ?? 0) > maxBytes) throw new StorageError('quota', `${owner} has no room for more items`);
      return subscribersOf(id);
    },
    retract: (owner: string, node: string, item: string): string[] | undefined => {
      const id = ids.need(owner, node);
      return take.one(id, item) ? subscribersOf(id) : undefined;
    },
    purge: (owner: string, node: string): string[] => {
      const id = ids.need(owner, node);
      take.oldest(id, itemsOf.get(id) ?? 0);
      return subscribersOf(id);
    },
  };
}

/** Removes items and counts them off. */
function prepareRemoval(db: Database.Database) {
  const removeOne = db
    .prepare<[number, string], number>(
      'DELETE FROM pep_items WHERE node_id = ? AND item = ? RETURNING octet_length(payload)',
    )
    .pluck();
  const removeOldest = db
    .prepare<[number, number], number>(
      `DELETE FROM pep_items WHERE seq IN (SELECT seq FROM pep_items WHERE node_id = ? ORDER BY seq LIMIT ?)
       RETURNING octet_length(payload)`,
    )
    .pluck();
  const count = db.prepare<[number, number, number]>(
    'UPDATE pep_nodes SET items = items - ?, bytes = bytes - ? WHERE id = ?',
  );
  return {
    /** Whether the node had the item. */
    one: (id: number, item: string): boolean => {
      const [bytes] = removeOne.all(id, item);
      if (bytes === undefined) return false;
      count.run(1, bytes, id);
      return true;
    },
    oldest: (id: number, items: number): void => {
      if (items <= 0) return;
      const sizes = removeOldest.all(id, items);
      const bytes = sizes.reduce((sum, size) => sum + size, 0);
      count.run(sizes.length, bytes, id);
    },
  };
}

function prepareSubscriptionWrites(db: Database.Database) {
  const ids = prepareNodeIds(db);
  const countOf = db.prepare<[number], number>('SELECT count(*) FROM pep_subscriptions WHERE node_id = ?').pluck();
  const add = db.prepare<[number, string]>('INSERT OR IGNORE INTO pep_subscriptions (node_id, jid) VALUES (?, ?)');
  const remove = db.prepare<[number, string]>('DELETE FROM pep_subscriptions WHERE node_id = ? AND jid = ?');
  // A bare JID comes before its resources, and '0' comes right behind '/'.
  const removeAll = db.prepare<[string, string, string]>(
    'DELETE FROM pep_subscriptions WHERE jid = ? OR (jid > ? AND jid < ?)',
  );
  const removeAllOf = db.prepare<[string, string, string, string]>(
    `DELETE FROM pep_subscriptions WHERE (jid = ? OR (jid > ? AND jid < ?))
     AND node_id IN (SELECT pep_nodes.id FROM pep_nodes JOIN accounts ON accounts.id = account_id WHERE accounts.jid = ?)`,
  );
  const removeMember = db.prepare<{ jid: string }, PepNodeAddress>(
    `UPDATE pep_nodes INDEXED BY pep_nodes_with_members
     SET config = json_set(config, '$.members', json((
       SELECT json_group_array(value) FROM json_each(config, '$.members') WHERE value <> @jid)))
     WHERE json_type(config, '$.members') IS NOT NULL
       AND EXISTS (SELECT 1 FROM json_each(config, '$.members') WHERE value = @jid)
     RETURNING (SELECT jid FROM accounts WHERE accounts.id = account_id) AS owner, name AS node`,
  );
  return {
    subscribe: (owner: string, node: string, jid: string, maxSubscribers: number): void => {
      const id = ids.need(owner, node);
      add.run(id, jid);
      if ((countOf.get(id) ?? 0) > maxSubscribers) throw new StorageError('quota', 'the node has too many subscribers');
    },
    unsubscribe: (owner: string, node: string, jid: string): boolean =>
      remove.run(ids.need(owner, node), jid).changes > 0,
    unsubscribeAll: (jid: string, owner: string): void => {
      removeAllOf.run(jid, `${jid}/`, `${jid}0`, owner);
    },
    forget: (jid: string): PepNodeAddress[] => {
      removeAll.run(jid, `${jid}/`, `${jid}0`);
      return removeMember.all({ jid });
    },
  };
}
