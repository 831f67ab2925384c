import { expect } from 'chai';
import { ClientSession } from '../../src/c2s/client-session.ts';
import type { SessionStream } from '../../src/c2s/session-stream.ts';
import { Jid } from '../../src/protocol/jid.ts';
import { Stanza } from '../../src/protocol/stanza.ts';
import { StreamError } from '../../src/protocol/stream-error.ts';
import { Account } from '../../src/routing/account.ts';
import { OutgoingRequests } from '../../src/routing/outgoing-requests.ts';
import type { OutgoingFilter } from '../../src/routing/session.ts';
import { KeptCopies } from '../../src/streams/acknowledgment/kept-copies.ts';
import { UnacknowledgedQueue } from '../../src/streams/acknowledgment/unacknowledged-queue.ts';
import { type Element, xml } from '../../src/xml/element.ts';
import { turn } from '../streams/socket-pair.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { MemoryResumption } from './memory-resumption.ts';
import { management } from './stream-bench.ts';

const account = new Account(Jid.parse('juliet@a.example'), { roster: [], rosterVersion: 0, blocked: [] });

/** A stream that writes down what it is told. */
class NotedStream implements SessionStream {
  readonly remoteAddress = '192.0.2.1';
  readonly secure = true;
  broken = false;
  congested = false;
  readonly sent: string[] = [];
  whileSending: (id: string) => void = () => {};

  send(element: Element): void {
    this.sent.push(element.getName());
  }

  requestAcknowledgment(): void {
    this.sent.push('ask');
  }

  sendStanza({ id = '' }: Stanza): void {
    this.sent.push(id);
    this.whileSending(id);
  }

  async flushed(): Promise<void> {
    this.sent.push('flush');
  }

  close(error: StreamError): void {
    this.sent.push(`close ${error.condition}`);
  }
}

/** A gate that keeps stanzas whose id ends with `?` until another comes. */
class TestGate implements OutgoingFilter {
  readonly #kept: Stanza[] = [];

  admit(stanza: Stanza): readonly Stanza[] {
    if (!stanza.id?.endsWith('?')) return [...this.release(), stanza];
    this.#kept.push(stanza);
    return [];
  }

  release(): readonly Stanza[] {
    return this.#kept.splice(0);
  }
}

const stanza = (id: string) => Stanza.message({ id });
const ids = (undelivered: readonly { stanza: Stanza }[]) => undelivered.map((one) => one.stanza.id);

