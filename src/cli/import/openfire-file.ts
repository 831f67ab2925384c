import type { Readable } from 'node:stream';
import type { QualifiedTag } from 'sax';
import { ns } from '../../protocol/namespaces.ts';
import { attribute, childElements, type Element, textOf, xml } from '../../xml/element.ts';
import { DocumentParser, emptyElement, PortableFormatError } from './document-parser.ts';
import type { PortableEvent } from './portable-document.ts';

/** A file that the plugin "User Import Export" of Openfire has written in its own format. */
interface Source {
  readonly name: string;
  readonly input: Readable;
}

/** The subscriptions of a contact, as Openfire numbers them, from "remove" on. */
const subscriptions: Readonly<Record<string, string>> = { 0: 'none', 1: 'to', 2: 'from', 3: 'both' };
/** The numbers that mean a request for a subscription: by the user, and by the contact. */
const [asked, received] = ['0', '1'];

/** The accounts in a file of Openfire, as the pieces of a XEP-0227 document. The file does not name their domain. */
export async function* openfireEvents({ name, input }: Source, domain: string): AsyncGenerator<PortableEvent> {
  const users = new UserReader();
  const decoder = new TextDecoder();
  yield { kind: 'host', jid: domain };
  try {
    for await (const chunk of input) {
      for (const user of users.push(decoder.decode(chunk, { stream: true }))) yield* eventsOf(user);
    }
    for (const user of users.end()) yield* eventsOf(user);
  } catch (error) {
    throw error instanceof PortableFormatError ? new PortableFormatError(`${name}: ${error.message}`) : error;
  }
}

/** Reads a document, and keeps one user of it in memory. */
class UserReader {
  readonly #parser = new DocumentParser({
    opened: (tag) => this.#opened(tag),
    closed: () => this.#closed(),
    text: (text) => this.#branch?.append(text),
  });
  #depth = 0;
  #branch: Element | undefined;
  readonly #found: Element[] = [];

  /** The users that have been read completely. Throws `PortableFormatError`. */
  push(text: string): Element[] {
    this.#parser.write(text);
    return this.#found.splice(0);
  }

  end(): Element[] {
    this.#parser.close();
    return this.#found.splice(0);
  }

  #opened(tag: QualifiedTag): void {
    this.#depth += 1;
    if (this.#depth === 1) return;
    const element = emptyElement(tag);
    this.#branch?.append(element);
    this.#branch = element;
  }

  #closed(): void {
    this.#depth -= 1;
    const closed = this.#branch;
    this.#branch = closed?.parent ?? undefined;
    if (closed?.parent === null && closed.getName() === 'User') this.#found.push(closed);
  }
}

function* eventsOf(user: Element): Generator<PortableEvent> {
  const text = (name: string) => user.getChildText(name) ?? '';
  yield { kind: 'user', name: text('Username'), password: text('Password'), line: 0 };
  const items = childElements(user.getChild('Roster') ?? xml('Roster'));
  const contacts = items.filter((item) => !isRequestOnly(item)).map(contactElement);
  yield { kind: 'part', element: xml('query', { xmlns: ns.roster }, ...contacts) };
  for (const item of items)
    if (attribute(item, 'recvstatus') === received) yield { kind: 'part', element: request(item) };
  const card = cardElement(text('Name'), text('Email'));
  if (card) yield { kind: 'part', element: card };
  yield { kind: 'user-end' };
}

/** Whether a contact is there only because it has asked for a subscription: clients do not see it in the roster. */
function isRequestOnly(item: Element): boolean {
  const hasAsked = attribute(item, 'askstatus') === asked;
  return attribute(item, 'recvstatus') === received && attribute(item, 'substatus') === '0' && !hasAsked;
}

function contactElement(item: Element): Element {
  const number = attribute(item, 'substatus') ?? '';
  const groups = childElements(item).map((group) => xml('group', {}, textOf(group).trim()));
  const attributes = {
    jid: attribute(item, 'jid'),
    name: attribute(item, 'name'),
    subscription: subscriptions[number] ?? number,
    ask: attribute(item, 'askstatus') === asked ? 'subscribe' : undefined,
  };
  return xml('item', attributes, ...groups);
}

function request(item: Element): Element {
  return xml('presence', { xmlns: ns.client, type: 'subscribe', from: attribute(item, 'jid') });
}

/** Openfire keeps name and email address beside the vCard, which is not in the file. */
function cardElement(name: string, email: string): Element | undefined {
  if (name === '' && email === '') return undefined;
  const address = email === '' ? undefined : xml('EMAIL', {}, xml('INTERNET'), xml('USERID', {}, email));
  return xml('vCard', { xmlns: ns.vcard }, name === '' ? undefined : xml('FN', {}, name), address);
}
