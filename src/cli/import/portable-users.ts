import { preferencesText, readPreferences } from '../../extensions/archive/preferences.ts';
import { Jid, JidError, prepareDomain } from '../../protocol/jid.ts';
import { jidOrNothing } from '../../protocol/jid-or-nothing.ts';
import { ns } from '../../protocol/namespaces.ts';
import type { ScramHash } from '../../storage/accounts.ts';
import type { PortableContact, PortableMessage, PortableScramKeys } from '../../web/control/portable-account.ts';
import { attribute, childElements, type Element, nsOf } from '../../xml/element.ts';
import { parseElement } from '../../xml/parse-element.ts';
import { serialize } from '../../xml/serialize.ts';
import { type Extras, readExtras } from '../portable-extras.ts';
import { ArchiveUpload, type SendArchived } from './archive-upload.ts';
import type { Entry, FoundUser } from './found-user.ts';
import { faultIn } from './loss-error.ts';
import { olderVcard } from './older-vcard.ts';
import type { PortableEvent } from './portable-document.ts';
import { PortableNodes } from './portable-nodes.ts';
import { archivedMessage, offlineMessage, privacyLists, rosterContact, subscriptionRequest } from './portable-parts.ts';
import { type ScramCredentials, scramCredentials, scramInPassword } from './portable-scram.ts';

/** The accounts of a XEP-0227 document. Their archives are sent ahead. */
export async function* portableUsers(
  events: AsyncIterable<PortableEvent>,
  nowMs: number,
  send: SendArchived,
): AsyncGenerator<Entry> {
  let host = '';
  let user: PortableUser | undefined;
  for await (const event of events) {
    if (event.kind === 'host') host = prepared(event.jid ?? '');
    else if (event.kind === 'user') user = new PortableUser(event.name ?? '', host, event.password, nowMs, send);
    else if (event.kind === 'part') user?.take(event.element);
    else if (event.kind === 'archived') await user?.takeArchived(event.element);
    else if (event.kind === 'lost') user?.lose(event.what);
    else if (event.kind === 'ignored') user?.lose(`<${event.name} xmlns='${event.ns}'>`);
    else if (user) {
      yield await user.entry();
      user = undefined;
    }
  }
}

/** Prepares a domain. An invalid one stays unchanged and is reported with its accounts. */
function prepared(domain: string): string {
  try {
    return prepareDomain(domain);
  } catch (error) {
    if (error instanceof JidError) return domain;
    throw error;
  }
}

/** Collects the parts of one account. */
class PortableUser {
  readonly #jid: string;
  /** Absent if the address is not valid, so that the account cannot be created. */
  readonly #owner: Jid | undefined;
  readonly #host: string;
  readonly #nowMs: number;
  readonly #scram: Partial<Record<ScramHash, PortableScramKeys>> = {};
  readonly #contacts = new Map<string, PortableContact>();
  readonly #privateXml: { name: string; ns: string; xml: string }[] = [];
  readonly #blocked = new Set<string>();
  /** Undefined in the place of one that cannot be imported. */
  readonly #messages: (PortableMessage | undefined)[] = [];
  readonly #losses: string[] = [];
  readonly #nodes = new PortableNodes((what) => this.lose(`<pubsub>: ${what}`));
  readonly #archive: ArchiveUpload;
  #archivePreferences: string | undefined;
  #extras: Extras | undefined;
  #password: string | undefined;
  #vcard: string | undefined;

  constructor(name: string, host: string, password: string | undefined, nowMs: number, send: SendArchived) {
    this.#jid = `${name}@${host}`;
    this.#host = host;
    this.#owner = jidOrNothing(this.#jid);
    this.#archive = new ArchiveUpload(this.#jid, send);
    this.#nowMs = nowMs;
    if (password !== undefined && password !== '') this.#takePassword(password);
  }

  /** Adds one part, as far as it can be imported. */
  take(part: Element): void {
    const space = nsOf(part);
    if (space === ns.portableScram) this.#each([part], (element) => this.#takeScram(scramCredentials(element)));
    else if (space === ns.roster) this.#each(childElements(part), (item) => this.#takeContact(rosterContact(item)));
    else if (part.getName() === 'presence') this.#each([part], (element) => this.#takeRequest(element));
    else if (space === ns.privateXml) this.#each(childElements(part), (fragment) => this.#takeFragment(fragment));
    else if (space === ns.blocking)
      this.#each(childElements(part), (item) => this.#takeBlocked(attribute(item, 'jid')));
    else if (space === ns.privacyLists) this.#takePrivacyLists(part);
    else if (space === ns.vcard) this.#each([part], (element) => this.#takeVcard(element));
    else if (part.getName() === 'pubsub') this.#each(childElements(part), (element) => this.#nodes.take(element));
    else if (space === ns.portableExtras) this.#extras = readExtras(part, (what) => this.lose(`<account>: ${what}`));
    else if (space === ns.archive) this.#each([part], (element) => this.#takeArchivePreferences(element));
    else this.#each(childElements(part), (message) => this.#takeMessage(message));
  }

