import type { PushRegistration, PushStore } from '../../push.ts';
import { defineFamily } from '../family.ts';
import { prepareOwners } from './owners.ts';

/** The push services of accounts. */
export const push = defineFamily({
  name: 'push',
  prepare: (db) => {
    const owners = prepareOwners(db);
    const list = db.prepare<[string], PushRegistration>(
      `SELECT service, node, device, options FROM push_registrations
       WHERE account_id = (SELECT id FROM accounts WHERE jid = ?) ORDER BY id`,
    );
    const replace = db.prepare<[number, string, string, string, string]>(
      'INSERT OR REPLACE INTO push_registrations (account_id, service, node, device, options) VALUES (?, ?, ?, ?, ?)',
    );
    const limit = db.prepare<[number, number, number]>(
      `DELETE FROM push_registrations WHERE account_id = ? AND id NOT IN
       (SELECT id FROM push_registrations WHERE account_id = ? ORDER BY id DESC LIMIT ?)`,
    );
    const disable = db.prepare<[number, string]>('DELETE FROM push_registrations WHERE account_id = ? AND service = ?');
    const disableNode = db.prepare<[number, string, string]>(
      'DELETE FROM push_registrations WHERE account_id = ? AND service = ? AND node = ?',
    );
    return {
      reads: { list: (owner: string): PushRegistration[] => list.all(owner) },
      writes: {
        enable: (owner: string, { service, node, device, options }: PushRegistration, max: number): void => {
          const account = owners.need(owner);
          replace.run(account, service, node, device, options);
          limit.run(account, account, max);
        },
        disable: (owner: string, service: string, node: string | undefined): void => {
          const account = owners.need(owner);
          if (node === undefined) disable.run(account, service);
          else disableNode.run(account, service, node);
        },
      },
    };
  },
  adds: ['enable'],
  store: ({ run }): PushStore => ({
    list: (owner) => run('list', owner),
    enable: (owner, registration, max) => run('enable', owner, registration, max),
    disable: (owner, service, node) => run('disable', owner, service, node),
  }),
});
