import { expect } from 'chai';
import { Stage } from '../support/conversation.ts';
import { serviceOf } from '../support/service-of.ts';
import { expectTrees } from '../support/test-client.ts';
import {
  amp,
  answersTo,
  apart,
  bodiesOf,
  hearsNothing,
  message,
  messagesOf,
  nextMessages,
  report,
  rule,
  rules,
  signed,
  stanzas,
  together,
  unavailable,
} from './amp-cast.ts';

const everyOutcome = ['direct', 'stored', 'forward', 'gateway', 'none'].map((value) => `notify deliver ${value}`);

describe('AMP and resources (XEP-0079 §3.3.1, §3.3.3)', () => {
  const stage = new Stage();

  it('several resources: all get the message, and the sender one report (D-7)', async () => {
    const { romeo, juliet, balcony } = await together(stage);
    const garden = await juliet.arrives({ resource: 'garden' });
    await romeo.drains();
    await balcony.drains();
    romeo.sends(message(juliet.jid, ['notify deliver direct']));
    expectTrees(messagesOf(await romeo.drains()), report(romeo, juliet.jid, 'notify deliver direct'));
    for (const client of [balcony, garden]) {
      expectTrees(messagesOf(await client.drains()), signed(romeo.jid, juliet.jid, ['notify deliver direct']));
    }
  });

  for (const [name, presence] of [
    ['a negative priority', '<presence><priority>-1</priority></presence>'],
    ['no presence', false],
  ] as const) {
    it(`${name}: stored if sent to the account, delivered if sent to the resource`, async () => {
      const { romeo, juliet } = await apart(stage);
      const pda = await juliet.arrives({ resource: 'pda', presence });
      await romeo.drains();
      romeo.sends(message(juliet.jid, everyOutcome));
      expectTrees(await nextMessages(romeo, 1), report(romeo, juliet.jid, 'notify deliver stored'));
      await hearsNothing(pda);
      romeo.sends(message(pda.jid, everyOutcome));
      expectTrees(await nextMessages(romeo, 1), report(romeo, pda.jid, 'notify deliver direct'));
      expect(bodiesOf(await pda.drains())).to.deep.equal(['Good morrow']);
    });
  }

  const resources = [
    ['the resource that was meant', (jid: string) => `${jid}/balcony`, ['any', 'exact'], 'chat'],
    ['another one', (jid: string) => `${jid}/hall`, ['any', 'other'], 'chat'],
    ['none that was meant', (jid: string) => `${jid}/hall`, ['other'], 'normal'],
    ['any that is there', (jid: string) => jid, ['any', 'other'], 'chat'],
  ] as const;
  for (const [name, to, met, type] of resources) {
    it(`match-resource: ${name} (N-29)`, async () => {
      const { romeo, juliet, balcony } = await together(stage);
      for (const value of ['any', 'exact', 'other']) {
        const words = `alert match-resource ${value}`;
        const address = to(juliet.jid);
        const found = messagesOf(await answersTo(romeo, message(address, [words], { type })));
        const isMet = met.some((one) => one === value);
        const usual = type === 'normal' ? [unavailable(romeo, address)] : [];
        expectTrees(found, ...(isMet ? [report(romeo, address, words)] : usual));
        expect(bodiesOf(await balcony.drains())).to.have.length(isMet || type === 'normal' ? 0 : 1);
      }
    });
  }

  it('match-resource of a stored message: exact for the account, other for a resource (N-29)', async () => {
    const { romeo, juliet } = await apart(stage);
    for (const [to, value] of [
      [juliet.jid, 'exact'],
      [`${juliet.jid}/hall`, 'other'],
    ] as const) {
      romeo.sends(message(to, [`alert match-resource ${value}`]));
      expectTrees(await nextMessages(romeo, 1), report(romeo, to, `alert match-resource ${value}`));
    }
  });

  it('reports about stored messages arrive in the order of the messages (D-35)', async () => {
    const { romeo, juliet } = await apart(stage);
    for (const id of ['1', '2', '3']) romeo.sends(message(juliet.jid, ['notify deliver stored'], { id }));
    const found = await nextMessages(romeo, 3);
    expect(found.map(({ attributes }) => attributes.get('id'))).to.deep.equal(['1', '2', '3']);
  });

  it('headlines are never stored, and only rules report on them (D-45)', async () => {
    const { romeo, juliet } = await apart(stage);
    romeo.sends(message(juliet.jid, everyOutcome, { type: 'headline' }));
    expectTrees(messagesOf(await romeo.drains()), report(romeo, juliet.jid, 'notify deliver none'));
  });

  it('another server: none only when it cannot be reached, and time at once (N-11, D-29)', async () => {
    const { romeo } = await stage.enter(['romeo']);
    const to = 'benvolio@unknown.example';
    romeo.sends(message(to, everyOutcome));
    const error = `<error type="cancel"><remote-server-not-found xmlns="${stanzas}"/>...</error>`;
    expectTrees(
      messagesOf(await romeo.drains()),
      report(romeo, to, 'notify deliver none'),
      `<message from="${to}" to="${romeo.jid}" type="error">${error}</message>`,
    );
    romeo.sends(message(to, ['alert expire-at 2001-01-01T00:00:00Z']));
    expectTrees(messagesOf(await romeo.drains()), report(romeo, to, 'alert expire-at 2001-01-01T00:00:00Z'));
    romeo.sends(message(to, ['drop deliver none']));
    await hearsNothing(romeo);
  });
});

