import { expect } from 'chai';
import { Jid } from '../../src/protocol/jid.ts';
import type { Stanza } from '../../src/protocol/stanza.ts';
import { StanzaError } from '../../src/protocol/stanza-error.ts';
import { PendingWork } from '../../src/routing/ack-scope.ts';
import type { DeliveryPlan } from '../../src/routing/delivery-plan.ts';
import type { Extension, Judge, Recorder, Ruling } from '../../src/routing/extension.ts';
import { isFirstJourney, type JudgedPassage } from '../../src/routing/passage.ts';
import type { Watch } from '../../src/routing/session.ts';
import { xml } from '../../src/xml/element.ts';
import { readStanza } from '../protocol/read-stanza.ts';
import type { StubSession } from '../support/stub-session.ts';
import { item } from './memory-stores.ts';
import { RoutingBench } from './routing-bench.ts';

const chat = (to: string, more = '') => `<message type='chat' to='${to}'><body>hi</body>${more}</message>`;
const withChild = (message: Stanza, name: string) =>
  message.with({ payload: message.payload.with(xml(name, { xmlns: 'urn:x' })) });

/** A recorder that stamps what the recipient gets, and what the sender's devices get. */
function stamping(seen: JudgedPassage[] = []): Recorder {
  return (passage) => {
    seen.push(passage);
    return {
      stamp: (message) => withChild(message, 'for-recipient'),
      copyForSender: withChild(passage.copyForSender, 'for-sender'),
    };
  };
}

const children = ({ payload }: Stanza) => payload.children.map(({ name }) => name);

/** A bench where romeo is online, and juliet if wanted. */
async function stage(
  extensions: readonly Partial<Extension>[],
  more: ConstructorParameters<typeof RoutingBench>[0] = {},
  juliet = true,
) {
  const bench = new RoutingBench({ extensions, ...more });
  const romeo = await bench.online('romeo@a.example/orchard');
  if (juliet) return { bench, romeo, juliet: await bench.online('juliet@a.example/balcony') };
  await bench.account('juliet@a.example');
  return { bench, romeo, juliet: undefined };
}

/** Plans a message again, by the same rules, whenever a delivery fails. */
const watching: Judge = ({ message }) => {
  const judge = (plan: DeliveryPlan): Ruling => {
    return plan.kind === 'direct' ? { message, plan, oversight: { done: () => {}, failed: judge } } : { message, plan };
  };
  return { message, judge };
};

