import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { exportedRooms as linesOf } from '../../src/cli/export/export-rooms.ts';
import { exportedRooms } from '../../src/cli/import/exported-rooms.ts';
import { importRooms, type RoomImportOptions } from '../../src/cli/import/import-rooms.ts';
import { FederatedServer } from '../support/federated-server.ts';
import type { TestClient } from '../support/test-client.ts';
import { childOf, type Tree } from '../support/xml-tree.ts';
import { enters, founds, roomDomain, says, until } from './rooms-cast.ts';

const muc = 'http://jabber.org/protocol/muc';

describe('A room that is exported, destroyed and imported', () => {
  let server: FederatedServer;
  let juliet: TestClient;
  let romeo: TestClient;
  let file: string;
  before(async () => {
    [server] = (await FederatedServer.startAll(['localhost'], 'dialback')) as [FederatedServer];
    [juliet, romeo] = [await server.arrives('juliet'), await server.arrives('romeo')];
    file = join(await mkdtemp(join(tmpdir(), 'ampere-rooms-')), 'rooms.jsonl');
  });
  after(async () => {
    await rm(join(file, '..'), { recursive: true });
    await server.stop();
  });

  /** Asks the room for something; the answer, and the messages before it. */
  async function asks(client: TestClient, room: string, type: 'get' | 'set', content: string): Promise<Tree[]> {
    client.sends(`<iq type="${type}" to="${room}" id="ask">${content}</iq>`);
    const came = await until(client, ({ name, attributes }) => name === 'iq' && attributes.get('id') === 'ask');
    expect(came.at(-1)?.attributes.get('type'), came.at(-1)?.raw).to.equal('result');
    return came;
  }

  /** The ids of the archive are new after an import. */
  const withoutIds = (text: string) => text.replace(/<stanza-id [^>]*>|(?<=<result [^>]*) id="[^"]*"/g, '');

  /** All that an owner can ask the room. */
  async function answersOf(room: string): Promise<string[]> {
    const list = (affiliation: string) => `<query xmlns="${muc}#admin"><item affiliation="${affiliation}"/></query>`;
    const answers: Tree[] = [];
    for (const affiliation of ['owner', 'admin', 'member', 'outcast'])
      answers.push(...(await asks(juliet, room, 'get', list(affiliation))));
    answers.push(...(await asks(juliet, room, 'get', `<query xmlns="${muc}#owner"/>`)));
    answers.push(...(await asks(juliet, room, 'get', '<query xmlns="http://jabber.org/protocol/disco#info"/>')));
    const archive = await asks(juliet, room, 'set', '<query xmlns="urn:xmpp:mam:2"/>');
    return [...answers, ...archive.filter(({ name }) => name === 'message')].map(({ raw }) => withoutIds(raw));
  }

  const idOf = (tree: Tree) => childOf(tree, 'stanza-id')?.attributes.get('id') ?? expect.fail('no id');

  /** A room with everything that a room can have. */
  async function furnished(): Promise<string> {
    const room = await founds(juliet, 'juliet', {
      'muc#roomconfig_roomname': 'A &amp; B',
      'muc#roomconfig_whois': 'anyone',
      'muc#roomconfig_allowinvites': '0',
      'muc#maxhistoryfetch': '7',
    });
    await enters(romeo, `${room}/romeo`);
    const items =
      `<item jid="${romeo.bare}" affiliation="member" nick="Montague"><reason>by marriage</reason></item>` +
      '<item jid="tybalt@localhost" affiliation="outcast"/><item jid="nurse@localhost" affiliation="admin"/>';
    await asks(juliet, room, 'set', `<query xmlns="${muc}#admin">${items}</query>`);
    await romeo.drains();
    const plague = await says(romeo, room, 'a plague');
    await juliet.drains();
    const said = await says(juliet, room, 'a rose &lt;3', '<x xmlns="urn:x"/>');
    juliet.sends(`<message to="${room}" type="groupchat" id="s"><subject xml:lang="it">Amore</subject></message>`);
    const retract = '<retract xmlns="urn:xmpp:message-retract:1"/>';
    const moderate = `<moderate xmlns="urn:xmpp:message-moderate:1" id="${idOf(plague)}">${retract}</moderate>`;
    await asks(juliet, room, 'set', moderate);
    expect(said.raw).to.contain('a rose');
    return room;
  }

  const exports = async (room?: string) => {
    const lines: string[] = [];
    for await (const line of linesOf(server.administration, room)) lines.push(line);
    await writeFile(file, lines.join(''));
    return lines.join('').trim().split('\n');
  };
  const imports = (during: Omit<RoomImportOptions, 'domains'> = {}) =>
    importRooms(exportedRooms(file), server.administration, { domains: [roomDomain], ...during });

  it('gives the same answers, with the same ids of occupants', async () => {
    const room = await furnished();
    await romeo.drains();
    const before = await answersOf(room);
    expect(before.join()).to.contain('<retracted').and.to.contain('a rose').and.to.contain('by marriage');
    expect(await exports(room)).to.have.length(2 + 4);
    await asks(juliet, room, 'set', `<query xmlns="${muc}#owner"><destroy/></query>`);
    await romeo.drains();
    expect(await imports()).to.deep.equal({ created: 1, skipped: [], problems: [], losses: [] });
    const entered = await enters(romeo, `${room}/romeo`);
    expect(entered.at(-1)?.raw).to.contain('>Amore</subject>').and.to.contain('id="s"');
    expect(entered.filter(({ name }) => name === 'message')).to.have.length(4);
    await enters(juliet, `${room}/juliet`);
    expect(await answersOf(room)).to.deep.equal(before);
    expect(await imports()).to.deep.include({ created: 0, skipped: [room] });
  });

  it('comes with all rooms, also after an interruption, and with an archive of several pages', async () => {
    const [one, other] = [await founds(juliet, 'juliet'), await founds(juliet, 'juliet')];
    for (let n = 0; n < 450; n += 1) juliet.sends(`<message to="${one}" type="groupchat"><body>${n}</body></message>`);
    await until(juliet, (tree) => childOf(tree, 'body')?.text === '449');
    const page = async () => (await exports(one)).slice(2).map((line) => JSON.parse(line).message);
    const before = await page();
    expect(before).to.have.length(450);
    const all = (await exports()).map((line) => JSON.parse(line));
    expect(all.flatMap(({ room }) => room?.room ?? [])).to.include.members([one, other]);
    for (const room of [one, other]) {
      await asks(juliet, room, 'set', `<query xmlns="${muc}#owner"><destroy/></query>`);
    }
    const interruption = new AbortController();
    const interrupted = await imports({ interrupted: interruption.signal, sent: () => interruption.abort() });
    expect(interrupted).to.deep.include({ created: 1, problems: [] });
    expect(await imports()).to.deep.include({ created: 1, problems: [] });
    const content = ({ atMs, xml }: { atMs: number; xml: string }) => [atMs, withoutIds(xml)];
    expect((await page()).map(content)).to.deep.equal(before.map(content));
  });
});
