import type { Jid } from '../../protocol/jid.ts';
import { jidOrNothing } from '../../protocol/jid-or-nothing.ts';
import { ns } from '../../protocol/namespaces.ts';
import { StanzaError } from '../../protocol/stanza-error.ts';
import type { Account } from '../../routing/account.ts';
import { attribute, childElements, type Element, nsOf, textOf, xml } from '../../xml/element.ts';

const defaults = ['always', 'never', 'roster'] as const;
/** Addresses in each list. */
const maxListed = 1000;

/** What a user wants archived (XEP-0441 §2.1). */
export interface Preferences {
  /** For those in neither list; `roster` stands for the contacts. */
  readonly byDefault: (typeof defaults)[number];
  /** Bare JIDs stand for all their resources, full JIDs for themselves. */
  readonly always: ReadonlySet<string>;
  readonly never: ReadonlySet<string>;
}

const nobody: ReadonlySet<string> = new Set();

/** What holds for users who have said nothing. */
const archiveAll: Preferences = { byDefault: 'always', always: nobody, never: nobody };

/** Whether messages exchanged with `peer` are archived. A full JID in a list goes before a bare one, and `never` before `always`. */
export function wants({ byDefault, always, never }: Preferences, account: Account, peer: Jid): boolean {
  if (byDefault === 'always' && never.size === 0) return true;
  const [full, bare] = [peer.toString(), peer.bare().toString()];
  for (const address of [full, bare]) {
    if (never.has(address)) return false;
    if (always.has(address)) return true;
  }
  return byDefault === 'roster' ? account.roster.get(bare)?.inRoster === true : byDefault === 'always';
}

/** Reads a `<prefs/>`. Throws `bad-request` if it is malformed. */
export function readPreferences(prefs: Element): Preferences {
  const byDefault = defaults.find((one) => one === attribute(prefs, 'default'));
  if (!byDefault) throw StanzaError.badRequest("'default' is always, never or roster");
  return { byDefault, always: listed(prefs, 'always'), never: listed(prefs, 'never') };
}

function listed(prefs: Element, name: string): ReadonlySet<string> {
  const lists = childElements(prefs).filter((child) => child.getName() === name && nsOf(child) === ns.archive);
  const items = lists.flatMap(childElements).filter((child) => child.getName() === 'jid' && nsOf(child) === ns.archive);
  if (items.length > maxListed) throw StanzaError.notAcceptable(`<${name}/> has more than ${maxListed} addresses`);
  const jids = items.map((item) => jidOrNothing(textOf(item).trim()));
  if (jids.includes(undefined)) throw StanzaError.badRequest('a <jid/> is not an address');
  return new Set(jids.map(String));
}

/** The `<prefs/>` of an answer. */
export function preferencesElement({ byDefault, always, never }: Preferences): Element {
  const list = (name: string, jids: ReadonlySet<string>) =>
    xml(name, {}, ...[...jids].map((jid) => xml('jid', {}, jid)));
  return xml('prefs', { xmlns: ns.archive, default: byDefault }, list('always', always), list('never', never));
}

/** Preferences as the store has them. */
export function preferencesText({ byDefault, always, never }: Preferences): string {
  return JSON.stringify({ byDefault, always: [...always], never: [...never] });
}

/** Reads what {@link preferencesText} has written. */
export function parsePreferences(text: string | undefined): Preferences {
  if (text === undefined) return archiveAll;
  const { byDefault, always, never } = JSON.parse(text) as {
    byDefault: Preferences['byDefault'];
    always: string[];
    never: string[];
  };
  return { byDefault, always: new Set(always), never: new Set(never) };
}
