import { Buffer } from 'node:buffer';
import { z } from 'zod';
import { keyByteLength, scramHashes } from '../../c2s/negotiation/sasl/scram-keys.ts';
import { maxItemsOfNode } from '../../protocol/pubsub-config.ts';
import { operation } from '../../routing/operation.ts';
import { OperationError } from '../../routing/operation-error.ts';
import type { Credentials, NewAccount, ScramHash, ScramKeys } from '../../storage/accounts.ts';
import type { ImportPlace } from '../../storage/archive.ts';
import type { OfflineQuota } from '../../storage/offline.ts';
import { systemClock } from '../../support/clock.ts';
import {
  type PortableAccount,
  type PortableNode,
  type PortableScramKeys,
  portableAccountSchema,
  portableArchivedMessageSchema,
} from './portable-account.ts';
import { accountAddress, type OperatedStorage, type ServedDomains } from './served-domains.ts';

/** The result of importing a batch of accounts. */
export interface ImportReport {
  /** Number of new accounts. */
  readonly created: number;
  /** Accounts that already existed and stay unchanged. */
  readonly skipped: readonly string[];
}

/** Creates the accounts of a batch that do not exist yet. */
export const importUsers = operation({
  method: 'POST',
  path: '/users/import',
  input: z.strictObject({ users: z.array(portableAccountSchema) }),
  run: async (served: ServedDomains, { users }): Promise<ImportReport> => {
    const { storage, accounts } = served;
    const { first, repeated } = byAccount(served, users);
    const made = Array.from(first, ([jid, user]) => importedAccount(user, jid));
    const { created, skipped } = await storage.accounts.createMany(made);
    for (const { archive } of users) if (archive !== undefined) storage.archive.finishImport(archive);
    for (const jid of skipped) first.delete(jid);
    // First, so that nobody can log in meanwhile.
    for (const [jid, { suspension }] of first) if (suspension) await served.suspensions.suspend({ jid, ...suspension });
    for (const [jid, user] of first) {
      await storeBelongings(storage, jid, user);
      accounts.forget(jid);
    }
    return { created, skipped: [...skipped, ...repeated] };
  },
});

/**
 * Adds messages to the archive of an account that does not exist yet; `importUsers` joins the two. The first call names no archive and
 * makes one; nothing is begun for an account that exists.
 */
export const importArchived = operation({
  method: 'POST',
  path: '/archives/import',
  // The import of the accounts follows, and is recorded.
  recorded: false,
  input: z.strictObject({
    jid: z.string().min(1),
    archive: z.int().optional(),
    after: z.strictObject({ atMs: z.int(), id: z.int() }).optional(),
    messages: z.array(portableArchivedMessageSchema),
  }),
  run: async (
    served: ServedDomains,
    { jid, archive: earlier, after, messages },
  ): Promise<{ begun?: ImportedArchive }> => {
    const { accounts, archive: store } = served.storage;
    const owner = accountAddress(served, jid).toString();
    if (earlier === undefined && (await accounts.credentials(owner))) return {};
    const archive = earlier ?? (await store.prepareImport());
    const imported = messages.map(({ id: importedId, atMs, peer, xml }) => {
      return { importedId, atMs, peer, bytes: Buffer.from(xml) };
    });
    return { begun: { archive, after: await store.importMessages(archive, imported, after) } };
  },
});

/** An archive that is being imported. */
export interface ImportedArchive {
  readonly archive: number;
  /** For the next call. */
  readonly after: ImportPlace;
}

/** The users by account key. Of two with the same key, the first counts. */
function byAccount(served: ServedDomains, users: readonly PortableAccount[]) {
  const first = new Map<string, PortableAccount>();
  const repeated: string[] = [];
  for (const user of users) {
    const account = accountAddress(served, user.jid).toString();
    if (first.has(account)) repeated.push(account);
    else first.set(account, user);
  }
  return { first, repeated };
}

