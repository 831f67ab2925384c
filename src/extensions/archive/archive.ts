import { finElement, metadataElement, queryFormElement, resultMessages } from '../../archives/answers.ts';
import { type PageFilter, Pages } from '../../archives/pages.ts';
import { type ArchiveQuery, idsInQuery, readQuery } from '../../archives/query.ts';
import { archiveRetention, type RetentionOptions } from '../../archives/retention.ts';
import type { Jid } from '../../protocol/jid.ts';
import { ns } from '../../protocol/namespaces.ts';
import type { Stanza } from '../../protocol/stanza.ts';
import { StanzaError } from '../../protocol/stanza-error.ts';
import { withoutStanzaIds } from '../../protocol/stanza-id.ts';
import type { Account } from '../../routing/account.ts';
import type { Claim, Extension, IqHandler, IqRequest } from '../../routing/extension.ts';
import type { ExtensionHooks } from '../../routing/extension-hooks.ts';
import type { QuotedMessage } from '../../routing/message-archive.ts';
import type { ArchiveReading } from '../../routing/message-store.ts';
import type { SessionDirectory } from '../../routing/session-directory.ts';
import { accountShownTo } from '../../routing/visibility.ts';
import type { ArchivedId, ArchiveStore } from '../../storage/archive.ts';
import { timeOfId } from '../../storage/ordered-ids.ts';
import type { Storage } from '../../storage/storage.ts';
import type { Clock } from '../../support/clock.ts';
import type { Log } from '../../support/log.ts';
import type { Element } from '../../xml/element.ts';
import { type AccountArchive, AccountArchives, idOf } from './account-archives.ts';
import { ArchiveReaders, isForAll, knownAfter } from './archive-readers.ts';
import { Archiving } from './archiving.ts';
import { preferencesElement, readPreferences } from './preferences.ts';
import { Retractions } from './retractions.ts';

/** What the operator decides; a slice of the configuration. */
export interface ArchiveOptions extends Pick<RetentionOptions, 'keepDays'> {
  readonly enabled: boolean;
  /** Receipts and markers are kept, too. */
  readonly markers: boolean;
  /** The most messages of one account; null for no limit. */
  readonly maxPerAccount: number | null;
}

/** Dependencies of the archive. */
interface ArchiveDeps {
  readonly options: ArchiveOptions;
  readonly storage: Pick<Storage, 'archive' | 'secrets' | 'disk'>;
  readonly sessions: Pick<SessionDirectory, 'of'>;
  readonly hooks: Pick<ExtensionHooks, 'messageStore'>;
  readonly isLocalDomain: (domain: string) => boolean;
  readonly clock: Clock;
  readonly log: Log;
}

const claims: readonly Claim[] = [
  {
    spec: 'XEP-0313',
    title: 'Message Archive Management',
    version: '1.1.3',
    status: 'complete',
    note: 'archives of users',
  },
  { spec: 'XEP-0441', title: 'Message Archive Management Preferences', version: '0.2.0', status: 'complete' },
  { spec: 'XEP-0059', title: 'Result Set Management', version: '1.0', status: 'partial', note: 'pages by ids' },
  { spec: 'XEP-0359', title: 'Unique and Stable Stanza IDs', version: '0.7.0', status: 'complete' },
];

/** The archives of users (XEP-0313), their preferences (XEP-0441), and the ids of archived messages (XEP-0359). */
export function archive(deps: ArchiveDeps): Extension<{ readonly archive: Pick<ArchiveOptions, 'enabled'> }> {
  const { storage, isLocalDomain, clock, log } = deps;
  const store = storage.archive;
  const archives = new AccountArchives(store, storage.secrets);
  const pages = new Pages({ store, log });
  const retractions = new Retractions({ store, pages });
  const archiving = new Archiving({ ...deps, store, archives, retractions, disk: () => storage.disk });
  const readers = new ArchiveReaders(store);
  const retention = archiveRetention({ store, options: keeping(deps.options), clock, log });
  return {
    name: 'archive',
    claims,
    isOn: (options) => options.archive.enabled,
    disco: {
      // Profanity looks for it here and nowhere else.
      domain: [ns.archive],
      ownAccount: [
        ns.archive,
        ns.archiveExtended,
        ns.archiveGroupchatField,
        ns.stanzaId,
        ns.retraction,
        ns.retractionTombstone,
      ],
    },
    accountSlots: archives.slots,
    prepare: (message) => {
      const payload = withoutStanzaIds(message.payload, ({ domain }) => isLocalDomain(domain));
      return payload === message.payload ? message : message.with({ payload });
    },
    record: (passage) => archiving.record(passage),
    messageArchive: {
      find: (account, ids) => quotedMessages(archives, account, pages, ids),
      plan: (passage, recipient) => archiving.plan(passage, recipient),
      readsBefore: (session) => readers.readsBefore(session),
    },
    boundInline: (session) => {
      // Not every client with Bind 2 reads archives.
      if (archives.of(session.account).wasRead) readers.add(session);
      return metadataOf(store, archives.of(session.account));
    },
    iq: [...queries(deps, archives, pages, readers), ...preferences(archives), ...strangers],
    opened: () => retention.start(),
    closing: () => retention.stop(),
    accountRemoved: () => retention.wake(),
  };
}

