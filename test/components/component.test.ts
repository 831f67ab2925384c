import { expect } from 'chai';
import { Component, type ComponentLink, type ComponentOptions } from '../../src/components/component.ts';
import { Jid } from '../../src/protocol/jid.ts';
import { Stanza } from '../../src/protocol/stanza.ts';
import { StanzaError } from '../../src/protocol/stanza-error.ts';
import type { StreamError } from '../../src/protocol/stream-error.ts';
import type { Handoff } from '../../src/routing/outbound.ts';
import { xml } from '../../src/xml/element.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { RecordingLog } from '../support/recording-log.ts';

/** A connection that takes what it is given, and tells its component when it is closed. */
class Link implements ComponentLink {
  readonly remoteAddress = '192.0.2.1';
  readonly taken: (string | undefined)[] = [];
  closed: string | undefined;
  readonly #component: Component;

  constructor(component: Component) {
    this.#component = component;
  }

  sendStanza({ id, kind }: Stanza): void {
    if (kind === 'message') this.taken.push(id);
  }

  relieved(): undefined {}

  close(error: StreamError): void {
    this.closed = error.condition;
    this.#component.detach(this);
  }
}

const owed = { ackScope: { needsAck: true, ackAfter: () => undefined } };
const turn = () => new Promise(setImmediate);

describe('A component', () => {
  const usual: ComponentOptions = {
    domain: 'c.example',
    secret: 'x',
    gateway: false,
    conflict: 'replace',
    whileAway: 'queue',
    queue: { maxStanzas: 5, maxBytes: 5000, maxAgeMs: 60_000 },
  };
  let clock: ManualClock;
  let component: Component;
  let copies: Map<string | undefined, 'kept' | 'released'>;
  let failed: string[];
  let left: string[];
  /** Answers the last ping. */
  let answersPing: () => void;

  function make(options: Partial<ComponentOptions> = {}): void {
    clock = new ManualClock();
    [copies, failed, left] = [new Map(), [], []];
    component = new Component(
      { ...usual, ...options },
      {
        server: Jid.parse('a.example'),
        requests: {
          ask: () =>
            new Promise((resolve) => {
              answersPing = () => resolve(Stanza.iq({ type: 'result', id: 'p' }));
            }),
        },
        copies: {
          add: ({ id }) => {
            copies.set(id, 'kept');
            const release = () => void copies.set(id, 'released');
            return { id: Promise.resolve(1), durable: Promise.resolve(), release };
          },
        },
        limits: { ackEveryStanzas: 10, ackAfterMs: 100, maxStanzas: 100 },
        clock,
        log: new RecordingLog(),
      },
    );
  }
  beforeEach(() => make());

  const connects = (): Link => {
    const link = new Link(component);
    component.attach(link);
    return link;
  };
  const sends = (id: string, handoff: Partial<Handoff> = {}) => {
    const ends = { from: Jid.parse('romeo@a.example'), to: Jid.parse('c.example') };
    component.send(Stanza.message({ ...ends, id, type: 'chat' }, xml('body', {}, 'x')), {
      ...owed,
      left: () => void left.push(id),
      failed: ({ condition }) => void failed.push(`${id} ${condition}`),
      ...handoff,
    });
  };

  it('gets unconfirmed stanzas again, in order, before the queued ones (RFC 6120 §10.1)', async () => {
    const first = connects();
    for (const id of ['1', '2']) sends(id);
    component.detach(first);
    sends('3');
    const second = connects();
    await turn();
    sends('4');
    expect(second.taken).to.deep.equal(['1', '2', '3', '4']);
    expect([left, failed]).to.deep.equal([['1', '2', '3', '4'], []]);
    clock.advance(100);
    answersPing();
    await turn();
    expect([...copies.values()]).to.deep.equal(['released', 'released', 'released', 'released']);
  });

  it('that is replaced during delivery of the queue gets everything in order', async () => {
    const asked = [Promise.withResolvers<Stanza>(), Promise.withResolvers<Stanza>()];
    let questions = 0;
    sends('1');
    sends('2', { leaving: () => asked[questions++]?.promise });
    sends('3');
    const first = connects();
    await turn();
    expect(first.taken).to.deep.equal(['1']);
    const second = connects();
    expect(first.closed).to.equal('conflict');
    sends('4');
    asked[0]?.resolve(Stanza.message({ id: '2' }));
    await turn();
    expect(second.taken).to.deep.equal(['1']);
    asked[1]?.resolve(Stanza.message({ id: '2' }));
    await turn();
    expect([first.taken, second.taken]).to.deep.equal([['1'], ['1', '2', '3', '4']]);
    expect(left).to.deep.equal(['1', '2', '3', '4']);
  });

  it('that is replaced while a stanza is refused returns it to its sender, once', async () => {
    const asked = Promise.withResolvers<Stanza>();
    sends('1');
    sends('2', { leaving: () => asked.promise });
    connects();
    await turn();
    const second = connects();
    asked.reject(StanzaError.forbidden());
    await turn();
    expect([second.taken, failed, copies.get('2')]).to.deep.equal([['1'], ['2 forbidden'], 'released']);
  });

  it('does not get a stanza that leaving has ended', async () => {
    sends('1', { leaving: () => undefined });
    sends('2');
    const link = connects();
    await turn();
    expect([link.taken, copies.get('1'), left]).to.deep.equal([['2'], 'released', ['2']]);
  });

  it('that ends every connection is tried three times', async () => {
    sends('1');
    for (let n = 0; n < 3; n++) {
      const link = connects();
      expect(link.taken).to.deep.equal(['1']);
      component.detach(link);
      await turn();
    }
    expect([failed, left]).to.deep.equal([['1 remote-server-timeout'], ['1']]);
    expect(connects().taken).to.deep.equal([]);
  });

  it('that does not return in time fails stanzas, counted from when they were sent', async () => {
    const link = connects();
    sends('1');
    clock.advance(50_000);
    component.detach(link);
    clock.advance(10_000);
    expect(failed).to.deep.equal(['1 remote-server-timeout']);
  });

  it('without a queue returns unconfirmed stanzas to their senders, and keeps the copies until then', async () => {
    make({ whileAway: 'bounce' });
    const told = Promise.withResolvers<void>();
    const link = connects();
    sends('1', { failed: () => told.promise });
    sends('2');
    component.detach(link);
    expect([failed, copies.get('1')]).to.deep.equal([['2 service-unavailable'], 'kept']);
    told.resolve();
    await turn();
    expect(copies.get('1')).to.equal('released');
  });

  it('queues only messages while it is not connected, also of unconfirmed stanzas', async () => {
    const asked = Promise.withResolvers<Stanza>();
    sends('1', { leaving: () => asked.promise });
    const link = connects();
    const ends = { from: Jid.parse('romeo@a.example'), to: Jid.parse('c.example') };
    const failing = { failed: ({ condition }: StanzaError) => void failed.push(condition) };
    component.send(Stanza.iq({ ...ends, type: 'get', id: '2' }), failing);
    component.detach(link);
    expect([failed, component.report().waiting]).to.deep.equal([['service-unavailable'], 1]);
  });

  it('keeps its messages for the next start when the server stops', async () => {
    const link = connects();
    sends('1');
    component.end();
    component.detach(link);
    await turn();
    expect([failed, copies.get('1')]).to.deep.equal([[], 'kept']);
  });
});