describe('Recorders of messages', () => {
  it('stamp the message that a session gets, and each sees the stamps of those before it', async () => {
    const seen: JudgedPassage[] = [];
    const { bench, romeo, juliet } = await stage([{ record: stamping() }, { record: stamping(seen) }]);
    await bench.says(romeo, chat('juliet@a.example'));
    expect(juliet?.sent.map(children)).to.deep.equal([['body', 'for-recipient', 'for-recipient']]);
    expect(seen.map(({ message }) => children(message))).to.deep.equal([['body', 'for-recipient']]);
    expect(seen.map(({ copyForSender }) => children(copyForSender))).to.deep.equal([['body', 'for-sender']]);
    expect(seen[0]?.session).to.equal(romeo);
    expect(seen[0]?.destination.kind).to.equal('account');
  });

  it('stamp the message that is stored, and add data to it', async () => {
    const bench = new RoutingBench({
      extensions: [{ record: (passage) => ({ ...stamping()(passage), extras: { outboxId: 7 } }) }],
    });
    const romeo = await bench.online('romeo@a.example/orchard');
    await bench.account('juliet@a.example');
    await bench.says(romeo, chat('juliet@a.example'));
    await bench.settled();
    expect(bench.kept).to.deep.equal([
      'juliet@a.example <message from="romeo@a.example/orchard" to="juliet@a.example" type="chat"><body>hi</body><for-recipient xmlns="urn:x"/></message>',
    ]);
    expect(bench.keptWith[0]).to.include({ outboxId: 7 });
  });

  it('stamp a message to another server', async () => {
    const sent: Stanza[] = [];
    const { bench, romeo } = await stage([{ record: stamping() }], {
      remotes: { send: (stanza) => void sent.push(stanza) },
    });
    await bench.says(romeo, chat('juliet@c.example'));
    expect(sent.map(children)).to.deep.equal([['body', 'for-recipient']]);
  });

  it('stamp again, but do not record again, when a message is planned again', async () => {
    const seen: JudgedPassage[] = [];
    const { bench, romeo, juliet } = await stage([{ judge: watching, record: stamping(seen) }]);
    const chamber = await bench.online('juliet@a.example/chamber');
    romeo.taken();
    if (juliet) juliet.broken = true;
    chamber.broken = true;
    await bench.says(romeo, chat('juliet@a.example'));
    await bench.settled();
    expect(seen).to.have.length(1);
    expect(bench.kept.join()).to.include('<for-recipient xmlns="urn:x"/>');
  });

  it('tell a new message from one that comes back or was forwarded', async () => {
    const seen: boolean[] = [];
    const { bench, romeo, juliet } = await stage([{ record: (passage) => void seen.push(isFirstJourney(passage)) }]);
    const back = readStanza(chat('juliet@a.example').replace('<message', `<message from='${romeo.jid}'`));
    await bench.says(romeo, chat('juliet@a.example'));
    await bench.routing.route(back, { again: { sentAtMs: undefined, hasCopy: true } });
    await bench.account('tybalt@a.example');
    if (juliet) juliet.account.forwardTo = Jid.parse('tybalt@a.example');
    await bench.says(romeo, chat('juliet@a.example'));
    expect(seen).to.deep.equal([true, false, true, false]);
  });

  it('see messages of the server only if they are errors, and no message that a rule has stopped', async () => {
    const seen: JudgedPassage[] = [];
    const stop: Judge = ({ message }) => ({
      message,
      judge: () => ({ message, plan: { kind: 'none' }, stopped: true }),
    });
    const { bench, romeo } = await stage([
      { judge: ({ message, ...rest }) => (message.id === 'stop' ? stop({ message, ...rest }) : undefined) },
      { record: stamping(seen) },
    ]);
    await bench.says(romeo, chat('juliet@a.example').replace('<message', "<message id='stop'"));
    const own = readStanza("<message from='a.example' to='juliet@a.example'><body>hi</body></message>");
    await bench.routing.route(own, { own: true });
    expect(seen).to.deep.equal([]);
  });

  it('see the errors of the server, whatever way they take to the client', async () => {
    const seen: JudgedPassage[] = [];
    const { bench, romeo, juliet } = await stage([{ record: (passage) => void seen.push(passage) }]);
    await bench.says(romeo, "<message to='juliet@a.example/gone'><body>hi</body></message>");
    const own = readStanza("<message from='a.example' to='juliet@a.example/balcony' type='error'/>");
    await bench.routing.route(own, { own: true });
    const brief = seen.map(({ message, recipient, plan }) => [message.type, recipient.toString(), plan.kind]);
    expect(brief).to.deep.equal([
      [undefined, 'juliet@a.example/gone', 'none'],
      ['error', romeo.jid.toString(), 'direct'],
      ['error', 'juliet@a.example/balcony', 'direct'],
    ]);
    expect([romeo.sent.length, juliet?.sent.length]).to.deep.equal([1, 1]);
  });

  it('delay the acknowledgment until their writes are durable', async () => {
    const writing = Promise.withResolvers<void>();
    const { bench, romeo } = await stage([{ record: () => ({ durable: writing.promise }) }]);
    const message = readStanza(chat('juliet@a.example').replace('<message', `<message from='${romeo.jid}'`));
    const work = new PendingWork();
    await bench.routing.route(message, { ackScope: work });
    let settled = false;
    const done = work.settled().then(() => {
      settled = true;
    });
    await bench.settled();
    expect(settled).to.equal(false);
    writing.resolve();
    await done;
  });

  it('make the sender wait when they have too much work', async () => {
    const work = Promise.withResolvers<void>();
    const { bench, romeo } = await stage([{ record: () => ({ backlog: work.promise }) }]);
    const message = readStanza(chat('juliet@a.example').replace('<message', `<message from='${romeo.jid}'`));
    let over = false;
    const routed = Promise.resolve(bench.routing.route(message)).then(() => {
      over = true;
    });
    await bench.settled();
    expect(over).to.equal(false);
    work.resolve();
    await routed;
  });

  it('hear when the message was handed to sessions, and when it is stored and no sooner', async () => {
    const heard: string[] = [];
    const record: Recorder = ({ plan, message }) =>
      message.type === 'error' ? undefined : { carriedOut: () => void heard.push(plan.kind) };
    const online = await stage([{ record }]);
    await online.bench.says(online.romeo, chat('juliet@a.example'));
    expect(heard).to.deep.equal(['direct']);
    const writing = Promise.withResolvers<void>();
    const offline = await stage([{ record }], { keep: () => writing.promise }, false);
    await offline.bench.says(offline.romeo, chat('juliet@a.example'));
    await offline.bench.settled();
    expect(heard).to.deep.equal(['direct']);
    writing.resolve();
    await offline.bench.settled();
    expect(heard).to.deep.equal(['direct', 'stored']);
    const full = await stage([{ record }], { keep: () => Promise.reject(StanzaError.resourceConstraint()) }, false);
    await full.bench.says(full.romeo, chat('juliet@a.example'));
    await full.bench.settled();
    expect(heard).to.deep.equal(['direct', 'stored']);
  });

  it('hear when nothing has worked, and not when something has', async () => {
    let undelivered = 0;
    const record: Recorder = () => ({
      undelivered: () => {
        undelivered += 1;
      },
    });
    const { bench, romeo } = await stage(
      [{ record }],
      { keep: () => Promise.reject(StanzaError.resourceConstraint()) },
      false,
    );
    await bench.says(romeo, chat('juliet@a.example'));
    await bench.settled();
    expect(undelivered).to.equal(1);
    const online = await stage([{ record }]);
    await online.bench.says(online.romeo, chat('juliet@a.example'));
    expect(undelivered).to.equal(1);
  });
});

