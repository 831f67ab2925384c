import { expect } from 'chai';
import { Jid } from '../../src/protocol/jid.ts';
import { Stanza } from '../../src/protocol/stanza.ts';
import { StreamError } from '../../src/protocol/stream-error.ts';
import { Account } from '../../src/routing/account.ts';
import type { OutgoingGate } from '../../src/routing/session.ts';
import { ClientSession, type SessionStream } from '../../src/streams/client-session.ts';

const account = new Account(Jid.parse('juliet@a.example'), { roster: [], rosterVersion: 0, blocked: [] });

/** A stream that writes down what it is told. */
class NotedStream implements SessionStream {
  readonly remoteAddress = '192.0.2.1';
  readonly secure = true;
  readonly sent: string[] = [];
  whileSending: (id: string) => void = () => {};

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
class TestGate implements OutgoingGate {
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

describe('A session', () => {
  let stream: NotedStream;
  let session: ClientSession;

  beforeEach(() => {
    stream = new NotedStream();
    session = new ClientSession(account.jid.withResource('balcony'), account, stream, 1000);
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

  it('lets stored messages go before what comes meanwhile', () => {
    session.release();
    session.hold();
    send('new 1');
    session.sendHeld(stanza('old 1'));
    session.hold();
    send('new 2');
    session.sendHeld(stanza('old 2'));
    session.release();
    expect(stream.sent).to.deep.equal(['old 1', 'old 2', 'new 1', 'new 2']);
    session.release();
    expect(stream.sent).to.have.length(4);
  });

  it('keeps the order also for what is caused by letting go', () => {
    stream.whileSending = (id) => {
      if (id === '1') send('caused by 1');
    };
    send('1', '2', '3');
    session.release();
    expect(stream.sent).to.deep.equal(['1', '2', '3', 'caused by 1']);
  });

  it('sends by its gate, held or not (XEP-0352 §3)', () => {
    session.gate = new TestGate();
    send('1?', '2', '3?');
    session.release();
    expect(stream.sent).to.deep.equal(['1?', '2']);
    send('4');
    expect(stream.sent).to.deep.equal(['1?', '2', '3?', '4']);
  });

  it('gives back at its end what was never sent, in order', () => {
    session.release();
    session.gate = new TestGate();
    send('sent', 'kept?');
    session.hold();
    send('held 1', 'held 2');
    expect(session.ended).to.equal(false);
    expect(session.end().map(({ id }) => id)).to.deep.equal(['kept?', 'held 1', 'held 2']);
    expect(session.ended).to.equal(true);
    expect(session.stream).to.equal(undefined);
    expect(session.end()).to.deep.equal([]);
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

  it('is closed when too much waits for it', () => {
    for (let count = 0; count <= 10_000; count++) session.send(stanza('x'));
    expect(stream.sent).to.deep.equal(['close resource-constraint']);
  });
});
