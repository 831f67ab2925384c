import type Database from 'better-sqlite3';
import type { InvitationPage, InvitationStore, NewInvitation, StoredInvitation } from '../../invitations.ts';
import { ownBytes } from '../bytes.ts';
import { defineFamily } from '../family.ts';
import { prepareOwners } from './owners.ts';
import { prepareRemovedAccounts } from './removed-accounts.ts';

/** How long an invitation is kept after its end. A machine whose clock is wrong for a while does not lose them all. */
const keepMs = 30 * 86_400_000;

/** An invitation as sent between threads. */
type PackedInvitation = Omit<NewInvitation, 'tokenHash'> & { readonly tokenHash: Uint8Array };

/** Invitations, and links that set a password. */
export const invitations = defineFamily({
  name: 'invitations',
  prepare: (db) => ({ reads: prepareReads(db), writes: prepareWrites(db) }),
  adds: ['add'],
  store: ({ run }): InvitationStore => ({
    add: (invitation, maxOfMaker) =>
      run('add', { ...invitation, tokenHash: ownBytes(invitation.tokenHash) }, maxOfMaker),
    find: (tokenHash) => run('find', ownBytes(tokenHash)),
    use: (tokenHash) => run('use', ownBytes(tokenHash)),
    list: (page, nowMs) => run('list', page, nowMs),
    remove: (id) => run('remove', id),
  }),
});

/** Prepares a function that uses an invitation once, and returns whether anything was left of it. */
export function prepareUse(db: Database.Database): (tokenHash: Uint8Array) => boolean {
  const useUp = db.prepare<[Uint8Array]>('DELETE FROM invitations WHERE token_hash = ? AND uses = 1');
  const useOnce = db.prepare<[Uint8Array]>('UPDATE invitations SET uses = uses - 1 WHERE token_hash = ?');
  return (tokenHash) => useUp.run(tokenHash).changes > 0 || useOnce.run(tokenHash).changes > 0;
}

/** Prepares a function that returns whether an invitation reserves an address, unless it is the one with this token. */
export function prepareReserved(
  db: Database.Database,
): (jid: string, nowMs: number, except: Uint8Array | undefined) => boolean {
  const reserved = db
    .prepare<[string, string, number, Uint8Array | null], number>(
      `SELECT 1 FROM invitations
       WHERE domain = ? AND username = ? AND kind = 'account' AND expires_at_ms > ? AND token_hash IS NOT ? LIMIT 1`,
    )
    .pluck();
  return (jid, nowMs, except) => {
    const at = jid.indexOf('@');
    return reserved.get(jid.slice(at + 1), jid.slice(0, at), nowMs, except ?? null) !== undefined;
  };
}

/** A row with NULL where the value is undefined. */
type Row = { readonly [Key in keyof StoredInvitation]-?: Exclude<StoredInvitation[Key], undefined> | null };

const select = `SELECT i.id, kind, i.domain, accounts.jid AS account, makers.jid AS maker, username, uses,
    i.created_at_ms AS createdAtMs, expires_at_ms AS expiresAtMs
  FROM invitations i LEFT JOIN accounts ON accounts.id = account_id LEFT JOIN accounts makers ON makers.id = maker_id`;

function unpack(row: StoredInvitation & Pick<Row, 'account' | 'maker' | 'username'>): StoredInvitation {
  const { account, maker, username } = row;
  return { ...row, account: account ?? undefined, maker: maker ?? undefined, username: username ?? undefined };
}

function prepareReads(db: Database.Database) {
  type Read = Parameters<typeof unpack>[0];
  const find = db.prepare<[Uint8Array], Read>(`${select} WHERE token_hash = ?`);
  const list = db.prepare<[number, number, number], Read>(
    `${select} WHERE i.id > ? AND expires_at_ms > ? ORDER BY i.id LIMIT ?`,
  );
  return {
    find: (tokenHash: Uint8Array): StoredInvitation | undefined => {
      const found = find.get(tokenHash);
      return found && unpack(found);
    },
    list: ({ after, limit }: InvitationPage, nowMs: number): StoredInvitation[] =>
      list.all(after, nowMs, limit).map(unpack),
  };
}

function prepareWrites(db: Database.Database) {
  const owners = prepareOwners(db);
  const isReserved = prepareReserved(db);
  const removed = prepareRemovedAccounts(db);
  const insert = db
    .prepare<
      Omit<PackedInvitation, 'account' | 'maker' | 'username'> &
        Record<'account' | 'maker', number | null> &
        Pick<Row, 'username'>,
      number
    >(
      `INSERT INTO invitations (token_hash, kind, domain, account_id, maker_id, username, uses, created_at_ms, expires_at_ms)
       VALUES (@tokenHash, @kind, @domain, @account, @maker, @username, @uses, @createdAtMs, @expiresAtMs) RETURNING id`,
    )
    .pluck();
  const ofMaker = db
    .prepare<[number, number], number>('SELECT count(*) FROM invitations WHERE maker_id = ? AND expires_at_ms > ?')
    .pluck();
  const forget = db.prepare<[number]>('DELETE FROM invitations WHERE expires_at_ms < ?');
  const remove = db.prepare<[number]>('DELETE FROM invitations WHERE id = ?');
  return {
    add: (invitation: PackedInvitation, maxOfMaker: number): number | 'taken' | 'too-many' => {
      const { account, maker, username, domain, createdAtMs } = invitation;
      const makerId = maker === undefined ? null : owners.need(maker);
      forget.run(createdAtMs - keepMs);
      if (makerId !== null && (ofMaker.get(makerId, createdAtMs) ?? 0) >= maxOfMaker) return 'too-many';
      if (username !== undefined) {
        const jid = `${username}@${domain}`;
        if (owners.find(jid) !== undefined || isReserved(jid, createdAtMs, undefined)) return 'taken';
        if (makerId !== null && removed.has(jid, createdAtMs)) return 'taken';
      }
      const accountId = account === undefined ? null : owners.need(account);
      const row = { ...invitation, account: accountId, maker: makerId, username: username ?? null };
      return insert.get(row) ?? 0;
    },
    use: prepareUse(db),
    remove: (id: number): boolean => remove.run(id).changes > 0,
  };
}
