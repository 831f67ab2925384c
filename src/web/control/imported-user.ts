import { Buffer } from 'node:buffer';
import { keyByteLength, scramHashes } from '../../c2s/negotiation/sasl/scram-keys.ts';
import type { Credentials, NewAccount, ScramHash, ScramKeys } from '../../storage/accounts.ts';
import type { OfflineQuota } from '../../storage/offline.ts';
import type { Storage } from '../../storage/storage.ts';
import { OperationError } from './operation-error.ts';
import type { ImportedUser, PortableScramKeys } from './operations.ts';

/** The stores that an import writes to. */
export type ImportStorage = Pick<Storage, 'accounts' | 'rosters' | 'privateXml' | 'vcards' | 'blocklists' | 'offline'>;

/** The account of an imported user; throws `invalid` for keys that cannot be SCRAM's. */
export function importedAccount(user: ImportedUser, jid: string): NewAccount {
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

/** What the old server kept is not thrown away because this one would have kept less. */
const anyNumber: OfflineQuota = { maxMessages: Number.MAX_SAFE_INTEGER, maxBytes: Number.MAX_SAFE_INTEGER };

/** Writes what a new account brings with it. */
export async function storeBelongings(storage: ImportStorage, owner: string, user: ImportedUser): Promise<void> {
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
