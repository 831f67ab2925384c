import { expect } from 'chai';
import { Jid } from '../../src/protocol/jid.ts';
import { Stanza } from '../../src/protocol/stanza.ts';
import { StanzaError } from '../../src/protocol/stanza-error.ts';
import type { StreamError } from '../../src/protocol/stream-error.ts';
import { Account } from '../../src/routing/account.ts';
import type { Eventually } from '../../src/routing/eventually.ts';
import { LocalSessions } from '../../src/routing/session-directory.ts';
import type { ClientSession, SessionStream } from '../../src/streams/client-session.ts';
import { ClientSessions, type SessionPolicy } from '../../src/streams/client-sessions.ts';
import { ManualClock } from '../support/manual-clock.ts';

const juliet = Jid.parse('juliet@a.example');

/** The sessions of one account, and what becomes of them. */
class House {
  readonly account = new Account(juliet, { roster: [], rosterVersion: 0, blocked: [] });
  readonly directory = new LocalSessions();
  readonly log: string[] = [];
  readonly sessions: ClientSessions;
  found: Eventually<Account | undefined> = this.account;

  constructor(policy: Partial<SessionPolicy> = {}) {
    this.sessions = new ClientSessions({
      directory: this.directory,
      account: () => this.found,
      policy: { maxPerAccount: 2, conflict: 'replace', ...policy },
      clock: new ManualClock(5000),
      ended: (session) => this.log.push(`${session.jid.resource} ended, ${this.directory.size} left`),
      undelivered: ({ id }) => this.log.push(`${id} undelivered`),
    });
  }

  async bind(resource?: string): Promise<ClientSession> {
    let session: ClientSession | undefined;
    const stream: SessionStream = {
      remoteAddress: '192.0.2.1',
      secure: true,
      sendStanza: () => {},
      flushed: async () => {},
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
    const house = new House();
    const session = await house.bind('Balcony 1');
    expect(session.jid.toString()).to.equal('juliet@a.example/Balcony 1');
    expect(session.account).to.equal(house.account);
    expect(session.boundAtMs).to.equal(5000);
    expect(house.directory.find(session.jid)).to.equal(session);
  });

  it('gives a resource nobody can guess to who asks for none (RFC 6120 §7.6.1)', async () => {
    const house = new House();
    const [one, two] = [await house.bind(), await house.bind('')];
    for (const { jid } of [one, two]) expect(jid.resource).to.match(/^[\w-]{22}$/);
    expect(one.jid.equals(two.jid)).to.equal(false);
  });

  it('is at once if the account is in memory', () => {
    const house = new House();
    const bound = house.sessions.bind(juliet, 'x', {
      remoteAddress: '',
      secure: true,
      sendStanza() {},
      flushed: async () => {},
      close() {},
    });
    expect(bound).to.not.be.instanceOf(Promise);
  });

  for (const resource of ['\u0000', ' \u0007', 'x'.repeat(1024), '\uD800']) {
    it(`refuses the resource ${JSON.stringify(resource.slice(0, 10))} (RFC 6120 §7.7.2.1)`, async () => {
      const house = new House();
      expect(await house.fails(resource)).to.equal('bad-request');
      expect(house.directory.size).to.equal(0);
    });
  }

  it('refuses an account that is gone', async () => {
    const house = new House();
    for (const found of [undefined, Promise.resolve(undefined)]) {
      house.found = found;
      expect(await house.fails('x')).to.equal('not-authorized');
    }
  });

  it('has a limit (RFC 6120 §7.6.2.1), but not for who replaces a session', async () => {
    const house = new House();
    await house.bind('a');
    await house.bind('b');
    expect(await house.fails('c')).to.equal('resource-constraint');
    expect(await house.fails('a')).to.equal('bound');
    expect(house.directory.size).to.equal(2);
  });

  it('replaces the session that holds the resource, before the new one is there (RFC 6120 §7.7.2.2)', async () => {
    const house = new House();
    const old = await house.bind('x');
    const fresh = await house.bind('x');
    expect(house.log).to.deep.equal(['x closed: conflict', 'x ended, 0 left']);
    expect(old.ended).to.equal(true);
    expect(house.directory.find(fresh.jid)).to.equal(fresh);
    house.sessions.end(old);
    expect(house.directory.find(fresh.jid)).to.equal(fresh);
  });

  it('refuses the newcomer if the operator wants it so (RFC 6120 §7.7.2.2)', async () => {
    const house = new House({ conflict: 'refuse' });
    const old = await house.bind('x');
    expect(await house.fails('x')).to.equal('conflict');
    expect(house.log).to.deep.equal([]);
    expect(house.directory.find(old.jid)).to.equal(old);
    expect(await house.fails('y')).to.equal('bound');
  });
});

describe('The end of a session', () => {
  it('takes it from the directory, tells of it, and then passes on the messages it had not sent', async () => {
    const house = new House();
    const session = await house.bind('x');
    for (const id of ['m1', 'm2']) {
      session.send(Stanza.message({ id }));
      session.send(Stanza.presence({ id: `presence behind ${id}` }));
      session.send(Stanza.iq({ id: `iq behind ${id}`, type: 'get' }));
    }
    house.sessions.end(session);
    house.sessions.end(session);
    expect(house.log).to.deep.equal(['x ended, 0 left', 'm1 undelivered', 'm2 undelivered']);
  });
});
