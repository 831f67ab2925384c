import { expect } from 'chai';
import { DialFailure } from '../../src/federation/dial-failure.ts';
import { DomainLink } from '../../src/federation/domain-link.ts';
import type { OutgoingStanza } from '../../src/federation/peer-management.ts';
import type { Established } from '../../src/federation/server-stream-out.ts';
import { Jid } from '../../src/protocol/jid.ts';
import { Stanza } from '../../src/protocol/stanza.ts';
import { StanzaError } from '../../src/protocol/stanza-error.ts';
import type { Handoff, NextHop } from '../../src/routing/outbound.ts';
import { xml } from '../../src/xml/element.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { RecordingLog } from '../support/recording-log.ts';

/** A stream that takes what the link gives it. */
class TakingStream {
  readonly taken: OutgoingStanza[] = [];
  readonly connection = { ended: false, congested: false, flushed: () => Promise.resolve() };
  readonly wire = { connection: this.connection };
  full = false;
  readonly #over = Promise.withResolvers<void>();
  #room = Promise.withResolvers<void>();
  readonly management = {
    isFull: () => this.full,
    get full() {
      return this.isFull();
    },
    room: () => this.#room.promise,
    transmit: (entry: OutgoingStanza) => void this.taken.push(entry),
    settled: () => Promise.resolve(),
  };

  get ended(): Promise<void> {
    return this.#over.promise;
  }

  get ids(): (string | undefined)[] {
    return this.taken.map(({ stanza }) => stanza.id);
  }

  ends(): void {
    this.connection.ended = true;
    for (const entry of this.taken) entry.takeBack(entry);
    this.#over.resolve();
  }

  makesRoom(): void {
    this.full = false;
    this.#room.resolve();
    this.#room = Promise.withResolvers();
  }
}

const pair = { local: 'a.example', remote: 'b.example' };
const hop: NextHop = { domain: 'b.example', offers: () => false, features: () => Promise.resolve(new Set()) };
const turn = () => new Promise(setImmediate);

