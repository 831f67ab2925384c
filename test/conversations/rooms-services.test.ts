import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { listAdministrations } from '../../src/web/control/audit.ts';
import { FederatedServer } from '../support/federated-server.ts';
import type { TestClient } from '../support/test-client.ts';
import { childOf, type Tree } from '../support/xml-tree.ts';
import { enters, founds, roomDomain, until } from './rooms-cast.ts';

const disco = 'http://jabber.org/protocol/disco';
const rooms = 'urn:ampere:rooms';

describe('What services with rooms and their rooms answer', () => {
  let server: FederatedServer;
  let escalus: TestClient;
  let juliet: TestClient;
  let romeo: TestClient;
  before(async () => {
    const more = { administrators: ['escalus@localhost'], contact: { abuse: ['mailto:abuse@localhost'] } };
    [server] = (await FederatedServer.startAll(['localhost'], 'dialback', { more })) as [FederatedServer];
    escalus = await server.arrives('escalus');
    juliet = await server.arrives('juliet');
    romeo = await server.arrives('romeo');
  });
  after(() => server.stop());

  const iq = (type: 'get' | 'set', to: string, content: string) => `<iq type="${type}" to="${to}">${content}</iq>`;
  const info = (to: string) => iq('get', to, `<query xmlns="${disco}#info"/>`);
  /** The answer to a request; messages of rooms may come before it. */
  async function asks(client: TestClient, request: string): Promise<Tree> {
    client.sends(request.replace('<iq', '<iq id="ask"'));
    const isAnswer = ({ name, attributes }: Tree) => name === 'iq' && attributes.get('id') === 'ask';
    return (await until(client, isAnswer)).at(-1) ?? expect.fail();
  }

  it('an error in the name of an occupant says that it is from the room (XEP-0045 §7.2)', async () => {
    const room = await founds(juliet, 'juliet');
    const [conflict] = await enters(romeo, `${room}/juliet`);
    expect(childOf(conflict ?? expect.fail(), 'error')?.attributes.get('by')).to.equal(room);
    for (const stanza of [
      `<message to="${room}/juliet" type="chat" id="m"><body>psst</body></message>`,
      iq('get', `${room}/juliet`, '<query xmlns="jabber:iq:version"/>'),
    ]) {
      romeo.sends(stanza.replace('<iq', '<iq id="v"'));
      const error = await romeo.receives('<any.>...</any.>');
      expect(childOf(error, 'error')?.attributes.get('by'), error.raw).to.equal(room);
    }
    romeo.sends(`<message to="${room}" type="groupchat" id="m"><body>hi</body></message>`);
    const outside = childOf(await romeo.receives('<message>...</message>'), 'error');
    expect([outside?.attributes.has('by'), outside?.children[0]?.name]).to.deep.equal([false, 'not-acceptable']);
  });

  it('the service tells how to reach its operator, and what it can do (XEP-0157, XEP-0433, XEP-0486)', async () => {
    const { raw } = await asks(romeo, info(roomDomain));
    for (const text of ['abuse-addresses', 'mailto:abuse@localhost', 'urn:xmpp:channel-search:0:search', 'vcard-temp'])
      expect(raw).to.contain(text);
  });

  it('a room has a vCard with an avatar, which those see who may enter', async () => {
    const room = await founds(juliet, 'juliet');
    const card = '<vCard xmlns="vcard-temp"><PHOTO><TYPE>image/png</TYPE><BINVAL>cm9zZQ==</BINVAL></PHOTO></vCard>';
    const get = iq('get', room, '<vCard xmlns="vcard-temp"/>');
    expect((await asks(romeo, get)).raw).to.contain('<vCard xmlns="vcard-temp"/>');
    expect((await asks(romeo, iq('set', room, card))).raw).to.contain('<forbidden');
    expect((await asks(juliet, iq('set', room, card))).attributes.get('type')).to.equal('result');
    expect((await asks(romeo, get)).raw).to.contain(card);
    const hash = createHash('sha1').update('rose').digest('hex');
    expect((await asks(romeo, info(room))).raw).to.match(new RegExp(`muc#roominfo_avatarhash"[^>]*><value>${hash}<`));
    const form = (name: string) =>
      '<x xmlns="jabber:x:data" type="submit"><field var="FORM_TYPE"><value>http://jabber.org/protocol/muc#roomconfig' +
      `</value></field><field var="${name}"><value>1</value></field></x>`;
    const owner = (content: string) => `<query xmlns="http://jabber.org/protocol/muc#owner">${content}</query>`;
    await asks(juliet, iq('set', room, owner(form('muc#roomconfig_membersonly'))));
    expect((await asks(romeo, get)).raw).to.contain('<forbidden');
    expect((await asks(romeo, info(room))).raw).to.not.contain('avatarhash');
  });

  it('the service searches its public rooms', async () => {
    const room = await founds(juliet, 'juliet', {
      'muc#roomconfig_publicroom': '1',
      'muc#roomconfig_roomname': 'Lovers of Verona',
    });
    const fields = '<field var="q"><value>verona lovers</value></field>';
    const x = `<x xmlns="jabber:x:data" type="submit">${fields}</x>`;
    const found = await asks(
      romeo,
      iq('get', roomDomain, `<search xmlns="urn:xmpp:channel-search:0:search">${x}</search>`),
    );
    expect(found.raw).to.contain(`<item address="${room}"><name>Lovers of Verona</name><nusers>1</nusers>`);
  });

  describe('to administrators, by ad-hoc commands', () => {
    const field = (name: string, values: string | readonly string[]) =>
      `<field var="${name}">${[values]
        .flat()
        .map((value) => `<value>${value}</value>`)
        .join('')}</field>`;
    const commandXml = (name: string, fields?: Readonly<Record<string, string | readonly string[]>>) => {
      const written = Object.entries(fields ?? {}).map(([key, values]) => field(key, values));
      const x = fields && `<x xmlns="jabber:x:data" type="submit">${field('FORM_TYPE', rooms)}${written.join('')}</x>`;
      const action = fields ? 'complete' : 'execute';
      const attributes = `xmlns="http://jabber.org/protocol/commands" node="${rooms}#${name}" action="${action}"`;
      return iq('set', roomDomain, `<command ${attributes}>${x ?? ''}</command>`);
    };
    const does = async (name: string, fields: Readonly<Record<string, string | readonly string[]>>) => {
      const answer = await asks(escalus, commandXml(name, fields));
      const command = childOf(answer, 'command') ?? expect.fail(answer.raw);
      expect(command.attributes.get('status')).to.equal('completed');
      const note = childOf(command, 'note');
      if (note) return [`${note.attributes.get('type')}: ${note.text}`];
      const x = childOf(command, 'x') ?? expect.fail(answer.raw);
      return x.children
        .filter(({ name: it }) => it === 'field')
        .flatMap(({ children }) => children.map(({ text }) => text));
    };
    const hall = `hall@${roomDomain}`;

    it('lists, creates, shows, changes and destroys rooms', async () => {
      const settings = ['name=Great hall', 'public=true'];
      const owner = juliet.bare;
      expect(await does('create', { room: hall, owner, settings })).to.deep.equal([`info: ${hall} was created.`]);
      expect(await does('create', { room: hall })).to.deep.equal([`error: There is a room ${hall} already.`]);
      expect(await does('list', {})).to.include(hall);
      expect(await does('configure', { room: hall, settings: 'moderated=true' })).to.deep.equal([
        `info: The settings of ${hall} were changed.`,
      ]);
      const made = { room: hall, jid: romeo.bare, affiliation: 'admin' };
      expect(await does('affiliation', made)).to.deep.equal([
        `info: ${romeo.bare} has the affiliation admin with ${hall}.`,
      ]);
      await enters(romeo, `${hall}/romeo`);
      const shown = await does('show', { room: hall });
      expect(shown).to.include.members([
        'name=Great hall',
        'moderated=true',
        `owner ${owner}`,
        `admin ${romeo.bare}`,
        `moderator romeo (${romeo.jid})`,
      ]);
      expect(await does('kick', { room: hall, nick: 'romeo', reason: 'late' })).to.deep.equal([
        `info: romeo was removed from ${hall}.`,
      ]);
      expect((await until(romeo, 'presence')).at(-1)?.raw).to.contain('<status code="307"/>');
      expect(await does('purge', { room: hall })).to.deep.equal([
        `info: 0 messages were removed from the archive of ${hall}.`,
      ]);
      expect(await does('destroy', { room: hall })).to.deep.equal([`info: ${hall} was destroyed.`]);
      expect(await does('show', { room: hall })).to.deep.equal([`error: There is no room ${hall}.`]);
      const { administrations } = await server.administration.call(listAdministrations, { limit: 2 });
      expect(administrations[0]).to.include({
        operator: 'escalus@localhost',
        operation: 'DELETE /room',
        subject: hall,
      });
    });

    it('and to nobody else', async () => {
      const items = iq('get', roomDomain, `<query xmlns="${disco}#items" node="http://jabber.org/protocol/commands"/>`);
      const offered = async (client: TestClient) => childOf(await asks(client, items), 'query')?.children.length;
      expect([await offered(escalus), await offered(romeo)]).to.deep.equal([8, 0]);
      expect((await asks(romeo, commandXml('list'))).raw).to.contain('<forbidden');
      expect((await asks(escalus, commandXml('create'))).raw).to.contain('var="owner"');
    });
  });
});
