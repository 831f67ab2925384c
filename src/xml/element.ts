import { Element as LtxElement } from 'ltx';
import { serialize } from './serialize.ts';

/** Attributes by qualified name, namespace declarations included. Has no prototype, so any name is safe. */
interface Attributes {
  xmlns?: string;
  [name: string]: string | undefined;
}

/** An XML tree: an ltx element that accepts any attribute name and supports `xmlns=''`. */
export class Element extends LtxElement {
  declare attrs: Attributes;
  declare parent: Element | null;
  declare children: (Element | string)[];

  constructor(name: string) {
    super(name);
    this.attrs = Object.create(null) as Attributes;
  }

  /** The namespace bound to a prefix, or to no prefix, at this element. Undefined if the tree does not declare it. */
  override findNS(prefix?: string): string | undefined {
    const declaration = prefix ? `xmlns:${prefix}` : 'xmlns';
    for (let at: Element | null = this; at !== null; at = at.parent) {
      const ns = at.attrs[declaration];
      if (ns !== undefined) return ns;
    }
    return undefined;
  }

  /** Adds an element or text. Text is joined with the text before it. */
  append(node: Element | string): void {
    const last = this.children.length - 1;
    const before = this.children[last];
    if (typeof node !== 'string') {
      node.parent = this;
      this.children.push(node);
    } else if (typeof before === 'string') this.children[last] = before + node;
    else if (node !== '') this.children.push(node);
  }

  override toString(): string {
    return serialize(this);
  }
}

/** Builds an element without the attributes and children that are undefined. */
export function xml(
  name: string,
  attrs?: Readonly<Record<string, string | number | boolean | undefined>>,
  ...children: readonly (Element | string | undefined)[]
): Element {
  const element = new Element(name);
  for (const [attribute, value] of Object.entries(attrs ?? {})) {
    if (value !== undefined) element.attrs[attribute] = String(value);
  }
  for (const child of children) if (child !== undefined) element.append(child);
  return element;
}

/** The value of an attribute, by its qualified name. */
export function attribute(element: Element, name: string): string | undefined {
  return element.attrs[name];
}

/** The children that are elements. */
export function childElements(element: Element): Element[] {
  return element.children.filter((child) => typeof child !== 'string');
}

/** The first child of this name and namespace. */
export function childNamed(element: Element, name: string, ns: string): Element | undefined {
  return childElements(element).find((child) => child.getName() === name && nsOf(child) === ns);
}

/** The namespace of an element, '' if it has none. */
export function nsOf(element: Element): string {
  return element.getNS() ?? '';
}

/** The text directly inside an element. */
export function textOf(element: Element): string {
  let text = '';
  for (const child of element.children) if (typeof child === 'string') text += child;
  return text;
}
