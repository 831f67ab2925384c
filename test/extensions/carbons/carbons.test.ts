import { expect } from 'chai';
import { configSchema } from '../../../src/config/schema.ts';
import { blocking } from '../../../src/extensions/blocking/blocking.ts';
import { carbons } from '../../../src/extensions/carbons/carbons.ts';
import { offline } from '../../../src/extensions/offline/offline.ts';
import { unwrapCarbon } from '../../../src/protocol/carbon.ts';
import { Jid } from '../../../src/protocol/jid.ts';
import type { Stanza } from '../../../src/protocol/stanza.ts';
import type { Account } from '../../../src/routing/account.ts';
import { PendingWork } from '../../../src/routing/ack-scope.ts';
import type { Recorder } from '../../../src/routing/extension.ts';
import { textOf, xml } from '../../../src/xml/element.ts';
import { readStanza } from '../../protocol/read-stanza.ts';
import type { StubSession } from '../../support/stub-session.ts';
import { ampOn } from '../amp-on.ts';
import { Bench } from '../bench.ts';

const enable = "<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>";
const disable = "<iq type='set' id='c'><disable xmlns='urn:xmpp:carbons:2'/></iq>";
const muc = "<x xmlns='http://jabber.org/protocol/muc'/>";
const mucUser = "<x xmlns='http://jabber.org/protocol/muc#user'/>";
const invite = "<x xmlns='http://jabber.org/protocol/muc#user'><invite from='a@b'/></x>";
const typing = "<composing xmlns='http://jabber.org/protocol/chatstates'/>";

function chat(to: unknown, more = '', attributes = "type='chat' id='m1'"): string {
  return `<message to='${to}' ${attributes}><body>hi</body>${more}</message>`;
}

function rule(action: string, condition: string, value: string): string {
  return `<amp xmlns='http://jabber.org/protocol/amp'><rule action='${action}' condition='${condition}' value='${value}'/></amp>`;
}

/** What a session has got since the last call, each message in a few words. */
function heard(session: StubSession): string[] {
  return session.sent.splice(0).flatMap((stanza) => {
    if (stanza.kind !== 'message') return [];
    const carbon = unwrapCarbon(stanza);
    return carbon ? `${carbon.direction} ${brief(carbon.message)}` : brief(stanza);
  });
}

function brief({ type, payload }: Stanza): string {
  const body = payload.find('body', 'jabber:client');
  if (type === 'error') return 'error';
  return body ? textOf(payload.element(body)) : (payload.children[0]?.name ?? 'nothing');
}

