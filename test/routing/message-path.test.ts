import { expect } from 'chai';
import { Jid } from '../../src/protocol/jid.ts';
import type { Stanza } from '../../src/protocol/stanza.ts';
import { StanzaError } from '../../src/protocol/stanza-error.ts';
import { Account } from '../../src/routing/account.ts';
import { PendingWork } from '../../src/routing/ack-scope.ts';
import type { DeliveryPlan } from '../../src/routing/delivery-plan.ts';
import type { Destination } from '../../src/routing/destination.ts';
import type { Extension, Judge } from '../../src/routing/extension.ts';
import { MessagePath } from '../../src/routing/message-path.ts';
import type { MessageStore } from '../../src/routing/message-store.ts';
import type { Passage } from '../../src/routing/passage.ts';
import { StanzaFilters } from '../../src/routing/stanza-filters.ts';
import { StorageError } from '../../src/storage/storage-error.ts';
import { xml } from '../../src/xml/element.ts';
import { readStanza } from '../protocol/read-stanza.ts';
import { serviceOf } from '../support/service-of.ts';
import { StubSession } from '../support/stub-session.ts';
import { briefly, RoutingBench } from './routing-bench.ts';

const chat = (to: string) => `<message type='chat' to='${to}'><body>hi</body></message>`;

const keepsNothing: MessageStore = {
  keep: async () => {},
  hasRoom: () => true,
  isInFlight: () => false,
  beginReading: async () => undefined,
};

/** A message of romeo's that nobody has forwarded. */
function passage(message: Stanza, recipient: Jid, destination: Destination): Passage {
  const sender = Jid.parse('romeo@a.example/orchard');
  return { message, sender, recipient, destination, session: undefined, options: {} };
}

