import type { QualifiedTag } from 'sax';
import { ns } from '../../protocol/namespaces.ts';
import type { Element } from '../../xml/element.ts';
import { DocumentParser, emptyElement, PortableFormatError } from './document-parser.ts';

/** The depth of an element in a document: root, host, user, or part of a user. */
export type Depth = 0 | 1 | 2 | 3;

/** A piece of a document, in document order. */
export type PortableEvent =
  | { readonly kind: 'host'; readonly jid: string | undefined }
  | {
      readonly kind: 'user';
      readonly name: string | undefined;
      readonly password: string | undefined;
      readonly line: number;
    }
  | { readonly kind: 'part'; readonly element: Element }
  | { readonly kind: 'archived'; readonly element: Element }
  | { readonly kind: 'user-end' }
  | { readonly kind: 'include'; readonly href: string | undefined; readonly depth: Depth }
  /** Something that a reader could not read. */
  | { readonly kind: 'lost'; readonly what: string }
  | { readonly kind: 'ignored'; readonly name: string; readonly ns: string };

const structure = ['server-data', 'host', 'user'] as const;
/** The depth of the parts of a user, and of the messages in an archive. */
const partDepth: Depth = 3;
const archivedDepth = 4;

/** The parts of a user that are imported (XEP-0227 §4), apart from the archive. */
const wantedParts = new Set([
  `${ns.portableScram} scram-credentials`,
  `${ns.roster} query`,
  `${ns.privateXml} query`,
  `${ns.vcard} vCard`,
  `${ns.blocking} blocklist`,
  `${ns.privacyLists} query`,
  `${ns.client} presence`,
  `${ns.portableData} presence`,
  `${ns.portableData} offline-messages`,
  `${ns.pubsubOwner} pubsub`,
  `${ns.pubsub} pubsub`,
  `${ns.archive} prefs`,
  `${ns.portableExtras} account`,
]);

/**
 * A streaming reader of XEP-0227 documents. It keeps at most one part of one user in memory; of an archive, at most one message
 * (XEP-0227 §4.11).
 */
export class PortableDocument {
  readonly #parser = new DocumentParser({
    opened: (tag) => this.#opened(tag),
    closed: () => this.#closed(),
    text: (text) => this.#branch?.append(text),
  });
  readonly #startDepth: Depth;
  #events: PortableEvent[] = [];
  /** Number of open structural elements. */
  #open = 0;
  /** Number of open elements that are ignored. */
  #skipped = 0;
  /** The open element of the current part, which gets the next node. */
  #branch: Element | undefined;

  /** `startDepth` is the depth of the root: an included document continues the including one. */
  constructor(startDepth: Depth = 0) {
    this.#startDepth = startDepth;
  }

  /** Reads more text. Throws `PortableFormatError`. */
  push(text: string): PortableEvent[] {
    this.#parser.write(text);
    return this.#take();
  }

  /** Finishes the document. Throws `PortableFormatError` if it is incomplete. */
  end(): PortableEvent[] {
    this.#parser.close();
    return this.#take();
  }

  #take(): PortableEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  #opened(tag: QualifiedTag): void {
    if (this.#branch) this.#branch = grown(this.#branch, tag);
    else if (this.#skipped > 0) this.#skipped += 1;
    else this.#enter(tag, this.#startDepth + this.#open);
  }

  #enter(tag: QualifiedTag, depth: number): void {
    const name = `${tag.uri} ${tag.local}`;
    if (name === `${ns.xinclude} include` && depth <= partDepth) this.#skip(include(tag, depth as Depth));
    else if (tag.uri === ns.portableData && tag.local === structure[depth]) {
      this.#open += 1;
      if (depth > 0) this.#events.push(this.#begin(tag, depth));
    } else if (depth === partDepth && name === `${ns.portableArchive} archive`) this.#open += 1;
    else if (depth === partDepth && wantedParts.has(name)) this.#branch = rooted(tag);
    else if (depth === archivedDepth && name === `${ns.archive} result`) this.#branch = rooted(tag);
    else if (depth === 0) throw new PortableFormatError(`begins with <${tag.name}>, not with XEP-0227's <server-data>`);
    else this.#skip({ kind: 'ignored', name: tag.local, ns: tag.uri });
  }

  #begin({ attributes }: QualifiedTag, depth: number): PortableEvent {
    const { jid, name, password } = attributes;
    if (depth === 1) return { kind: 'host', jid: jid?.value };
    return { kind: 'user', name: name?.value, password: password?.value, line: this.#parser.line };
  }

  #skip(event: PortableEvent): void {
    this.#events.push(event);
    this.#skipped = 1;
  }

  #closed(): void {
    if (this.#branch) this.#closeBranch(this.#branch);
    else if (this.#skipped > 0) this.#skipped -= 1;
    else {
      this.#open -= 1;
      if (this.#startDepth + this.#open === structure.length - 1) this.#events.push({ kind: 'user-end' });
    }
  }

  #closeBranch(branch: Element): void {
    this.#branch = branch.parent ?? undefined;
    const isArchived = this.#startDepth + this.#open === archivedDepth;
    if (branch.parent === null) this.#events.push({ kind: isArchived ? 'archived' : 'part', element: branch });
  }
}

function include({ attributes: { href } }: QualifiedTag, depth: Depth): PortableEvent {
  return { kind: 'include', href: href?.value, depth };
}

/** The root element of a part, with the namespace declarations in scope. */
function rooted(tag: QualifiedTag): Element {
  const element = emptyElement(tag);
  for (const prefix in tag.ns) {
    if (prefix === 'xml' || prefix === 'xmlns') continue;
    element.attrs[prefix === '' ? 'xmlns' : `xmlns:${prefix}`] = tag.ns[prefix];
  }
  return element;
}

function grown(branch: Element, tag: QualifiedTag): Element {
  const element = emptyElement(tag);
  branch.append(element);
  return element;
}
