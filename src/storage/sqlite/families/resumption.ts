import type Database from 'better-sqlite3';
import type {
  Detachment,
  NewResumableSession,
  NewUnacknowledged,
  ResumableSession,
  ResumptionStore,
  Unacknowledged,
} from '../../resumption.ts';
import { asBuffer, ownBytes } from '../bytes.ts';
import { defineFamily, type OperationsOf, type StoreContext } from '../family.ts';
import { prepareOwners } from './owners.ts';

/** A new stanza as sent to the storage thread. */
type PackedNewUnacknowledged = readonly [sequence: number | null, receivedAtMs: number, bytes: Uint8Array];

/** A stored stanza as sent between threads. */
interface PackedUnacknowledged {
  readonly id: number;
  readonly owner: string;
  readonly sequence: number | null;
  readonly receivedAtMs: number;
  readonly bytes: Uint8Array;
}

const stanzaColumns = 'u.id, a.jid AS owner, u.sequence, u.received_at_ms AS receivedAtMs, u.bytes';

/** Sessions that can be resumed, and stanzas that clients have not acknowledged. */
export const resumption = defineFamily({
  name: 'resumption',
  prepare: prepareResumption,
  adds: ['add', 'detach'],
  store: resumptionStore,
});

function prepareResumption(db: Database.Database) {
  const sessions = prepareSessions(db);
  const stanzas = prepareStanzas(db);
  return {
    reads: { ...sessions.reads, ...stanzas.reads },
    writes: { ...sessions.writes, ...stanzas.writes, detach: prepareDetach(db) },
  };
}

function resumptionStore({ run }: StoreContext<OperationsOf<typeof prepareResumption>>): ResumptionStore {
  return {
    open: (session) => run('open', session),
    handled: (key, handled, state) => run('handled', key, handled, state ?? null),
    detach: (key, detachment, stanzas) => run('detach', key, detachment, stanzas.map(packStanza)),
    attach: (key) => run('attach', key),
    end: (key, handled, atMs, forgetBeforeMs) => run('end', key, handled, atMs, forgetBeforeMs),
    handledBeforeEnd: (key, owner) => run('handledBeforeEnd', key, owner),
    living: (nowMs) => run('living', nowMs),
    add: (owner, key, stanza) => run('add', owner, key ?? null, packStanza(stanza)),
    number: (id, sequence) => run('number', id, sequence),
    remove: (ids) => run('remove', ids),
    stanzasOf: async (key) => (await run('stanzasOf', key)).map(unpackStanza),
    strays: async (afterId, limit) => (await run('strays', afterId, limit)).map(unpackStanza),
  };
}

function packStanza({ sequence, receivedAtMs, bytes }: NewUnacknowledged): PackedNewUnacknowledged {
  return [sequence ?? null, receivedAtMs, ownBytes(bytes)];
}

function unpackStanza({ sequence, bytes, ...stanza }: PackedUnacknowledged): Unacknowledged {
  return { ...stanza, sequence: sequence ?? undefined, bytes: asBuffer(bytes) };
}