describe('The message path', () => {
  it('is screened, planned, judged, recorded and carried out, in that order (XEP-0079 §2.2)', async () => {
    const steps: string[] = [];
    const extension = (name: string): Partial<Extension> => ({
      filter: {
        outbound: () => void steps.push(`${name} outbound`),
        inbound: () => void steps.push(`${name} inbound`),
      },
      judge: ({ message }) => {
        steps.push(`${name} hears`);
        if (name === 'first') return undefined;
        const judge = (plan: DeliveryPlan) => {
          steps.push(`${name} judges ${plan.kind}`);
          return { message, plan };
        };
        return { message, judge };
      },
      record: ({ plan, sender, recipient }) => void steps.push(`${name} records ${plan.kind} ${sender} ${recipient}`),
    });
    const bench = new RoutingBench({
      extensions: [extension('first'), extension('second')],
      keep: async () => void steps.push('kept'),
    });
    const romeo = await bench.connect('romeo@a.example/orchard');
    await bench.account('juliet@a.example');
    await bench.says(romeo, chat('juliet@a.example'));
    expect(steps).to.deep.equal([
      'first outbound',
      'second outbound',
      'first hears',
      'second hears',
      'first inbound',
      'second inbound',
      'second judges stored',
      'first records stored romeo@a.example/orchard juliet@a.example',
      'second records stored romeo@a.example/orchard juliet@a.example',
      'kept',
    ]);
  });

  it('has no effect before the judges have spoken, and the one they say after', async () => {
    const stop: Judge = ({ message }) => ({
      message,
      judge: (plan) => ({ message, plan: plan.kind === 'direct' ? { kind: 'none' } : plan }),
    });
    const recorded: string[] = [];
    const bench = new RoutingBench({
      extensions: [{ judge: stop, record: ({ plan }) => void recorded.push(plan.kind) }],
    });
    const [romeo, juliet] = [
      await bench.online('romeo@a.example/orchard'),
      await bench.online('juliet@a.example/balcony'),
    ];
    await bench.says(romeo, chat('juliet@a.example'));
    expect(juliet.taken()).to.deep.equal([]);
    expect(romeo.taken()).to.deep.equal([]);
    expect(recorded).to.deep.equal(['none']);
  });

  it('is heard by the first judge that takes it up, and follows its ruling', async () => {
    const mark =
      (name: string): Judge =>
      (passage) => {
        const { payload } = passage.message;
        const message = passage.message.with({ payload: payload.with(xml(name, { xmlns: 'urn:x' })) });
        return { message, judge: (plan) => ({ message, plan }) };
      };
    const bench = new RoutingBench({
      extensions: [{ judge: () => undefined }, { judge: mark('one') }, { judge: mark('two') }],
    });
    const [romeo, juliet] = [
      await bench.online('romeo@a.example/orchard'),
      await bench.online('juliet@a.example/balcony'),
    ];
    await bench.says(romeo, chat('juliet@a.example'));
    expect(juliet.sent[0]?.payload.children.map(({ name }) => name)).to.deep.equal(['body', 'one']);
  });

  it('is not acknowledged when it is neither kept nor answered', async () => {
    const judge: Judge = ({ message }) => {
      const failed = () => {
        throw new Error('a fault of the judge');
      };
      return { message, judge: (plan) => ({ message, plan, oversight: { done: () => undefined, failed } }) };
    };
    const keep = () => Promise.reject(new Error('the disk'));
    const bench = new RoutingBench({ extensions: [{ judge }], keep });
    const romeo = await bench.connect('romeo@a.example/orchard');
    await bench.account('juliet@a.example');
    romeo.needsAck = true;
    await bench.says(romeo, chat('juliet@a.example'));
    const [outcome] = await Promise.allSettled(romeo.awaited);
    expect(outcome?.status).to.equal('rejected');
    expect(bench.log.alarms.splice(0)).to.have.length(2);
  });

  it('of a refused sender ends as if the recipient did not exist (XEP-0191 §3.3)', async () => {
    const bench = new RoutingBench({
      extensions: [{ filter: { inbound: (_, { key }) => (key.startsWith('juliet') ? 'refuse' : undefined) } }],
    });
    const romeo = await bench.online('romeo@a.example/orchard');
    const juliet = await bench.online('juliet@a.example/balcony');
    for (const type of ['chat', 'normal', 'groupchat', 'headline', 'error']) {
      for (const resource of ['', '/balcony', '/chamber']) {
        const replies: string[][] = [];
        for (const name of ['juliet', 'nobody']) {
          await bench.says(romeo, `<message id='1' type='${type}' to='${name}@a.example${resource}'><body/></message>`);
          replies.push(romeo.taken().map((text) => text.replaceAll(name, 'X')));
        }
        // The message of a room to a client of an occupant ends without a word, as it does for any sender.
        const isToOccupant = type === 'groupchat' && resource === '/balcony';
        expect(replies[0], `${type} ${resource}`).to.deep.equal(isToOccupant ? [] : replies[1]);
      }
    }
    expect(juliet.taken()).to.deep.equal([]);
    expect(bench.kept).to.deep.equal([]);
  });

  it('delivers to every session of the plan, unchanged (RFC 6121 §8.5.2.1.1)', async () => {
    const bench = new RoutingBench();
    const romeo = await bench.online('romeo@a.example/orchard');
    const [a, b, c] = [
      await bench.online('juliet@a.example/a'),
      await bench.online('juliet@a.example/b'),
      await bench.connect('juliet@a.example/c'),
    ];
    for (const session of [a, b, c]) session.taken();
    await bench.says(romeo, chat('juliet@a.example'));
    const text = '<message from="romeo@a.example/orchard" to="juliet@a.example" type="chat"><body>hi</body></message>';
    expect(a.taken()).to.deep.equal([text]);
    expect(b.taken()).to.deep.equal([text]);
    expect(c.taken()).to.deep.equal([]);
  });

  it('tells the sender when a message could not be kept', async () => {
    for (const [error, condition, alarms] of [
      [StanzaError.resourceConstraint(), 'resource-constraint', 0],
      [new StorageError('full', 'for the test'), 'resource-constraint', 0],
      [new Error('no disk'), 'internal-server-error', 1],
    ] as const) {
      const bench = new RoutingBench({ keep: () => Promise.reject(error) });
      const romeo = await bench.online('romeo@a.example/orchard');
      await bench.account('juliet@a.example');
      await bench.says(romeo, chat('juliet@a.example'));
      await bench.settled();
      expect(briefly(romeo)).to.deep.equal([`message error juliet@a.example ${condition}`]);
      expect(bench.log.alarms).to.have.length(alarms);
    }
  });

  it('keeps the copy on the disk when the store has no room', async () => {
    const bench = new RoutingBench({ keep: () => Promise.reject(new StorageError('full', 'for the test')) });
    const romeo = await bench.online('romeo@a.example/orchard');
    await bench.account('juliet@a.example');
    const again = readStanza(chat('juliet@a.example').replace('<message', `<message from='${romeo.jid}'`));
    const ackScope = new PendingWork();
    await bench.routing.route(again, { ackScope, again: { sentAtMs: 0, hasCopy: true } });
    const failure = await ackScope.settled().catch((error: unknown) => error);
    expect(failure).to.include({ code: 'full' });
    expect(romeo.taken()).to.deep.equal([]);
    expect(bench.log.alarms).to.deep.equal([]);
  });

  it('lets the sender go on while the disk is at work, but not when too much waits for it', async () => {
    let open = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const bench = new RoutingBench({ keep: () => gate });
    const romeo = await bench.online('romeo@a.example/orchard');
    await bench.account('juliet@a.example');
    let waits: unknown;
    let sent = 0;
    for (; waits === undefined && sent < 10_000; sent++) waits = bench.says(romeo, chat('juliet@a.example'));
    expect(waits).to.be.instanceOf(Promise);
    expect(sent).to.equal(4097);
    open();
    await waits;
    expect(bench.says(romeo, chat('juliet@a.example'))).to.equal(undefined);
    await bench.settled();
    expect(bench.kept).to.have.length(4098);
  });

  describe('carries out each kind of plan', () => {
    const juliet = new Account(Jid.parse('juliet@a.example'), { roster: [], rosterVersion: 0, blocked: [] });
    const service = (gateway: boolean, log: string[]) =>
      serviceOf('rooms.example', gateway, ({ to }) => void log.push(`service ${to}`));

    /** What happens to a message to juliet when the judges say `plan`. */
    async function effect(plan: (log: string[]) => DeliveryPlan): Promise<string[]> {
      const log: string[] = [];
      const decided = plan(log);
      const path = new MessagePath({
        sessionsOf: () => [],
        filters: new StanzaFilters({ outboundFilters: [], inboundFilters: [] }),
        hooks: {
          judges: [({ message }) => ({ message, judge: () => ({ message, plan: decided }) })],
          recalls: [],
          recorders: [],
          messageArchive: undefined,
          messageStore: {
            ...keepsNothing,
            keep: async ({ to }, owner) => void log.push(`kept ${to} for ${owner}`),
          },
        },
        isService: () => false,
        route: ({ to }) => void log.push(`routed ${to}`),
        isHosted: () => true,
        remotes: { send: ({ to }) => void log.push(`sent ${to} to another server`) },
        explain: () => StanzaError.internalServerError(),
        refuse: () => void log.push('refused'),
      });
      const message = readStanza(chat('juliet@a.example')).with({ from: Jid.parse('romeo@a.example/orchard') });
      const to = Jid.parse('juliet@a.example');
      try {
        await path.take(passage(message, to, { kind: 'account', account: juliet }));
      } catch (error) {
        log.push(error instanceof StanzaError ? `error ${error.condition}` : `${error}`);
      }
      if (decided.kind === 'direct') {
        for (const session of decided.sessions)
          if (session instanceof StubSession) log.push(`${session.jid} got ${session.sent.length}`);
      }
      return log;
    }

    const romeo2 = Jid.parse('romeo2@b.example');
    const effects: Record<string, readonly [plan: (log: string[]) => DeliveryPlan, effect: string[]]> = {
      direct: [
        () => ({ kind: 'direct', sessions: ['a', 'b'].map((resource) => new StubSession(juliet, resource)) }),
        ['juliet@a.example/a got 1', 'juliet@a.example/b got 1'],
      ],
      stored: [() => ({ kind: 'stored', owner: juliet.jid }), ['kept juliet@a.example for juliet@a.example']],
      forward: [() => ({ kind: 'forward', to: romeo2 }), ['routed romeo2@b.example']],
      gateway: [(log) => ({ kind: 'gateway', service: service(true, log) }), ['service juliet@a.example']],
      service: [(log) => ({ kind: 'service', service: service(false, log) }), ['service juliet@a.example']],
      remote: [() => ({ kind: 'remote', domain: 'c.example' }), ['sent juliet@a.example to another server']],
      'none with an error': [() => ({ kind: 'none', error: StanzaError.gone() }), ['error gone']],
      'none without': [() => ({ kind: 'none' }), []],
    };
    for (const [name, [plan, expected]] of Object.entries(effects)) {
      it(name, async () => {
        expect(await effect(plan)).to.deep.equal(expected);
      });
    }
  });

  it('leads to services, gateways, other servers, and not to the server itself (XEP-0079 §3.3.1)', () => {
    const path = new MessagePath({
      ...{
        sessionsOf: () => [],
        filters: new StanzaFilters({ outboundFilters: [], inboundFilters: [] }),
        hooks: { judges: [], recalls: [], recorders: [], messageStore: keepsNothing, messageArchive: undefined },
        isService: () => false,
      },
      ...{ route: () => undefined, remotes: { send: () => undefined }, isHosted: () => true, refuse: () => undefined },
      explain: () => StanzaError.internalServerError(),
    });
    const plan = (destination: Destination) =>
      path.plan(passage(readStanza(chat('x.example')), Jid.parse('x.example'), destination)).kind;
    const service = { domain: 'x.example', send: () => undefined };
    expect(plan({ kind: 'service', service: { ...service, gateway: false } })).to.equal('service');
    expect(plan({ kind: 'service', service: { ...service, gateway: true } })).to.equal('gateway');
    expect(plan({ kind: 'remote', domain: 'x.example' })).to.equal('remote');
    expect(plan({ kind: 'server' })).to.equal('none');
    expect(plan({ kind: 'account', account: undefined })).to.equal('none');
  });
});
