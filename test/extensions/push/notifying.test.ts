import { expect } from 'chai';
import { carbonOf } from '../../../src/protocol/carbon.ts';
import { StanzaError } from '../../../src/protocol/stanza-error.ts';
import type { DeliveryPlan } from '../../../src/routing/delivery-plan.ts';
import type { Ruling } from '../../../src/routing/extension.ts';
import { readStanza } from '../../protocol/read-stanza.ts';
import { disable, PushBench } from './push-bench.ts';

const chat = (content: string) => `<message from="romeo@montague.example/r" type="chat">${content}</message>`;
const body = '<body>hi</body>';

describe('notifications of push services (XEP-0357 §7)', () => {
  const test = new PushBench();
  const {
    bench,
    bench: { clock },
  } = test;

  describe('of a device without a session', () => {
    it('come once for each message that is stored, with a count', async () => {
      const juliet = await test.away();
      await test.message(juliet.key);
      expect(test.told()).to.deep.equal(['n1 1']);
      await test.message(juliet.key);
      expect(test.told()).to.deep.equal(['n1 2']);
    });

    it('begin to count again when the device was connected', async () => {
      const juliet = await test.away();
      await test.message(juliet.key);
      bench.ends(await bench.session(juliet, 'home'));
      await test.message(juliet.key);
      expect(test.told()).to.deep.equal(['n1 1', 'n1 1']);
    });

    it('do not come while it is connected under another resource', async () => {
      const juliet = await bench.user();
      juliet.device = { key: 'the phone' };
      await test.enables(juliet, 'n1');
      bench.ends(juliet);
      const other = await bench.session(juliet.account, 'other');
      other.device = { key: 'the phone' };
      await test.message(juliet.account.key);
      expect(test.told()).to.deep.equal([]);
      bench.ends(other);
      await test.message(juliet.account.key);
      expect(test.told()).to.deep.equal(['n1 1']);
    });

    it('come while another device is connected under its resource', async () => {
      const juliet = await bench.user();
      juliet.device = { key: 'the phone' };
      await test.enables(juliet, 'n1');
      bench.ends(juliet);
      const other = await bench.session(juliet.account, 'home');
      other.device = { key: 'another phone' };
      await test.message(juliet.account.key);
      expect(test.told()).to.deep.equal(['n1 1']);
    });

    it('do not come while a session with its resource is connected', async () => {
      const juliet = await test.enabled();
      await test.message(juliet.account.key);
      expect(test.told()).to.deep.equal([]);
    });

    it('go to each device', async () => {
      const phone = await test.enabled('phone');
      const tablet = await bench.session(phone.account, 'tablet');
      await test.enables(tablet, 'tablet');
      bench.ends(phone);
      await test.message(phone.account.key);
      expect(test.told()).to.deep.equal(['phone 1']);
      bench.ends(tablet);
      await test.message(phone.account.key);
      expect(test.told()).to.have.members(['phone 2', 'tablet 1']);
    });

    for (const [what, content, attributes] of [
      ['a chat state', "<composing xmlns='http://jabber.org/protocol/chatstates'/>", "type='chat'"],
      ['a receipt', "<received xmlns='urn:xmpp:receipts' id='1'/>", "type='chat'"],
      ['a chat marker', "<displayed xmlns='urn:xmpp:chat-markers:0' id='1'/>", "type='chat'"],
      ['the end of a call', "<retract xmlns='urn:xmpp:jingle-message:0' id='1'/>", "type='chat'"],
      ['an error', body, "type='error'"],
      ['a headline', body, "type='headline'"],
    ] as const) {
      it(`do not come for ${what}`, async () => {
        const juliet = await test.away();
        await test.message(juliet.key, content, attributes);
        expect(test.told()).to.deep.equal([]);
      });
    }

    it('come for a call and for an encrypted message', async () => {
      const juliet = await test.away();
      await test.message(juliet.key, "<propose xmlns='urn:xmpp:jingle-message:0' id='1'/>");
      await test.message(juliet.key, "<encrypted xmlns='eu.siacs.conversations.axolotl'/>");
      expect(test.told()).to.deep.equal(['n1 1', 'n1 2']);
    });

    it('do not come for what another device gets and no archive keeps, because the device could not read it', async () => {
      const juliet = await test.away();
      await bench.session(juliet, 'desktop', '<presence/>');
      await test.message(juliet.key);
      expect(test.told()).to.deep.equal([]);
    });

    it('come for what another device gets, if the archive keeps it', async () => {
      test.restart({ archives: true });
      const juliet = await test.away();
      await bench.session(juliet, 'desktop', '<presence/>');
      await test.message(juliet.key);
      expect(test.told()).to.deep.equal(['n1 1']);
    });

    for (const archives of [false, true]) {
      it(`come once if the message is stored because a delivery has failed, ${archives ? 'also' : 'not'} archived`, async () => {
        // Plans a message again whenever a delivery fails.
        test.judge = ({ message }) => {
          const judge = (plan: DeliveryPlan): Ruling => ({
            message,
            plan,
            oversight: { done: () => undefined, failed: judge },
          });
          return { message, judge };
        };
        test.restart({ archives });
        const juliet = await test.away();
        const desktop = await bench.session(juliet, 'desktop', '<presence/>');
        desktop.broken = true;
        await test.message(juliet.key);
        expect((await bench.storage.offline.list(juliet.key, 0, 10)).length).to.equal(1);
        expect(test.told()).to.deep.equal(['n1 1']);
      });
    }

    it('do not come for what the user writes', async () => {
      test.restart({ archives: true });
      const juliet = await test.away();
      const desktop = await bench.session(juliet, 'desktop', '<presence/>');
      for (const to of [juliet.key, 'romeo@push.example'])
        await bench.does(desktop, `<message to='${to}' type='chat'>${body}</message>`);
      await test.settles();
      expect(test.told().filter((one) => one.startsWith('n1'))).to.deep.equal([]);
    });

    it('do not come for a message that could not be stored', async () => {
      const juliet = await test.away();
      const { offline } = bench.storage;
      const { append } = offline;
      offline.append = () => Promise.reject(new Error('the disk is broken'));
      await test.message(juliet.key);
      offline.append = append;
      expect(test.told()).to.deep.equal([]);
      await test.message(juliet.key);
      expect(test.told()).to.deep.equal(['n1 1']);
    });

    it('come for a message that returns from an ended session only if none has come since the device was connected', async () => {
      const juliet = await test.away();
      const returns = async () => {
        const message = readStanza(chat(body)).with({ to: juliet.jid });
        await bench.routing.route(message, { again: { sentAtMs: 0, hasCopy: false } });
        await test.settles();
      };
      await returns();
      expect(test.told()).to.deep.equal(['n1 1']);
      await returns();
      expect(test.told()).to.deep.equal([]);
    });
  });

  describe('of a device whose session has lost its connection', () => {
    /** A device that has lost its connection, and a function that gives its session a stanza. */
    async function detached() {
      const juliet = await test.enabled('n1', '<presence/>');
      juliet.detached = true;
      bench.routing.hooks.connectionLost(juliet, []);
      return { juliet, waits: (stanza: string) => bench.routing.hooks.waiting(juliet, readStanza(stanza)) };
    }

    it('come for what the session is sent', async () => {
      const { waits } = await detached();
      for (const content of [body, "<received xmlns='urn:xmpp:receipts' id='1'/>", body]) waits(chat(content));
      await test.settles();
      waits('<presence from="a@b/c"/>');
      waits('<iq from="a@b/c" type="get" id="1"><ping xmlns="urn:xmpp:ping"/></iq>');
      await test.settles();
      expect(test.told()).to.deep.equal(['n1 1', 'n1 2']);
    });

    it('do not come while the client is connected in another session', async () => {
      const { juliet, waits } = await detached();
      juliet.device = { key: 'the phone' };
      await test.enables(juliet, 'n1');
      const other = await bench.session(juliet.account, 'other');
      other.device = { key: 'the phone' };
      waits(chat(body));
      await test.settles();
      expect(test.told()).to.deep.equal([]);
    });

    it('come for what it may not have got before, once', async () => {
      const juliet = await test.enabled('n1', '<presence/>');
      const unconfirmed = ['<presence from="a@b/c"/>', chat(body)].map((one) => readStanza(one));
      for (let losses = 0; losses < 2; losses++) {
        juliet.detached = true;
        bench.routing.hooks.connectionLost(juliet, unconfirmed);
        await test.settles();
      }
      expect(test.told()).to.deep.equal(['n1 1']);
    });

    it('count again when the connection is lost again', async () => {
      const { juliet, waits } = await detached();
      waits(chat(body));
      await test.settles();
      bench.routing.hooks.connectionLost(juliet, []);
      waits(chat(body));
      await test.settles();
      expect(test.told()).to.deep.equal(['n1 1', 'n1 1']);
    });

    it('come for a carbon of a message that came, not of one that was sent', async () => {
      const { juliet, waits } = await detached();
      const carbon = (direction: 'sent' | 'received') =>
        carbonOf(readStanza(chat(body)), direction, juliet.account.jid)
          .with({ to: juliet.jid })
          .toString();
      waits(carbon('sent'));
      await test.settles();
      expect(test.told()).to.deep.equal([]);
      waits(carbon('received'));
      await test.settles();
      expect(test.told()).to.deep.equal(['n1 1']);
    });

    it('come for what is written in a room, not for its subject', async () => {
      const { waits } = await detached();
      const said = (content: string) => `<message from="room@muc.example/nurse" type="groupchat">${content}</message>`;
      waits(said('<subject>love</subject>'));
      waits(said(body));
      await test.settles();
      expect(test.told()).to.deep.equal(['n1 1']);
    });

    it('do not come for what is stored, unless the session is sent a copy', async () => {
      const juliet = await test.enabled('n1', '<presence><priority>-1</priority></presence>');
      juliet.detached = true;
      await test.message(juliet.account.key);
      expect(test.told()).to.deep.equal([]);
    });

    it('do not come twice when the session ends and its messages return', async () => {
      const { juliet, waits } = await detached();
      waits(chat(body));
      await test.settles();
      bench.ends(juliet);
      const message = readStanza(chat(body)).with({ to: juliet.account.jid });
      await bench.routing.route(message, { again: { sentAtMs: 0, hasCopy: true } });
      await test.settles();
      expect(test.told()).to.deep.equal(['n1 1']);
    });

    it('do not come if the client returns while the service is awaited', async () => {
      test.answer = 'silence';
      const { juliet, waits } = await detached();
      waits(chat(body));
      waits(chat(body));
      expect(test.told()).to.deep.equal(['n1 1']);
      juliet.detached = false;
      clock.advance(3_600_000);
      await test.settles();
      clock.advance(3_600_000);
      await test.settles();
      expect(test.told()).to.deep.equal([]);
    });
  });

  describe('say', () => {
    const secret = '<body>Wherefore art thou, Romeo?</body>';
    const summary = () => test.requests.join('');

    it('nothing of a message unless the operator allows it', async () => {
      const juliet = await test.away();
      await test.message(juliet.key, secret);
      expect(summary())
        .to.include('message-count')
        .and.not.match(/romeo|Romeo|last-/);
    });

    it('who has sent the last message', async () => {
      test.restart({ sender: true });
      const juliet = await test.away();
      await test.message(juliet.key, secret);
      expect(summary())
        .to.include('<field var="last-message-sender"><value>romeo@montague.example/r</value></field>')
        .and.not.include('last-message-body');
    });

    it('what the last message says, up to a thousand characters', async () => {
      test.restart({ body: true });
      const juliet = await test.away();
      await test.message(juliet.key, `<body>${'\u{1f339}'.repeat(1001)}</body>`);
      await test.message(juliet.key, "<propose xmlns='urn:xmpp:jingle-message:0' id='1'/>");
      const [first, second] = test.requests.map(String);
      expect(first).to.include(`<field var="last-message-body"><value>${'\u{1f339}'.repeat(1000)}</value></field>`);
      expect(second).to.include('"message-count"><value>2<').and.not.include('last-message');
    });
  });

  describe('that fail', () => {
    for (const condition of ['item-not-found', 'not-authorized'] as const) {
      it(`with ${condition} are the last (XEP-0357 §7.1)`, async () => {
        const juliet = await test.away();
        test.answer = new StanzaError(condition);
        await test.message(juliet.key);
        expect(test.told()).to.deep.equal(['n1 1']);
        expect(await test.stored(juliet)).to.deep.equal([]);
        await test.message(juliet.key);
        expect(test.told()).to.deep.equal([]);
      });
    }

    it('are repeated after pauses that grow, and tell of all messages', async () => {
      const juliet = await test.away();
      test.answer = new StanzaError('remote-server-timeout');
      await test.message(juliet.key);
      await test.message(juliet.key);
      expect(test.told(), 'not within the pause').to.deep.equal(['n1 1']);
      for (const seconds of [30, 60, 120]) {
        clock.advance(seconds * 1000 - 1);
        await test.settles();
        expect(test.told()).to.deep.equal([]);
        clock.advance(1);
        await test.settles();
        expect(test.told()).to.deep.equal(['n1 2']);
      }
      test.answer = 'result';
      clock.advance(240_000);
      await test.settles();
      expect(test.told()).to.deep.equal(['n1 2']);
      clock.advance(86_400_000);
      await test.settles();
      expect(test.told(), 'it has arrived').to.deep.equal([]);
    });

    it('are repeated if no answer comes', async () => {
      const juliet = await test.away();
      test.answer = 'silence';
      await test.message(juliet.key);
      await test.message(juliet.key);
      expect(test.told(), 'one at a time').to.deep.equal(['n1 1']);
      test.answer = 'result';
      clock.advance(60_000);
      await test.settles();
      clock.advance(30_000);
      await test.settles();
      expect(test.told()).to.deep.equal(['n1 2']);
    });

    it('are not repeated for ever, and do not end a registration, while the service is only away', async () => {
      const juliet = await test.away();
      test.answer = new StanzaError('remote-server-timeout');
      await test.message(juliet.key);
      for (let hours = 0; hours < 100; hours++) {
        clock.advance(3_600_000);
        await test.settles();
      }
      expect(test.told()).to.have.length(16);
      test.answer = 'result';
      await test.message(juliet.key);
      expect(test.told()).to.deep.equal(['n1 2']);
      expect(await test.stored(juliet)).to.deep.equal(['n1']);
    });

    it('sixteen times in a row with another error end the registration', async () => {
      const juliet = await test.away();
      test.answer = new StanzaError('remote-server-not-found');
      await test.message(juliet.key);
      for (let failures = 1; failures < 16; failures++) {
        expect(await test.stored(juliet), `after ${failures}`).to.deep.equal(['n1']);
        clock.advance(3_600_000);
        await test.settles();
      }
      expect(await test.stored(juliet)).to.deep.equal([]);
      expect(
        bench.log.lines.filter((line) => line.includes('push was disabled') && line.includes(juliet.key)),
      ).to.have.length(1);
    });

    it('count from the beginning after one that has arrived', async () => {
      const juliet = await test.away();
      const refused = new StanzaError('forbidden');
      test.answer = refused;
      await test.message(juliet.key);
      for (const answer of [...new Array<StanzaError>(14).fill(refused), 'result'] as const) {
        test.answer = answer;
        clock.advance(3_600_000);
        await test.settles();
      }
      expect(test.told()).to.have.length(16);
      test.answer = refused;
      await test.message(juliet.key);
      expect(await test.stored(juliet)).to.deep.equal(['n1']);
    });
  });

  it('are bounded for each account, and tell of all messages when they may come again', async () => {
    test.restart({ perMinute: 2 });
    const juliet = await test.away();
    for (let count = 0; count < 5; count++) await test.message(juliet.key);
    expect(test.told()).to.deep.equal(['n1 1', 'n1 2']);
    clock.advance(29_999);
    await test.settles();
    expect(test.told()).to.deep.equal([]);
    clock.advance(1);
    await test.settles();
    expect(test.told()).to.deep.equal(['n1 5']);
  });

  it('end with the account', async () => {
    const juliet = await test.away();
    test.answer = new StanzaError('remote-server-timeout');
    await test.message(juliet.key);
    expect(test.told()).to.deep.equal(['n1 1']);
    await bench.storage.accounts.remove(juliet.key);
    bench.routing.accounts.forget(juliet.key);
    bench.routing.hooks.accountRemoved(juliet.jid);
    clock.advance(3_600_000);
    await test.settles();
    expect(test.told()).to.deep.equal([]);
    expect(await test.stored(juliet)).to.deep.equal([]);
  });

  it('end when the client disables them while one is repeated', async () => {
    const juliet = await test.enabled();
    bench.ends(juliet);
    test.answer = new StanzaError('remote-server-timeout');
    await test.message(juliet.account.key);
    const desktop = await bench.session(juliet.account, 'desktop');
    await bench.asks(desktop, disable("jid='push.example' node='n1'"));
    test.told();
    clock.advance(3_600_000);
    await test.settles();
    expect(test.told()).to.deep.equal([]);
  });

  describe('after the service has taken the node away (XEP-0357 §8)', () => {
    const withdrawal = (from: string, to: string, node = 'n1', affiliation = 'none') =>
      `<message from='${from}' to='${to}'><pubsub xmlns='http://jabber.org/protocol/pubsub' node='${node}'>` +
      `<affiliation jid='${to}' affiliation='${affiliation}'/></pubsub></message>`;

    it('end', async () => {
      const juliet = await test.away();
      await bench.comes(withdrawal('push.example', juliet.key));
      await test.settles();
      expect(await test.stored(juliet)).to.deep.equal([]);
    });

    it('go on if the node is another, if it was not taken away, and if somebody else says so', async () => {
      const juliet = await test.away();
      await bench.comes(withdrawal('push.example', juliet.key, 'n2'));
      await bench.comes(withdrawal('push.example', juliet.key, 'n1', 'publish-only'));
      await bench.comes(withdrawal('eve@push.example', juliet.key));
      await bench.comes(withdrawal('other.example', juliet.key));
      await test.settles();
      expect(await test.stored(juliet)).to.deep.equal(['n1']);
    });
  });
});
