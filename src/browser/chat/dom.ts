/** What a new element has: attributes, and listeners by the name of their event. */
interface Props {
  readonly on?: Readonly<Record<string, (event: Event) => void>>;
  readonly [attribute: string]: unknown;
}

type Child = Node | string | undefined | false;

/** Makes an HTML element. Texts become text nodes, whatever is in them. */
export function h<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  { on = {}, ...attributes }: Props = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) element.setAttribute(name, value === true ? '' : String(value));
  }
  for (const [name, listener] of Object.entries(on)) element.addEventListener(name, listener);
  element.append(...children.filter((child) => child !== undefined && child !== false));
  return element;
}

const svg = 'http://www.w3.org/2000/svg';

/** Pictures of buttons, drawn with lines in a square of 24. */
const icons = {
  attach:
    'M20 11.500 12.400 19a5 5 0 0 1-7-7l8-8a3.300 3.300 0 0 1 4.700 4.700l-8 8a1.700 1.700 0 0 1-2.400-2.400l7.400-7.300',
  back: 'M15 5l-7 7 7 7',
  close: 'M6 6l12 12M18 6L6 18',
  down: 'M12 5v14M5.500 12.500 12 19l6.500-6.500',
  edit: 'M4.500 19.500l.9-4L15.900 5a1.900 1.900 0 0 1 2.700 0l.4.4a1.900 1.900 0 0 1 0 2.700L8.500 18.600z',
  leave:
    'M14 5.500V5a1.500 1.500 0 0 0-1.500-1.500h-6A1.500 1.500 0 0 0 5 5v14a1.500 1.500 0 0 0 1.500 1.500h6A1.500 1.500 0 0 0 14 19v-.500M10 12h10M16.500 8.500 20 12l-3.500 3.500',
  more: 'M12 5.500v.01M12 12v.01M12 18.500v.01',
  person:
    'M12 11.500a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7zM4.500 20c.8-3.700 3.700-5.500 7.500-5.500s6.700 1.800 7.500 5.500',
  remove: 'M5 7h14M10 7V5h4v2M7 7l.8 12h8.4L17 7M10.500 11v4.500M13.500 11v4.500',
  room: 'M8.500 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM2.500 19c.5-3.300 2.800-5 6-5s5.500 1.700 6 5M15.500 5.300a3 3 0 0 1 0 5.400M17.500 14.300c2.200.6 3.600 2.200 4 4.700',
  rules: 'M5 7h5M14 7h5M5 17h9M18 17h1M12 4.800v4.400M16 14.800v4.400',
  settings:
    'M10.3 5.5L10.6 3.2L13.4 3.2L13.7 5.5L15.4 6.2L17.2 4.8L19.2 6.8L17.8 8.7L18.5 10.3L20.8 10.6L20.8 13.4L18.5 13.7L17.8 15.3L19.2 17.2L17.2 19.2L15.4 17.8L13.7 18.5L13.4 20.8L10.6 20.8L10.3 18.5L8.7 17.8L6.8 19.2L4.8 17.2L6.2 15.3L5.5 13.7L3.2 13.4L3.2 10.6L5.5 10.3L6.2 8.6L4.8 6.8L6.8 4.8L8.6 6.2zM12 14.600a2.600 2.600 0 1 0 0-5.200 2.600 2.600 0 0 0 0 5.200z',
  send: 'M4.500 12 20 4.500 15.500 20l-3-6.500z',
} as const;

/** A picture for a button that has its words elsewhere. */
export function icon(name: keyof typeof icons): SVGElement {
  const picture = document.createElementNS(svg, 'svg');
  picture.setAttribute('viewBox', '0 0 24 24');
  picture.setAttribute('aria-hidden', 'true');
  picture.setAttribute('class', 'icon');
  const path = document.createElementNS(svg, 'path');
  path.setAttribute('d', icons[name]);
  picture.append(path);
  return picture;
}

/** A button that shows only a picture. */
export function iconButton(name: keyof typeof icons, words: string, click: () => void): HTMLButtonElement {
  const props = { type: 'button', class: 'tool', title: words, on: { click } };
  return h('button', props, icon(name), h('span', { class: 'spoken' }, words));
}

/** Changes a text only if it is another one, so that screen readers do not read it again. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** How the items of a list become elements. */
interface ListDeps<Item> {
  readonly key: (item: Item) => string;
  /** An item is drawn again when this has changed. */
  readonly signature: (item: Item) => string;
  readonly draw: (item: Item) => HTMLElement;
}

/** The elements for a list that changes. They stay while their items do, and with them the focus and what screen readers have read. */
export class DrawnList<Item> {
  readonly #container: Element;
  readonly #deps: ListDeps<Item>;
  #drawn = new Map<string, { readonly element: HTMLElement; readonly signature: string }>();

  constructor(container: Element, deps: ListDeps<Item>) {
    this.#container = container;
    this.#deps = deps;
  }

  update(items: readonly Item[]): void {
    const next = new Map(items.map((item) => [this.#deps.key(item), this.#draw(item)]));
    for (const [key, { element }] of this.#drawn) if (!next.has(key)) element.remove();
    let after: Element | null = null;
    for (const { element } of next.values()) {
      const place: ChildNode | null = after === null ? this.#container.firstChild : after.nextSibling;
      if (place !== element) this.#container.insertBefore(element, place);
      after = element;
    }
    this.#drawn = next;
  }

  #draw(item: Item): { readonly element: HTMLElement; readonly signature: string } {
    const before = this.#drawn.get(this.#deps.key(item));
    const signature = this.#deps.signature(item);
    if (before?.signature === signature) return before;
    const element = this.#deps.draw(item);
    if (!before) return { element, signature };
    adopt(before.element, element);
    return { element: before.element, signature };
  }
}

/** Makes an element like a fresh one, and replaces only what differs. The listeners of what stays are kept. */
function adopt(element: Element, fresh: Element): void {
  for (const name of element.getAttributeNames()) if (!fresh.hasAttribute(name)) element.removeAttribute(name);
  for (const { name, value } of fresh.attributes) {
    if (element.getAttribute(name) !== value) element.setAttribute(name, value);
  }
  const [before, after] = [Array.from(element.childNodes), Array.from(fresh.childNodes)];
  for (const [index, node] of after.entries()) {
    const place = before[index];
    if (!place) element.append(node);
    else if (place instanceof Element && node instanceof Element && isAlike(place, node)) adopt(place, node);
    else if (!place.isEqualNode(node)) place.replaceWith(node);
  }
  for (const node of before.slice(after.length)) node.remove();
}

/** Whether two elements do the same. The titles of buttons say what they do. */
function isAlike(one: Element, other: Element): boolean {
  return one.tagName === other.tagName && one.getAttribute('title') === other.getAttribute('title');
}