describe('Message Carbons (XEP-0280)', () => {
  let record: Recorder | undefined;
  const bench = new Bench((core) => {
    const { routing, storage, clock, log } = core;
    const { amp } = configSchema({ directory: '/', environment: {} }).parse({});
    return {
      remotes: { send: () => undefined },
      extensions: [
        blocking({ ...routing, store: storage.blocklists }),
        ampOn(core, amp),
        offline({
          ...routing,
          store: storage.offline,
          options: { maxMessages: 10, maxBytes: 10_000, toArchiveClients: false },
          clock,
          log,
        }),
        { name: 'stamps', claims: [], record: (passage) => record?.(passage) },
        carbons(routing.sessions),
      ],
    };
  });

  let romeo: Account;
  let juliet: Account;
  let phone: StubSession;
  let laptop: StubSession;
  let balcony: StubSession;
  let chamber: StubSession;

  beforeEach(async () => {
    record = undefined;
    romeo = await bench.account('romeo');
    juliet = await bench.account('juliet');
    await bench.befriend(romeo, juliet);
    phone = await device(romeo, 'phone');
    laptop = await device(romeo, 'laptop', '<presence><priority>-1</priority></presence>');
    balcony = await device(juliet, 'balcony');
    chamber = await device(juliet, 'chamber', '<presence><priority>-1</priority></presence>');
    forget();
  });

  function forget(): void {
    for (const one of [phone, laptop, balcony, chamber]) one.taken();
  }

  /** A session with carbons; without them if `enabled` is false. */
  async function device(account: Account, resource: string, presence = '<presence/>', enabled = true) {
    const session = await bench.session(account, resource, presence);
    if (enabled) await bench.does(session, enable);
    session.taken();
    return session;
  }

  /** What everybody has got. */
  function all(): Record<'phone' | 'laptop' | 'balcony' | 'chamber', string[]> {
    return { phone: heard(phone), laptop: heard(laptop), balcony: heard(balcony), chamber: heard(chamber) };
  }

  const nothing = { phone: [], laptop: [], balcony: [], chamber: [] };

  describe('being enabled', () => {
    it('is announced, with the rules that are kept (XEP-0280 §3, §6.2)', () => {
      expect(carbons(bench.routing.sessions).disco?.domain).to.deep.equal([
        'urn:xmpp:carbons:2',
        'urn:xmpp:carbons:rules:0',
      ]);
    });

    it('and disabled as often as the client likes (XEP-0280 §10.1)', async () => {
      for (const [request, copied] of [
        [enable, true],
        [disable, false],
        [disable, false],
        [enable, true],
      ] as const) {
        expect(await bench.asks(laptop, request)).to.deep.equal([
          `<iq from="${romeo.jid}" to="${laptop.jid}" id="c" type="result"/>`,
        ]);
        await bench.does(phone, chat(juliet.jid));
        expect(all().laptop).to.deep.equal(copied ? ['sent hi'] : []);
      }
    });

    it('is for the own session only, whether or not there is another account (XEP-0280 §4.1, §5.1)', async () => {
      for (const to of [juliet.jid, 'nobody@localhost']) {
        for (const request of [enable, disable]) {
          const [answer] = await bench.asks(laptop, request.replace('<iq', `<iq to='${to}'`));
          expect(answer).to.include('<error type="cancel"><not-allowed xmlns');
        }
      }
    });

    it('works inside Bind 2 (XEP-0386 §4)', async () => {
      const [feature, ...others] = carbons(bench.routing.sessions).sessionFeatures ?? [];
      expect([feature?.name, feature?.ns, others.length]).to.deep.equal(['enable', 'urn:xmpp:carbons:2', 0]);
      const tablet = await bench.session(romeo, 'tablet');
      feature?.enable(tablet, xml('enable', { xmlns: 'urn:xmpp:carbons:2' }));
      await bench.does(phone, chat(juliet.jid));
      expect(heard(tablet)).to.deep.equal(['sent hi']);
    });

    it('needs no presence: a client loads its archive first and must not miss anything', async () => {
      const tablet = await device(romeo, 'tablet', '');
      await bench.does(phone, chat(juliet.jid));
      expect(heard(tablet)).to.deep.equal(['sent hi']);
    });
  });

  describe('a message', () => {
    it('is copied to the other devices of both sides (XEP-0280 §7, §8)', async () => {
      await bench.does(phone, chat(juliet.jid));
      const inner = `<message xmlns="jabber:client" from="${phone.jid}" to="${juliet.jid}" id="m1" type="chat"><body>hi</body></message>`;
      const carbon = (direction: string, of: Account, to: StubSession) =>
        `<message from="${of.jid}" to="${to.jid}" type="chat"><${direction} xmlns="urn:xmpp:carbons:2">` +
        `<forwarded xmlns="urn:xmpp:forward:0">${inner}</forwarded></${direction}></message>`;
      expect(laptop.taken()).to.deep.equal([carbon('sent', romeo, laptop)]);
      expect(chamber.taken()).to.deep.equal([carbon('received', juliet, chamber)]);
      expect(balcony.taken()).to.deep.equal([inner.replace(' xmlns="jabber:client"', '')]);
      expect(phone.taken()).to.deep.equal([]);
    });

    it('to a full JID is copied, too', async () => {
      await bench.does(phone, chat(chamber.jid));
      expect(all()).to.deep.equal({ phone: [], laptop: ['sent hi'], balcony: ['received hi'], chamber: ['hi'] });
    });

    it('that all devices get is not copied', async () => {
      await bench.does(chamber, '<presence/>');
      forget();
      await bench.does(phone, chat(juliet.jid));
      expect(all()).to.deep.equal({ phone: [], laptop: ['sent hi'], balcony: ['hi'], chamber: ['hi'] });
    });

    it('of a device without carbons is copied to the others (XEP-0280 §8)', async () => {
      const old = await device(romeo, 'old', '<presence/>', false);
      forget();
      await bench.does(old, chat(juliet.jid));
      expect(all()).to.deep.equal({
        ...nothing,
        phone: ['sent hi'],
        laptop: ['sent hi'],
        balcony: ['hi'],
        chamber: ['received hi'],
      });
      await bench.does(phone, chat(juliet.jid));
      expect(heard(old)).to.deep.equal([]);
    });

    it('that is stored is copied to devices that do not take messages (RFC 6121 §8.5.2.2.1)', async () => {
      bench.ends(balcony);
      forget();
      await bench.does(phone, chat(juliet.jid));
      expect(all()).to.deep.equal({ ...nothing, laptop: ['sent hi'], chamber: ['received hi'] });
    });

    it('that is refused is copied for its sender, and so is the error', async () => {
      await bench.does(phone, chat(`${juliet.jid}/gone`, '', "id='m1'"));
      expect(all()).to.deep.equal({ ...nothing, phone: ['error'], laptop: ['sent hi', 'received error'] });
    });

    it('that the own account refuses leaves no trace', async () => {
      romeo.block([juliet.key]);
      await bench.does(phone, chat(juliet.jid));
      expect(all()).to.deep.equal({ ...nothing, phone: ['error'] });
    });

    it('that the recipient has blocked is copied for its sender only', async () => {
      juliet.block([romeo.key]);
      await bench.does(phone, chat(juliet.jid));
      expect(all()).to.deep.equal({ ...nothing, phone: ['error'], laptop: ['sent hi', 'received error'] });
    });

    it('that must not be copied is delivered as it is (XEP-0280 §9)', async () => {
      const isPrivate = "<private xmlns='urn:xmpp:carbons:2'/>";
      await bench.does(phone, chat(juliet.jid, isPrivate));
      expect(balcony.sent.at(-1)?.payload.bytes.toString()).to.include(isPrivate);
      expect(all()).to.deep.equal({ ...nothing, balcony: ['hi'] });
    });

    it('that is routed again, or has waited, is not copied again', async () => {
      const message = readStanza(chat(juliet.jid)).with({ from: phone.jid });
      await bench.routing.route(message, { again: { sentAtMs: 1, hasCopy: false } });
      expect(all()).to.deep.equal({ ...nothing, balcony: ['hi'] });
    });

    it('from another server is copied for its recipient', async () => {
      await bench.comes(chat(juliet.jid).replace('<message', "<message from='eve@elsewhere.example/x'"));
      expect(all()).to.deep.equal({ ...nothing, balcony: ['hi'], chamber: ['received hi'] });
    });

    it('that is forwarded is copied for its sender once, and for the last recipient', async () => {
      const nurse = await bench.account('nurse');
      const kitchen = await device(nurse, 'kitchen');
      nurse.forwardTo = juliet.jid;
      await bench.does(phone, chat(nurse.jid));
      expect(heard(kitchen)).to.deep.equal([]);
      expect(all()).to.deep.equal({ ...nothing, laptop: ['sent hi'], balcony: ['hi'], chamber: ['received hi'] });
    });

    it('to oneself is seen once by each device', async () => {
      const tablet = await device(romeo, 'tablet');
      forget();
      for (const [to, got] of [
        [romeo.jid, { phone: ['hi'], laptop: ['sent hi'], tablet: ['hi'] }],
        [laptop.jid, { phone: [], laptop: ['hi'], tablet: ['sent hi'] }],
        [phone.jid, { phone: ['hi'], laptop: ['sent hi'], tablet: ['sent hi'] }],
      ] as const) {
        await bench.does(phone, chat(to));
        expect({ phone: heard(phone), laptop: heard(laptop), tablet: heard(tablet) }).to.deep.equal(got);
      }
    });

    it('is copied as other recorders have changed it', async () => {
      const id = (by: string) => xml('stanza-id', { xmlns: 'urn:xmpp:sid:0', by });
      record = ({ copyForSender }) => ({
        stamp: (message) => message.with({ payload: message.payload.with(id('juliet')) }),
        copyForSender: copyForSender.with({ payload: copyForSender.payload.with(id('romeo')) }),
      });
      await bench.does(phone, chat(juliet.jid));
      expect(laptop.sent[0]?.toString()).to.include('by="romeo"').and.not.include('by="juliet"');
      expect(chamber.sent[0]?.toString()).to.include('by="juliet"').and.not.include('by="romeo"');
    });
  });

  describe('an error', () => {
    const error = "<error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>";
    const bounce = (from: string, id: string) =>
      `<message from='${from}' to='${phone.jid}' type='error' id='${id}'>${error}</message>`;

    it('is copied if it answers a message that was copied (XEP-0280 §6.1)', async () => {
      await bench.does(phone, chat('paris@elsewhere.example/x', '', "type='chat' id='known'"));
      forget();
      await bench.comes(bounce('paris@elsewhere.example/x', 'known'));
      expect(all()).to.deep.equal({ ...nothing, phone: ['error'], laptop: ['received error'] });
      await bench.comes(bounce('paris@elsewhere.example/x', 'unknown'));
      expect(all()).to.deep.equal({ ...nothing, phone: ['error'] });
    });

    it('that comes late counts if it is from a bare JID, unless that is a room', async () => {
      await bench.comes(bounce('paris@elsewhere.example', 'late'));
      expect(all()).to.deep.equal({ ...nothing, phone: ['error'], laptop: ['received error'] });
      await bench.does(phone, `<presence to='hall@rooms.example/romeo'>${muc}</presence>`);
      forget();
      await bench.comes(bounce('hall@rooms.example', 'late'));
      await bench.comes(bounce('elsewhere.example', 'late'));
      expect(all()).to.deep.equal({ ...nothing, phone: ['error', 'error'] });
    });

    it('of this server is not copied if the message was not', async () => {
      const quiet = "<private xmlns='urn:xmpp:carbons:2'/>";
      await bench.does(phone, chat(`${juliet.jid}/gone`, quiet, "id='m1'"));
      expect(all()).to.deep.equal({ ...nothing, phone: ['error'] });
    });

    it('that a device sends is not copied for it', async () => {
      await bench.does(chamber, `<message to='${romeo.jid}/laptop' type='error' id='1'>${error}</message>`);
      expect(all()).to.deep.equal({ ...nothing, laptop: ['error'] });
    });
  });

  describe('a room (XEP-0280 §6.1)', () => {
    const occupant = 'hall@rooms.example/juliet';
    const fromRoom = (to: StubSession, more = '', attributes = "type='chat'") =>
      chat(to.jid, more, attributes).replace('<message', `<message from='${occupant}'`);

    it('sends a private message to each client that has joined: no copies', async () => {
      for (const one of [phone, laptop])
        await bench.does(one, `<presence to='hall@rooms.example/romeo'>${muc}</presence>`);
      const tablet = await device(romeo, 'tablet', '<presence><priority>-1</priority></presence>');
      forget();
      for (const more of [mucUser, '']) {
        for (const one of [phone, laptop]) await bench.comes(fromRoom(one, more));
        expect(all()).to.deep.equal({ ...nothing, phone: ['hi'], laptop: ['hi'] });
        expect(heard(tablet)).to.deep.equal([]);
      }
    });

    it('marks its messages, which is enough', async () => {
      await bench.comes(fromRoom(phone, mucUser));
      expect(all()).to.deep.equal({ ...nothing, phone: ['hi'] });
      await bench.comes(fromRoom(phone));
      expect(all()).to.deep.equal({ ...nothing, phone: ['hi'], laptop: ['received hi'] });
    });

    it('invites all devices', async () => {
      await bench.comes(fromRoom(phone, invite, ''));
      expect(all()).to.deep.equal({ ...nothing, phone: ['hi'], laptop: ['received hi'] });
    });

    it('gets private messages that the devices with the same nick see', async () => {
      await bench.does(phone, chat(occupant));
      expect(all().laptop).to.deep.equal(['sent hi']);
      await bench.does(phone, `<presence to='hall@rooms.example/romeo'>${muc}</presence>`);
      forget();
      await bench.does(phone, chat(occupant));
      expect(all().laptop).to.deep.equal([]);
      await bench.does(laptop, `<presence to='hall@rooms.example/romeo'>${muc}</presence>`);
      forget();
      await bench.does(phone, chat(occupant));
      expect(all().laptop).to.deep.equal(['sent hi']);
    });

    it('gets group messages, which are not copied', async () => {
      await bench.does(phone, chat('hall@rooms.example', '', "type='groupchat' id='g1'"));
      expect(all().laptop).to.deep.equal([]);
    });

    it('is not a contact to one of whose resources a device has sent presence', async () => {
      await bench.does(phone, `<presence to='${chamber.jid}'/>`);
      forget();
      await bench.does(balcony, chat(phone.jid));
      expect(all()).to.deep.equal({ ...nothing, chamber: ['sent hi'], phone: ['hi'], laptop: ['received hi'] });
    });
  });

  describe('what looks like a carbon', () => {
    const forged = (to: unknown, direction: string) =>
      `<message to='${to}' type='chat'><${direction} xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>` +
      "<message xmlns='jabber:client' from='juliet@capulet.example'><body>forged</body></message></forwarded>" +
      `</${direction}></message>`;

    for (const direction of ['sent', 'received']) {
      it(`passes if a stranger sends it, and is not looked into: ${direction}`, async () => {
        await bench.comes(forged(phone.jid, direction).replace('<message', "<message from='eve@elsewhere.example'"));
        expect(all()).to.deep.equal({ ...nothing, phone: [direction], laptop: [`received ${direction}`] });
      });

      it(`is refused if it is to the own account: ${direction}`, async () => {
        for (const to of [romeo.jid, laptop.jid]) {
          const answers = await bench.asks(phone, forged(to, direction));
          expect(answers.join()).to.match(/^<message [^>]*type="error"><error type="modify"><policy-violation /);
        }
        await bench.does(phone, forged('', direction).replace("to='' ", ''));
        expect(all()).to.deep.equal({ ...nothing, phone: ['error'] });
      });
    }
  });

  describe('beside AMP (XEP-0079)', () => {
    it('a message that a rule has stopped leaves no trace (D-39)', async () => {
      for (const [action, answers] of [
        ['drop', []],
        ['alert', ['amp']],
        ['error', ['error']],
      ] as const) {
        await bench.does(phone, chat(juliet.jid, rule(action, 'deliver', 'direct')));
        expect(all(), action).to.deep.equal({ ...nothing, phone: answers });
      }
    });

    it('a message that a rule only notes is copied, its report is not (D-22)', async () => {
      await bench.does(phone, chat(juliet.jid, rule('notify', 'deliver', 'direct')));
      expect(all()).to.deep.equal({
        phone: ['amp'],
        laptop: ['sent hi'],
        balcony: ['hi'],
        chamber: ['received hi'],
      });
    });

    it('a rule about the resource judges the delivery, not the copies (D-39)', async () => {
      await bench.does(phone, chat(balcony.jid, rule('notify', 'match-resource', 'exact')));
      expect(all()).to.deep.include({ phone: ['amp'], chamber: ['received hi'] });
      await bench.does(phone, chat(balcony.jid, rule('drop', 'match-resource', 'other')));
      expect(all()).to.deep.include({ phone: [], balcony: ['hi'], chamber: ['received hi'] });
    });
  });

  describe('the acknowledgment of a message', () => {
    it('waits for the copies of devices that can be resumed', async () => {
      const durable = Promise.withResolvers<void>();
      chamber.needsAck = true;
      chamber.durable = durable.promise;
      const scope = new PendingWork();
      const message = readStanza(chat(juliet.jid)).with({ from: Jid.parse('eve@elsewhere.example/x') });
      await bench.routing.router.fromPeer(message, scope);
      let settled = false;
      const done = scope.settled().then(() => {
        settled = true;
      });
      await new Promise((resolve) => setImmediate(resolve));
      expect(settled).to.equal(false);
      durable.resolve();
      await done;
    });

    it('waits for nothing that is not worth it', async () => {
      const never = new Promise<void>(() => {});
      for (const [device, needsAck, message] of [
        [chamber, false, chat(juliet.jid)],
        [chamber, true, `<message to='${juliet.jid}' type='chat'>${typing}</message>`],
      ] as const) {
        device.needsAck = needsAck;
        device.durable = never;
        const scope = new PendingWork();
        await bench.routing.router.fromPeer(readStanza(message).with({ from: Jid.parse('eve@a.example/x') }), scope);
        await scope.settled();
        expect(heard(device)).to.have.length(1);
      }
    });
  });
});
