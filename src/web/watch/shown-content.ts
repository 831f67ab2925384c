import { ns } from '../../protocol/namespaces.ts';
import { childElements, type Element, nsOf } from '../../xml/element.ts';
import { contentNs, type Payload } from '../../xml/payload.ts';
import { serialize } from '../../xml/serialize.ts';

/** Stands for every text and every value that is not shown. */
const blank = '…';

/** Larger contents are not shown: writing them down would take the server too long. */
const mostBytes = 64 * 1024;

/** Elements that may hold a password. Their content is never shown. */
const secretNamespaces: ReadonlySet<string> = new Set([ns.register, ns.commands, ns.privateXml]);

/** The content of a stanza as text; an ellipsis for a large one. Without `bodies`, only the names and namespaces of elements are left, and what an error says. */
export function shownContent(payload: Payload, bodies: boolean): string {
  if (payload.bytes.length > mostBytes) return blank;
  return payload
    .elements()
    .map((element) => {
      if (!bodies || secretNamespaces.has(nsOf(element))) hide(element);
      return serialize(element, contentNs);
    })
    .join('');
}

/** Replaces texts and values, except in errors, whose conditions are names anyway. */
function hide(element: Element): void {
  for (const name of Object.keys(element.attrs)) {
    if (name !== 'xmlns' && !name.startsWith('xmlns:') && !isErrorType(element, name)) element.attrs[name] = blank;
  }
  element.children = element.children.map((child) => (typeof child === 'string' ? blank : child));
  for (const child of childElements(element)) hide(child);
}

function isErrorType(element: Element, name: string): boolean {
  return element.name === 'error' && name === 'type';
}
