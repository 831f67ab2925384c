import { expect } from 'chai';
import type { ClientSession } from '../../src/c2s/client-session.ts';
import { ClientSessions, type SessionPolicy } from '../../src/c2s/client-sessions.ts';
import type { SessionStream } from '../../src/c2s/session-stream.ts';
import { Jid } from '../../src/protocol/jid.ts';
import { Stanza } from '../../src/protocol/stanza.ts';
import { StanzaError } from '../../src/protocol/stanza-error.ts';
import type { StreamError } from '../../src/protocol/stream-error.ts';
import { Account } from '../../src/routing/account.ts';
import type { MaybePromise } from '../../src/routing/maybe-promise.ts';
import { OutgoingRequests } from '../../src/routing/outgoing-requests.ts';
import { LocalSessions } from '../../src/routing/session-directory.ts';
import { KeptCopies } from '../../src/streams/acknowledgment/kept-copies.ts';
import { xml } from '../../src/xml/element.ts';
import { turn } from '../streams/socket-pair.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { MemoryResumption } from './memory-resumption.ts';
import { management } from './stream-bench.ts';

const juliet = Jid.parse('juliet@a.example');

/** A stream that nobody reads. */
const silentStream: SessionStream = {
  remoteAddress: '192.0.2.1',
  secure: true,
  broken: false,
  congested: false,
  send() {},
  sendStanza() {},
  requestAcknowledgment() {},
  flushed: async () => {},
  close() {},
};

/** The sessions of one account, and what becomes of them. */
class SessionsBench {
  readonly account = new Account(juliet, { roster: [], rosterVersion: 0, blocked: [] });
  readonly directory = new LocalSessions();
  readonly log: string[] = [];
  /** What was asked about that waits for a session since before a restart. */
  readonly recalled: (string | undefined)[] = [];
  readonly alarms = new RecordingLog();
  readonly clock = new ManualClock(5000);
  readonly store: MemoryResumption;
  readonly sessions: ClientSessions;
  found: MaybePromise<Account | undefined> = this.account;

  constructor(policy: Partial<SessionPolicy> = {}, store = new MemoryResumption()) {
    this.store = store;
    const { clock, alarms } = this;
    this.sessions = new ClientSessions({
      directory: this.directory,
      account: () => this.found,
      policy: { maxPerAccount: 2, conflict: 'replace', ...policy },
      ...management,
      store,
      copies: new KeptCopies({ store, clock, log: alarms }),
      requests: new OutgoingRequests(clock),
      clock,
      log: alarms,
      ended: (session) => this.log.push(`${session.jid.resource} ended, ${this.directory.size} left`),
      connectionLost: () => undefined,
      waiting: () => undefined,
      restored: () => undefined,
      returned: (session) => this.log.push(`${session.jid.resource} returned`),
      restoreWatch: ({ id }) => void this.recalled.push(id),
      route: (stanza) => void this.log.push(`route ${stanza}`),
    });
  }

  async bind(resource?: string): Promise<ClientSession> {
    let session: ClientSession | undefined;
    const stream: SessionStream = {
      ...silentStream,
      close: (error: StreamError) => {
        this.log.push(`${session?.jid.resource} closed: ${error.condition}`);
        if (session) this.sessions.end(session);
      },
    };
    session = await this.sessions.bind(juliet, resource, stream);
    return session;
  }

  async fails(resource?: string): Promise<string> {
    try {
      await this.bind(resource);
    } catch (error) {
      if (error instanceof StanzaError) return error.condition;
      throw error;
    }
    return 'bound';
  }
}

