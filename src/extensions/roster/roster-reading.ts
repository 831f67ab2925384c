import { ns } from '../../protocol/namespaces.ts';
import { randomId } from '../../protocol/random-id.ts';
import { Stanza } from '../../protocol/stanza.ts';
import type { Account } from '../../routing/account.ts';
import type { IqRequest } from '../../routing/extension.ts';
import type { MaybePromise } from '../../routing/maybe-promise.ts';
import { removedItemElement, rosterInterest, rosterItemElement } from '../../routing/roster-changes.ts';
import type { Session } from '../../routing/session.ts';
import { accountShownTo } from '../../routing/visibility.ts';
import type { RosterStore, RosterChanges as StoredChanges } from '../../storage/rosters.ts';
import { attribute, type Element, xml } from '../../xml/element.ts';

/** Answers roster gets with the whole roster, or with the changes since the client's version (RFC 6121 §2.2, §2.6). */
export class RosterReading {
  readonly #store: Pick<RosterStore, 'changedSince'>;

  constructor(store: Pick<RosterStore, 'changedSince'>) {
    this.#store = store;
  }

  /** Answers a roster get. From then on the session gets roster pushes (RFC 6121 §2.2). */
  answer(request: IqRequest): MaybePromise<Element | undefined> {
    const account = accountShownTo(request);
    const since = knownVersion(request.payload);
    if (since !== undefined && request.session) return this.#whatIsNew(request, account, request.session, since);
    request.session?.interests.add(rosterInterest);
    return wholeRoster(account);
  }

  async #whatIsNew(
    request: IqRequest,
    account: Account,
    session: Session,
    since: number,
  ): Promise<Element | undefined> {
    const { version } = account.roster;
    const changes = since === version ? nothing : await this.#store.changedSince(account.key, since);
    session.interests.add(rosterInterest);
    // If the roster changed while the store was read, only memory has all of it.
    if (!changes || countOf(changes) > mostPushes || account.roster.version !== version) return wholeRoster(account);
    request.afterwards(() => catchUp(session, changes, since));
    return undefined;
  }
}

const nothing: StoredChanges = { changed: [], removed: [] };
/** The number of changes above which the whole roster, as one stanza, is less to send (RFC 6121 §2.6.3). */
const mostPushes = 100;

function countOf({ changed, removed }: StoredChanges): number {
  return changed.length + removed.length;
}

/** The version in a request; undefined if it is not one of this server's versions (RFC 6121 §2.6.2). */
function knownVersion(query: Element): number | undefined {
  const text = attribute(query, 'ver');
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

function wholeRoster({ roster }: Account): Element {
  const items = Array.from(roster.visible(), rosterItemElement);
  return xml('query', { xmlns: ns.roster, ver: roster.version }, ...items);
}

/**
 * Pushes the changes that a client has missed (RFC 6121 §2.6.3), in the present state of the items. Versions grow from push to push, and
 * removals come first, with the client's own version, so a client that loses the connection in between misses nothing the next time.
 */
function catchUp(session: Session, { changed, removed }: StoredChanges, since: number): void {
  const { roster } = session.account;
  const pushes = [
    ...removed.map((contact) => ({ contact, version: since })),
    ...changed.toSorted((a, b) => a.version - b.version),
  ];
  for (const [index, { contact, version }] of pushes.entries()) {
    const item = roster.get(contact);
    const element = item?.inRoster ? rosterItemElement(item) : removedItemElement(contact);
    push(session, element, index === pushes.length - 1 ? roster.version : version);
  }
}

function push(session: Session, item: Element, version: number): void {
  const query = xml('query', { xmlns: ns.roster, ver: version }, item);
  session.send(Stanza.iq({ type: 'set', id: randomId(), from: session.account.jid, to: session.jid }, query));
}
