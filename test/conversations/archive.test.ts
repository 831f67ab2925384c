import { expect } from 'chai';
import { type Account, befriend, Stage } from '../support/conversation.ts';
import { readArchive } from '../support/read-archive.ts';
import type { TestClient } from '../support/test-client.ts';
import { childOf, findTree, type Tree } from '../support/xml-tree.ts';

const mam = 'urn:xmpp:mam:2';
const rsm = 'http://jabber.org/protocol/rsm';

describe('The message archive (XEP-0313)', () => {
  const stage = new Stage({ settings: { limits: { disabled: true }, archive: { enabled: true } } });

  const chat = (to: string, body: string) => `<message to="${to}" type="chat"><body>${body}</body></message>`;
  const queryOf = (content: string) => `<iq type="set" id="q"><query xmlns="${mam}">${content}</query></iq>`;
  const pageOf = (content: string) => queryOf(`<set xmlns="${rsm}">${content}</set>`);

  /** The forwarded bodies of a page in the order they came, and its `<fin/>`. */
  async function read(client: TestClient, query: string): Promise<{ bodies: string[]; ids: string[]; fin: Tree }> {
    client.sends(query);
    const came = await client.drains();
    const result = came.at(-1) ?? expect.fail();
    const results = came.slice(0, -1).map((tree) => childOf(tree, 'result') ?? expect.fail());
    const message = (tree: Tree) => childOf(childOf(tree, 'forwarded') ?? expect.fail(), 'message');
    return {
      bodies: results.map((tree) => childOf(message(tree) ?? expect.fail(), 'body')?.text ?? ''),
      ids: results.map((tree) => tree.attributes.get('id') ?? ''),
      fin: childOf(result, 'fin') ?? expect.fail(),
    };
  }

  async function absent(): Promise<{ romeo: TestClient; juliet: Account }> {
    const { romeo } = await stage.enter(['romeo']);
    return { romeo, juliet: await stage.account('juliet') };
  }

  it('is paged through from the first message to the last, though new ones come', async () => {
    const { romeo, juliet } = await absent();
    const bodies = Array.from({ length: 25 }, (_, number) => `message ${number}`);
    romeo.sends(...bodies.map((body) => chat(juliet.jid, body)));
    await romeo.settles();
    const reader = await juliet.connects();
    const found: string[] = [];
    let after = '';
    for (let page = 0; page < 10; page++) {
      const { bodies: more, ids, fin } = await read(reader, pageOf(`<max>10</max>${after}`));
      found.push(...more);
      if (fin.attributes.get('complete') === 'true') break;
      after = `<after>${ids.at(-1)}</after>`;
      romeo.sends(chat(juliet.jid, `new ${page}`));
      await romeo.settles();
    }
    expect(found).to.deep.equal([...bodies, 'new 0', 'new 1']);
  });

  it('has messages under the id with which they came, also from the offline store', async () => {
    const { romeo, juliet } = await absent();
    romeo.sends(chat(juliet.jid, 'stored'));
    await romeo.settles();
    const home = await juliet.arrives();
    romeo.sends(chat(juliet.jid, 'direct'));
    const direct = await home.receives('<message><body>direct</body>...</message>');
    const stored = home.arrival.find(({ name }) => name === 'message') ?? expect.fail();
    const idOf = (tree: Tree) => childOf(tree, 'stanza-id')?.attributes.get('id');
    const { ids, bodies } = await read(home, queryOf(''));
    expect(bodies).to.deep.equal(['stored', 'direct']);
    expect(ids).to.deep.equal([idOf(stored), idOf(direct)]);
  });

  it('is described to a client that binds, so that it knows what it has missed (XEP-0386 §3.2)', async () => {
    const { romeo, juliet } = await absent();
    const binds = async (): Promise<{ client: TestClient; metadata: Tree }> => {
      const client = await stage.client();
      await client.opens();
      const plain = Buffer.from(`\0${juliet.local}\0${juliet.password}`).toString('base64');
      client.sends(
        `<authenticate xmlns="urn:xmpp:sasl:2" mechanism="PLAIN"><initial-response>${plain}</initial-response>` +
          '<bind xmlns="urn:xmpp:bind:0"><enable xmlns="urn:xmpp:carbons:2"/></bind></authenticate>',
      );
      const success = await client.receives('<success xmlns="urn:xmpp:sasl:2">...</success>');
      await client.receivesFeatures();
      return { client, metadata: findTree(success, 'metadata') ?? expect.fail() };
    };
    const first = await binds();
    expect([first.metadata.ns, first.metadata.children]).to.deep.equal([mam, []]);
    romeo.sends(chat(juliet.jid, 'one'), chat(juliet.jid, 'two'));
    await romeo.settles();
    const { client, metadata } = await binds();
    const { ids } = await read(client, queryOf(''));
    expect(metadata.children.map(({ name, attributes }) => [name, attributes.get('id')])).to.deep.equal([
      ['start', ids[0]],
      ['end', ids[1]],
    ]);
    expect(metadata.children[0]?.attributes.get('timestamp')).to.match(/^20\d\d-/);
  });

  it('is announced by the account, to those who can read it', async () => {
    const { romeo, juliet } = await stage.enter(['romeo', 'juliet']);
    await befriend(romeo, juliet);
    const featuresFor = async (asker: TestClient) => {
      const info = '<query xmlns="http://jabber.org/protocol/disco#info"/>';
      const result = await asker.gets(`<iq type="get" to="${romeo.bare}">${info}</iq>`, '<iq type="result">...</iq>');
      return (childOf(result, 'query')?.children ?? []).map(({ attributes }) => attributes.get('var'));
    };
    const archive = [mam, `${mam}#extended`, `${mam}#groupchat-field`, 'urn:xmpp:sid:0'];
    const retraction = ['urn:xmpp:message-retract:1', 'urn:xmpp:message-retract:1#tombstone'];
    expect(await featuresFor(romeo)).to.include.members([...archive, ...retraction]);
    expect(await featuresFor(juliet))
      .to.include('http://jabber.org/protocol/disco#info')
      .and.not.include.members([mam]);
  });

  it('has the rules of a message, and carries out none when it is read (XEP-0079)', async () => {
    const { romeo, juliet } = await stage.enter(['romeo', 'juliet']);
    await befriend(romeo, juliet);
    const amp =
      '<amp xmlns="http://jabber.org/protocol/amp"><rule action="drop" condition="expire-at" value="2999-12-31T00:00:00Z"/></amp>';
    romeo.sends(`<message to="${juliet.bare}" type="chat" id="r"><body>ruled</body>${amp}</message>`);
    await juliet.receives('<message><body>ruled</body>...</message>');
    for (const reader of [romeo, juliet]) {
      const archived = await readArchive(reader);
      const rules = archived.map(({ message }) => findTree(message, 'rule')?.attributes.get('condition'));
      expect(rules).to.deep.equal(['expire-at']);
    }
    await romeo.receivesNothing();
  });

  it('has a message whose server cannot be reached, for its sender, whose devices all get the error (XEP-0280 §6.1)', async () => {
    const romeo = await stage.account('romeo');
    const [phone, laptop] = [await romeo.arrives(), await romeo.arrives()];
    laptop.sends('<iq type="set" id="c"><enable xmlns="urn:xmpp:carbons:2"/></iq>');
    await phone.drains();
    await laptop.drains();
    phone.sends('<message to="juliet@unreachable.invalid" type="chat"><body>hark</body></message>');
    const direction = ({ raw }: Tree) => /<(sent|received) /.exec(raw)?.[1];
    await phone.receives('<message type="error">...</message>');
    expect((await laptop.drains()).map(direction)).to.deep.equal(['sent', 'received']);
    expect(await readArchive(phone)).to.have.length(1);
  });
});
