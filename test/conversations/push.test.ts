import { expect } from 'chai';
import { type Account, Stage } from '../support/conversation.ts';
import { ManualClock } from '../support/manual-clock.ts';
import type { TestClient } from '../support/test-client.ts';
import { TestComponent } from '../support/test-component.ts';
import { childOf, findTree, type Tree } from '../support/xml-tree.ts';
import { enters, founds, says, until } from './rooms-cast.ts';

const sm = 'urn:xmpp:sm:3';
const muc = 'http://jabber.org/protocol/muc';
const secret = 'what only the push service knows';
const chat = (to: string, body: string, more = '') =>
  `<message to="${to}" type="chat" id="${body}"><body>${body}</body>${more}</message>`;

/** A phone whose client has enabled push, and with which it can come back. */
interface Phone {
  readonly account: Account;
  readonly client: TestClient;
  readonly token: string;
}

describe('Push Notifications (XEP-0357)', () => {
  const clock = new ManualClock();
  const patient = { writeStallSeconds: 86_400, idlePingAfterSeconds: 86_400 };
  const stage = new Stage({
    clock,
    settings: {
      components: { 'push.localhost': { secret, gateway: false } },
      limits: { disabled: true, c2s: patient },
      streamManagement: { resumeSeconds: 600 },
    },
  });

  async function service(): Promise<TestComponent> {
    const component = await TestComponent.to(stage.server.components, 'push.localhost', 'localhost');
    stage.keep(component);
    return component.joins(secret);
  }

  /** The next request of the server, answered; the node and the number of messages. */
  async function told(component: TestComponent): Promise<string> {
    const request = await component.receives(
      '<iq type="set" from="localhost" to="push.localhost"><pubsub xmlns="http://jabber.org/protocol/pubsub">...</pubsub></iq>',
    );
    component.sends(`<iq from="push.localhost" to="localhost" type="result" id="${request.attributes.get('id')}"/>`);
    const count = findTree(request, 'x')?.children.find(({ attributes }) => attributes.get('var') === 'message-count');
    return `${findTree(request, 'publish')?.attributes.get('node')} ${count && childOf(count, 'value')?.text}`;
  }

  /** A phone with stream management and push. */
  async function phone(name = 'juliet'): Promise<Phone> {
    const account = await stage.account(name);
    const client = await account.arrives({ resource: 'phone' });
    client.sends(`<enable xmlns="${sm}" resume="true"/>`);
    const token = (await client.receives(`<enabled xmlns="${sm}">...</enabled>`)).attributes.get('id') ?? '';
    client.sends('<iq type="set" id="e"><enable xmlns="urn:xmpp:push:0" jid="push.localhost" node="n1"/></iq>');
    await nextStanza(client, '<iq type="result" id="e"/>');
    return { account, client, token };
  }

  async function resumes({ account, token }: Phone, h: number): Promise<TestClient> {
    const client = await stage.client();
    await client.opens();
    await client.authenticates({ username: account.local, password: account.password });
    client.sends(`<resume xmlns="${sm}" previd="${token}" h="${h}"/>`);
    await client.receives(`<resumed xmlns="${sm}" h="*" previd="*"/>`);
    return client;
  }

  /** Passes over requests for acknowledgment. */
  async function nextStanza(client: TestClient, pattern?: string): Promise<Tree> {
    for (;;) {
      const tree = await client.receives('<any. xmlns="*">...</any.>');
      if (tree.name === 'r') continue;
      if (pattern) expect(tree.name).to.equal(/<(\w+)/.exec(pattern)?.[1]);
      return tree;
    }
  }

  async function messagesOf(client: TestClient): Promise<string[]> {
    const trees = await client.drains();
    return trees.filter(({ name }) => name === 'message').map((tree) => childOf(tree, 'body')?.text ?? '');
  }

  it('is a feature of the account (XEP-0357 §4.1)', async () => {
    const { juliet } = await stage.enter(['juliet']);
    const answer = await juliet.asks(
      `<iq type="get" to="${juliet.bare}"><query xmlns="http://jabber.org/protocol/disco#info"/></iq>`,
    );
    const features = findTree(answer, 'query')?.children.map(({ attributes }) => attributes.get('var'));
    expect(features).to.include('urn:xmpp:push:0');
  });

  it('wakes a phone that has lost its connection: it resumes and has the message once, and nothing is told again', async () => {
    const push = await service();
    const device = await phone();
    const { romeo } = await stage.enter(['romeo']);
    device.client.disconnects();
    romeo.sends(chat(device.account.jid, 'one'));
    expect(await told(push)).to.equal('n1 1');
    romeo.sends(chat(device.account.jid, 'two'));
    expect(await told(push)).to.equal('n1 2');
    const back = await resumes(device, 1);
    expect(await messagesOf(back)).to.deep.equal(['one', 'two']);
    await push.receivesNothing();
    romeo.sends(chat(device.account.jid, 'three'));
    await romeo.drains();
    expect(await messagesOf(back)).to.deep.equal(['three']);
    await push.receivesNothing();
  });

  describe('about rooms (XEP-0045)', () => {
    /** A private group of Romeo, with a phone whose user has reserved a nickname in it. */
    async function group(options: Readonly<Record<string, string>> = {}) {
      const push = await service();
      const device = await phone();
      const { romeo } = await stage.enter(['romeo']);
      const room = await founds(romeo, 'romeo', {
        'muc#roomconfig_membersonly': '1',
        'muc#roomconfig_whois': 'anyone',
        ...options,
      });
      const item = `<item affiliation="member" jid="${device.account.jid}"/>`;
      romeo.sends(`<iq type="set" id="a" to="${room}"><query xmlns="${muc}#admin">${item}</query></iq>`);
      await until(romeo, 'iq');
      const register = '<query xmlns="jabber:iq:register"><username>juliet</username></query>';
      device.client.sends(`<iq type="set" id="r" to="${room}">${register}</iq>`);
      await nextStanza(device.client, '<iq/>');
      await romeo.drains();
      return { push, device, romeo, room };
    }

    it('wakes a phone that is in one and has lost its connection, and it has the message when it resumes', async () => {
      const { push, device, romeo, room } = await group();
      await enters(device.client, `${room}/juliet`);
      await until(romeo, 'presence');
      device.client.disconnects();
      await says(romeo, room, 'one');
      expect(await told(push)).to.equal('n1 1');
      const back = await resumes(device, 5);
      expect(await messagesOf(back)).to.deep.equal(['one']);
    });

    it('wakes the phone of a member of a private group that is not in it', async () => {
      const { push, device, romeo, room } = await group();
      await device.client.closes();
      await says(romeo, room, 'one');
      expect(await told(push)).to.equal('n1 1');
    });

    it('does not wake a phone that left an open room', async () => {
      const { push, device, romeo, room } = await group({ 'muc#roomconfig_membersonly': '0' });
      await device.client.closes();
      await says(romeo, room, 'one');
      await romeo.drains();
      await push.receivesNothing();
    });

    it('does not wake a phone whose user blocks the author', async () => {
      const { push, device, romeo, room } = await group();
      const block = `<block xmlns="urn:xmpp:blocking"><item jid="${room}/romeo"/></block>`;
      device.client.sends(`<iq type="set" id="b">${block}</iq>`);
      await until(device.client, 'iq');
      await device.client.closes();
      await says(romeo, room, 'one');
      await romeo.drains();
      await push.receivesNothing();
    });
  });

  it('does not repeat itself when the session ends: the phone gets its message from the store', async () => {
    const push = await service();
    const device = await phone();
    const { romeo } = await stage.enter(['romeo']);
    device.client.disconnects();
    romeo.sends(chat(device.account.jid, 'one'));
    expect(await told(push)).to.equal('n1 1');
    await push.drains();
    clock.advance(600_000);
    romeo.sends(chat(device.account.jid, 'two'));
    expect(await told(push)).to.equal('n1 2');
    await push.receivesNothing();
    const back = await device.account.connects('phone');
    back.sends('<presence/>');
    expect(await messagesOf(back)).to.deep.equal(['one', 'two']);
    await push.receivesNothing();
  });

  it('tells of messages that were written into a broken connection', async () => {
    const push = await service();
    const device = await phone();
    const { romeo } = await stage.enter(['romeo']);
    romeo.sends(chat(device.account.jid, 'one'));
    await romeo.drains();
    await push.receivesNothing();
    device.client.disconnects();
    expect(await told(push)).to.equal('n1 1');
  });

  it('goes on after a restart of the server', async () => {
    const device = await phone();
    device.client.disconnects();
    await stage.server.restart();
    const push = await service();
    const { romeo } = await stage.enter(['romeo']);
    romeo.sends(chat(device.account.jid, 'one'));
    expect(await told(push)).to.equal('n1 1');
    const back = await resumes(device, 1);
    expect(await messagesOf(back)).to.deep.equal(['one']);
    await push.receivesNothing();
  });

  it('tells of carbons of what comes, not of what another device sends', async () => {
    const push = await service();
    const device = await phone();
    device.client.sends('<iq type="set" id="c"><enable xmlns="urn:xmpp:carbons:2"/></iq>');
    await nextStanza(device.client, '<iq type="result" id="c"/>');
    const desktop = await device.account.arrives({
      resource: 'desktop',
      presence: '<presence><priority>1</priority></presence>',
    });
    await device.client.drains();
    device.client.disconnects();
    const { romeo } = await stage.enter(['romeo']);
    desktop.sends(chat(romeo.bare, 'sent'));
    await romeo.drains();
    await push.receivesNothing();
    romeo.sends(chat(device.account.jid, 'received'));
    expect(await told(push)).to.equal('n1 1');
  });

  it('comes after the rules of a message (XEP-0079 §2.2.2)', async () => {
    const push = await service();
    const device = await phone();
    await device.client.closes();
    const { romeo } = await stage.enter(['romeo']);
    const rule = (value: string) =>
      `<amp xmlns="http://jabber.org/protocol/amp"><rule action="drop" condition="deliver" value="${value}"/></amp>`;
    romeo.sends(chat(device.account.jid, 'one', rule('stored')));
    await romeo.drains();
    await push.receivesNothing();
    romeo.sends(chat(device.account.jid, 'two', rule('direct')));
    expect(await told(push)).to.equal('n1 1');
  });

  it('keeps a registration while the service is away', async () => {
    const device = await phone();
    await device.client.closes();
    const { romeo } = await stage.enter(['romeo']);
    romeo.sends(`<enable xmlns="${sm}"/>`, chat(device.account.jid, 'one'));
    await romeo.receives(`<enabled xmlns="${sm}"/>`);
    // The server acknowledges the message when it is stored; the service has been told by then.
    let handled: string | undefined;
    while (handled !== '1') {
      romeo.sends(`<r xmlns="${sm}"/>`);
      handled = (await romeo.receives(`<a xmlns="${sm}" h="*"/>`)).attributes.get('h');
    }
    const push = await service();
    clock.advance(30_000);
    expect(await told(push)).to.equal('n1 1');
  });
});
