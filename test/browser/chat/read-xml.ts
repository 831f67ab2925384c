import type { XmlElement } from '../../../src/browser/chat/element.ts';
import { parseTree, type Tree } from '../../support/xml-tree.ts';

/** Reads a stanza as the page would, without a browser. */
export function readXml(text: string): XmlElement {
  return converted(parseTree(text));
}

function converted({ name, ns, attributes, children, text }: Tree): XmlElement {
  const content = [...children.map(converted), ...(text === '' ? [] : [text])];
  return { name, ns, attributes: Object.fromEntries(attributes), children: content };
}
