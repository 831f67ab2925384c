import { expect } from 'chai';
import { brief } from '../groupchat/brief.ts';
import type { TestClient } from './test-client.ts';
import type { Tree } from './xml-tree.ts';

const muc = 'http://jabber.org/protocol/muc';
const most = 60;

/** A room of one server and a client of each of two servers. */
export interface SharedRoom {
  readonly room: string;
  /** A client of the room's server, which creates the room. */
  readonly owner: TestClient;
  /** A client of the other server. */
  readonly guest: TestClient;
}

/** The owner creates the room, the guest joins, both speak and hear both; then the owner kicks the guest, who comes back and leaves. */
export async function sharesRoom({ room, owner, guest }: SharedRoom): Promise<void> {
  await creates(owner, room);
  await joins(guest, room);
  await untilLine(owner, /^\+guest /);
  await hearEachOther({ room, owner, guest }, 'before the kick');
  owner.sends(
    `<iq type="set" to="${room}" id="kick"><query xmlns="${muc}#admin"><item nick="guest" role="none"/></query></iq>`,
  );
  expect(await untilLine(guest, /^-guest /)).to.match(/ 307/);
  await untilLine(owner, /^-guest /);
  await joins(guest, room);
  await untilLine(owner, /^\+guest /);
  await hearEachOther({ room, owner, guest }, 'after the kick');
  guest.sends(`<presence to="${room}/guest" type="unavailable"/>`);
  await untilLine(guest, /^-guest /);
  await untilLine(owner, /^-guest /);
}

/** Creates a room with the settings that its server proposes (XEP-0045 §10.1.2). */
export async function creates(owner: TestClient, room: string): Promise<void> {
  owner.sends(`<presence to="${room}/owner"><x xmlns="${muc}"/></presence>`);
  await untilLine(owner, /^\+owner .*110/);
  const form = '<x xmlns="jabber:x:data" type="submit"/>';
  owner.sends(`<iq type="set" to="${room}" id="create"><query xmlns="${muc}#owner">${form}</query></iq>`);
  await untilTree(owner, ({ name, attributes }) => name === 'iq' && attributes.get('id') === 'create');
}

/** Joins as "guest", without history. */
export async function joins(guest: TestClient, room: string, password = ''): Promise<void> {
  const secret = password === '' ? '' : `<password>${password}</password>`;
  guest.sends(`<presence to="${room}/guest"><x xmlns="${muc}">${secret}<history maxstanzas="0"/></x></presence>`);
  await untilLine(guest, /^\+guest .*110|^error/).then((line) => expect(line).to.not.match(/^error/));
}

/** Each says something, and both hear it. */
export async function hearEachOther({ room, owner, guest }: SharedRoom, text: string): Promise<void> {
  for (const [speaker, nick] of [
    [owner, 'owner'],
    [guest, 'guest'],
  ] as const) {
    speaker.sends(`<message to="${room}" type="groupchat" id="say"><body>${text}</body></message>`);
    for (const hearer of [owner, guest]) await untilLine(hearer, `${nick}: ${text}`);
  }
}

/** Passes over stanzas until one is this line, or like it; returns the line. */
export async function untilLine(client: TestClient, wanted: string | RegExp): Promise<string> {
  const isWanted = (line: string) => (typeof wanted === 'string' ? line === wanted : wanted.test(line));
  return brief(await untilTree(client, (tree) => isWanted(brief(tree)), String(wanted)));
}

async function untilTree(client: TestClient, isWanted: (tree: Tree) => boolean, wanted = 'an answer'): Promise<Tree> {
  const passed: string[] = [];
  while (passed.length < most) {
    const tree = await client.receives('<any. xmlns="*">...</any.>').catch((error: unknown) => {
      throw new Error(`${client.jid} waited for ${wanted} and got\n${passed.join('\n')}`, { cause: error });
    });
    if (isWanted(tree)) return tree;
    passed.push(tree.raw);
  }
  throw new Error(`${client.jid} waited for ${wanted} and got\n${passed.join('\n')}`);
}
