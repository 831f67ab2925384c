import { z } from 'zod';
import { ArchiveIds } from '../../archives/archive-ids.ts';
import { randomId } from '../../protocol/random-id.ts';
import { operation } from '../../routing/operation.ts';
import { OperationError } from '../../routing/operation-error.ts';
import type { Suspension } from '../../storage/moderation.ts';
import type { DueMessage, KeptRules, OfflineStore } from '../../storage/offline.ts';
import { timeOfId } from '../../storage/ordered-ids.ts';
import type { RosterItem } from '../../storage/rosters.ts';
import {
  type PortableAccount,
  type PortableContact,
  type PortableMessage,
  type PortableNode,
  portableKeys,
} from './portable-account.ts';
import { accountAddress, checkServed, type OperatedStorage, type ServedDomains } from './served-domains.ts';

/** Offline messages that are read at once, and archived messages in one answer. */
const messagesAtOnce = 100;
const largestPage = 500;
/** The latest exports, of which some may go on. */
const rememberedExports = 100;

const jid = z.string().min(1);

/** An account with all that belongs to it, except its archive. */
export const exportUser = operation({
  method: 'GET',
  path: '/users/export',
  // It reveals everything about a user.
  recorded: true,
  input: z.strictObject({ jid }),
  run: (served: ServedDomains, { jid: text }) => portableAccount(served, text),
});

/** Begins an export of all accounts of domains, and of rooms. It has one record in the audit log. */
export const beginExport = operation({
  method: 'POST',
  path: '/exports',
  input: z.strictObject({ domains: z.array(z.string()) }),
  subject: ({ domains }) => domains.join(', '),
  run: async (served: ServedDomains, { domains }): Promise<{ export: string; accounts: number }> => {
    for (const domain of domains) checkServed(served.domains, domain);
    const counts = await Promise.all(domains.map((domain) => served.storage.accounts.count(domain)));
    const id = randomId();
    served.exports.add(id);
    const [oldest] = served.exports;
    if (oldest !== undefined && served.exports.size > rememberedExports) served.exports.delete(oldest);
    return { export: id, accounts: counts.reduce((sum, count) => sum + count, 0) };
  },
  outcome: ({ accounts }) => `done: ${accounts} ${accounts === 1 ? 'account' : 'accounts'}`,
});

/** Like {@link exportUser}, for an export that was begun. */
export const exportUserWithin = operation({
  method: 'GET',
  path: '/exports/user',
  input: z.strictObject({ export: z.string(), jid }),
  run: async (served: ServedDomains, { export: id, jid: text }) => {
    checkBegun(served, id);
    return portableAccount(served, text);
  },
});

/** Throws `invalid` if an export was not begun here, so that it has no record. */
export function checkBegun({ exports }: Pick<ServedDomains, 'exports'>, id: string): void {
  if (!exports.has(id)) throw new OperationError('invalid', 'The server does not know this export. Begin it again.');
}

async function portableAccount(served: ServedDomains, text: string): Promise<PortableAccount> {
  const owner = accountAddress(served, text).toString();
  const { storage } = served;
  const [record, credentials, privateXml, vcard, archive, suspensions] = await Promise.all([
    storage.accounts.load(owner),
    storage.accounts.credentials(owner),
    storage.privateXml.all(owner),
    storage.vcards.get(owner),
    storage.archive.open(owner),
    storage.moderation.suspensions(),
  ]);
  if (!record || !credentials) throw new OperationError('not-found', `There is no account ${owner}.`);
  return {
    jid: owner,
    scram: portableKeys(credentials),
    bcrypt: credentials.bcrypt,
    contacts: record.roster.map(portableContact),
    privateXml,
    vcard,
    blocked: record.blocked,
    messages: await offlineMessages(storage, owner),
    nodes: await nodesOf(storage, owner),
    archivePreferences: archive?.preferences,
    forwardTo: record.forwardTo,
    lastSeen: record.lastSeen,
    suspension: suspensionOf(owner, suspensions),
  };
}

/** Messages of the archive of an account, oldest first. The answer names the place behind which the next ones are. */
export const exportArchived = operation({
  method: 'GET',
  path: '/archives/export',
  input: z.strictObject({
    jid,
    after: z.coerce.number().int().default(0),
    limit: z.coerce.number().int().max(largestPage),
  }),
  run: async (served: ServedDomains, { jid: text, after, limit }): Promise<ExportedMessages> => {
    const owner = accountAddress(served, text).toString();
    const { archive: store, secrets } = served.storage;
    const record = await store.open(owner);
    if (!record) throw new OperationError('not-found', `There is no account ${owner}.`);
    const range = { afterId: after, beforeId: Number.POSITIVE_INFINITY };
    const [messages, key] = await Promise.all([
      store.page(record.archive, range, limit, 'first'),
      secrets.get('archive-ids'),
    ]);
    const ids = new ArchiveIds(key);
    return {
      messages: messages.map(({ id, importedId, bytes }) => {
        return { id: importedId ?? ids.write(record.archive, id), atMs: timeOfId(id), xml: bytes.toString() };
      }),
      next: messages.length < limit ? undefined : messages.at(-1)?.id,
    };
  },
});

/** A page of archived messages. */
export interface ExportedMessages {
  readonly messages: readonly ExportedMessage[];
  /** The `after` of the next page; absent if this is the last one. */
  readonly next?: number | undefined;
}

/** An archived message as the store has it. */
export interface ExportedMessage {
  /** As clients see it. */
  readonly id: string;
  readonly atMs: number;
  readonly xml: string;
}

function portableContact({ version: _, pendingIn, ...contact }: RosterItem): PortableContact {
  return pendingIn === undefined ? contact : { ...contact, pendingIn: pendingIn.toString() };
}

function suspensionOf(owner: string, suspensions: readonly Suspension[]): PortableAccount['suspension'] {
  const found = suspensions.find(({ jid }) => jid === owner);
  if (!found) return undefined;
  const { jid: _, awaitsApproval: _waits, ...suspension } = found;
  return suspension;
}

async function offlineMessages({ offline }: OperatedStorage, owner: string): Promise<PortableMessage[]> {
  const rules = await rulesOf(offline, owner);
  const found: PortableMessage[] = [];
  for (let after = 0; ; ) {
    const page = await offline.list(owner, after, messagesAtOnce);
    for (const { id, from, receivedAtMs, bytes } of page)
      found.push({ from, receivedAtMs, xml: bytes.toString(), kept: rules.get(id) });
    after = page.at(-1)?.id ?? after;
    if (page.length < messagesAtOnce) return found;
  }
}

/** The rules about time of the offline messages that have some, by the id of the message. */
async function rulesOf(offline: OfflineStore, owner: string): Promise<ReadonlyMap<number, KeptRules>> {
  const found = new Map<number, KeptRules>();
  for (let after: DueMessage | undefined; ; ) {
    const page = await offline.due({ untilMs: Number.MAX_SAFE_INTEGER, owner, after, limit: messagesAtOnce });
    for (const { id, rules, dueAtMs } of page) found.set(id, { rules, dueAtMs });
    after = page.at(-1);
    if (page.length < messagesAtOnce) return found;
  }
}

async function nodesOf({ pep }: OperatedStorage, owner: string): Promise<PortableNode[]> {
  const nodes: PortableNode[] = [];
  for (const { name, config } of await pep.nodes(owner)) {
    const [items, subscribers] = await Promise.all([pep.items(owner, name, {}), pep.subscribers(owner, name)]);
    nodes.push({ name, config, items: items.map(({ id, payload }) => ({ id, payload })), subscribers });
  }
  return nodes;
}
