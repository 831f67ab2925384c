import { expect } from 'chai';
import { extensions } from '../../src/extensions/index.ts';
import { rooms } from '../../src/extensions/rooms.ts';
import { brief } from '../groupchat/brief.ts';
import { MemoryRooms } from '../groupchat/memory-rooms.ts';
import { Stage } from '../support/conversation.ts';
import type { TestClient } from '../support/test-client.ts';

const domain = 'conference.localhost';
const join = '<x xmlns="http://jabber.org/protocol/muc"/>';
const instant = '<query xmlns="http://jabber.org/protocol/muc#owner"><x xmlns="jabber:x:data" type="submit"/></query>';

describe('A room', () => {
  const stage = new Stage({
    extensions: (deps) => [
      ...extensions(deps),
      rooms({
        ...deps.routing,
        options: {
          domains: [domain],
          limits: { maxRooms: 100, maxRoomsPerOwner: 100 },
          retention: { keepDays: null, maxPerArchive: null },
        },
        storage: { rooms: new MemoryRooms(), secrets: deps.storage.secrets },
        clock: deps.clock,
        log: deps.log,
      }),
    ],
  });
  let count = 0;

  /** Everything up to the subject, which comes last, or the error. */
  async function enters(client: TestClient, occupant: string, x = join): Promise<string[]> {
    client.sends(`<presence to="${occupant}">${x}</presence>`);
    const lines: string[] = [];
    for (;;) {
      const line = brief(await client.receives('<any.>...</any.>'));
      lines.push(line);
      if (/ #|^error/.test(line)) return lines;
    }
  }

  const next = async (client: TestClient) => brief(await client.receives('<any.>...</any.>'));

  /** A room that exists, with its creator in it. */
  async function founds(owner: TestClient, nick = 'owner'): Promise<string> {
    const room = `room${++count}@${domain}`;
    await enters(owner, `${room}/${nick}`);
    await owner.gets(`<iq type="set" to="${room}">${instant}</iq>`, '<iq type="result"/>');
    return room;
  }

  it('juliet creates it, romeo waits until it is ready, and both see each other', async () => {
    const { romeo, juliet } = await stage.enter(['romeo', 'juliet']);
    const room = `balcony@${domain}`;
    expect(await enters(juliet, `${room}/juliet`)).to.deep.equal([
      `+juliet owner/moderator ${juliet.jid} 110 201`,
      'room #',
    ]);
    expect(await enters(romeo, `${room}/romeo`)).to.deep.equal(['error item-not-found text']);
    await juliet.gets(`<iq type="set" to="${room}">${instant}</iq>`, '<iq type="result"/>');
    expect(await enters(romeo, `${room}/romeo`)).to.deep.equal([
      '+juliet owner/moderator',
      `+romeo none/participant ${romeo.jid} 110`,
      'room #',
    ]);
    expect(await next(juliet)).to.equal(`+romeo none/participant ${romeo.jid}`);
  });

  it('romeo speaks, and everybody hears it, he too; who comes later gets it as history', async () => {
    const { romeo, juliet, nurse } = await stage.enter(['romeo', 'juliet', 'nurse']);
    const room = await founds(juliet, 'juliet');
    await enters(romeo, `${room}/romeo`);
    await next(juliet);
    romeo.sends(`<message to="${room}" type="groupchat" id="m1"><body>hi</body></message>`);
    for (const client of [romeo, juliet]) {
      await client.receives(
        `<message from="${room}/romeo" to="${client.jid}" type="groupchat" id="m1"><body>hi</body>` +
          `<occupant-id xmlns="urn:xmpp:occupant-id:0" id="*"/><stanza-id xmlns="urn:xmpp:sid:0" by="${room}" id="*"/></message>`,
      );
    }
    expect((await enters(nurse, `${room}/nurse`)).slice(3)).to.deep.equal(['romeo: hi (late)', 'room #']);
  });

  it('romeo leaves, or loses his connection, and juliet sees him go', async () => {
    const { romeo, juliet } = await stage.enter(['romeo', 'juliet']);
    const room = await founds(juliet, 'juliet');
    for (const leaves of [
      () => romeo.sends(`<presence to="${room}/romeo" type="unavailable"/>`),
      () => romeo.disconnects(),
    ]) {
      await enters(romeo, `${room}/romeo`);
      await next(juliet);
      leaves();
      expect(await next(juliet)).to.equal(`-romeo none/none ${romeo.jid}`);
      if (leaves.toString().includes('sends')) expect(await next(romeo)).to.equal(`-romeo none/none ${romeo.jid} 110`);
    }
  });
});
