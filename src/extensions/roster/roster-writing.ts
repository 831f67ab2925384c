import { itemJid } from '../../protocol/item-jid.ts';
import type { Jid } from '../../protocol/jid.ts';
import { ns } from '../../protocol/namespaces.ts';
import { StanzaError } from '../../protocol/stanza-error.ts';
import type { Account } from '../../routing/account.ts';
import type { IqRequest } from '../../routing/extension.ts';
import { wordLength } from '../../routing/roster.ts';
import type { RosterChanges } from '../../routing/roster-changes.ts';
import type { Subscriptions } from '../../routing/subscriptions.ts';
import { accountShownTo } from '../../routing/visibility.ts';
import { attribute, childElements, type Element, nsOf, textOf } from '../../xml/element.ts';

/** The limits of one roster. */
export interface RosterOptions {
  readonly maxItems: number;
  readonly maxGroupsPerItem: number;
  readonly maxNameBytes: number;
}

/** The most characters of names and groups per contact, on average: a request of a few bytes brings the whole roster. */
const wordsPerItem = 512;

/** Dependencies of writing rosters. */
export interface RosterWritingDeps {
  readonly rosters: Pick<RosterChanges, 'save'>;
  readonly subscriptions: Pick<Subscriptions, 'cancel'>;
  readonly options: RosterOptions;
}

/** Handles roster sets, which add, change and remove items (RFC 6121 §2.3, §2.4, §2.5). */
export class RosterWriting {
  readonly #deps: RosterWritingDeps;

  constructor(deps: RosterWritingDeps) {
    this.#deps = deps;
  }

  /** Handles a roster set. Resolves when the change is durable. */
  async take(request: IqRequest): Promise<undefined> {
    const account = accountShownTo(request);
    const item = onlyItem(request.payload);
    const contact = itemJid(item);
    if (attribute(item, 'subscription') === 'remove') await this.#remove(account, contact);
    else await this.#save(account, contact, item);
    return undefined;
  }

  /** RFC 6121 §2.5.3. */
  async #remove(account: Account, contact: Jid): Promise<void> {
    if (!account.roster.get(contact.toString())?.inRoster) throw StanzaError.itemNotFound();
    await this.#deps.subscriptions.cancel(account, contact);
  }

  /** A client can set only the name and the groups (RFC 6121 §2.1.2). */
  async #save(account: Account, contact: Jid, given: Element): Promise<void> {
    const { options, rosters } = this.#deps;
    if (contact.equals(account.jid)) throw StanzaError.notAllowed('you cannot add yourself as a contact');
    const name = nameOf(given, options);
    const groups = groupsOf(given, options);
    const key = contact.toString();
    const { roster } = account;
    const before = roster.getOrBlank(key);
    if (!before.inRoster && roster.visibleCount >= options.maxItems) {
      throw StanzaError.resourceConstraint('the roster is full');
    }
    const added = wordLength({ name, groups }) - wordLength(before);
    if (added > 0 && roster.wordLength + added > options.maxItems * wordsPerItem) {
      throw StanzaError.resourceConstraint('the names and groups of all contacts together are too long');
    }
    await rosters.save(account, { ...before, name, groups, inRoster: true });
  }
}

/** RFC 6121 §2.3.3: a roster set has exactly one item. */
function onlyItem(query: Element): Element {
  const [item, ...others] = childElements(query);
  if (!item || others.length > 0 || item.getName() !== 'item' || nsOf(item) !== ns.roster) {
    throw StanzaError.badRequest('a roster set must have exactly one item');
  }
  return item;
}

/** RFC 6121 §2.3.3. */
function nameOf(item: Element, { maxNameBytes }: RosterOptions): string {
  const name = attribute(item, 'name') ?? '';
  if (Buffer.byteLength(name) > maxNameBytes) throw StanzaError.notAcceptable('the name is too long');
  return name;
}

/** RFC 6121 §2.3.3. */
function groupsOf(item: Element, { maxGroupsPerItem, maxNameBytes }: RosterOptions): string[] {
  const elements = childElements(item).filter((child) => child.getName() === 'group' && nsOf(child) === ns.roster);
  const groups = elements.map(textOf);
  if (groups.length > maxGroupsPerItem) throw StanzaError.notAcceptable('too many groups');
  if (groups.includes('')) throw StanzaError.notAcceptable('a group name is empty');
  if (groups.some((group) => Buffer.byteLength(group) > maxNameBytes)) {
    throw StanzaError.notAcceptable('a group name is too long');
  }
  if (new Set(groups).size < groups.length) throw StanzaError.badRequest('a group is listed twice');
  return groups;
}
