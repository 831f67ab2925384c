import type { BlocklistStore } from '../../blocklists.ts';
import { defineFamily } from '../family.ts';
import { prepareOwners } from './owners.ts';

/** The blocklists; `accounts.load` reads them. */
export const blocklists = defineFamily({
  name: 'blocklists',
  prepare: (db) => {
    const owners = prepareOwners(db);
    const add = db.prepare<[number, string]>('INSERT OR REPLACE INTO blocklist (account_id, jid) VALUES (?, ?)');
    const remove = db.prepare<[number, string]>('DELETE FROM blocklist WHERE account_id = ? AND jid = ?');
    const clear = db.prepare<[number]>('DELETE FROM blocklist WHERE account_id = ?');
    return {
      reads: {},
      writes: {
        add: (owner: string, jids: readonly string[]): void => {
          const id = owners.need(owner);
          for (const jid of jids) add.run(id, jid);
        },
        remove: (owner: string, jids: readonly string[]): void => {
          const id = owners.need(owner);
          for (const jid of jids) remove.run(id, jid);
        },
        clear: (owner: string): void => {
          clear.run(owners.need(owner));
        },
      },
    };
  },
  adds: ['add'],
  store: ({ run }): BlocklistStore => ({
    add: (owner, jids) => run('add', owner, jids),
    remove: (owner, jids) => run('remove', owner, jids),
    clear: (owner) => run('clear', owner),
  }),
});
