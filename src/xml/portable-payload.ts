import { childElements, type Element } from './element.ts';
import { contentNs } from './namespace-scope.ts';
import { Payload } from './payload.ts';

/** Stands for the content namespace of any stream. XML cannot contain it, so it cannot be written by mistake. */
const anyContentNs = '\0';

/** What follows for an element from its position in a stanza. */
interface Place {
  /** Whether the element and everything around it is in the content namespace. */
  readonly content: boolean;
  /** Whether the default namespace at this element is the one that the stream declares. */
  readonly inherits: boolean;
}

/**
 * The content of a stanza without the declarations around it and without any name for the content namespace of its stream.
 * Elements in that namespace have neither a prefix nor a declaration, so that they are in the content namespace of the stream
 * they are written to (RFC 6120 §4.8.3, RFC 6120 §4.8.5). Inside an element of another namespace, declarations of the content
 * namespace stay, as a forwarded stanza requires (XEP-0297 §3). All other elements have their own declarations.
 */
export function portablePayload(stanza: Element, streamNs: string): Payload {
  const isContentNs = (ns: string | undefined): boolean => ns === streamNs || ns === contentNs;
  const places = new Map<Element, Place>([[stanza, { content: true, inherits: isContentNs(stanza.attrs.xmlns) }]]);
  const elements = descendants(stanza);
  // All namespaces first: renaming one element changes what its children inherit.
  const namespaces = elements.map((element) => element.getNS() ?? '');
  const attributePrefixes = prefixesOfAttributes([stanza, ...elements]);
  for (const [index, element] of elements.entries()) {
    const ns = namespaces[index]!;
    const around = places.get(element.parent!)!;
    const { xmlns } = element.attrs;
    const prefixed = element.name.includes(':');
    const foreign = !isContentNs(ns);
    const content = around.content && !foreign;
    const inherits =
      xmlns === undefined ? around.inherits && (content || foreign || !prefixed) : content && isContentNs(xmlns);
    places.set(element, { content, inherits });
    dropDeclarations(element, (prefix, bound) => isContentNs(bound) && !attributePrefixes.has(prefix));
    if (prefixed && foreign) continue;
    element.name = element.getName();
    element.attrs.xmlns = content || inherits ? anyContentNs : ns;
  }
  stanza.attrs.xmlns = anyContentNs;
  return Payload.ofContent(stanza.children, anyContentNs);
}

/** All elements in `root`, each after its parent. */
function descendants(root: Element): Element[] {
  const found = childElements(root);
  for (let i = 0; i < found.length; i++) for (const child of childElements(found[i]!)) found.push(child);
  return found;
}

function prefixesOfAttributes(elements: readonly Element[]): Set<string> {
  const prefixes = new Set<string>();
  for (const { attrs } of elements) {
    for (const name of Object.keys(attrs)) if (name.includes(':')) prefixes.add(name.slice(0, name.indexOf(':')));
  }
  return prefixes;
}

function dropDeclarations({ attrs }: Element, drop: (prefix: string, ns: string | undefined) => boolean): void {
  for (const name of Object.keys(attrs)) {
    if (name.startsWith('xmlns:') && drop(name.slice('xmlns:'.length), attrs[name])) delete attrs[name];
  }
}
