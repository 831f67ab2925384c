import { expect } from 'chai';
import { Stage } from '../support/conversation.ts';
import { childOf, type Tree } from '../support/xml-tree.ts';
import { enters, founds, says } from './rooms-cast.ts';

const owner = 'http://jabber.org/protocol/muc#owner';

describe('Rooms that the configuration turns on', () => {
  const stage = new Stage({ settings: { rooms: { enabled: true } } });
  const occupantIdOf = (tree: Tree | undefined) =>
    (tree && childOf(tree, 'occupant-id')?.attributes.get('id')) ?? expect.fail('no occupant id');

  it('are a service below the domain', async () => {
    const { romeo } = await stage.enter(['romeo']);
    const items = await romeo.asks(
      '<iq type="get" to="localhost"><query xmlns="http://jabber.org/protocol/disco#items"/></iq>',
    );
    const jids = childOf(items, 'query')?.children.map(({ attributes }) => attributes.get('jid'));
    expect(jids).to.include('conference.localhost');
  });

  it('answer the ping of a client that is in the room (XEP-0410 §3)', async () => {
    const { romeo, juliet } = await stage.enter(['romeo', 'juliet']);
    const room = await founds(juliet, 'juliet');
    const ping = `<iq type="get" to="${room}/juliet"><ping xmlns="urn:xmpp:ping"/></iq>`;
    expect((await juliet.asks(ping)).attributes.get('type')).to.equal('result');
    expect((await romeo.asks(ping)).children[0]?.children[0]?.name).to.equal('not-acceptable');
  });

  it('name an occupant by the same id under every nickname, and by another one in another room (XEP-0421 §3)', async () => {
    const { romeo, juliet } = await stage.enter(['romeo', 'juliet']);
    const [room, other] = [await founds(juliet, 'juliet'), await founds(juliet, 'juliet')];
    const own = async (at: string, nick: string) => occupantIdOf((await enters(romeo, `${at}/${nick}`)).at(-2));
    const id = await own(room, 'romeo');
    expect(occupantIdOf(await says(romeo, room, 'hark'))).to.equal(id);
    romeo.sends(`<presence to="${room}/romeo" type="unavailable"/>`);
    await romeo.receives('<presence type="unavailable">...</presence>');
    expect(await own(room, 'montague')).to.equal(id);
    expect(await own(other, 'romeo')).not.to.equal(id);
  });

  it('forget a removed account, so that nobody inherits its rooms', async () => {
    const account = await stage.account('juliet');
    const juliet = await account.arrives();
    const room = await founds(juliet, 'juliet');
    const config = `<iq type="get" to="${room}"><query xmlns="${owner}"/></iq>`;
    expect((await juliet.asks(config)).attributes.get('type')).to.equal('result');
    juliet.sends('<iq type="set" id="r"><query xmlns="jabber:iq:register"><remove/></query></iq>');
    await juliet.receives('<iq type="result" id="r"/>');
    await stage.server.addUser(account.jid, account.password);
    const heir = await account.arrives();
    const answer = await heir.asks(config);
    expect(answer.attributes.get('type')).to.equal('error');
  });
});