/** The options of the retention, which reads them at each use, too. */
function keeping(options: ArchiveOptions): RetentionOptions {
  return {
    get keepDays() {
      return options.keepDays;
    },
    get maxPerArchive() {
      return options.maxPerAccount;
    },
  };
}

const kinds = [
  { name: 'query', type: 'get' },
  { name: 'query', type: 'set' },
  { name: 'metadata', type: 'get' },
  { name: 'prefs', type: 'get' },
  { name: 'prefs', type: 'set' },
] as const;

/** Another's archive is forbidden, and so is one that does not exist. */
const strangers: readonly IqHandler[] = kinds.map(({ name, type }) => ({
  name,
  ns: ns.archive,
  type,
  scopes: ['other'],
  handle: () => {
    throw StanzaError.forbidden();
  },
}));

/** Finds messages by the ids that clients know. */
async function quotedMessages(
  archives: AccountArchives,
  account: Account,
  pages: Pages,
  ids: readonly string[],
): Promise<QuotedMessage[]> {
  const own = archives.of(account);
  const read = await archives.reader(own, ids);
  const found = await pages.withIds(
    own.archive,
    ids.flatMap((text) => read(text) ?? []),
  );
  return found.map(({ id, message }) => ({ message, atMs: timeOfId(id) }));
}

function queries(
  { storage, hooks, log }: ArchiveDeps,
  archives: AccountArchives,
  pages: Pages,
  readers: ArchiveReaders,
): readonly IqHandler[] {
  const store = storage.archive;
  const answer = async (request: IqRequest): Promise<Element> => {
    const account = accountShownTo(request);
    const own = archives.of(account);
    const query = readQuery(request.payload, await archives.reader(own, idsInQuery(request.payload)));
    const reading = await beginReading(request, query);
    try {
      const page = await pages.find(own.archive, query, query.with && exchangedWith(query.with, account.jid));
      const write = (message: ArchivedId) => idOf(own, message);
      await reading?.gives(knownAfter(page, query));
      await request.sendAhead(resultMessages(page, query, write));
      request.afterwards(() => reading?.end());
      return finElement(page, query, write);
    } catch (error) {
      reading?.end();
      throw error;
    }
  };
  const beginReading = async ({ session }: IqRequest, query: ArchiveQuery): Promise<ArchiveReading | undefined> => {
    if (!session) return undefined;
    if (isForAll(query)) readers.add(session);
    archives
      .setRead(session.account)
      .catch((error) => log.error({ err: error }, 'the use of an archive was not noted'));
    return hooks.messageStore?.beginReading(session);
  };
  const metadata = (request: IqRequest) => metadataOf(store, archives.of(accountShownTo(request)));
  return [
    { name: 'query', ns: ns.archive, type: 'get', scopes: ['self'], handle: queryFormElement },
    { name: 'query', ns: ns.archive, type: 'set', scopes: ['self'], handle: answer },
    { name: 'metadata', ns: ns.archive, type: 'get', scopes: ['self'], handle: metadata },
  ];
}

/** The messages that the owner of an archive has exchanged with an address. The index has bare JIDs. */
function exchangedWith(peer: Jid, owner: Jid): PageFilter {
  return {
    peer: peer.bare().toString(),
    isExact: peer.isBare,
    matches: ({ message }) => isExchangedWith(message, peer, owner),
  };
}

/** Whether a message of the owner was exchanged with an address; with the own one if it is a message to oneself (XEP-0313 §4.1.1). */
function isExchangedWith({ from, to }: Stanza, peer: Jid, owner: Jid): boolean {
  const ends = [from, to].filter((end) => end !== undefined);
  if (peer.bare().equals(owner) && !ends.every((end) => end.bare().equals(owner))) return false;
  return ends.some((end) => (peer.isBare ? end.bare() : end).equals(peer));
}

/** The first and the last message of an archive (XEP-0313 §4.1.7). */
async function metadataOf(store: Pick<ArchiveStore, 'bounds'>, own: AccountArchive): Promise<Element> {
  return metadataElement(await store.bounds(own.archive), (message) => idOf(own, message));
}

function preferences(archives: AccountArchives): readonly IqHandler[] {
  const own = { name: 'prefs', ns: ns.archive, scopes: ['self'] } as const;
  return [
    {
      ...own,
      type: 'get',
      handle: (request) => preferencesElement(archives.of(accountShownTo(request)).preferences),
    },
    {
      ...own,
      type: 'set',
      handle: async (request) => {
        const wanted = readPreferences(request.payload);
        await archives.setPreferences(accountShownTo(request), wanted);
        return preferencesElement(wanted);
      },
    },
  ];
}
