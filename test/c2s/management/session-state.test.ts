import { expect } from 'chai';
import { SessionState } from '../../../src/c2s/management/session-state.ts';
import { Jid } from '../../../src/protocol/jid.ts';
import { Stanza } from '../../../src/protocol/stanza.ts';
import { Account } from '../../../src/routing/account.ts';
import { noPresence } from '../../../src/routing/session.ts';
import { xml } from '../../../src/xml/element.ts';
import { StubSession } from '../../support/stub-session.ts';

const account = new Account(Jid.parse('juliet@a.example'), { roster: [], rosterVersion: 0, blocked: [] });
const romeo = Jid.parse('romeo@b.example');

describe('The state of a session on the disk', () => {
  let session: StubSession;
  let state: SessionState;

  beforeEach(() => {
    session = new StubSession(account, 'balcony');
    state = new SessionState(session);
  });

  it('gives another session the same presence, interests and directed presence', () => {
    session.presence.available = Stanza.presence({ from: session.jid }, xml('show', {}, 'away'));
    session.presence.priority = -3;
    session.presence.directed.set(romeo.toString(), romeo);
    for (const interest of ['roster', 'urn:x']) session.interests.add(interest);
    const restored = new StubSession(account, 'balcony');
    SessionState.restore(state.text(), restored);
    expect(restored.presence.available?.toString()).to.equal(session.presence.available.toString());
    expect(restored.presence.priority).to.equal(-3);
    expect([...restored.presence.directed.values()].map(String)).to.deep.equal(['romeo@b.example']);
    expect([...restored.interests]).to.deep.equal(['roster', 'urn:x']);
  });

  it('may be as good as empty', () => {
    const restored = new StubSession(account, 'balcony');
    for (const text of ['{}', state.text()]) SessionState.restore(text, restored);
    expect(restored.presence).to.deep.equal(noPresence());
    expect([...restored.interests]).to.deep.equal([]);
  });

  it('cannot be read from a damaged text', () => {
    expect(() => SessionState.restore('{"presence":"<pre', session)).to.throw();
  });

  const changes: Readonly<Record<string, (session: StubSession) => void>> = {
    'another presence': ({ presence }) => {
      presence.available = Stanza.presence({});
    },
    'one more interest': ({ interests }) => interests.add('urn:x'),
    'one interest less': ({ interests }) => interests.delete('roster'),
    'one interest in place of another': ({ interests }) => {
      interests.delete('roster');
      interests.add('urn:x');
    },
    'directed presence to one more': ({ presence }) => {
      presence.directed.set('juliet@b.example', Jid.parse('juliet@b.example'));
    },
    'directed presence to another': ({ presence }) => {
      presence.directed.clear();
      presence.directed.set('juliet@b.example', Jid.parse('juliet@b.example'));
    },
  };

  for (const [change, apply] of Object.entries(changes)) {
    it(`changes once with ${change}`, () => {
      session.interests.add('roster');
      session.presence.directed.set(romeo.toString(), romeo);
      expect(state.changedText()).to.equal(state.text());
      expect(state.changedText()).to.equal(undefined);
      apply(session);
      expect(state.changedText()).to.equal(state.text());
      expect(state.changedText()).to.equal(undefined);
    });
  }
});