describe('Resource binding (RFC 6120 §7)', () => {
  it('gives the client the resource it asks for', async () => {
    const bench = new SessionsBench();
    const session = await bench.bind('Balcony 1');
    expect(session.jid.toString()).to.equal('juliet@a.example/Balcony 1');
    expect(session.account).to.equal(bench.account);
    expect(session.boundAtMs).to.equal(5000);
    expect(bench.directory.find(session.jid)).to.equal(session);
  });

  it('gives a random resource to a client that asks for none (RFC 6120 §7.6.1)', async () => {
    const bench = new SessionsBench();
    const [one, two] = [await bench.bind(), await bench.bind('')];
    for (const { jid } of [one, two]) expect(jid.resource).to.match(/^[\w-]{22}$/);
    expect(one.jid.equals(two.jid)).to.equal(false);
  });

  it('is at once if the account is in memory', () => {
    const bench = new SessionsBench();
    const bound = bench.sessions.bind(juliet, 'x', silentStream);
    expect(bound).to.not.be.instanceOf(Promise);
  });

  for (const resource of ['\u0000', ' \u0007', 'x'.repeat(1024), '\uD800']) {
    it(`refuses the resource ${JSON.stringify(resource.slice(0, 10))} (RFC 6120 §7.7.2.1)`, async () => {
      const bench = new SessionsBench();
      expect(await bench.fails(resource)).to.equal('bad-request');
      expect(bench.directory.size).to.equal(0);
    });
  }

  it('refuses an account that was removed', async () => {
    const bench = new SessionsBench();
    for (const found of [undefined, Promise.resolve(undefined)]) {
      bench.found = found;
      expect(await bench.fails('x')).to.equal('not-authorized');
    }
  });

  it('has a limit (RFC 6120 §7.6.2.1), which does not count a replaced session', async () => {
    const bench = new SessionsBench();
    await bench.bind('a');
    await bench.bind('b');
    expect(await bench.fails('c')).to.equal('resource-constraint');
    expect(await bench.fails('a')).to.equal('bound');
    expect(bench.directory.size).to.equal(2);
  });

  it('replaces the session that holds the resource, before the new one is there (RFC 6120 §7.7.2.2)', async () => {
    const bench = new SessionsBench();
    const old = await bench.bind('x');
    const fresh = await bench.bind('x');
    expect(bench.log).to.deep.equal(['x closed: conflict', 'x ended, 0 left']);
    expect(old.ended).to.equal(true);
    expect(bench.directory.find(fresh.jid)).to.equal(fresh);
    bench.sessions.end(old);
    expect(bench.directory.find(fresh.jid)).to.equal(fresh);
  });

  it('refuses the new session if so configured (RFC 6120 §7.7.2.2)', async () => {
    const bench = new SessionsBench({ conflict: 'refuse' });
    const old = await bench.bind('x');
    expect(await bench.fails('x')).to.equal('conflict');
    expect(bench.log).to.deep.equal([]);
    expect(bench.directory.find(old.jid)).to.equal(old);
    expect(await bench.fails('y')).to.equal('bound');
  });
});

describe('The end of a session', () => {
  let bench: SessionsBench;
  let session: ClientSession;

  beforeEach(async () => {
    bench = new SessionsBench();
    session = await bench.bind('x');
  });

  it('removes it from the directory, reports it, and then redelivers its unsent stanzas, in order', async () => {
    const from = Jid.parse('romeo@a.example/orchard');
    for (const id of ['m1', 'm2']) {
      session.send(Stanza.message({ id, from }));
      session.send(Stanza.presence({ id: `presence behind ${id}`, from }));
      session.send(Stanza.iq({ id: `result behind ${id}`, from, type: 'result' }));
      session.send(Stanza.iq({ id: `ours behind ${id}`, from: Jid.parse('a.example'), type: 'get' }));
    }
    bench.sessions.end(session);
    bench.sessions.end(session);
    await bench.sessions.settled();
    expect(bench.log).to.deep.equal([
      'x ended, 0 left',
      'route <message from="romeo@a.example/orchard" id="m1"/>',
      'route <message from="romeo@a.example/orchard" id="m2"/>',
    ]);
  });

  it('redelivers errors, too; routing drops those that no one stores (RFC 6121 §8.5.3.2.2)', async () => {
    const from = Jid.parse('a.example');
    session.send(Stanza.message({ id: 'm', from, to: session.jid, type: 'error' }));
    session.send(Stanza.message({ id: 'to a malformed address', type: 'error' }));
    bench.sessions.end(session);
    await bench.sessions.settled();
    const routed = 'route <message from="a.example" to="juliet@a.example/x" id="m" type="error"/>';
    expect(bench.log.slice(1)).to.deep.equal([routed]);
  });

  it('answers the requests it had not sent, for their senders (RFC 6121 §8.5.3.2.3)', async () => {
    const from = Jid.parse('romeo@a.example/orchard');
    session.send(Stanza.iq({ id: '1', from, to: session.jid, type: 'get' }, xml('x', { xmlns: 'urn:x' })));
    bench.sessions.end(session);
    await bench.sessions.settled();
    expect(bench.log[1]).to.match(
      /^route <iq from="juliet@a.example\/x" to="romeo@a.example\/orchard" id="1" type="error">.*<service-unavailable /,
    );
  });

  it('stamps redelivered stanzas with the time of sending, and removes their copies (XEP-0198 §4, XEP-0203)', async () => {
    session.release();
    bench.sessions.resumable.enable(session, false, undefined);
    await session.sendDurably(Stanza.message({ id: 'm' }));
    expect(bench.store.kept).to.deep.equal(['<message id="m"/>']);
    bench.clock.advance(1000);
    bench.sessions.end(session);
    await bench.sessions.settled();
    expect(bench.log.slice(1)).to.deep.equal([
      'route <message id="m"><delay xmlns="urn:xmpp:delay" from="a.example" stamp="1970-01-01T00:00:05Z"/></message>',
    ]);
    expect(bench.store.kept).to.deep.equal([]);
  });

  it('follows the loss of the connection, unless the session can be resumed (XEP-0198 §5)', async () => {
    const { stream } = session;
    if (!stream) throw new Error('there is a stream');
    bench.sessions.left(session, silentStream, 'lost');
    expect(session.ended, 'another stream says nothing').to.equal(false);
    bench.sessions.resumable.enable(session, true, 60);
    bench.sessions.left(session, stream, 'lost');
    expect([session.ended, session.stream]).to.deep.equal([false, undefined]);
    bench.clock.advance(59_999);
    expect(session.ended).to.equal(false);
    bench.clock.advance(1);
    expect(bench.log).to.deep.equal(['x ended, 0 left']);
    const plain = await bench.bind('y');
    if (plain.stream) bench.sessions.left(plain, plain.stream, 'lost');
    expect(plain.ended).to.equal(true);
  });

  it('is immediate if the client closes its stream (XEP-0198 §5)', () => {
    bench.sessions.resumable.enable(session, true, 60);
    if (session.stream) bench.sessions.left(session, session.stream, 'closed');
    expect(bench.log).to.deep.equal(['x ended, 0 left']);
    expect(bench.clock.pendingCount).to.equal(0);
  });
});