  /** Sends an archived message, as far as it can be imported. */
  async takeArchived(result: Element): Promise<void> {
    if (!this.#owner) return;
    try {
      await this.#archive.add(archivedMessage(result, this.#owner));
    } catch (error) {
      this.lose(`<archive>: ${faultIn(error)}`);
    }
  }

  /** Records something that is left out. */
  lose(what: string): void {
    this.#losses.push(what);
  }

  /** The account with all its parts. */
  async entry(): Promise<Entry> {
    const { rules, ...extras } = this.#extras ?? { rules: undefined };
    const user: FoundUser = {
      jid: this.#jid,
      ...extras,
      // Keys for every hash are derived from a password, so the keys in the file are not needed.
      ...(this.#password === undefined ? { scram: this.#scram } : { password: this.#password }),
      contacts: [...this.#contacts.values()],
      privateXml: this.#privateXml,
      vcard: this.#vcard ?? this.#convertedVcard,
      blocked: [...this.#blocked],
      messages: this.#messages.flatMap((message, place) => (message ? { ...message, kept: rules?.get(place) } : [])),
      nodes: this.#nodes.nodes,
      archivePreferences: this.#archivePreferences,
      archive: await this.#archive.finish(),
    };
    const locked = [this.#password, this.#extras?.bcrypt, ...Object.keys(this.#scram)].every(
      (one) => one === undefined,
    );
    const losses = locked ? [...this.#losses, 'a password: nobody can log in until one is set'] : this.#losses;
    return { place: this.#jid, user, losses };
  }

  /** Prosody makes the vCard from a node whenever somebody reads it. */
  get #convertedVcard(): string | undefined {
    const item = this.#nodes.openItem(ns.vcard4Node);
    return item === undefined ? undefined : serialize(olderVcard(parseElement(item)));
  }

  #each(elements: readonly Element[], take: (element: Element) => void): void {
    for (const element of elements) {
      try {
        take(element);
      } catch (error) {
        this.lose(`<${element.getName()}>: ${faultIn(error)}`);
      }
    }
  }

  #takePassword(password: string): void {
    // Openfire writes the name in the place of a password that it does not know.
    if (`${password}@${this.#host}` === this.#jid) return this.lose('a password that is the name of the user');
    try {
      const credentials = scramInPassword(password);
      if (credentials) this.#takeScram(credentials);
      else this.#password = password;
    } catch (error) {
      this.lose(faultIn(error));
    }
  }

  #takeScram({ hash, keys }: ScramCredentials): void {
    this.#scram[hash] = keys;
  }

  #takeContact(contact: PortableContact): void {
    const { pendingIn } = this.#contacts.get(contact.contact) ?? {};
    this.#contacts.set(contact.contact, pendingIn === undefined ? contact : { ...contact, pendingIn });
  }

  #takeRequest(element: Element): void {
    const { contact, pendingIn } = subscriptionRequest(element);
    const blank = { contact, name: '', groups: [], subscription: 'none', ask: false, approved: false } as const;
    this.#contacts.set(contact, { ...(this.#contacts.get(contact) ?? { ...blank, inRoster: false }), pendingIn });
  }

  #takeFragment(fragment: Element): void {
    this.#privateXml.push({ name: fragment.getName(), ns: nsOf(fragment), xml: serialize(fragment) });
  }

  #takeBlocked(jid = ''): void {
    this.#blocked.add(Jid.parse(jid).toString());
  }

  #takePrivacyLists(query: Element): void {
    const { blocked, others } = privacyLists(query);
    for (const jid of blocked) this.#each([query], () => this.#takeBlocked(jid));
    for (const name of others) this.lose(`what the privacy list ${name} does besides blocking`);
  }

  #takeVcard(element: Element): void {
    this.#vcard = serialize(element);
  }

  #takeArchivePreferences(prefs: Element): void {
    this.#archivePreferences = preferencesText(readPreferences(prefs));
  }

  #takeMessage(message: Element): void {
    const place = this.#messages.push(undefined) - 1;
    this.#messages[place] = offlineMessage(message, this.#host, this.#nowMs);
  }
}
