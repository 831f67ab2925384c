import type { XmlElement } from './element.ts';

/** Reads the one element of a message of a WebSocket (RFC 7395 §3.3.3). Throws if it is not well-formed. */
export function parseXml(text: string): XmlElement {
  const root = new DOMParser().parseFromString(text, 'text/xml').documentElement;
  if (root.getElementsByTagName('parsererror').length > 0 || root.localName === 'parsererror')
    throw new Error('the server has sent something that is not XML');
  return read(root);
}

function read(node: Element): XmlElement {
  const attributes = Array.from(node.attributes)
    .filter(({ namespaceURI }) => namespaceURI !== 'http://www.w3.org/2000/xmlns/')
    .map(({ name, value }) => [name, value] as const);
  const children: (XmlElement | string)[] = [];
  for (const child of node.childNodes) {
    if (child instanceof Element) children.push(read(child));
    else if (child instanceof Text) children.push(child.data);
  }
  return {
    name: node.localName,
    ns: node.namespaceURI ?? '',
    attributes: Object.fromEntries(attributes),
    children,
  };
}
