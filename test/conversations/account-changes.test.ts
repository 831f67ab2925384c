import { expect } from 'chai';
import { befriend, Stage } from '../support/conversation.ts';
import { expectTrees } from '../support/test-client.ts';
import { push } from './roster-patterns.ts';

const register = (type: string, fields = '') =>
  `<iq type="${type}" to="localhost"><query xmlns="jabber:iq:register">${fields}</query></iq>`;
const refusal = (condition: string) => {
  return `<iq type="error"><error type="*"><${condition} xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/>...</error></iq>`;
};

describe('Changes to the own account (XEP-0077)', () => {
  const stage = new Stage();

  it('a new password counts at once, the old one no more (XEP-0077 §3.3)', async () => {
    const account = await stage.account('juliet');
    const balcony = await account.connects();
    const fields = `<username>${account.local}</username><password>a new password</password>`;
    await balcony.gets(register('set', fields), '<iq type="result"/>');
    const client = await stage.client();
    await client.opens();
    const old = await client.tries({ username: account.local, password: account.password });
    expect(old.name).to.equal('failure');
    await client.authenticates({ username: account.local, password: 'a new password' });
  });

  it('a new password ends the other sessions (XEP-0077 §3.3)', async () => {
    const account = await stage.account('juliet');
    const balcony = await account.connects();
    const chamber = await account.connects();
    const fields = `<username>${account.local}</username><password>another password</password>`;
    await balcony.gets(register('set', fields), '<iq type="result"/>');
    await chamber.receives('<stream:error>...</stream:error>');
    await chamber.receivesEnd();
    await balcony.receivesNothing();
  });

  for (const [name, fields, condition] of [
    ["another's name", '<username>romeo</username><password>x</password>', 'bad-request'],
    ['no name', '<password>x</password>', 'bad-request'],
    ['no password', '<username>SELF</username>', 'bad-request'],
    ['an empty password', '<username>SELF</username><password/>', 'bad-request'],
    ['a removal with something else', '<remove/><username>SELF</username>', 'bad-request'],
  ] as const) {
    it(`${name} is refused (XEP-0077 §3.2, §3.3)`, async () => {
      const account = await stage.account('juliet');
      const balcony = await account.connects();
      await balcony.gets(register('set', fields.replace('SELF', account.local)), refusal(condition));
      await balcony.closes();
      await account.connects();
    });
  }

  it('a removed account is gone, with all it had (XEP-0077 §3.2)', async () => {
    const romeo = await (await stage.account('romeo')).arrives({ roster: true });
    const account = await stage.account('juliet');
    const juliet = await account.arrives();
    await befriend(romeo, juliet);
    await juliet.asks('<iq type="set"><vCard xmlns="vcard-temp"><FN>Juliet</FN></vCard></iq>');
    juliet.sends(register('set', '<remove/>').replace('<iq', '<iq id="r1"'));
    await juliet.receivesInAnyOrder(
      `<presence from="${romeo.jid}" type="unavailable"/>`,
      '<iq type="result" id="r1"/>',
    );
    await juliet.receivesStreamError('not-authorized');

    const news = await romeo.drains();
    expectTrees(
      news.filter((tree) => tree.name === 'presence'),
      `<presence from="${account.jid}" type="unsubscribe"/>`,
      `<presence from="${account.jid}" type="unsubscribed"/>`,
      `<presence from="${juliet.jid}" type="unavailable"/>`,
    );
    expectTrees(news.filter((tree) => tree.name === 'iq').slice(-1), push(account.jid, 'subscription="none"'));
    await romeo.gets(
      `<iq type="get" to="${account.jid}"><vCard xmlns="vcard-temp"/></iq>`,
      refusal('service-unavailable'),
    );
    const client = await stage.client();
    await client.opens();
    expect((await client.tries({ username: account.local, password: account.password })).name).to.equal('failure');
  });
});

describe('Making an account from a client (XEP-0077 §3.1)', () => {
  const stage = new Stage({ settings: { limits: { disabled: true }, registration: { inBand: true } } });
  let made = 0;
  const fields = (username: string, password = 'has a password') =>
    `<username>${username}</username><password>${password}</password>`;

  async function stranger() {
    const client = await stage.client();
    await client.opens();
    return client;
  }

  it('is offered, and works', async () => {
    const client = await stranger();
    expect(client.features?.children.map(({ ns }) => ns)).to.include('http://jabber.org/features/iq-register');
    await client.gets(
      register('get'),
      '<iq type="result"><query xmlns="jabber:iq:register"><username/><password/>...</query></iq>',
    );
    const username = `newcomer${++made}`;
    await client.gets(register('set', fields(username)), '<iq type="result"/>');
    await client.authenticates({ username, password: 'has a password' });
    await client.binds();
  });

  it('is refused for a name that is taken', async () => {
    const { local } = await stage.account('juliet');
    const client = await stranger();
    await client.gets(register('set', fields(local)), refusal('conflict'));
    await client.gets(register('set', fields(local.toUpperCase())), refusal('conflict'));
  });

  for (const [name, content] of [
    ['no name', '<password>x</password>'],
    ['no password', '<username>x</username>'],
    ['a name that is none', fields('a@b')],
    ['an address as name', fields('juliet@localhost')],
  ] as const) {
    it(`is refused with ${name}`, async () => {
      const answer = await (await stranger()).asks(register('set', content));
      expect(answer.attributes.get('type')).to.equal('error');
    });
  }

  it('is not possible in the clear', async () => {
    const client = await stage.plainClient();
    await client.opens();
    client.sends(register('set', fields('eve')).replace('<iq', '<iq id="r1"'));
    const answer = await client.connection.next('a refusal');
    expect(JSON.stringify(answer)).to.not.include('"result"');
  });
});

describe('Where accounts are not made from a client (XEP-0077 §3.1)', () => {
  const stage = new Stage({ settings: { registration: { invitations: 'nobody' } } });

  it('it is neither offered nor possible', async () => {
    const client = await stage.client();
    const features = await client.opens();
    expect(features.children.map(({ ns }) => ns)).to.not.include('http://jabber.org/features/iq-register');
    client.sends(register('set', '<username>eve</username><password>x</password>').replace('<iq', '<iq id="r1"'));
    await client.receivesStreamError('not-authorized');
  });
});