describe('AMP and the content of messages', () => {
  const stage = new Stage();

  it('forged reports are removed, and errors keep theirs (D-20, N-36)', async () => {
    const { romeo, balcony } = await together(stage);
    const forged = `<amp xmlns="${amp}" status="notify" from="${balcony.jid}" to="x@y">${rule('notify deliver direct')}</amp>`;
    romeo.sends(`<message to="${balcony.jid}" id="m1"><body>x</body>${forged}</message>`);
    await balcony.receives(`<message from="${romeo.jid}"><body>x</body></message>`);
    const error = `<error type="cancel"><gone xmlns="${stanzas}"/></error>`;
    romeo.sends(`<message to="${balcony.jid}" id="m1" type="error">${forged}${error}</message>`);
    await balcony.receives(`<message from="${romeo.jid}" type="error">${forged}${error}</message>`);
    await hearsNothing(romeo);
  });

  it('from and to written by a client are overwritten (N-37, N-38)', async () => {
    const { romeo, balcony } = await together(stage);
    const words = ['notify deliver direct'];
    const forged = message(balcony.jid, words).replace(
      '<amp',
      '<amp from="mallory@x.example/y" to="pope@rome.example"',
    );
    romeo.sends(forged);
    await balcony.receives(signed(romeo.jid, balcony.jid, words));
    await romeo.receives(report(romeo, balcony.jid, 'notify deliver direct'));
  });

  it('rules in errors, in bounces, in forwarded messages and in other namespaces are not judged (D-1)', async () => {
    const { romeo, balcony } = await together(stage);
    const stop = rules('drop deliver direct');
    const forwarded = `<forwarded xmlns="urn:xmpp:forward:0"><message xmlns="jabber:client" id="m1">${stop}</message></forwarded>`;
    const contents = [
      [' type="error"', `${stop}<error type="cancel"><gone xmlns="${stanzas}"/></error>`],
      ['', `${stop}<error type="cancel"><gone xmlns="${stanzas}"/></error>`],
      ['', forwarded],
      ['', `<amp xmlns="urn:x">${rule('drop deliver direct')}</amp>`],
    ] as const;
    for (const [type, content] of contents) {
      romeo.sends(`<message to="${balcony.jid}" id="m1"${type}>${content}</message>`);
      expect(await nextMessages(balcony, 1), content).to.have.length(1);
    }
    await hearsNothing(balcony);
    await hearsNothing(romeo);
  });

  it('hints change the plan, and rules come first (D-42, N-45)', async () => {
    const { romeo, juliet } = await apart(stage);
    const hint = (name: string) => ({ more: `<${name} xmlns="urn:xmpp:hints"/>` });
    romeo.sends(message(juliet.jid, everyOutcome, hint('no-store')));
    expectTrees(
      messagesOf(await romeo.drains()),
      report(romeo, juliet.jid, 'notify deliver none'),
      unavailable(romeo, juliet.jid),
    );
    romeo.sends(message(juliet.jid, ['drop deliver stored'], hint('store')));
    await answersTo(romeo, '');
    expect(bodiesOf((await juliet.arrives()).arrival)).to.deep.equal([]);
  });

  it('a chat state with rules is not stored (XEP-0160 §3)', async () => {
    const { romeo, juliet } = await apart(stage);
    const state = '<composing xmlns="http://jabber.org/protocol/chatstates"/>';
    const to = `<message to="${juliet.jid}" type="chat" id="m1">${state}${rules(...everyOutcome)}</message>`;
    romeo.sends(to);
    expectTrees(messagesOf(await romeo.drains()), report(romeo, juliet.jid, 'notify deliver none'));
  });

  it('messages with rules do not wait for an inactive client (D-41, XEP-0352 §5)', async () => {
    const { romeo, balcony } = await together(stage);
    balcony.sends('<inactive xmlns="urn:xmpp:csi:0"/>');
    await balcony.drains();
    const state = '<composing xmlns="http://jabber.org/protocol/chatstates"/>';
    romeo.sends(`<message to="${balcony.jid}" type="chat" id="a">${state}</message>`);
    await romeo.drains();
    romeo.sends(`<message to="${balcony.jid}" type="chat" id="b">${state}${rules('notify deliver direct')}</message>`);
    expect(messagesOf(await romeo.drains())).to.have.length(1);
    const found = await nextMessages(balcony, 2);
    expect(found.map(({ attributes }) => attributes.get('id'))).to.deep.equal(['a', 'b']);
  });

  it('a TTL header is ignored (N-47)', async () => {
    const { romeo, balcony } = await together(stage);
    const ttl = '<headers xmlns="http://jabber.org/protocol/shim"><header name="TTL">0</header></headers>';
    romeo.sends(message(balcony.jid, ['drop deliver none'], { more: ttl }));
    expect(bodiesOf(await nextMessages(balcony, 1))).to.deep.equal(['Good morrow']);
  });
});

