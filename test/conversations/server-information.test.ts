import { expect } from 'chai';
import { befriend, Stage } from '../support/conversation.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { serviceOf } from '../support/service-of.ts';
import { childOf, findTree } from '../support/xml-tree.ts';

const get = (payload: string, to?: string) => `<iq type="get"${to ? ` to="${to}"` : ''}>${payload}</iq>`;
const info = (node = '') => `<query xmlns="http://jabber.org/protocol/disco#info"${node}/>`;
const items = '<query xmlns="http://jabber.org/protocol/disco#items"/>';
const last = '<query xmlns="jabber:iq:last"/>';
const itemNotFound =
  '<iq type="error"><error type="cancel"><item-not-found xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/>...</error></iq>';

describe('What the server says of itself and its accounts', () => {
  const contact = { abuse: ['mailto:abuse@localhost', 'xmpp:abuse@localhost'] };
  const stage = new Stage({
    settings: { limits: { disabled: true }, contact },
    services: [{ ...serviceOf('rooms.localhost', false, () => {}), name: 'Rooms' }],
  });

  it('answers pings, for itself and for the own account (XEP-0199 §4.2)', async () => {
    const { romeo } = await stage.enter(['romeo']);
    for (const to of ['localhost', romeo.bare, undefined]) {
      await romeo.gets(get('<ping xmlns="urn:xmpp:ping"/>', to), '<iq type="result"/>');
    }
  });

  it('names its program (XEP-0092 §3)', async () => {
    const { romeo } = await stage.enter(['romeo']);
    const answer = await romeo.gets(
      get('<query xmlns="jabber:iq:version"/>', 'localhost'),
      '<iq type="result"><query xmlns="jabber:iq:version">...</query></iq>',
    );
    expect(findTree(answer, 'name')?.text).to.not.equal('');
    expect(findTree(answer, 'version')?.text).to.match(/^\d+\.\d+\.\d+/);
  });

  it('describes itself (XEP-0030 §3.1)', async () => {
    const { romeo } = await stage.enter(['romeo']);
    const query = childOf(await romeo.asks(get(info(), 'localhost')), 'query');
    const names = (name: string, attribute: string) => {
      return query?.children.filter((child) => child.name === name).map((child) => child.attributes.get(attribute));
    };
    expect(names('identity', 'category')).to.deep.equal(['server']);
    const features = names('feature', 'var') ?? [];
    expect(new Set(features)).to.have.property('size', features.length);
    expect(features).to.include.members([
      'http://jabber.org/protocol/disco#info',
      'http://jabber.org/protocol/disco#items',
      'jabber:iq:roster',
      'jabber:iq:version',
      'urn:xmpp:ping',
      'urn:xmpp:time',
      'urn:xmpp:blocking',
      'vcard-temp',
      'msgoffline',
    ]);
  });

  it('says whom to write to (XEP-0157 §2)', async () => {
    const { romeo } = await stage.enter(['romeo']);
    const query = childOf(await romeo.asks(get(info(), 'localhost')), 'query');
    const field = findTree(query ?? expect.fail(), 'x')?.children.find(
      (child) => child.attributes.get('var') === 'abuse-addresses',
    );
    expect(field?.children.map(({ text }) => text)).to.deep.equal(contact.abuse);
  });

  it('can be described by its capabilities hash (XEP-0115 §6.2)', async () => {
    const { romeo } = await stage.enter(['romeo']);
    const caps = romeo.features?.children.find(({ name }) => name === 'c') ?? expect.fail('no caps in the features');
    const node = `${caps.attributes.get('node')}#${caps.attributes.get('ver')}`;
    await romeo.gets(
      get(info(` node="${node}"`), 'localhost'),
      `<iq type="result"><query xmlns="http://jabber.org/protocol/disco#info" node="${node}">...</query></iq>`,
    );
  });

  it('knows no other node (XEP-0030 §3.2)', async () => {
    const { romeo } = await stage.enter(['romeo']);
    await romeo.gets(get(info(' node="no-such-node"'), 'localhost'), itemNotFound);
  });

  it('lists its services (XEP-0030 §4.1)', async () => {
    const { romeo } = await stage.enter(['romeo']);
    const found = ['rooms', 'conference'].map((name) => `<item jid="${name}.localhost" name="Rooms"/>`).join('');
    await romeo.gets(get(items, 'localhost'), `<iq type="result">${items.replace('/>', `>${found}</query>`)}</iq>`);
  });

  it('describes an account to those who may see it (XEP-0030 §8)', async () => {
    const { romeo, juliet, eve } = await stage.enter(['romeo', 'juliet', 'eve']);
    await befriend(romeo, juliet);
    for (const client of [juliet, romeo]) {
      const answer = await client.asks(get(info(), juliet.bare));
      expect(findTree(answer, 'identity')?.attributes.get('category')).to.equal('account');
    }
    expect((await eve.asks(get(info(), juliet.bare))).attributes.get('type')).to.equal('error');
  });

  it('has no answer for an unknown question (RFC 6120 §8.4)', async () => {
    const { romeo } = await stage.enter(['romeo']);
    await romeo.gets(
      get('<query xmlns="urn:example:unknown"/>', 'localhost'),
      '<iq type="error" from="localhost"><error type="cancel"><service-unavailable xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/>...</error></iq>',
    );
  });

  it('takes the session request of old clients (RFC 3921 §3)', async () => {
    const { romeo } = await stage.enter(['romeo']);
    const session = '<session xmlns="urn:ietf:params:xml:ns:xmpp-session"/>';
    await romeo.gets(`<iq type="set">${session}</iq>`, '<iq type="result"/>');
    await romeo.gets(`<iq type="set" to="localhost">${session}</iq>`, '<iq type="result"/>');
  });
});

