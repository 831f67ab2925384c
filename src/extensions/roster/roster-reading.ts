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

/** Hands out rosters: whole, or what is new since the version a client has (RFC 6121 §2.2, §2.6). */
export class RosterReading {
  readonly #store: Pick<RosterStore, 'changedSince'>;

  constructor(store: Pick<RosterStore, 'changedSince'>) {
    this.#store = store;
  }

  /** Answers a roster get; from then on the session is told of changes (RFC 6121 §2.2). */
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
    // What changed while the store was read is in neither answer, but in memory.
    if (!changes || countOf(changes) > mostPushes || account.roster.version !== version) return wholeRoster(account);
    request.afterwards(() => catchUp(session, changes, since));
    return undefined;
  }
}

const nothing: StoredChanges = { changed: [], removed: [] };
/** Beyond them the roster itself is less (RFC 6121 §2.6.3), and one stanza, however many contacts have been removed. */
const mostPushes = 100;

function countOf({ changed, removed }: StoredChanges): number {
  return changed.length + removed.length;
}

/** The version in a request, if it can be one of ours; any other one gets the whole roster (RFC 6121 §2.6.2). */
function knownVersion(query: Element): number | undefined {
  const text = attribute(query, 'ver');
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

function wholeRoster({ roster }: Account): Element {
  const items = Array.from(roster.visible(), rosterItemElement);
  return xml('query', { xmlns: ns.roster, ver: roster.version }, ...items);
}

/**
 * Pushes what a client has missed (RFC 6121 §2.6.3), as it is now. The versions grow, and removals do not advance them,
 * so that a client that is cut off in between misses nothing the next time.
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
