import { childElements, type Element } from './element.ts';
import { Payload } from './payload.ts';

/**
 * The content of a stanza, freed of what is declared around it: every element in the content namespace of its stream
 * loses its prefix, every other one brings its own declarations.
 */
export function portablePayload(stanza: Element, streamNs: string): Payload {
  const elements = descendants(stanza);
  // All namespaces first: renaming one element changes what its children inherit.
  const namespaces = elements.map((element) => element.getNS() ?? '');
  for (const [index, element] of elements.entries()) {
    const ns = namespaces[index]!;
    const prefixed = element.name.includes(':');
    if (prefixed && ns === streamNs) element.name = element.getName();
    if (!prefixed || ns === streamNs) element.attrs.xmlns = ns;
  }
  stanza.attrs.xmlns = streamNs;
  return Payload.ofContent(stanza.children, streamNs);
}

function descendants(root: Element): Element[] {
  const found = childElements(root);
  for (let i = 0; i < found.length; i++) for (const child of childElements(found[i]!)) found.push(child);
  return found;
}
