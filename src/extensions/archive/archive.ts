import { type FoundMessage, type Page, Pages } from '../../archives/pages.ts';
import { type ArchiveQuery, idsInQuery, queryForm, readQuery } from '../../archives/query.ts';
import { Retention, type RetentionOptions } from '../../archives/retention.ts';
import { formElement } from '../../protocol/data-form.ts';
import { formatDateTime } from '../../protocol/date-time.ts';
import { forwardedPayload } from '../../protocol/forwarded.ts';
import { ns } from '../../protocol/namespaces.ts';
import { resultSetElement } from '../../protocol/result-set.ts';
import { Stanza } from '../../protocol/stanza.ts';
import { StanzaError } from '../../protocol/stanza-error.ts';
import { withoutStanzaIds } from '../../protocol/stanza-id.ts';
import type { Account } from '../../routing/account.ts';
import type { Claim, Extension, IqHandler, IqRequest } from '../../routing/extension.ts';
import type { QuotedMessage } from '../../routing/message-archive.ts';
import type { SessionDirectory } from '../../routing/session-directory.ts';
import { accountShownTo } from '../../routing/visibility.ts';
import type { ArchivedId, ArchiveStore } from '../../storage/archive.ts';
import { timeOfId } from '../../storage/ordered-ids.ts';
import type { Storage } from '../../storage/storage.ts';
import type { Clock } from '../../support/clock.ts';
import type { Log } from '../../support/log.ts';
import { type Element, xml } from '../../xml/element.ts';
import { type AccountArchive, AccountArchives, idOf } from './account-archives.ts';
import { Archiving } from './archiving.ts';
import { preferencesElement, readPreferences } from './preferences.ts';

/** What the operator decides; a slice of the configuration. */
export interface ArchiveOptions extends RetentionOptions {
  readonly enabled: boolean;
}

/** Dependencies of the archive. */
interface ArchiveDeps {
  readonly options: ArchiveOptions;
  readonly storage: Pick<Storage, 'archive' | 'secrets' | 'disk'>;
  readonly sessions: Pick<SessionDirectory, 'of'>;
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
export function archive(deps: ArchiveDeps): Extension {
  if (!deps.options.enabled) return { name: 'archive', claims };
  const { storage, isLocalDomain, clock, log } = deps;
  const store = storage.archive;
  const archives = new AccountArchives(store, storage.secrets);
  const archiving = new Archiving({ ...deps, store, archives, disk: () => storage.disk });
  const pages = new Pages({ store, log });
  const retention = new Retention({ store, options: deps.options, clock, log });
  return {
    name: 'archive',
    claims,
    disco: { account: [ns.archive, ns.archiveExtended, ns.archiveGroupchatField, ns.stanzaId] },
    accountSlots: archives.slots,
    prepare: (message) => {
      const payload = withoutStanzaIds(message.payload, ({ domain }) => isLocalDomain(domain));
      return payload === message.payload ? message : message.with({ payload });
    },
    record: (passage) => archiving.record(passage),
    messageArchive: { find: (account, ids) => quotedMessages(archives, account, pages, ids) },
    iq: [...queries(store, archives, pages), ...preferences(archives), ...strangers],
    opened: () => retention.start(),
    closing: () => retention.stop(),
    accountRemoved: () => retention.wake(),
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

function queries(store: Pick<ArchiveStore, 'bounds'>, archives: AccountArchives, pages: Pages): readonly IqHandler[] {
  const answer = async (request: IqRequest): Promise<Element> => {
    const account = accountShownTo(request);
    const own = archives.of(account);
    const query = readQuery(request.payload, await archives.reader(own, idsInQuery(request.payload)));
    const page = await pages.find(own.archive, account.jid, query);
    await request.sendAhead(results(page, query, own));
    return finElement(page, query, own);
  };
  const metadata = async (request: IqRequest): Promise<Element> => {
    const own = archives.of(accountShownTo(request));
    const bounds = await store.bounds(own.archive);
    const end = (name: string, message: ArchivedId) =>
      xml(name, { id: idOf(own, message), timestamp: formatDateTime(timeOfId(message.id)) });
    return xml('metadata', { xmlns: ns.archive }, ...(bounds ? [end('start', bounds[0]), end('end', bounds[1])] : []));
  };
  const form = () => xml('query', { xmlns: ns.archive }, formElement(queryForm));
  return [
    { name: 'query', ns: ns.archive, type: 'get', scopes: ['self'], handle: form },
    { name: 'query', ns: ns.archive, type: 'set', scopes: ['self'], handle: answer },
    { name: 'metadata', ns: ns.archive, type: 'get', scopes: ['self'], handle: metadata },
  ];
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

/** The messages with the results (XEP-0313 §4.2). Each is made when the client can take it. */
function* results({ messages }: Page, query: ArchiveQuery, own: AccountArchive): Generator<Stanza> {
  for (const found of query.flipped ? messages.toReversed() : messages) {
    const attributes = { queryid: query.queryId, id: idOf(own, found) };
    const wrapper = { name: 'result', ns: ns.archive, attributes };
    yield new Stanza('message', {}, forwardedPayload(wrapper, found.message, timeOfId(found.id)));
  }
}

/** The answer behind the results (XEP-0313 §4.3). */
function finElement(page: Page, { isFirstPage }: ArchiveQuery, own: AccountArchive): Element {
  const { messages, complete, count } = page;
  const end = (found: FoundMessage | undefined) => found && idOf(own, found);
  const [first, last] = [end(messages[0]), end(messages.at(-1))];
  const set = resultSetElement({ first, last, index: isFirstPage ? 0 : undefined, count });
  return xml('fin', { xmlns: ns.archive, complete: complete ? 'true' : undefined }, set);
}
