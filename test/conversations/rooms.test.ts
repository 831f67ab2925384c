import { expect } from 'chai';
import { brief } from '../groupchat/brief.ts';
import { Stage } from '../support/conversation.ts';
import type { TestClient } from '../support/test-client.ts';

const domain = 'conference.localhost';
const join = '<x xmlns="http://jabber.org/protocol/muc"/>';
const instant = '<query xmlns="http://jabber.org/protocol/muc#owner"><x xmlns="jabber:x:data" type="submit"/></query>';

describe('A room', () => {
  const stage = new Stage({ settings: { rooms: { enabled: true } } });
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

  it('a moderator kicks romeo, who may come again; a ban keeps him out', async () => {
    const { romeo, juliet } = await stage.enter(['romeo', 'juliet']);
    const room = await founds(juliet, 'juliet');
    await enters(romeo, `${room}/romeo`);
    await next(juliet);
    const changes = (item: string) => {
      const query = `<query xmlns="http://jabber.org/protocol/muc#admin">${item}</query>`;
      juliet.sends(`<iq id="a" type="set" to="${room}">${query}</iq>`);
    };
    changes('<item nick="romeo" role="none"/>');
    expect(await next(romeo)).to.equal(`-romeo none/none ${romeo.jid} by=juliet 110 307`);
    expect([await next(juliet), await next(juliet)]).to.deep.equal([
      'iq result',
      `-romeo none/none ${romeo.jid} by=juliet 307`,
    ]);
    await enters(romeo, `${room}/romeo`);
    await next(juliet);
    changes(`<item jid="${romeo.bare}" affiliation="outcast"/>`);
    await next(romeo);
    expect(await enters(romeo, `${room}/romeo`)).to.deep.equal(['error forbidden text']);
  });

  it('romeo whispers to juliet, asks her client for its version, and asks whether he is in the room', async () => {
    const { romeo, juliet } = await stage.enter(['romeo', 'juliet']);
    const room = await founds(juliet, 'juliet');
    await enters(romeo, `${room}/romeo`);
    await next(juliet);
    romeo.sends(`<message to="${room}/juliet" type="chat" id="w"><body>psst</body></message>`);
    await juliet.receives(
      `<message from="${room}/romeo" to="${juliet.jid}" type="chat" id="w"><body>psst</body>` +
        '<occupant-id xmlns="urn:xmpp:occupant-id:0" id="*"/><x xmlns="http://jabber.org/protocol/muc#user"/></message>',
    );
    romeo.sends(`<iq to="${room}/juliet" type="get" id="v"><query xmlns="jabber:iq:version"/></iq>`);
    const request = await juliet.receives(
      `<iq from="${room}/romeo" type="get"><query xmlns="jabber:iq:version"/></iq>`,
    );
    const id = request.attributes.get('id');
    juliet.sends(`<iq to="${room}/romeo" type="result" id="${id}"><query xmlns="jabber:iq:version"/></iq>`);
    await romeo.receives(`<iq from="${room}/juliet" type="result" id="v"><query xmlns="jabber:iq:version"/></iq>`);
    const ping = '<ping xmlns="urn:xmpp:ping"/>';
    await romeo.gets(`<iq to="${room}/romeo" type="get">${ping}</iq>`, '<iq type="result"/>');
  });

  it('an invitation waits for nurse until she comes online', async () => {
    const { juliet } = await stage.enter(['juliet']);
    const nurse = await stage.account('nurse');
    const room = await founds(juliet, 'juliet');
    const x = `<x xmlns="http://jabber.org/protocol/muc#user"><invite to="${nurse.jid}"/></x>`;
    juliet.sends(`<message to="${room}">${x}</message>`);
    await juliet.gets(`<iq to="${room}/juliet" type="get"><ping xmlns="urn:xmpp:ping"/></iq>`, '<iq type="result"/>');
    await juliet.settles();
    const client = await nurse.arrives();
    const invitation =
      client.arrival.find(({ name }) => name === 'message') ?? (await client.receives('<message>...</message>'));
    expect(invitation.raw).to.contain(`<invite from="${room}/juliet"/>`).and.to.contain('jabber:x:conference');
  });

  it('is found, describes itself and is destroyed, and its address stays taken', async () => {
    const { romeo, juliet } = await stage.enter(['romeo', 'juliet']);
    const room = await founds(juliet, 'juliet');
    await enters(romeo, `${room}/romeo`);
    await next(juliet);
    const items = await romeo.asks(
      '<iq type="get" to="localhost"><query xmlns="http://jabber.org/protocol/disco#items"/></iq>',
    );
    expect(items.raw).to.contain(`<item jid="${domain}" name="Rooms"/>`);
    for (const [to, feature] of [
      [domain, 'http://jabber.org/protocol/muc'],
      [room, 'muc_semianonymous'],
    ]) {
      const info = await romeo.asks(
        `<iq type="get" to="${to}"><query xmlns="http://jabber.org/protocol/disco#info"/></iq>`,
      );
      expect(info.raw).to.contain('category="conference" type="text"').and.to.contain(`<feature var="${feature}"/>`);
    }
    const destroy =
      '<query xmlns="http://jabber.org/protocol/muc#owner"><destroy><reason>over</reason></destroy></query>';
    juliet.sends(`<iq id="d" type="set" to="${room}">${destroy}</iq>`);
    expect(await next(romeo)).to.equal('-romeo none/none 110 destroyed over');
    expect(await enters(romeo, `${room}/romeo`)).to.deep.equal(['error gone text']);
  });

  it('survives a restart with its subject, history and members; its occupants come again', async () => {
    const juliets = await stage.account('juliet');
    const juliet = await juliets.arrives();
    const room = await founds(juliet, 'juliet');
    juliet.sends(
      `<message to="${room}" type="groupchat"><body>hi</body></message>`,
      `<message to="${room}" type="groupchat"><subject>Love</subject></message>`,
    );
    expect([await next(juliet), await next(juliet)]).to.deep.equal(['juliet: hi', 'juliet # Love']);
    await stage.server.restart();
    const again = await juliets.arrives();
    expect(await enters(again, `${room}/juliet`)).to.deep.equal([
      `+juliet owner/moderator ${again.jid} 110`,
      'juliet: hi (late)',
      'juliet # Love (late)',
    ]);
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
