import { ns } from '../../protocol/namespaces.ts';
import { bareOf } from './address.ts';
import { childOf, elementsOf, textOf, type XmlElement } from './element.ts';
import { takeReadItems } from './read-marks.ts';
import type { ChatState } from './state.ts';

/** The longest name that is shown. */
const longestName = 60;

/** Takes the event of a node (XEP-0163): the name or the picture that a contact, or the user, has chosen, and what the user has
 * read. Returns whether it was one. */
export function takeEvent(state: ChatState, stanza: XmlElement): boolean {
  const event = childOf(stanza, 'event', ns.pubsubEvent);
  if (!event) return false;
  const { from = state.me } = stanza.attributes;
  const items = childOf(event, 'items', ns.pubsubEvent);
  const isKnown = from === state.me || state.contacts.has(from);
  // Nodes of accounts speak with bare addresses; anybody else could only pretend to.
  if (!items || !isKnown || bareOf(from) !== from) return true;
  if (items.attributes['node'] === ns.displayedMarkers && from === state.me) takeReadItems(state, items);
  const item = childOf(items, 'item', ns.pubsubEvent);
  if (items.attributes['node'] === ns.nickname) {
    const name = textOf(childOf(item, 'nick', ns.nickname))
      .trim()
      .slice(0, longestName);
    put(state.names, from, name);
  }
  if (items.attributes['node'] === ns.avatarMetadata) {
    // Without a picture, the metadata are empty (XEP-0084 §4.3).
    const [info] = elementsOf(childOf(item, 'metadata', ns.avatarMetadata)).filter(({ name }) => name === 'info');
    put(state.pictures, from, info?.attributes['id'] ?? '');
  }
  return true;
}

function put(map: Map<string, string>, key: string, value: string): void {
  if (value === '') map.delete(key);
  else map.set(key, value);
}
