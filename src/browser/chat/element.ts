/** An XML element as the page uses it: names without prefixes, each element with its namespace. */
export interface XmlElement {
  readonly name: string;
  readonly ns: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly (XmlElement | string)[];
}

type Child = XmlElement | string | undefined;

/** Builds an element without the attributes and children that are undefined. */
export function el(
  ns: string,
  name: string,
  attributes: Readonly<Record<string, string | number | undefined>> = {},
  ...children: readonly Child[]
): XmlElement {
  const given = Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, String(value)]],
  );
  return { ns, name, attributes: Object.fromEntries(given), children: children.filter((child) => child !== undefined) };
}

/** The text of an element. A namespace is declared where it differs from that of the parent. */
export function serialize({ ns, name, attributes, children }: XmlElement, inherited = ''): string {
  const declared = ns === inherited ? '' : ` xmlns="${escapeXml(ns)}"`;
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${escapeXml(value)}"`);
  const start = `<${name}${declared}${written.join('')}`;
  if (children.length === 0) return `${start}/>`;
  const content = children.map((child) => (typeof child === 'string' ? escapeXml(child) : serialize(child, ns)));
  return `${start}>${content.join('')}</${name}>`;
}

/** The first child with this name and namespace. */
export function childOf(element: XmlElement | undefined, name: string, ns: string): XmlElement | undefined {
  return elementsOf(element).find((child) => child.name === name && child.ns === ns);
}

/** The children that are elements. */
export function elementsOf(element: XmlElement | undefined): XmlElement[] {
  return (element?.children ?? []).filter((child) => typeof child !== 'string');
}

/** The text directly inside an element. */
export function textOf(element: XmlElement | undefined): string {
  return (element?.children ?? []).filter((child) => typeof child === 'string').join('');
}

/** Replaces what has a meaning in XML, and removes the characters that XML cannot contain (XML 1.0 §2.2). */
function escapeXml(text: string): string {
  return text
    .replaceAll(notXml, '')
    .replaceAll(special, (character) => references[character] ?? `&#${character.charCodeAt(0)};`);
}

/** Control characters but tab and the ends of lines, halves of characters, and code points that are none. */
const notXml = /[^\P{Cc}\t\n\r\u007f-\u009f]|\p{Cs}|[\ufffe\uffff]/gu;
const special = /[&<>"'\r]/g;
const references: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};
