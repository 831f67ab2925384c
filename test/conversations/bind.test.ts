import { expect } from 'chai';
import { Stage } from '../support/conversation.ts';
import { expectTree } from '../support/test-client.ts';
import { findTree } from '../support/xml-tree.ts';

const bind = (inner = '') => `<iq type="set"><bind xmlns="urn:ietf:params:xml:ns:xmpp-bind">${inner}</bind></iq>`;
const refusal = (type: string, condition: string) => {
  return `<iq type="error"><error type="${type}"><${condition} xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/>...</error></iq>`;
};

describe('Resource binding (RFC 6120 §7)', () => {
  const stage = new Stage({ settings: { limits: { disabled: true }, sessions: { maxPerAccount: 3 } } });

  /** Authenticated, not bound. */
  async function unbound(account = stage.account('juliet')) {
    const { local, password, domain } = await account;
    const client = await stage.client();
    await client.opens();
    await client.authenticates({ username: local, password });
    return { client, bare: `${local}@${domain}` };
  }

  it('is offered after authentication and only then (RFC 6120 §7.4)', async () => {
    const { client } = await unbound();
    expect(client.features?.children.map(({ name }) => name))
      .to.include('bind')
      .and.not.include('mechanisms');
    const fresh = await stage.client();
    expect((await fresh.opens()).children.map(({ name }) => name))
      .to.include('mechanisms')
      .and.not.include('bind');
  });

  it('makes a resource nobody can guess (RFC 6120 §7.6)', async () => {
    const resources = new Set<string>();
    for (const _ of [1, 2, 3]) {
      const { client, bare } = await unbound();
      const answer = await client.gets(
        bind(),
        '<iq type="result"><bind xmlns="urn:ietf:params:xml:ns:xmpp-bind"><jid>*</jid></bind></iq>',
      );
      const jid = findTree(answer, 'jid')?.text ?? '';
      expect(jid.startsWith(`${bare}/`)).to.equal(true);
      resources.add(jid.slice(bare.length + 1));
    }
    expect(resources).to.have.property('size', 3);
    for (const resource of resources) expect(resource.length).to.be.greaterThan(15);
  });

  it('takes the resource the client asks for (RFC 6120 §7.7)', async () => {
    const { client, bare } = await unbound();
    await client.gets(
      bind('<resource>the balcony</resource>'),
      `<iq type="result"><bind xmlns="urn:ietf:params:xml:ns:xmpp-bind"><jid>${bare}/the balcony</jid></bind></iq>`,
    );
  });

  it('makes one if the client asks for an empty one (RFC 6120 §7.6)', async () => {
    const { client } = await unbound();
    expect(findTree(await client.asks(bind('<resource/>')), 'jid')?.text).to.match(/\/.+/);
  });

  for (const [name, resource] of [
    ['too long', 'x'.repeat(1024)],
    ['with a control character', 'a&#x9;b'],
  ] as const) {
    it(`refuses a resource ${name}, and the client may try again (RFC 6120 §7.7.2.1)`, async () => {
      const { client } = await unbound();
      const answer = await client.asks(bind(`<resource>${resource}</resource>`));
      expectTree(answer, refusal('modify', 'bad-request'));
      await client.binds('balcony');
      await client.receivesNothing();
    });
  }

  it('refuses anything but a set (RFC 6120 §7.6.1)', async () => {
    const { client } = await unbound();
    await client.gets(bind().replace('"set"', '"get"'), refusal('modify', 'bad-request'));
    await client.binds();
  });

  it('lets the new session win over the old one of the same name (RFC 6120 §7.7.2.2)', async () => {
    const account = await stage.account('juliet');
    const friend = await (await stage.account('romeo')).arrives();
    const old = await account.arrives({ resource: 'balcony' });
    old.sends(`<presence to="${friend.jid}"/>`);
    await friend.receives(`<presence from="${old.jid}" type="{none}"/>`);
    const fresh = await account.connects('balcony');
    await old.receivesStreamError('conflict');
    await friend.receives(`<presence from="${old.jid}" type="unavailable"/>`);
    friend.sends(`<message to="${fresh.jid}"><body>x</body></message>`);
    await fresh.receives('<message><body>x</body></message>');
  });

  it('refuses more sessions than an account may have (RFC 6120 §7.6.2.1)', async () => {
    const account = await stage.account('juliet');
    for (const resource of ['a', 'b', 'c']) await account.connects(resource);
    const { client } = await unbound(Promise.resolve(account));
    await client.gets(bind(), refusal('wait', 'resource-constraint'));
    await client.gets(
      bind('<resource>b</resource>'),
      '<iq type="result"><bind xmlns="urn:ietf:params:xml:ns:xmpp-bind">...</bind></iq>',
    );
  });

  it('happens once on a stream (RFC 6120 §7.3.2)', async () => {
    const { romeo } = await stage.enter(['romeo']);
    const answer = await romeo.asks(bind('<resource>another</resource>'));
    expect(answer.attributes.get('type')).to.equal('error');
    romeo.sends(`<message to="${romeo.jid}"/>`);
    await romeo.receives(`<message from="${romeo.jid}" to="${romeo.jid}"/>`);
  });

  it('is refused to a client that has authenticated with a password that was changed since (XEP-0077 §3.3)', async () => {
    const account = await stage.account('juliet');
    const { client } = await unbound(Promise.resolve(account));
    const other = await account.arrives();
    const change = `<username>${account.local}</username><password>new</password>`;
    await other.gets(`<iq type="set"><query xmlns="jabber:iq:register">${change}</query></iq>`, '<iq type="result"/>');
    client.sends('<iq type="set" id="b"><bind xmlns="urn:ietf:params:xml:ns:xmpp-bind"/></iq>');
    await client.receivesStreamError('reset');
    await other.settles();
  });

  it('tells the limits of the stream (XEP-0478 §3)', async () => {
    const { client } = await unbound();
    const limits = client.features?.children.find(({ name }) => name === 'limits');
    if (!limits) throw new Error('no limits');
    expectTree(
      limits,
      '<limits xmlns="urn:xmpp:stream-limits:0"><max-bytes>262144</max-bytes><idle-seconds>300</idle-seconds></limits>',
    );
  });
});

describe('Resource binding where the old session stays (RFC 6120 §7.7.2.2)', () => {
  const stage = new Stage({ settings: { limits: { disabled: true }, sessions: { conflict: 'refuse' } } });

  it('refuses the new one', async () => {
    const account = await stage.account('juliet');
    const old = await account.connects('balcony');
    const client = await stage.client();
    await client.opens();
    await client.authenticates({ username: account.local, password: account.password });
    await client.gets(
      bind('<resource>balcony</resource>'),
      refusal('modify', 'conflict').replace('type="modify"', 'type="*"'),
    );
    await client.binds('chamber');
    await old.receivesNothing();
  });
});
