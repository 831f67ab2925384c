import { brief } from '../groupchat/brief.ts';
import type { TestClient } from '../support/test-client.ts';
import type { Tree } from '../support/xml-tree.ts';

/** Where the rooms of a stage are. */
export const roomDomain = 'conference.localhost';

const muc = 'http://jabber.org/protocol/muc';
let count = 0;

/** Enters a room: everything up to the subject, which comes last, or the error. */
export async function enters(client: TestClient, occupant: string, content = ''): Promise<Tree[]> {
  client.sends(`<presence to="${occupant}"><x xmlns="${muc}">${content}</x></presence>`);
  return until(client, (tree) => / #|^error/.test(brief(tree)));
}

/** Everything up to a stanza of a kind, or one that is looked for. */
export async function until(client: TestClient, last: Tree['name'] | ((tree: Tree) => boolean)): Promise<Tree[]> {
  const isLast = typeof last === 'string' ? ({ name }: Tree) => name === last : last;
  const came: Tree[] = [];
  for (;;) {
    const tree = await client.receives('<any.>...</any.>');
    came.push(tree);
    if (isLast(tree)) return came;
  }
}

/** The address of a new room with these options, with its creator in it. */
export async function founds(owner: TestClient, nick: string, options: Readonly<Record<string, string>> = {}) {
  const room = `verona${++count}@${roomDomain}`;
  await enters(owner, `${room}/${nick}`);
  await configures(owner, room, options);
  return room;
}

/** Sets options of a room. */
export async function configures(owner: TestClient, room: string, options: Readonly<Record<string, string>>) {
  const fields = Object.entries({ FORM_TYPE: `${muc}#roomconfig`, ...options }).map(
    ([name, value]) => `<field var="${name}"><value>${value}</value></field>`,
  );
  const form = `<x xmlns="jabber:x:data" type="submit">${fields.join('')}</x>`;
  owner.sends(`<iq type="set" to="${room}" id="c"><query xmlns="${muc}#owner">${form}</query></iq>`);
  const answer = (await until(owner, 'iq')).at(-1);
  if (answer?.attributes.get('type') !== 'result') throw new Error(`the room was not configured: ${answer?.raw}`);
}

/** Says something in a room, and returns what the speaker gets back. */
export async function says(client: TestClient, room: string, body: string, content = ''): Promise<Tree> {
  client.sends(`<message to="${room}" type="groupchat" id="m${++count}"><body>${body}</body>${content}</message>`);
  return client.receives('<message type="groupchat">...</message>');
}