/** The account of an imported user; throws `invalid` for malformed SCRAM keys. */
function importedAccount(user: PortableAccount, jid: string): NewAccount {
  const scram: Partial<Record<ScramHash, ScramKeys>> = {};
  for (const hash of scramHashes) {
    const keys = user.scram?.[hash];
    if (keys !== undefined) scram[hash] = scramKeys(keys, hash, jid);
  }
  const credentials: Credentials = user.bcrypt === undefined ? { scram } : { scram, bcrypt: user.bcrypt };
  return { jid, credentials, archive: user.archive };
}

function scramKeys(keys: PortableScramKeys, hash: ScramHash, jid: string): ScramKeys {
  const salt = Buffer.from(keys.salt, 'base64');
  const storedKey = Buffer.from(keys.storedKey, 'base64');
  const serverKey = Buffer.from(keys.serverKey, 'base64');
  const length = keyByteLength(hash);
  if (salt.length === 0 || storedKey.length !== length || serverKey.length !== length) {
    throw new OperationError('invalid', `The SCRAM-${hash} keys of ${jid} do not have the right length.`);
  }
  return { salt, iterations: keys.iterations, storedKey, serverKey };
}

/** The quota of this server must not drop messages that another server stored. */
const anyNumber: OfflineQuota = { maxMessages: Number.MAX_SAFE_INTEGER, maxBytes: Number.MAX_SAFE_INTEGER };

/** Stores the data of a new account. */
async function storeBelongings(storage: OperatedStorage, owner: string, user: PortableAccount): Promise<void> {
  const writes: Promise<unknown>[] = [];
  for (const { pendingIn, ...contact } of user.contacts ?? []) {
    const item = pendingIn === undefined ? contact : { ...contact, pendingIn: Buffer.from(pendingIn) };
    writes.push(storage.rosters.put(owner, item));
  }
  for (const { name, ns, xml } of user.privateXml ?? [])
    writes.push(storage.privateXml.set(owner, name, ns, xml, Number.MAX_SAFE_INTEGER));
  if (user.vcard !== undefined) writes.push(storage.vcards.set(owner, user.vcard));
  if (user.blocked !== undefined && user.blocked.length > 0) {
    writes.push(storage.blocklists.add(owner, user.blocked));
  }
  for (const { xml, ...message } of user.messages ?? []) {
    writes.push(storage.offline.append(owner, { ...message, bytes: Buffer.from(xml) }, anyNumber));
  }
  writes.push(...(user.nodes ?? []).map((node) => storeNode(storage, owner, node)));
  if (user.archivePreferences !== undefined) writes.push(storePreferences(storage, owner, user.archivePreferences));
  if (user.forwardTo !== undefined) writes.push(storage.accounts.setForward(owner, user.forwardTo));
  if (user.lastSeen) writes.push(storage.accounts.setLastSeen(owner, user.lastSeen.atMs, user.lastSeen.status));
  await Promise.all(writes);
}

async function storeNode({ pep }: OperatedStorage, owner: string, node: PortableNode): Promise<void> {
  const { name, config, items, subscribers } = node;
  const nowMs = systemClock.nowMs();
  const writes: Promise<unknown>[] = [
    pep.publish(owner, name, {
      create: { name, config, createdAtMs: nowMs },
      items: items.map((item) => ({ ...item, publishedAtMs: nowMs })),
      maxItems: maxItemsOfNode,
      maxBytes: Number.MAX_SAFE_INTEGER,
    }),
  ];
  for (const jid of subscribers) writes.push(pep.subscribe(owner, name, jid, Number.MAX_SAFE_INTEGER));
  await Promise.all(writes);
}

async function storePreferences({ archive }: OperatedStorage, owner: string, preferences: string): Promise<void> {
  const record = await archive.open(owner);
  if (record) await archive.setPreferences(record.archive, preferences);
}