describe('A session whose client is away', () => {
  async function awayFrom(bench: SessionsBench, resource: string): Promise<ClientSession> {
    const session = await bench.bind(resource);
    bench.sessions.resumable.enable(session, true, 60);
    if (session.stream) bench.sessions.left(session, session.stream, 'lost');
    return session;
  }

  it('yields to a new one, whatever is configured (RFC 6120 §7.7.2.2)', async () => {
    const bench = new SessionsBench({ conflict: 'refuse' });
    const away = await awayFrom(bench, 'x');
    const fresh = await bench.bind('x');
    expect(away.ended).to.equal(true);
    expect(bench.directory.find(fresh.jid)).to.equal(fresh);
  });

  it('makes room if there are too many, in the order of binding', async () => {
    const bench = new SessionsBench();
    const [first, second] = [await awayFrom(bench, 'a'), await awayFrom(bench, 'b')];
    await bench.bind('c');
    expect([first.ended, second.ended]).to.deep.equal([true, false]);
  });

  it('is restored after a restart, and ends if it is not resumed', async () => {
    const before = new SessionsBench();
    const away = await awayFrom(before, 'x');
    away.release();
    away.send(Stanza.message({ id: 'm' }));
    await turn();
    const bench = new SessionsBench({}, before.store);
    await bench.sessions.restore();
    const [found] = bench.directory.all();
    expect(found?.jid.toString()).to.equal('juliet@a.example/x');
    bench.clock.advance(60_000);
    await bench.sessions.settled();
    expect(bench.log[0]).to.equal('x ended, 0 left');
    expect(bench.log[1]).to.match(/^route <message id="m"><delay /);
    expect(bench.store.kept).to.deep.equal([]);
  });
});

describe('After a restart', () => {
  it('asks for a watch only for stanzas that were never sent', async () => {
    const before = new SessionsBench();
    const session = await before.bind('x');
    before.sessions.resumable.enable(session, true, 60);
    const send = (id: string) => session.sendDurably(Stanza.message({ id }));
    await send('waited and was sent');
    session.release();
    await send('sent');
    session.hold();
    await send('waits');
    await turn();
    before.clock.advance(1000);
    const crashed = new SessionsBench({}, before.store);
    crashed.clock.advance(1000);
    await crashed.sessions.restore();
    expect(crashed.recalled).to.deep.equal(['waits']);
    if (session.stream) before.sessions.left(session, session.stream, 'lost');
    before.clock.advance(1);
    session.release();
    await send('came to nobody');
    const again = new SessionsBench({}, before.store);
    await again.sessions.restore();
    expect(again.recalled).to.deep.equal(['waits', 'came to nobody']);
  });

  it('redelivers stanzas without a session, page by page, and skips damaged ones', async () => {
    const bench = new SessionsBench();
    const owner = 'juliet@a.example';
    const add = (bytes: string) =>
      bench.store.add(owner, undefined, { sequence: undefined, receivedAtMs: 5000, bytes: Buffer.from(bytes) });
    await add('<mess');
    for (let id = 1; id <= 500; id++) await add(`<message id="${id}"/>`);
    await bench.sessions.restore();
    expect(bench.log).to.have.length(500);
    expect(bench.log.at(-1)).to.match(/^route <message id="500"><delay /);
    expect(bench.store.kept).to.deep.equal(['<mess']);
    expect(bench.alarms.alarms).to.have.length(1);
  });
});