describe('AMP and gateways (XEP-0079 §3.3.1)', () => {
  const taken: string[] = [];
  const service = (domain: string, gateway: boolean) =>
    serviceOf(domain, gateway, ({ payload }) => {
      taken.push(`${domain} ${payload.find('amp', amp) ? 'with rules' : 'without'}`);
    });
  const services = [service('sms.example', true), service('bot.example', false)];
  const stage = new Stage({ services });
  beforeEach(() => void taken.splice(0));

  it('a gateway is gateway, and another service is direct', async () => {
    const { romeo } = await stage.enter(['romeo']);
    for (const [to, outcome] of [
      ['12345@sms.example', 'gateway'],
      ['echo@bot.example', 'direct'],
    ] as const) {
      romeo.sends(message(to, everyOutcome));
      expectTrees(messagesOf(await romeo.drains()), report(romeo, to, `notify deliver ${outcome}`));
    }
    expect(taken).to.deep.equal(['sms.example with rules', 'bot.example with rules']);
  });

  for (const action of ['alert', 'error', 'drop']) {
    it(`${action} keeps a message inside`, async () => {
      const { romeo } = await stage.enter(['romeo']);
      romeo.sends(message('12345@sms.example', [`${action} deliver gateway`]));
      const wanted = action === 'drop' ? [] : [report(romeo, '12345@sms.example', `${action} deliver gateway`)];
      expectTrees(messagesOf(await romeo.drains()), ...wanted);
      expect(taken).to.deep.equal([]);
    });
  }
});

describe('Policies of the operator', () => {
  const amp = {
    presencePrivacy: 'strict' as const,
    reportsTo: 'admin@localhost',
    policies: [
      {
        name: 'transient',
        match: { types: ['headline' as const, 'normal' as const] },
        rules: [{ action: 'alert' as const, condition: 'deliver' as const, value: 'stored' }],
      },
      {
        name: 'quiet',
        match: { namespace: 'urn:x' },
        rules: [{ action: 'drop' as const, condition: 'deliver' as const, value: 'direct' }],
      },
    ],
  };
  const stage = new Stage({ settings: { limits: { disabled: true }, amp } });
  const password = 'admin-has-a-password';

  before(() => stage.server.addUser('admin@localhost', password));

  it('apply to clients without AMP, and report only to the operator', async () => {
    const { romeo } = await stage.enter(['romeo']);
    const juliet = await stage.account('juliet');
    const admin = await stage.client();
    await admin.opens();
    await admin.authenticates({ username: 'admin', password });
    await admin.binds();
    await admin.appears();
    romeo.sends(`<message to="${juliet.jid}" id="m1"><body>x</body></message>`);
    await hearsNothing(romeo);
    const wanted = report(romeo, juliet.jid, 'alert deliver stored').replace(
      `to="${romeo.jid}"`,
      'to="admin@localhost"',
    );
    expectTrees(await nextMessages(admin, 1), wanted);
    expect(bodiesOf((await juliet.arrives()).arrival)).to.deep.equal([]);
  });

  it('come after the rules of the sender and cannot be weakened by them', async () => {
    const { romeo, balcony } = await together(stage);
    const urgent = { more: '<urgent xmlns="urn:x"/>' };
    romeo.sends(message(balcony.jid, ['notify deliver direct'], urgent));
    await hearsNothing(romeo);
    await hearsNothing(balcony);
    romeo.sends(message(balcony.jid, ['alert deliver direct'], urgent));
    expectTrees(messagesOf(await romeo.drains()), report(romeo, balcony.jid, 'alert deliver direct'));
  });

  it('do not apply to messages that do not match', async () => {
    const { romeo, juliet } = await stage.enter(['romeo', 'juliet']);
    romeo.sends(`<message to="${juliet.jid}" type="chat"><body>x</body></message>`);
    expectTrees(await nextMessages(juliet, 1), '<message type="chat"><body>x</body></message>');
  });
});
