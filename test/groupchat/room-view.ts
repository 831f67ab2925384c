import { expect } from 'chai';
import type { ExistingRoom } from '../../src/groupchat/room/state.ts';
import { childOf, type Tree } from '../support/xml-tree.ts';

/** What a client knows of a room from the presence that it has got: each occupant by nickname. */
export class RoomView {
  readonly occupants = new Map<string, string>();
  isInside = false;

  takes(stanza: Tree): void {
    if (stanza.name !== 'presence' || stanza.attributes.get('type') === 'error') return;
    const nick = (stanza.attributes.get('from') ?? '').split('/')[1] ?? '';
    const x = childOf(stanza, 'x');
    const item = x && childOf(x, 'item');
    if (!x || !item) throw new Error('presence of a room has an item');
    const codes = x.children.map(({ attributes }) => attributes.get('code'));
    if (stanza.attributes.get('type') !== 'unavailable') {
      const { attributes } = item;
      const jid = attributes.get('jid') ?? '';
      this.occupants.set(nick, `${attributes.get('affiliation')}/${attributes.get('role')} ${jid}`);
      if (codes.includes('110')) this.isInside = true;
      return;
    }
    this.occupants.delete(nick);
    if (!codes.includes('110') || codes.includes('303')) return;
    this.isInside = false;
    this.occupants.clear();
  }

  /** A client in the room knows exactly its occupants. It has last seen full JIDs of those, and only of those, that it may see. */
  check(room: ExistingRoom, client: string, title: string): void {
    const own = [...room.occupants.all].find(({ sessions }) => sessions.some(({ jid }) => jid.toString() === client));
    expect(this.isInside, `${title}: ${client} is inside`).to.equal(own !== undefined);
    if (!own) return;
    const seesAll = room.config.whois === 'anyone' || own.role === 'moderator';
    const expected = [...room.occupants.all].map(({ nick, user, role, sessions }) => {
      const jid = seesAll || nick === own.nick ? String(sessions.at(-1)?.jid) : '';
      return `${nick} ${room.affiliations.get(user.toString())?.affiliation ?? 'none'}/${role} ${jid}`;
    });
    const known = [...this.occupants].map(([nick, line]) => `${nick} ${line}`);
    expect(known.sort(), `${title}: view of ${client}`).to.deep.equal(expected.sort());
  }
}
