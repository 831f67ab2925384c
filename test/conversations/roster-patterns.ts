/** The pattern of a roster push of one item (RFC 6121 §2.1.6). */
export function push(jid: string, attributes: string, children = ''): string {
  const item = `<item jid="${jid}" ${attributes}>${children}</item>`;
  return `<iq type="set" id="*"><query xmlns="jabber:iq:roster">${item}</query></iq>`;
}

/** A roster get, without its id. */
export const rosterGet = '<iq type="get"><query xmlns="jabber:iq:roster"/></iq>';

/** The pattern of a whole roster. */
export function rosterOf(...items: readonly string[]): string {
  return `<iq type="result"><query xmlns="jabber:iq:roster">${items.join('')}</query></iq>`;
}

/** A roster set of one item, without its id (RFC 6121 §2.1.5). */
export function rosterSet(item: string): string {
  return `<iq type="set"><query xmlns="jabber:iq:roster">${item}</query></iq>`;
}