describe('Recorders of a message that waits for its session', () => {
  for (const ends of [true, false]) {
    it(`${ends ? 'hear' : 'do not hear'} that a rule ${ends ? 'has ended it' : 'lets it go'}`, async () => {
      let undelivered = 0;
      const record: Recorder = () => ({
        undelivered: () => {
          undelivered += 1;
        },
      });
      const judge: Judge = ({ message }) => ({
        message,
        judge: (plan) => ({
          message,
          plan,
          oversight: { done: () => {}, mayLeave: () => !ends, failed: (next) => ({ message, plan: next }) },
        }),
      });
      const { bench, romeo, juliet } = await stage([{ record, judge }]);
      let watch: Watch | undefined;
      if (juliet) {
        juliet.send = (_, given) => {
          watch = given;
        };
      }
      await bench.says(romeo, chat('juliet@a.example'));
      expect(watch?.mayLeave(new PendingWork())).to.equal(!ends);
      expect(undelivered).to.equal(ends ? 1 : 0);
    });
  }
});

describe('The preparation of messages', () => {
  const prepare: Extension['prepare'] = (message) =>
    message.id === 'end' ? undefined : withChild(message, 'prepared');

  it('changes a message from a client or another server before filters see it', async () => {
    const filtered: string[][] = [];
    const { bench, romeo, juliet } = await stage([
      { prepare, filter: { outbound: (stanza) => void filtered.push(children(stanza)) } },
    ]);
    filtered.splice(0);
    await bench.says(romeo, chat('juliet@a.example'));
    const remote = readStanza(chat('juliet@a.example').replace('<message', "<message from='eve@c.example/x'"));
    await bench.routing.router.fromPeer(remote, new PendingWork());
    expect(juliet?.sent.map(children)).to.deep.equal([
      ['body', 'prepared'],
      ['body', 'prepared'],
    ]);
    expect(filtered).to.deep.equal([['body', 'prepared']]);
  });

  it('can drop a message, and does not see messages of the server', async () => {
    const { bench, romeo, juliet } = await stage([{ prepare }]);
    await bench.says(romeo, chat('juliet@a.example').replace('<message', "<message id='end'"));
    await bench.routing.route(readStanza(chat('juliet@a.example').replace('<message', "<message from='a.example'")));
    expect(juliet?.sent.map(children)).to.deep.equal([['body']]);
  });
});

describe('A reply of the server', () => {
  it('goes past filters to the session that is addressed, and to no other', async () => {
    const { bench, romeo } = await stage([{ filter: { inbound: () => 'refuse' } }]);
    const other = await bench.online('romeo@a.example/study');
    const reply = (to: string) => readStanza(`<message from='a.example' to='${to}' type='error'><error/></message>`);
    romeo.taken();
    await bench.routing.route(reply('romeo@a.example/orchard'), { reply: true });
    await bench.routing.route(reply('romeo@a.example/gone'), { reply: true });
    expect([romeo.sent.length, other.sent.length]).to.deep.equal([1, 0]);
  });
});

describe('A message that no session takes and the store refuses', () => {
  const noStore = "<no-store xmlns='urn:xmpp:hints'/>";

  async function told(session: StubSession, bench: RoutingBench, message: string): Promise<number> {
    session.taken();
    await bench.says(session, message);
    await bench.settled();
    return session.taken().length;
  }

  for (const [why, more, options] of [
    ['it must not be stored', noStore, {}],
    ['the store is full', '', { hasRoom: () => false }],
    ['the store turns out to be full', '', { keep: () => Promise.reject(StanzaError.serviceUnavailable()) }],
  ] as const) {
    it(`is refused to contacts and ends in silence for strangers, because ${why} (RFC 6120 §13.10.2)`, async () => {
      const bench = new RoutingBench(options);
      const romeo = await bench.online('romeo@a.example/orchard');
      const eve = await bench.online('eve@a.example/den');
      await bench.account('juliet@a.example', item('romeo@a.example', { subscription: 'from' }));
      expect(await told(romeo, bench, chat('juliet@a.example', more)), 'a contact').to.equal(1);
      expect(await told(eve, bench, chat('juliet@a.example', more)), 'a stranger').to.equal(0);
      expect(await told(eve, bench, chat('juliet@a.example/gone', more)), 'a stranger, full JID').to.equal(0);
    });
  }
});
