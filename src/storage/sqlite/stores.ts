import type { AccountRecord, AccountStore, Credentials, ScramHash, ScramKeys } from '../accounts.ts';
import type { BlocklistStore } from '../blocklists.ts';
import type { OfflineMessage, OfflineStore } from '../offline.ts';
import type { OutboxStore } from '../outbox.ts';
import type { OutgoingStore } from '../outgoing.ts';
import type { PrivateXmlStore } from '../private-xml.ts';
import type { NewUnacknowledged, ResumptionStore, Unacknowledged } from '../resumption.ts';
import type { RosterItem, RosterStore } from '../rosters.ts';
import type { SecretStore } from '../secrets.ts';
import type { VcardStore } from '../vcards.ts';
import { asBuffer, ownBytes } from './bytes.ts';
import type { OperationQueue } from './operation-queue.ts';
import type { PackedAccount, PackedCredentials } from './tables/accounts.ts';
import type { PackedOfflineMessage } from './tables/offline.ts';
import type { PackedNewUnacknowledged, PackedUnacknowledged } from './tables/resumption.ts';
import type { PackedAccountRecord, PackedRosterItem } from './tables/rosters.ts';

/** All that is kept, by way of the worker. */
export function storesOn(queue: OperationQueue, nowMs: () => number) {
  return {
    accounts: accountStore(queue, nowMs),
    rosters: rosterStore(queue),
    offline: offlineStore(queue),
    outbox: outboxStore(queue),
    outgoing: outgoingStore(queue),
    privateXml: privateXmlStore(queue),
    vcards: vcardStore(queue),
    blocklists: blocklistStore(queue),
    secrets: secretStore(queue),
    resumption: resumptionStore(queue),
  };
}

/** Accounts by way of the worker. */
function accountStore(queue: OperationQueue, nowMs: () => number): AccountStore {
  let version = 0;
  const change: OperationQueue['run'] = (...call) => {
    version++;
    return queue.run(...call);
  };
  return {
    create: (jid, credentials) => change('accounts.create', packAccount(jid, credentials), nowMs()),
    createMany: async (accounts) => {
      const packed = accounts.map(({ jid, credentials }) => packAccount(jid, credentials));
      const skipped = await change('accounts.createMany', packed, nowMs());
      return { created: accounts.length - skipped.length, skipped };
    },
    credentials: async (jid) => unpackCredentials(await queue.run('accounts.credentials', jid)),
    // Operations take effect in the order of their calls, so what is read from now on is true.
    credentialsVersion: () => version,
    setCredentials: (jid, credentials) => change('accounts.setCredentials', jid, packCredentials(credentials)),
    changePassword: (jid, credentials, keep) =>
      change('accounts.changePassword', jid, packCredentials(credentials), keep ?? null, nowMs()),
    remove: (jid) => change('accounts.remove', jid),
    list: ({ domain, after, limit }) => queue.run('accounts.list', domain, after ?? '', limit),
    count: (domain) => queue.run('accounts.count', domain),
    load: async (jid) => unpackRecord(await queue.run('accounts.load', jid)),
    setLastSeen: (jid, atMs, status) => queue.run('accounts.setLastSeen', jid, { atMs, status }),
    setForward: (jid, target) => queue.run('accounts.setForward', jid, target),
    forwards: ({ after = '', limit }) => queue.run('accounts.forwards', after, limit),
  };
}

/** Rosters by way of the worker. */
function rosterStore(queue: OperationQueue): RosterStore {
  return {
    put: (owner, { pendingIn, ...item }) =>
      queue.run('rosters.put', owner, { ...item, pendingIn: pendingIn === undefined ? null : ownBytes(pendingIn) }),
    remove: (owner, contact) => queue.run('rosters.remove', owner, contact),
    changedSince: async (owner, version) => {
      const changes = await queue.run('rosters.changedSince', owner, version);
      return changes && { changed: changes.changed.map(unpackItem), removed: changes.removed };
    },
  };
}

/** Offline messages by way of the worker. */
function offlineStore(queue: OperationQueue): OfflineStore {
  return {
    append: (owner, { bytes, reports = [], ...message }, quota) =>
      queue.run(
        'offline.append',
        owner,
        { ...message, bytes: ownBytes(bytes), reports: reports.map((report) => ownBytes(report)) },
        quota,
      ),
    list: async (owner, afterId, limit) => {
      const messages = await queue.run('offline.list', owner, afterId, limit);
      return messages.map(unpackMessage);
    },
    remove: (owner, ids) => queue.run('offline.remove', owner, ids),
    removeAll: (owner) => queue.run('offline.removeAll', owner),
    count: (owner) => queue.run('offline.count', owner),
    due: async (page) => {
      const messages = await queue.run('offline.due', page);
      return messages.map((message) => ({ ...message, bytes: asBuffer(message.bytes) }));
    },
    nextDueMs: () => queue.run('offline.nextDueMs'),
    settle: ({ id, rules, dueAtMs }, change, reports) => {
      const owned = reports.map((report) => ownBytes(report));
      return queue.run('offline.settle', id, { rules, dueAtMs }, change, owned);
    },
  };
}

/** The outbox by way of the worker. */
function outboxStore(queue: OperationQueue): OutboxStore {
  return {
    list: async (afterId, limit) => {
      const entries = await queue.run('outbox.list', afterId, limit);
      return entries.map(({ id, bytes }) => ({ id, bytes: asBuffer(bytes) }));
    },
    remove: (ids) => queue.run('outbox.remove', ids),
  };
}

