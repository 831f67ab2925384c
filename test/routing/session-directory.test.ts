import { expect } from 'chai';
import { Jid } from '../../src/protocol/jid.ts';
import { Account } from '../../src/routing/account.ts';
import { LocalSessions } from '../../src/routing/session-directory.ts';
import { StubSession } from '../support/stub-session.ts';

const accountOf = (jid: string) => new Account(Jid.parse(jid), { roster: [], rosterVersion: 0, blocked: [] });

describe('The session directory', () => {
  const juliet = accountOf('juliet@a.example');
  const romeo = accountOf('romeo@a.example');

  it('finds sessions by account, in the order they came, and by full JID', () => {
    const directory = new LocalSessions();
    const [a, b, c] = [new StubSession(juliet, 'a'), new StubSession(juliet, 'b'), new StubSession(romeo, 'a')];
    for (const session of [a, b, c]) directory.add(session);
    expect(directory.of('juliet@a.example')).to.deep.equal([a, b]);
    expect(directory.of('nobody@a.example')).to.deep.equal([]);
    expect(directory.find(Jid.parse('juliet@a.example/b'))).to.equal(b);
    expect(directory.find(Jid.parse('romeo@a.example/a'))).to.equal(c);
    expect(directory.find(Jid.parse('romeo@a.example/b'))).to.equal(undefined);
    expect(directory.find(Jid.parse('juliet@a.example'))).to.equal(undefined);
    expect(directory.size).to.equal(3);
    expect([...directory.all()]).to.have.members([a, b, c]);
  });

  it('removes that very session and no successor with the same JID (RFC 6120 §7.7.2.2)', () => {
    const directory = new LocalSessions();
    const old = new StubSession(juliet, 'a');
    const fresh = new StubSession(juliet, 'a');
    directory.add(old);
    directory.remove(old);
    directory.add(fresh);
    directory.remove(old);
    expect(directory.find(fresh.jid)).to.equal(fresh);
    expect(directory.size).to.equal(1);
    directory.remove(fresh);
    directory.remove(fresh);
    expect(directory.size).to.equal(0);
    expect(directory.of('juliet@a.example')).to.have.length(0);
  });

  it('returns an array that does not change later', () => {
    const directory = new LocalSessions();
    const all = ['a', 'b', 'c'].map((resource) => new StubSession(juliet, resource));
    for (const session of all) directory.add(session);
    const seen: StubSession[] = [];
    for (const session of directory.of('juliet@a.example')) {
      directory.remove(session);
      directory.add(new StubSession(juliet, `${session.jid.resource}2`));
      seen.push(session as StubSession);
    }
    expect(seen).to.deep.equal(all);
  });
});
