import { expect } from 'chai';
import { push } from '../../../src/extensions/push/push.ts';
import { deviceKeyOf } from '../../../src/routing/session.ts';
import type { StubSession } from '../../support/stub-session.ts';
import { errorText } from '../bench.ts';
import { disable, enable, PushBench, publishOptions } from './push-bench.ts';

describe('enabling push (XEP-0357)', () => {
  const test = new PushBench();
  const { bench } = test;

  async function refusal(session: StubSession, request: string): Promise<string> {
    return (await bench.asks(session, request)).join('');
  }

  it('is answered when the registration is durable, and survives a restart (XEP-0357 §5)', async () => {
    const juliet = await bench.user();
    expect(await test.enables(juliet, 'n1')).to.deep.equal([
      `<iq from="${juliet.account.key}" to="${juliet.jid}" id="e" type="result"/>`,
    ]);
    expect(await bench.storage.push.list(juliet.account.key)).to.deep.equal([
      { service: 'push.example', node: 'n1', device: deviceKeyOf(juliet), options: '[]' },
    ]);
    bench.ends(juliet);
    test.restart();
    await test.message(juliet.account.key);
    expect(test.told()).to.deep.equal(['n1 1']);
  });

  it('publishes from the domain, with the options of the client and no more than a count (XEP-0357 §7)', async () => {
    const juliet = await bench.user();
    await test.enables(juliet, 'n&amp;1', publishOptions(['secret', 'a&amp;b'], ['other', '']));
    bench.ends(juliet);
    await test.message(juliet.account.key);
    const field = (name: string, value: string) => `<field var="${name}"><value>${value}</value></field>`;
    const form = (...fields: string[]) => `<x xmlns="jabber:x:data" type="submit">${fields.join('')}</x>`;
    const summary = form(field('FORM_TYPE', 'urn:xmpp:push:summary'), field('message-count', '1'));
    const options = form(
      field('FORM_TYPE', 'http://jabber.org/protocol/pubsub#publish-options'),
      field('secret', 'a&amp;b'),
      '<field var="other"><value/></field>',
    );
    expect(test.requests.map((request) => request.with({ id: undefined }).toString())).to.deep.equal([
      '<iq from="localhost" to="push.example" type="set"><pubsub xmlns="http://jabber.org/protocol/pubsub">' +
        `<publish node="n&amp;1"><item><notification xmlns="urn:xmpp:push:0">${summary}</notification></item></publish>` +
        `<publish-options>${options}</publish-options></pubsub></iq>`,
    ]);
  });

  it('may name no node', async () => {
    const juliet = await bench.user();
    await bench.asks(juliet, enable("jid='push.example'"));
    bench.ends(juliet);
    await test.message(juliet.account.key);
    expect(test.requests.join('')).to.include('<publish><item>').and.not.include('publish-options');
  });

  it('replaces a registration with the same service and node, its options and its device (XEP-0357 §5)', async () => {
    const juliet = await test.enabled();
    const tablet = await bench.session(juliet.account, 'tablet');
    await test.enables(tablet, 'n1', publishOptions(['secret', 'new']));
    expect(await bench.storage.push.list(juliet.account.key)).to.deep.equal([
      { service: 'push.example', node: 'n1', device: deviceKeyOf(tablet), options: '[["secret",["new"]]]' },
    ]);
    bench.ends(juliet);
    await test.message(juliet.account.key);
    expect(test.told(), 'the tablet is connected').to.deep.equal([]);
    bench.ends(tablet);
    await test.message(juliet.account.key);
    expect(test.told()).to.deep.equal(['n1 1']);
  });

  it('has a limit, at which the one that was enabled longest ago goes', async () => {
    test.restart({ maxPerAccount: 2 });
    const juliet = await bench.user();
    for (const node of ['n1', 'n2', 'n1', 'n3']) await test.enables(juliet, node);
    expect(await test.stored(juliet.account)).to.deep.equal(['n1', 'n3']);
    bench.ends(juliet);
    await test.message(juliet.account.key);
    expect(test.told()).to.have.members(['n1 1', 'n3 1']);
  });

  it('ends for one node, or for all nodes of a service (XEP-0357 §6)', async () => {
    const juliet = await bench.user();
    for (const node of ['n1', 'n2', 'n3']) await test.enables(juliet, node);
    await bench.asks(juliet, enable("jid='other.push.example' node='n1'"));
    const done = `<iq from="${juliet.account.key}" to="${juliet.jid}" id="d" type="result"/>`;
    expect(await bench.asks(juliet, disable("jid='push.example' node='n2'"))).to.deep.equal([done]);
    expect(await test.stored(juliet.account)).to.deep.equal(['n1', 'n3', 'n1']);
    expect(await bench.asks(juliet, disable("jid='push.example'"))).to.deep.equal([done]);
    expect(await test.stored(juliet.account)).to.deep.equal(['n1']);
    expect(await bench.asks(juliet, disable("jid='push.example'")), 'nothing is left').to.deep.equal([done]);
    bench.ends(juliet);
    await test.message(juliet.account.key);
    expect(test.told(), 'at push.example').to.deep.equal([]);
  });

  it('ends with the access of the device, named or not (XEP-0494)', async () => {
    const phone = await bench.user();
    const { account } = phone;
    const tablet = await bench.session(account, 'tablet');
    phone.device = { key: 'the phone' };
    await test.enables(phone, 'phone');
    await test.enables(tablet, 'tablet');
    for (const session of [phone, tablet]) bench.ends(session);
    const revoke = async (device: string) => {
      await bench.storage.devices.revoke(account.key, device);
      await bench.routing.hooks.deviceRevoked(account.jid, device);
    };
    await revoke('the phone');
    expect(await test.stored(account)).to.deep.equal(['tablet']);
    await test.message(account.key);
    expect(test.told()).to.deep.equal(['tablet 1']);
    await revoke(deviceKeyOf(tablet));
    expect(await test.stored(account)).to.deep.equal([]);
    await test.message(account.key);
    expect(test.told()).to.deep.equal([]);
  });

  it('refuses what names no service, or too much', async () => {
    const juliet = await bench.user();
    expect(await refusal(juliet, enable(''))).to.match(errorText('modify', 'bad-request'));
    expect(await refusal(juliet, disable("node='n'"))).to.match(errorText('modify', 'bad-request'));
    expect(await refusal(juliet, enable("jid='@'"))).to.match(errorText('modify', 'jid-malformed'));
    const long = `jid='push.example' node='${'x'.repeat(1024)}'`;
    expect(await refusal(juliet, enable(long))).to.match(errorText('modify', 'not-acceptable'));
    const options = publishOptions(['secret', 'x'.repeat(5000)]);
    expect(await refusal(juliet, enable("jid='push.example'", options))).to.match(
      errorText('modify', 'not-acceptable'),
    );
    const other = `<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>urn:x</value></field></x>`;
    expect(await refusal(juliet, enable("jid='push.example'", other))).to.match(errorText('modify', 'bad-request'));
    expect(await test.stored(juliet.account)).to.deep.equal([]);
  });

  it('does not let a user address requests of the server to other users, or to the server itself', async () => {
    const juliet = await bench.user();
    const romeo = await bench.user('romeo');
    for (const jid of [romeo.jid, romeo.account.key, 'localhost'])
      expect(await refusal(juliet, enable(`jid='${jid}' node='n'`))).to.match(errorText('cancel', 'not-allowed'));
  });

  it('is for the own account only, and answers alike for an address without one', async () => {
    const juliet = await bench.user();
    const romeo = await bench.user('romeo');
    for (const request of [enable("jid='push.example'"), disable("jid='push.example'")]) {
      for (const to of [romeo.account.key, 'nobody@localhost']) {
        const answer = await refusal(juliet, request.replace('<iq ', `<iq to='${to}' `));
        expect(answer).to.match(errorText('auth', 'forbidden'));
      }
    }
  });

  it('is announced for accounts (XEP-0357 §4.1), and not at all if the operator turns it off', () => {
    const { storage, clock, log, routing } = bench;
    const deps = { ...routing, store: storage.push, clock, log };
    expect(push({ ...deps, options: test.options }).disco).to.deep.equal({ account: ['urn:xmpp:push:0'] });
    const { isOn } = push({ ...deps, options: test.options });
    expect([true, false].map((enabled) => isOn?.({ push: { enabled } }))).to.deep.equal([true, false]);
  });
});
