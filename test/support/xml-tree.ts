import { SaxesParser, type SaxesTagNS } from 'saxes';

/** An element as a client sees it, read by a parser that shares nothing with the server's. */
export interface Tree {
  /** Local name. */
  readonly name: string;
  readonly ns: string;
  /** Without namespace declarations; an attribute with a prefix keeps it. */
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly Tree[];
  /** All character data of the element itself. */
  readonly text: string;
  /** The bytes as they came; only of elements directly under the stream. */
  readonly raw: string;
}

/** What a stream is made of, from its reader's point of view. */
export interface TreeHandler {
  header(header: Tree): void;
  element(element: Tree): void;
  end(): void;
}

interface Growing extends Tree {
  readonly children: Growing[];
  text: string;
  raw: string;
}

/** Reads one XML stream piece by piece; throws at the first thing that is not well-formed. */
export class TreeReader {
  readonly #parser = new SaxesParser({ xmlns: true });
  readonly #handler: TreeHandler;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });
  readonly #open: Growing[] = [];
  #unread = '';
  #consumed = 0;

  constructor(handler: TreeHandler) {
    this.#handler = handler;
    this.#parser.on('opentag', (tag) => this.#opened(tag));
    this.#parser.on('closetag', () => this.#closed());
    this.#parser.on('text', (text) => this.#said(text));
    this.#parser.on('cdata', (text) => this.#said(text));
  }

  /** Reads on. */
  write(bytes: Buffer): void {
    const text = this.#decoder.decode(bytes, { stream: true });
    this.#unread += text;
    this.#parser.write(text);
  }

  #opened(tag: SaxesTagNS): void {
    const element = growing(tag);
    this.#open.at(-1)?.children.push(element);
    this.#open.push(element);
    if (this.#open.length > 1) return;
    this.#takeRaw();
    this.#handler.header(element);
  }

  #closed(): void {
    const element = this.#open.pop();
    if (!element || this.#open.length > 1) return;
    if (this.#open.length === 0) return this.#handler.end();
    this.#open[0]?.children.pop();
    element.raw = this.#takeRaw();
    this.#handler.element(element);
  }

  #said(text: string): void {
    const element = this.#open.at(-1);
    if (element && this.#open.length > 1) element.text += text;
  }

  /** What has come since the last call. */
  #takeRaw(): string {
    const length = this.#parser.position - this.#consumed;
    const raw = this.#unread.slice(0, length);
    this.#unread = this.#unread.slice(length);
    this.#consumed += length;
    return raw.trim();
  }
}

/** Reads elements that stand next to each other, as a client's stream would hold them: `stream:` is bound, jabber:client the default. */
export function parseTrees(text: string): Tree[] {
  const trees: Tree[] = [];
  const reader = new TreeReader({ header() {}, element: (tree) => trees.push(tree), end() {} });
  reader.write(Buffer.from(`<x xmlns="jabber:client" xmlns:stream="http://etherx.jabber.org/streams">${text}</x>`));
  return trees;
}

/** Reads one element. */
export function parseTree(text: string): Tree {
  const [tree, ...more] = parseTrees(text);
  if (!tree || more.length > 0) throw new Error(`not one element: ${text}`);
  return tree;
}

/** The first child with this name, in any namespace. */
export function childOf(tree: Tree, name: string): Tree | undefined {
  return tree.children.find((child) => child.name === name);
}

/** The first element with this name, at any depth. */
export function findTree(tree: Tree, name: string): Tree | undefined {
  for (const child of tree.children) {
    const found = child.name === name ? child : findTree(child, name);
    if (found) return found;
  }
  return undefined;
}

function growing(tag: SaxesTagNS): Growing {
  const attributes = new Map<string, string>();
  for (const { name, uri, value } of Object.values(tag.attributes)) {
    if (uri !== 'http://www.w3.org/2000/xmlns/') attributes.set(name, value);
  }
  return { name: tag.local, ns: tag.uri, attributes, children: [], text: '', raw: '' };
}
