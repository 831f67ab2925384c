import type { VcardStore } from '../../vcards.ts';
import { defineFamily } from '../family.ts';
import { prepareOwners } from './owners.ts';

/** The accounts' vCards. */
export const vcards = defineFamily({
  name: 'vcards',
  prepare: (db) => {
    const owners = prepareOwners(db);
    const get = db
      .prepare<[string], string>(
        'SELECT xml FROM vcards JOIN accounts ON accounts.id = account_id WHERE accounts.jid = ?',
      )
      .pluck();
    // Without the index by name, each vCard would be read as a whole.
    const getWithImage = db
      .prepare<[string], string>(
        `SELECT xml FROM accounts JOIN vcards INDEXED BY vcards_with_image
         ON vcards.account_id = accounts.id AND instr(xml, 'BINVAL') > 0 WHERE accounts.jid = ?`,
      )
      .pluck();
    const set = db.prepare<[number, string]>('INSERT OR REPLACE INTO vcards (account_id, xml) VALUES (?, ?)');
    return {
      reads: {
        get: (owner: string): string | undefined => get.get(owner),
        getWithImage: (owner: string): string | undefined => getWithImage.get(owner),
      },
      writes: {
        set: (owner: string, xml: string): void => {
          set.run(owners.need(owner), xml);
        },
      },
    };
  },
  adds: ['set'],
  store: ({ run }): VcardStore => ({
    get: (owner) => run('get', owner),
    getWithImage: (owner) => run('getWithImage', owner),
    set: (owner, xml) => run('set', owner, xml),
  }),
});
