import { malformed } from './xml-error.ts';

/** The namespace of the prefix `xml`, bound in every document. */
export const xmlNamespace = 'http://www.w3.org/XML/1998/namespace';
const xmlnsNamespace = 'http://www.w3.org/2000/xmlns/';

/**
 * The namespace that stands for the content namespace of any stream. The bytes of a payload do not declare it, so that the
 * same bytes can be sent to clients and servers (RFC 6120 §4.8.3).
 */
export const contentNs = 'jabber:client';

/** The declarations around a frame: of the stream header, or given by the caller that reads a piece of XML. */
export interface NamespaceContext {
  readonly defaultNs: string;
  readonly prefixes: ReadonlyMap<string, string>;
}

/** No declarations. */
export const bareContext: NamespaceContext = { defaultNs: '', prefixes: new Map() };

interface Binding {
  readonly prefix: string;
  readonly ns: string;
  readonly depth: number;
  readonly shadowed: Binding | undefined;
  /** The default namespace around it. */
  readonly outerDefaultNs: string;
}

/** The namespace declarations in force while a frame is read (Namespaces in XML 1.0 §6). */
export class NamespaceScope {
  context = bareContext;
  defaultNs = '';
  /** Declarations above this depth are outside the element being read. */
  innerDepth = 1;
  /** Prefixes that are used inside but declared outside. */
  borrowed: Map<string, string> | undefined;
  /** Whether the content namespace is bound to a prefix, or declared where it is the default namespace already. */
  restatesContent = false;
  readonly #bindings = new Map<string, Binding>();
  readonly #stack: Binding[] = [];

  /** Starts again inside `context`. */
  enter(context: NamespaceContext): void {
    if (this.#stack.length > 0) this.leave(0);
    this.context = context;
    this.defaultNs = context.defaultNs;
    this.borrowed = undefined;
    this.restatesContent = false;
  }

  /** Puts a declaration of the element at `depth` in force; `prefix` is '' for the default namespace. */
  declare(prefix: string, ns: string, depth: number): void {
    checkDeclaration(prefix, ns);
    if (prefix === 'xml') return;
    if ((ns === contentNs || ns === this.context.defaultNs) && depth >= this.innerDepth) this.#nameContent(prefix);
    const shadowed = prefix === '' ? undefined : this.#bindings.get(prefix);
    const binding = { prefix, ns, depth, shadowed, outerDefaultNs: this.defaultNs };
    this.#stack.push(binding);
    if (prefix === '') this.defaultNs = ns;
    else this.#bindings.set(prefix, binding);
  }

  /** Ends the declarations of the element at `depth` and of everything in it. */
  leave(depth: number): void {
    const stack = this.#stack;
    while (stack.length > 0 && stack[stack.length - 1]!.depth >= depth) {
      const { prefix, shadowed, outerDefaultNs } = stack.pop()!;
      if (prefix === '') this.defaultNs = outerDefaultNs;
      else if (shadowed === undefined) this.#bindings.delete(prefix);
      else this.#bindings.set(prefix, shadowed);
    }
  }

  /** The namespace a prefix is bound to. */
  resolve(prefix: string): string {
    if (prefix === 'xml') return xmlNamespace;
    const binding = this.#bindings.get(prefix);
    const ns = binding?.ns ?? this.context.prefixes.get(prefix);
    if (ns === undefined) malformed('unbound namespace prefix');
    if (binding === undefined || binding.depth < this.innerDepth) this.#borrow(prefix, ns);
    return ns;
  }

  /** The prefixes in force, without `xml`. */
  prefixes(): Map<string, string> {
    const all = new Map(this.context.prefixes);
    for (const { prefix, ns } of this.#bindings.values()) all.set(prefix, ns);
    return all;
  }

  #nameContent(prefix: string): void {
    if (prefix !== '' || this.defaultNs === this.context.defaultNs) this.restatesContent = true;
  }

  #borrow(prefix: string, ns: string): void {
    this.borrowed ??= new Map();
    this.borrowed.set(prefix, ns);
  }
}

/** Refuses declarations that Namespaces in XML 1.0 §3 and §2.2 forbid. */
function checkDeclaration(prefix: string, ns: string): void {
  if (prefix === 'xmlns') malformed('the prefix xmlns cannot be declared');
  if (ns === xmlnsNamespace) malformed('the xmlns namespace cannot be declared');
  if ((prefix === 'xml') !== (ns === xmlNamespace)) malformed('the prefix xml belongs to the XML namespace');
  if (ns === '' && prefix !== '') malformed('a prefix cannot be undeclared');
}
