import type { PrivateFragment, PrivateXmlStore } from '../../private-xml.ts';
import { StorageError } from '../../storage-error.ts';
import { defineFamily } from '../family.ts';
import { prepareOwners } from './owners.ts';

/** Private XML. */
export const privateXml = defineFamily({
  name: 'privateXml',
  prepare: (db) => {
    const owners = prepareOwners(db);
    const get = db
      .prepare<[string, string, string], string>(
        `SELECT xml FROM private_xml JOIN accounts ON accounts.id = account_id
         WHERE accounts.jid = ? AND name = ? AND ns = ?`,
      )
      .pluck();
    const all = db.prepare<[string], PrivateFragment>(
      `SELECT name, ns, xml FROM private_xml JOIN accounts ON accounts.id = account_id
       WHERE accounts.jid = ? ORDER BY ns, name`,
    );
    const bytesOfOthers = db
      .prepare<[number, string, string], number>(
        'SELECT coalesce(sum(octet_length(xml)), 0) FROM private_xml WHERE account_id = ? AND NOT (name = ? AND ns = ?)',
      )
      .pluck();
    const set = db.prepare<[number, string, string, string]>(
      'INSERT OR REPLACE INTO private_xml (account_id, name, ns, xml) VALUES (?, ?, ?, ?)',
    );
    return {
      reads: {
        all: (owner: string): PrivateFragment[] => all.all(owner),
        get: (owner: string, name: string, ns: string): string | undefined => get.get(owner, name, ns),
      },
      writes: {
        set: (owner: string, name: string, ns: string, xml: string, maxBytes: number): void => {
          const account = owners.need(owner);
          const others = bytesOfOthers.get(account, name, ns) ?? 0;
          if (others + Buffer.byteLength(xml) > maxBytes) {
            throw new StorageError('quota', `${JSON.stringify(owner)} has no room for more private XML`);
          }
          set.run(account, name, ns, xml);
        },
      },
    };
  },
  adds: ['set'],
  store: ({ run }): PrivateXmlStore => ({
    all: (owner) => run('all', owner),
    get: (owner, name, ns) => run('get', owner, name, ns),
    set: (owner, name, ns, xml, maxBytes) => run('set', owner, name, ns, xml, maxBytes),
  }),
});