describe('What the server says of time', () => {
  const clock = new ManualClock(Date.UTC(2031, 4, 5, 6, 7, 8));
  const stage = new Stage({ clock });

  it('tells the time in UTC (XEP-0202 §3)', async () => {
    const { romeo } = await stage.enter(['romeo']);
    const answer = await romeo.gets(
      get('<time xmlns="urn:xmpp:time"/>', 'localhost'),
      '<iq type="result"><time xmlns="urn:xmpp:time"><tzo>+00:00</tzo><utc>*</utc></time></iq>',
    );
    expect(new Date(findTree(answer, 'utc')?.text ?? '').getTime()).to.equal(clock.nowMs());
  });

  it('tells how long it has been up (XEP-0012 §5)', async () => {
    const { romeo } = await stage.enter(['romeo']);
    clock.advance(5000);
    const answer = await romeo.asks(get(last, 'localhost'));
    expect(Number(findTree(answer, 'query')?.attributes.get('seconds'))).to.be.within(5, 500);
  });

  it('tells a contact how long somebody has been away, and why (XEP-0012 §4)', async () => {
    const { romeo, juliet } = await stage.enter(['romeo', 'juliet']);
    await befriend(romeo, juliet);
    await romeo.gets(get(last, juliet.bare), '<iq type="result"><query xmlns="jabber:iq:last" seconds="0"/></iq>');
    juliet.sends('<presence type="unavailable"><status>Heading home</status></presence>');
    await juliet.drains();
    await juliet.closes();
    await romeo.receives('<presence type="unavailable"><status>Heading home</status></presence>');
    clock.advance(25_000);
    await romeo.gets(
      get(last, juliet.bare),
      '<iq type="result"><query xmlns="jabber:iq:last" seconds="25">Heading home</query></iq>',
    );
  });

  it('does not know the idle time of a resource, which tells it itself (XEP-0012 §4)', async () => {
    const { romeo, juliet } = await stage.enter(['romeo', 'juliet']);
    await befriend(romeo, juliet);
    romeo.sends(get(last, juliet.jid).replace('<iq', '<iq id="l1"'));
    await juliet.receives(`<iq type="get" id="l1" from="${romeo.jid}"><query xmlns="jabber:iq:last"/></iq>`);
  });
});