describe('A session', () => {
  let stream: NotedStream;
  let session: ClientSession;
  let clock: ManualClock;
  let store: MemoryResumption;
  let endedByDesk: ClientSession[];
  let waiting: string[];
  let log: RecordingLog;

  beforeEach(() => {
    stream = new NotedStream();
    clock = new ManualClock();
    store = new MemoryResumption();
    endedByDesk = [];
    waiting = [];
    log = new RecordingLog();
    session = new ClientSession(account.jid.withResource('balcony'), account, stream, 1000, {
      limits: management.limits,
      copies: new KeptCopies({ store, clock, log }),
      store,
      requests: new OutgoingRequests(clock),
      clock,
      log,
      waiting: (_, one) => void waiting.push(one.id ?? ''),
      end: (one) => void endedByDesk.push(one),
    });
  });

  const send = (...ids: string[]) => {
    for (const id of ids) session.send(stanza(id));
  };

  it('sends nothing before the client knows that it is bound (RFC 6120 §7.6)', () => {
    send('1', '2');
    expect(stream.sent).to.deep.equal([]);
    session.release();
    send('3');
    expect(stream.sent).to.deep.equal(['1', '2', '3']);
  });

  for (const away of [false, true]) {
    const when = away ? ', who is away' : '';
    it(`ends when a stanza of its client${when} has failed without an answer: it will be repeated (XEP-0198 §4)`, async () => {
      const { incoming } = session.manage({ key: 'k', maxSeconds: 60 });
      session.release();
      incoming.count(() => undefined);
      const work = Promise.withResolvers<void>();
      incoming.count(() => session.ackAfter(work.promise));
      if (away) session.detach();
      work.reject(new Error('a fault'));
      await turn();
      expect(incoming.handled).to.equal(1);
      if (away) expect(endedByDesk).to.deep.equal([session]);
      else expect(stream.sent).to.deep.equal(['close internal-server-error']);
      expect(log.alarms).to.have.length(1);
    });
  }

  it('sends stored messages before new stanzas, until every hold is released', () => {
    session.release();
    session.hold();
    send('new 1');
    session.sendHeld(stanza('old 1'));
    session.hold();
    send('new 2');
    session.sendHeld(stanza('old 2'));
    session.release();
    expect(stream.sent).to.deep.equal(['old 1', 'old 2']);
    session.release();
    expect(stream.sent).to.deep.equal(['old 1', 'old 2', 'new 1', 'new 2']);
  });

  it('keeps the order also for stanzas caused by the release', () => {
    stream.whileSending = (id) => {
      if (id === '1') send('caused by 1');
    };
    send('1', '2', '3');
    session.release();
    expect(stream.sent).to.deep.equal(['1', '2', '3', 'caused by 1']);
  });

  it('sends through its filter, held or not (XEP-0352 §3)', () => {
    session.filter = new TestGate();
    send('1?', '2', '3?');
    session.release();
    expect(stream.sent).to.deep.equal(['1?', '2']);
    send('4');
    expect(stream.sent).to.deep.equal(['1?', '2', '3?', '4']);
  });

  it('returns at its end the stanzas that were never sent, in order', () => {
    session.release();
    session.filter = new TestGate();
    send('sent', 'kept?');
    session.hold();
    send('held 1', 'held 2');
    expect(session.ended).to.equal(false);
    const undelivered = session.end();
    expect(ids(undelivered)).to.deep.equal(['kept?', 'held 1', 'held 2']);
    expect(undelivered.map(({ atMs }) => atMs)).to.deep.equal([undefined, undefined, undefined]);
    expect(session.ended).to.equal(true);
    expect(session.stream).to.equal(undefined);
    expect(session.end()).to.deep.equal([]);
  });

  it('counts among those of its account that have an interest, until it ends', () => {
    session.interests.add('urn:x');
    expect(account.sessionsInterestedIn('urn:x')).to.equal(1);
    session.end();
    expect(account.sessionsInterestedIn('urn:x')).to.equal(0);
  });

  it('can be used after its end without effect', async () => {
    session.end();
    send('late');
    session.sendHeld(stanza('late'));
    session.release();
    session.close(StreamError.reset());
    await session.flushed();
    expect(stream.sent).to.deep.equal([]);
  });

  it('closes and flushes its stream', async () => {
    await session.flushed();
    session.close(StreamError.reset());
    expect(stream.sent).to.deep.equal(['flush', 'close reset']);
  });

  it('is closed when too many stanzas wait for it', () => {
    for (let count = 0; count <= 10_000; count++) session.send(stanza('x'));
    expect(stream.sent).to.deep.equal(['close resource-constraint']);
  });

  it('is closed when the waiting stanzas are too large', () => {
    const large = Stanza.message({}, xml('body', {}, 'x'.repeat(1_000_000)));
    for (let round = 0; round < 3; round++) {
      for (let count = 0; count < 8; count++) session.send(large);
      session.release();
      session.hold();
    }
    expect(stream.sent.filter((sent) => sent.startsWith('close'))).to.deep.equal([]);
    for (let count = 0; count < 9; count++) session.send(large);
    expect(stream.sent.at(-1)).to.equal('close resource-constraint');
  });

  it('ends at once, when it is closed, if it has no stream', () => {
    session.detach();
    session.close(StreamError.reset());
    expect(endedByDesk).to.deep.equal([session]);
    expect(stream.sent).to.deep.equal([]);
  });

  it('is flushed when its stream is, also one that is yet to come, or when it ends', async () => {
    session.manage({ key: 'k', maxSeconds: 60 });
    session.detach();
    const flushed: string[] = [];
    const first = session.flushed().then(() => flushed.push('resumed'));
    await turn();
    expect(flushed).to.deep.equal([]);
    session.attach(stream);
    await first;
    expect(stream.sent).to.deep.equal(['flush']);
    session.detach();
    const second = session.flushed().then(() => flushed.push('ended'));
    session.end();
    await second;
    expect(flushed).to.deep.equal(['resumed', 'ended']);
    expect(stream.sent).to.deep.equal(['flush']);
  });

  describe('tells the watch of a stanza', () => {
    let heard: string[];

    beforeEach(() => {
      heard = [];
    });

    const watch = (id: string, how: 'send' | 'sendDurably' = 'send', mayLeave = true) =>
      session[how](stanza(id), {
        settled: (delivered) => void heard.push(`${id} ${delivered}`),
        mayLeave: () => mayLeave,
      });

    it('that it has left, once, when it has', () => {
      watch('1');
      expect(heard).to.deep.equal([]);
      session.release();
      expect(heard).to.deep.equal(['1 true']);
      watch('2');
      expect(heard).to.deep.equal(['1 true', '2 true']);
      session.end();
      expect(heard).to.have.length(2);
    });

    it('at once, because the stanza bypasses the filter and releases its stanzas (XEP-0352 §3)', () => {
      session.release();
      session.filter = new TestGate();
      send('1?');
      watch('2?');
      expect(stream.sent).to.deep.equal(['1?', '2?']);
      expect(heard).to.deep.equal(['2? true']);
      send('3?');
      expect(stream.sent, 'others wait again').to.have.length(2);
    });

    it('also when it was held before it reached the filter', () => {
      session.filter = new TestGate();
      send('1?');
      watch('2?');
      session.release();
      expect(stream.sent).to.deep.equal(['1?', '2?']);
      expect(heard).to.deep.equal(['2? true']);
    });

    it('that it is lost, if the stream is broken and nothing keeps it', () => {
      session.release();
      stream.broken = true;
      watch('1');
      expect(heard).to.deep.equal(['1 false']);
      expect(session.end()).to.deep.equal([]);
    });

    for (const how of ['send', 'sendDurably'] as const) {
      it(`that it cannot go, at once, if the session has ended (${how})`, async () => {
        session.end();
        await watch('1', how);
        expect(heard).to.deep.equal(['1 false']);
        expect(store.kept, 'it goes no second way after a restart').to.deep.equal([]);
      });
    }

    it('nothing while the client is away, and that it has left when the client is back (XEP-0198 §5)', () => {
      session.manage({ key: 'k', maxSeconds: 60 });
      session.release();
      session.detach();
      watch('1');
      session.hold();
      watch('held');
      expect(heard).to.deep.equal([]);
      session.attach(stream);
      expect(stream.sent).to.deep.equal(['1', 'ask']);
      expect(heard).to.deep.equal(['1 true']);
      session.release();
      expect(heard).to.deep.equal(['1 true', 'held true']);
    });

    it('nothing of a stanza that ended while the client was away, and is not sent', () => {
      session.manage({ key: 'k', maxSeconds: 60 });
      session.release();
      session.detach();
      watch('1', 'send', false);
      watch('2');
      session.attach(stream);
      expect(stream.sent).to.deep.equal(['2', 'ask']);
      expect(heard).to.deep.equal(['2 true']);
      expect(session.end().map(({ stanza: { id } }) => id)).to.deep.equal(['2']);
    });

    it('nothing of a stanza that ended while it was held, and is not sent', () => {
      watch('1', 'send', false);
      watch('2');
      session.release();
      expect(stream.sent).to.deep.equal(['2']);
      expect(heard).to.deep.equal(['2 true']);
    });

    for (const kind of ['no', 'plain', 'resumable'] as const) {
      it(`and has no copy of an unsent stanza (${kind} stream management)`, async () => {
        if (kind !== 'no') session.manage(kind === 'plain' ? undefined : { key: 'k', maxSeconds: 60 });
        const one = stanza('1');
        await session.sendDurably(one, { settled: () => {}, mayLeave: () => false });
        expect(store.kept).to.deep.equal(['<message id="1"/>']);
        session.release();
        expect(session.management?.delivery.unsent(one)).to.equal(undefined);
        await turn();
        clock.advance(200);
        await turn();
        expect(store.kept).to.deep.equal([]);
        expect(session.end()).to.deep.equal([]);
      });
    }

    it('nothing of a stanza held when the client left: the watch is asked when the client is back', async () => {
      session.manage({ key: 'k', maxSeconds: 60 });
      const mayLeave = () => heard.push('asked') < 0;
      const one = stanza('1');
      await session.sendDurably(one, { settled: () => void heard.push('settled'), mayLeave });
      session.detach();
      session.release();
      expect(heard).to.deep.equal([]);
      session.attach(stream);
      expect(stream.sent).to.deep.equal([]);
      expect(heard).to.deep.equal(['asked']);
      expect(session.management?.delivery.unsent(one)).to.equal(undefined);
    });

    it('nothing while streams break one after the other', () => {
      session.manage({ key: 'k', maxSeconds: 60 });
      session.release();
      stream.broken = true;
      watch('1');
      session.detach();
      session.attach(stream);
      expect(heard).to.deep.equal([]);
      session.detach();
      stream.broken = false;
      session.attach(stream);
      expect(heard).to.deep.equal(['1 true']);
    });

    const endings: readonly [title: string, prepare: () => void, how: 'send' | 'sendDurably'][] = [
      ['was held', () => session.hold(), 'send'],
      ['was held with a copy', () => session.hold(), 'sendDurably'],
      [
        'was kept for a client that did not come back',
        () => {
          session.manage({ key: 'k', maxSeconds: 60 });
          session.release();
          session.detach();
        },
        'send',
      ],
      [
        'was held for a client that did not come back',
        () => {
          session.manage({ key: 'k', maxSeconds: 60 });
          session.hold();
          session.detach();
        },
        'sendDurably',
      ],
      [
        'was sent on a broken stream with stream management',
        () => {
          session.manage();
          session.release();
          stream.broken = true;
        },
        'send',
      ],
      [
        'was sent on a broken stream with a copy',
        () => {
          session.release();
          stream.broken = true;
        },
        'sendDurably',
      ],
    ];
    for (const [title, prepare, how] of endings) {
      it(`nothing if it ${title} when the session ends: it is redelivered, once`, async () => {
        prepare();
        await watch('1', how);
        expect(ids(session.end())).to.deep.equal(['1']);
        expect(session.end()).to.deep.equal([]);
        expect(heard).to.deep.equal([]);
      });
    }
  });

  describe('that is sent something durably', () => {
    it('keeps a copy until a ping behind it is answered, or the session ends', async () => {
      session.release();
      await session.sendDurably(stanza('1'));
      expect(store.kept).to.deep.equal(['<message id="1"/>']);
      clock.advance(4999);
      expect(stream.sent).to.deep.equal(['1']);
      clock.advance(1);
      expect(stream.sent, 'the ping').to.have.length(2);
      const [one] = session.end();
      expect([one?.stanza.id, one?.atMs]).to.deep.equal(['1', clock.nowMs() - 5000]);
      one?.copy?.release();
      clock.advance(200);
      await turn();
      expect(store.kept).to.deep.equal([]);
    });

    it('stores the number of a delayed stanza, if the session can be resumed', async () => {
      session.manage({ key: 'k', maxSeconds: 60 });
      const sequences = () => store.rows.map(({ sequence }) => sequence);
      await session.sendDurably(stanza('1'));
      await session.sendDurably(stanza('2'));
      expect(sequences(), 'before they are sent').to.deep.equal([undefined, undefined]);
      session.release();
      await session.sendDurably(stanza('3'));
      await turn();
      expect(sequences()).to.deep.equal([1, 2, 3]);
      expect(store.numbered, 'the third had its number at once').to.deep.equal([1, 2]);
    });

    it('returns it once, without a copy, if stream management starts while it is held', async () => {
      await session.sendDurably(stanza('1'));
      session.manage({ key: 'k', maxSeconds: 60 });
      session.release();
      session.detach();
      await turn();
      const undelivered = session.end();
      expect(ids(undelivered)).to.deep.equal(['1']);
      for (const { copy } of undelivered) copy?.release();
      clock.advance(200);
      await turn();
      expect(store.kept).to.deep.equal([]);
    });
  });

  describe('with stream management (XEP-0198)', () => {
    it('returns unacknowledged stanzas, then unsent ones, with the times of sending', () => {
      session.manage();
      session.release();
      send('1', '2', '3');
      session.management?.delivery.acknowledged(1);
      session.hold();
      send('held');
      const undelivered = session.end();
      expect(ids(undelivered)).to.deep.equal(['2', '3', 'held']);
      expect(undelivered.map(({ atMs }) => atMs)).to.deep.equal([clock.nowMs(), clock.nowMs(), undefined]);
    });

    it('sends unacknowledged stanzas again after a resumption, and then the rest (XEP-0198 §5)', () => {
      session.manage({ key: 'k', maxSeconds: 60 });
      session.release();
      session.filter = new TestGate();
      send('1', '2', 'gated?');
      session.detach();
      send('while away');
      session.resumedAt(1);
      const next = new NotedStream();
      session.attach(next);
      send('after');
      expect(next.sent).to.deep.equal(['2', 'gated?', 'while away', 'ask', 'after']);
      expect(stream.sent).to.deep.equal(['1', '2']);
      expect(session.filter, 'the client is awake').to.equal(undefined);
    });

    it('keeps the copies of held stanzas when the client resumes after a restart of the server (XEP-0198 §5)', async () => {
      await store.open({ key: 'k', owner: account.key, resource: 'balcony', maxSeconds: 60, state: '{}' });
      session.manage({ key: 'k', maxSeconds: 60 }, { handled: 0, queue: UnacknowledgedQueue.restored([]) });
      session.hold();
      await session.sendDurably(stanza('held'));
      session.resumedAt(7);
      await turn();
      expect(store.kept).to.deep.equal(['<message id="held"/>']);
    });

    it('is closed, but not in the middle of sending, when too much is unacknowledged', async () => {
      session.manage();
      session.release();
      for (let count = 0; count <= management.limits.maxStanzas; count++) send('x');
      expect(stream.sent.filter((one) => one.startsWith('close'))).to.deep.equal([]);
      await turn();
      expect(stream.sent.filter((one) => one.startsWith('close'))).to.deep.equal(['close policy-violation']);
    });

    it('says what its client may not have when the connection is lost, and what waits for the client then', () => {
      session.manage();
      session.release();
      expect(session.detached).to.equal(false);
      send('1');
      session.hold();
      send('2');
      expect(session.detach().map(({ id }) => id)).to.deep.equal(['1', '2']);
      expect([session.detached, waiting]).to.deep.equal([true, []]);
      send('3');
      session.release();
      send('4');
      expect(waiting).to.deep.equal(['3', '4']);
      session.attach(stream);
      send('5');
      expect([session.detached, waiting]).to.deep.equal([false, ['3', '4']]);
      session.detach();
      session.end();
      send('6');
      expect([session.detached, waiting], 'as at its end').to.deep.equal([true, ['3', '4']]);
    });

    it('returns no stanzas that are stored elsewhere', () => {
      session.manage();
      session.hold();
      session.sendStored(stanza('stored'));
      expect(stream.sent).to.deep.equal(['stored']);
      expect(session.end()).to.deep.equal([]);
    });

    it('does not leave a stored message in its filter, where no acknowledgment would cover it (XEP-0352 §3)', () => {
      session.manage();
      session.filter = new TestGate();
      session.sendHeld(stanza('later'));
      session.sendStored(stanza('stored later'));
      expect(stream.sent).to.deep.equal(['later', 'stored later']);
    });

    it('proves receipt: by an acknowledgment, or not at all if it ends first', async () => {
      expect(session.received()).to.equal(undefined);
      session.manage();
      session.release();
      expect(await session.received(), 'nothing was sent').to.equal(true);
      send('1');
      const first = session.received();
      expect(stream.sent).to.deep.equal(['1', 'ask']);
      session.management?.delivery.acknowledged(1);
      expect(await first).to.equal(true);
      send('2');
      const second = session.received();
      session.end();
      expect(await second).to.equal(false);
      expect(await session.received()).to.equal(false);
    });
  });
});