/** Stanzas on their way out by way of the worker. */
function outgoingStore(queue: OperationQueue): OutgoingStore {
  return {
    add: ({ receivedAtMs, bytes }) => queue.run('outgoing.add', receivedAtMs, ownBytes(bytes)),
    remove: (ids) => queue.run('outgoing.remove', ids),
    list: async (afterId, limit) => {
      const stanzas = await queue.run('outgoing.list', afterId, limit);
      return stanzas.map((stanza) => ({ ...stanza, bytes: asBuffer(stanza.bytes) }));
    },
  };
}

/** Resumable sessions by way of the worker. */
function resumptionStore(queue: OperationQueue): ResumptionStore {
  return {
    open: (session) => queue.run('resumption.open', session),
    handled: (key, handled, state) => queue.run('resumption.handled', key, handled, state ?? null),
    detach: (key, detachment, stanzas) => queue.run('resumption.detach', key, detachment, stanzas.map(packStanza)),
    attach: (key) => queue.run('resumption.attach', key),
    end: (key, handled, atMs, forgetBeforeMs) => queue.run('resumption.end', key, handled, atMs, forgetBeforeMs),
    handledBeforeEnd: (key, owner) => queue.run('resumption.handledBeforeEnd', key, owner),
    living: (nowMs) => queue.run('resumption.living', nowMs),
    add: (owner, key, stanza) => queue.run('resumption.add', owner, key ?? null, packStanza(stanza)),
    number: (id, sequence) => queue.run('resumption.number', id, sequence),
    remove: (ids) => queue.run('resumption.remove', ids),
    stanzasOf: async (key) => (await queue.run('resumption.stanzasOf', key)).map(unpackStanza),
    strays: async (afterId, limit) => (await queue.run('resumption.strays', afterId, limit)).map(unpackStanza),
  };
}

function packStanza({ sequence, receivedAtMs, bytes }: NewUnacknowledged): PackedNewUnacknowledged {
  return [sequence ?? null, receivedAtMs, ownBytes(bytes)];
}

function unpackStanza({ sequence, bytes, ...stanza }: PackedUnacknowledged): Unacknowledged {
  return { ...stanza, sequence: sequence ?? undefined, bytes: asBuffer(bytes) };
}

/** Private XML by way of the worker. */
function privateXmlStore(queue: OperationQueue): PrivateXmlStore {
  return {
    get: (owner, name, ns) => queue.run('privateXml.get', owner, name, ns),
    set: (owner, name, ns, xml, maxBytes) => queue.run('privateXml.set', owner, name, ns, xml, maxBytes),
  };
}

/** VCards by way of the worker. */
function vcardStore(queue: OperationQueue): VcardStore {
  return {
    get: (owner) => queue.run('vcards.get', owner),
    set: (owner, xml) => queue.run('vcards.set', owner, xml),
  };
}

/** Blocklists by way of the worker. */
function blocklistStore(queue: OperationQueue): BlocklistStore {
  return {
    add: (owner, jids) => queue.run('blocklists.add', owner, jids),
    remove: (owner, jids) => queue.run('blocklists.remove', owner, jids),
    clear: (owner) => queue.run('blocklists.clear', owner),
  };
}

/** Secrets by way of the worker. */
function secretStore(queue: OperationQueue): SecretStore {
  return { get: async (name) => asBuffer(await queue.run('secrets.get', name)) };
}

const scramHashes: readonly ScramHash[] = ['SHA-1', 'SHA-256', 'SHA-512'];

function packAccount(jid: string, credentials: Credentials): PackedAccount {
  return [jid, jid.slice(jid.indexOf('@') + 1), packCredentials(credentials)];
}

function packCredentials({ scram, bcrypt }: Credentials): PackedCredentials {
  const packed: PackedCredentials['scram'][number][] = [];
  for (const hash of scramHashes) {
    const keys = scram[hash];
    if (keys === undefined) continue;
    packed.push([hash, ownBytes(keys.salt), keys.iterations, ownBytes(keys.storedKey), ownBytes(keys.serverKey)]);
  }
  return { scram: packed, bcrypt: bcrypt ?? null };
}

function unpackCredentials(packed: PackedCredentials | undefined): Credentials | undefined {
  if (packed === undefined) return undefined;
  const scram: Partial<Record<ScramHash, ScramKeys>> = {};
  for (const [hash, salt, iterations, storedKey, serverKey] of packed.scram) {
    scram[hash] = { salt: asBuffer(salt), iterations, storedKey: asBuffer(storedKey), serverKey: asBuffer(serverKey) };
  }
  return packed.bcrypt === null ? { scram } : { scram, bcrypt: packed.bcrypt };
}

function unpackRecord(packed: PackedAccountRecord | undefined): AccountRecord | undefined {
  return packed && { ...packed, roster: packed.roster.map(unpackItem) };
}

function unpackMessage({ dueAtMs, bytes, ...message }: PackedOfflineMessage): OfflineMessage {
  return { ...message, bytes: asBuffer(bytes), ...(dueAtMs !== null && { dueAtMs }) };
}

function unpackItem({ pendingIn, ...item }: PackedRosterItem): RosterItem {
  return pendingIn === null ? item : { ...item, pendingIn: asBuffer(pendingIn) };
}