describe('A stanza from one domain to another', () => {
  let clock: ManualClock;
  let link: DomainLink;
  let streams: TakingStream[];
  /** What the attempts to reach the other server end with; a stream unless it is said. */
  let failures: DialFailure[];
  let bidirectional: TakingStream | undefined;
  let copies: Map<string | undefined, 'kept' | 'released'>;
  let failed: [id: string | undefined, condition: string][];

  beforeEach(() => {
    clock = new ManualClock();
    streams = [];
    failures = [];
    bidirectional = undefined;
    copies = new Map();
    failed = [];
    // A stream is used by its wire, its management and its end alone.
    const established = (stream: TakingStream) =>
      ({ stream, proof: 'dialback', features: [] }) as unknown as Established;
    link = new DomainLink(pair, {
      dialler: {
        dial: async () => {
          await turn();
          const failure = failures.shift();
          if (failure) throw failure;
          const stream = new TakingStream();
          streams.push(stream);
          return established(stream);
        },
      },
      place: () => () => undefined,
      bidirectional: () => bidirectional && established(bidirectional),
      hop: () => hop,
      copies: {
        add: ({ id }) => {
          copies.set(id, 'kept');
          return { id: Promise.resolve(1), durable: Promise.resolve(), release: () => void copies.set(id, 'released') };
        },
      },
      options: () => ({
        establishMs: 10_000,
        waiting: { stanzas: 5, bytes: 5000, maxWaitMs: 20_000 },
        backOff: { firstMs: 1000, longestMs: 3000 },
      }),
      clock,
      log: new RecordingLog(),
    });
  });

  function sends(id: string, handoff: Partial<Handoff> = {}, body = ''): void {
    const from = Jid.parse('romeo@a.example');
    const stanza = Stanza.message({ from, to: Jid.parse('juliet@b.example'), id }, xml('body', {}, body));
    link.send(stanza, { failed: (error) => void failed.push([id, error.condition]), ...handoff });
  }

  const refusal = (run: () => void) => {
    try {
      run();
    } catch (error) {
      return error instanceof StanzaError ? error.condition : error;
    }
    return undefined;
  };

  it('waits for the stream, and is sent in order (RFC 6120 §10.1)', async () => {
    const left: string[] = [];
    for (const id of ['1', '2']) sends(id, { left: () => void left.push(id) });
    expect(left).to.deep.equal([]);
    await turn();
    await turn();
    sends('3');
    expect(streams).to.have.lengthOf(1);
    expect(streams[0]?.ids).to.deep.equal(['1', '2', '3']);
    expect(left).to.deep.equal(['1', '2']);
  });

  it('calls leaving right before it is sent, and waits for the result, as do the stanzas behind it', async () => {
    const asked = Promise.withResolvers<undefined>();
    sends('1');
    sends('2', { leaving: () => asked.promise });
    sends('3');
    await turn();
    await turn();
    expect(streams[0]?.ids).to.deep.equal(['1']);
    asked.resolve(undefined);
    await turn();
    expect(streams[0]?.ids).to.deep.equal(['1', '3']);
    expect(failed).to.deep.equal([]);
  });

  it('may be changed, or refused, at the last moment', async () => {
    sends('1', { leaving: () => Stanza.message({ id: 'changed' }) });
    sends('2', {
      leaving: () => {
        throw StanzaError.notAcceptable();
      },
    });
    sends('3', { leaving: () => Promise.reject(StanzaError.forbidden()) });
    sends('4');
    await turn();
    await turn();
    await turn();
    expect(streams[0]?.ids).to.deep.equal(['changed', '4']);
    expect(failed).to.deep.equal([
      ['2', 'not-acceptable'],
      ['3', 'forbidden'],
    ]);
  });

  it('calls leaving again if the stream was lost before the result, but not after it was written', async () => {
    let questions = 0;
    const answers = [Promise.withResolvers<Stanza>(), Promise.withResolvers<Stanza>()];
    sends('0');
    sends('1', { leaving: () => answers[questions++]?.promise });
    await turn();
    await turn();
    streams[0]?.ends();
    answers[0]?.resolve(Stanza.message({ id: '1' }));
    for (let n = 0; n < 5; n++) await turn();
    expect(questions).to.equal(2);
    answers[1]?.resolve(Stanza.message({ id: '1' }));
    await turn();
    expect(streams[1]?.ids).to.deep.equal(['0', '1']);
    streams[1]?.ends();
    for (let n = 0; n < 5; n++) await turn();
    expect(streams[2]?.ids).to.deep.equal(['0', '1']);
    expect(questions).to.equal(2);
  });

  it('has a copy if it must be acknowledged, until it is confirmed or has failed durably', async () => {
    const owed = { ackScope: { needsAck: true, ackAfter: () => undefined } };
    const failing = Promise.withResolvers<void>();
    sends('1', owed);
    sends('2', { ...owed, leaving: () => undefined });
    sends('3', { ...owed, leaving: () => Promise.reject(StanzaError.forbidden()), failed: () => failing.promise });
    sends('4');
    await turn();
    await turn();
    await turn();
    expect([...copies]).to.deep.equal([
      ['1', 'kept'],
      ['2', 'released'],
      ['3', 'kept'],
    ]);
    failing.resolve();
    await turn();
    expect(copies.get('3')).to.equal('released');
  });

  it('fails if no server can be reached, and then at once for a while, longer each time', async () => {
    const unreachable = DialFailure.notFound('nobody');
    failures = [unreachable, unreachable];
    sends('1');
    sends('2');
    await turn();
    await turn();
    expect(failed).to.deep.equal([
      ['1', 'remote-server-not-found'],
      ['2', 'remote-server-not-found'],
    ]);
    expect(refusal(() => sends('3'))).to.equal('remote-server-not-found');
    clock.advance(1000);
    sends('4');
    await turn();
    await turn();
    clock.advance(1999);
    expect(refusal(() => sends('5'))).to.equal('remote-server-not-found');
    clock.advance(1);
    sends('6');
    await turn();
    await turn();
    expect(streams[0]?.ids).to.deep.equal(['6']);
  });

  it('fails if the server ends every stream before it has carried a stanza', async () => {
    sends('1', { leaving: () => new Promise(() => undefined) });
    await turn();
    await turn();
    streams[0]?.ends();
    await turn();
    expect(failed).to.deep.equal([['1', 'remote-server-timeout']]);
  });

  it('waits only within the limits on number, bytes and time', async () => {
    for (const id of ['1', '2', '3', '4', '5']) sends(id);
    expect(refusal(() => sends('6'))).to.equal('resource-constraint');
    // Everybody who comes tells all contacts: that is bounded by rosters.
    link.send(Stanza.presence({ id: 'presence' }), { failed: () => void failed.push(['presence', '']) });
    clock.advance(20_001);
    link.tick(clock.monotonicMs());
    expect(failed.map(([id]) => id)).to.deep.equal(['1', '2', '3', '4', '5', 'presence']);
    expect(refusal(() => sends('7', {}, 'x'.repeat(5000)))).to.equal('resource-constraint');
  });

  it('waits while the other server acknowledges nothing, but not forever', async () => {
    sends('1');
    await turn();
    await turn();
    const [stream] = streams;
    if (!stream) expect.fail('there is no stream');
    stream.full = true;
    sends('2');
    sends('3');
    expect(stream.ids).to.deep.equal(['1']);
    stream.makesRoom();
    await turn();
    expect(stream.ids).to.deep.equal(['1', '2', '3']);
    stream.full = true;
    sends('4');
    clock.advance(20_001);
    link.tick(clock.monotonicMs());
    expect(failed).to.deep.equal([['4', 'remote-server-timeout']]);
  });

  it('uses a bidirectional stream of the other server if there is one (XEP-0288 §2.2)', async () => {
    bidirectional = new TakingStream();
    sends('1');
    expect(bidirectional.ids).to.deep.equal(['1']);
    expect(streams).to.deep.equal([]);
  });
});