function prepareSessions(db: Database.Database) {
  const owners = prepareOwners(db);
  const open = db.prepare<[string, number, string, number, string]>(
    'INSERT INTO resumable_sessions (key, account_id, resource, max_seconds, state) VALUES (?, ?, ?, ?, ?)',
  );
  const handled = db.prepare<[number, string | null, string]>(
    `UPDATE resumable_sessions SET handled = ?, state = iif(ended_at_ms IS NULL, coalesce(?, state), state) WHERE key = ?`,
  );
  const attach = db.prepare<[string]>('UPDATE resumable_sessions SET detached_at_ms = NULL WHERE key = ?');
  const end = db.prepare<[number, number, string]>(
    `UPDATE resumable_sessions SET handled = max(handled, ?), ended_at_ms = coalesce(ended_at_ms, ?), state = '{}'
     WHERE key = ?`,
  );
  const forget = db.prepare<[number]>('DELETE FROM resumable_sessions WHERE ended_at_ms < ?');
  const detachAll = db.prepare<[number]>(
    'UPDATE resumable_sessions SET detached_at_ms = ? WHERE detached_at_ms IS NULL AND ended_at_ms IS NULL',
  );
  const living = db.prepare<[], ResumableSession>(
    `SELECT key, jid AS owner, resource, handled, max_seconds AS maxSeconds, state, detached_at_ms AS detachedAtMs
     FROM resumable_sessions JOIN accounts ON accounts.id = account_id WHERE ended_at_ms IS NULL`,
  );
  const handledBeforeEnd = db
    .prepare<[string, string], number>(
      `SELECT handled FROM resumable_sessions JOIN accounts ON accounts.id = account_id
       WHERE key = ? AND jid = ? AND ended_at_ms IS NOT NULL`,
    )
    .pluck();
  return {
    reads: {
      handledBeforeEnd: (key: string, owner: string): number | undefined => handledBeforeEnd.get(key, owner),
    },
    writes: {
      open: ({ key, owner, resource, maxSeconds, state }: NewResumableSession): void => {
        open.run(key, owners.need(owner), resource, maxSeconds, state);
      },
      handled: (key: string, count: number, state: string | null): void => {
        handled.run(count, state, key);
      },
      attach: (key: string): void => {
        attach.run(key);
      },
      end: (key: string, count: number, atMs: number, forgetBeforeMs: number): void => {
        end.run(count, atMs, key);
        forget.run(forgetBeforeMs);
      },
      living: (nowMs: number): ResumableSession[] => {
        detachAll.run(nowMs);
        return living.all();
      },
    },
  };
}

function prepareStanzas(db: Database.Database) {
  const owners = prepareOwners(db);
  const add = db.prepare<[number, string | null, number | null, number, Uint8Array]>(
    'INSERT INTO unacknowledged (account_id, session, sequence, received_at_ms, bytes) VALUES (?, ?, ?, ?, ?)',
  );
  const number = db.prepare<[number, number]>('UPDATE unacknowledged SET sequence = ? WHERE id = ?');
  const remove = db.prepare<[number]>('DELETE FROM unacknowledged WHERE id = ?');
  const ofSession = db.prepare<[string], PackedUnacknowledged>(
    `SELECT ${stanzaColumns} FROM unacknowledged u JOIN accounts a ON a.id = u.account_id WHERE u.session = ? ORDER BY u.id`,
  );
  const strays = db.prepare<[number, number], PackedUnacknowledged>(
    `SELECT ${stanzaColumns} FROM unacknowledged u JOIN accounts a ON a.id = u.account_id
     LEFT JOIN resumable_sessions s ON s.key = u.session
     WHERE u.id > ? AND (s.key IS NULL OR s.ended_at_ms IS NOT NULL) ORDER BY u.id LIMIT ?`,
  );
  return {
    reads: {
      stanzasOf: (key: string): PackedUnacknowledged[] => ofSession.all(key),
      strays: (afterId: number, limit: number): PackedUnacknowledged[] => strays.all(afterId, limit),
    },
    writes: {
      add: (owner: string, key: string | null, [sequence, atMs, bytes]: PackedNewUnacknowledged): number =>
        Number(add.run(owners.need(owner), key, sequence, atMs, bytes).lastInsertRowid),
      number: (id: number, sequence: number): void => {
        number.run(sequence, id);
      },
      remove: (ids: readonly number[]): void => {
        for (const id of ids) remove.run(id);
      },
    },
  };
}

function prepareDetach(db: Database.Database) {
  const detach = db
    .prepare<[number, number, string, string], number>(
      `UPDATE resumable_sessions SET detached_at_ms = ?, handled = ?, state = ?
       WHERE key = ? AND ended_at_ms IS NULL RETURNING account_id`,
    )
    .pluck();
  const clear = db.prepare<[string]>('DELETE FROM unacknowledged WHERE session = ?');
  const add = db.prepare<[number, string, number | null, number, Uint8Array]>(
    'INSERT INTO unacknowledged (account_id, session, sequence, received_at_ms, bytes) VALUES (?, ?, ?, ?, ?)',
  );
  return (key: string, { atMs, handled, state }: Detachment, stanzas: readonly PackedNewUnacknowledged[]): number[] => {
    const account = detach.get(atMs, handled, state, key);
    if (account === undefined) return [];
    clear.run(key);
    return stanzas.map(([sequence, receivedAtMs, bytes]) =>
      Number(add.run(account, key, sequence, receivedAtMs, bytes).lastInsertRowid),
    );
  };
}
