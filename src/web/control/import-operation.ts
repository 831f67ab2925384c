import { Buffer } from 'node:buffer';
import { z } from 'zod';
import { keyByteLength, scramHashes } from '../../c2s/negotiation/sasl/scram-keys.ts';
import { operation } from '../../routing/operation.ts';
import { OperationError } from '../../routing/operation-error.ts';
import type { Credentials, NewAccount, ScramHash, ScramKeys } from '../../storage/accounts.ts';
import type { OfflineQuota } from '../../storage/offline.ts';
import { type ImportedUser, importedUserSchema, type PortableScramKeys } from './imported-user.ts';
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
  input: z.strictObject({ users: z.array(importedUserSchema) }),
  run: async (served: ServedDomains, { users }): Promise<ImportReport> => {
    const { storage, accounts } = served;
    const { first, repeated } = byAccount(served, users);
    const made = Array.from(first, ([jid, user]) => importedAccount(user, jid));
    const { created, skipped } = await storage.accounts.createMany(made);
    for (const jid of skipped) first.delete(jid);
    for (const [jid, user] of first) {
      await storeBelongings(storage, jid, user);
      accounts.forget(jid);
    }
    return { created, skipped: [...skipped, ...repeated] };
  },
});

/** The users by account key. Of two with the same key, the first counts. */
function byAccount(served: ServedDomains, users: readonly ImportedUser[]) {
  const first = new Map<string, ImportedUser>();
  const repeated: string[] = [];
  for (const user of users) {
    const account = accountAddress(served, user.jid).toString();
    if (first.has(account)) repeated.push(account);
    else first.set(account, user);
  }
  return { first, repeated };
}

/** The account of an imported user; throws `invalid` for malformed SCRAM keys. */
function importedAccount(user: ImportedUser, jid: string): NewAccount {
  const scram: Partial<Record<ScramHash, ScramKeys>> = {};
  for (const hash of scramHashes) {
    const keys = user.scram?.[hash];
    if (keys !== undefined) scram[hash] = scramKeys(keys, hash, jid);
  }
  const credentials: Credentials = user.bcrypt === undefined ? { scram } : { scram, bcrypt: user.bcrypt };
  return { jid, credentials };
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
async function storeBelongings(storage: OperatedStorage, owner: string, user: ImportedUser): Promise<void> {
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
  await Promise.all(writes);
}
