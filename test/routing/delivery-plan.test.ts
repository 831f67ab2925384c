import { expect } from 'chai';
import { Jid } from '../../src/protocol/jid.ts';
import { Stanza } from '../../src/protocol/stanza.ts';
import { Account } from '../../src/routing/account.ts';
import { acceptsMessages, type DeliveryPlan, planLocal } from '../../src/routing/delivery-plan.ts';
import { xml } from '../../src/xml/element.ts';
import { readStanza } from '../protocol/read-stanza.ts';
import { StubSession } from '../support/stub-session.ts';

const juliet = new Account(Jid.parse('juliet@a.example'), { roster: [], rosterVersion: 0, blocked: [] });

/** `a5 b-1 c?`: resource a with priority 5, b with -1, c without presence. */
function sessionsOf(state: string): StubSession[] {
  return state
    .split(' ')
    .filter(Boolean)
    .map((word) => {
      const session = new StubSession(juliet, word.charAt(0));
      if (word.slice(1) === '?') return session;
      session.presence.available = Stanza.presence({ from: session.jid });
      session.presence.priority = Number(word.slice(1));
      return session;
    });
}

function read(plan: DeliveryPlan): string {
  switch (plan.kind) {
    case 'direct':
      return plan.sessions.map(({ jid }) => jid.resource).join('');
    case 'none':
      return plan.error ? `${plan.error.condition} ${plan.error.type}` : '-';
    case 'stored':
      return plan.owner.toString() === 'juliet@a.example' ? 'stored' : `stored for ${plan.owner}`;
    default:
      return plan.kind;
  }
}

const types = ['chat', 'normal', 'groupchat', 'headline', 'error'] as const;
const E = 'service-unavailable cancel';

/** [sessions, or undefined for no account; 'to'; what becomes of a chat, normal, groupchat, headline, error message] */
type Row = readonly [state: string | undefined, to: string, ...outcomes: string[]];

const table: Record<string, readonly Row[]> = {
  'RFC 6121 §8.5.1: no such account': [
    [undefined, 'juliet@a.example', E, E, E, '-', '-'],
    [undefined, 'juliet@a.example/a', E, E, E, '-', '-'],
  ],
  'RFC 6121 §8.5.2.1: bare JID, somebody takes messages': [
    //                             chat  normal groupchat headline error
    ['a0', 'juliet@a.example', 'a', 'a', E, 'a', '-'],
    ['a5 b5 c1', 'juliet@a.example', 'ab', 'ab', E, 'abc', '-'],
    ['a1 b5 c5', 'juliet@a.example', 'bc', 'bc', E, 'abc', '-'],
    ['a-1 b0', 'juliet@a.example', 'b', 'b', E, 'b', '-'],
    ['a? b0', 'juliet@a.example', 'b', 'b', E, 'b', '-'],
    ['a0 b127 c126', 'juliet@a.example', 'b', 'b', E, 'abc', '-'],
  ],
  'RFC 6121 §8.5.2.2: bare JID, nobody takes messages': [
    ['', 'juliet@a.example', 'stored', 'stored', E, '-', '-'],
    ['a-1', 'juliet@a.example', 'stored', 'stored', E, '-', '-'],
    ['a?', 'juliet@a.example', 'stored', 'stored', E, '-', '-'],
    ['a-1 b-128 c?', 'juliet@a.example', 'stored', 'stored', E, '-', '-'],
  ],
  'RFC 6121 §8.5.3.1: full JID, that resource is connected': [
    ['a0', 'juliet@a.example/a', 'a', 'a', 'a', 'a', 'a'],
    ['a-1 b5', 'juliet@a.example/a', 'a', 'a', 'a', 'a', 'a'],
    ['a? b5', 'juliet@a.example/a', 'a', 'a', 'a', 'a', 'a'],
    ['a0 b5', 'juliet@a.example/b', 'b', 'b', 'b', 'b', 'b'],
  ],
  'RFC 6121 §8.5.3.2.1: full JID, that resource is not connected': [
    ['a0', 'juliet@a.example/z', 'a', E, E, '-', '-'],
    ['a5 b5 c1', 'juliet@a.example/z', 'ab', E, E, '-', '-'],
    ['', 'juliet@a.example/z', 'stored', E, E, '-', '-'],
    ['a-1', 'juliet@a.example/z', 'stored', E, E, '-', '-'],
    ['a?', 'juliet@a.example/z', 'stored', E, E, '-', '-'],
    ['a0', 'juliet@a.example/A', 'a', E, E, '-', '-'],
  ],
};

function plan(message: Stanza, to: string, state: string | undefined): string {
  const sessions = sessionsOf(state ?? '');
  const before = JSON.stringify(sessions.map(({ presence }) => presence.priority));
  const planned = planLocal(message, Jid.parse(to), { exists: state !== undefined, sessions });
  expect(JSON.stringify(sessions.map(({ presence }) => presence.priority))).to.equal(before);
  expect(sessions.flatMap(({ sent }) => sent)).to.have.length(0);
  return read(planned);
}

describe('The delivery plan', () => {
  for (const [title, rows] of Object.entries(table)) {
    describe(title, () => {
      for (const [state, to, ...outcomes] of rows) {
        it(`${state === undefined ? 'no account' : `[${state}]`}, to ${to}`, () => {
          const body = xml('body', {}, 'hi');
          expect(types.map((type) => plan(Stanza.message({ type }, body), to, state))).to.deep.equal(outcomes);
        });
      }
    });
  }

  it('counts an absent or unknown type as normal (RFC 6121 §5.2.2)', () => {
    for (const type of [undefined, 'normal', 'Chat', 'urgent']) {
      expect(plan(Stanza.message({ type }), 'juliet@a.example/z', 'a0')).to.equal(E);
      expect(plan(Stanza.message({ type }), 'juliet@a.example', 'a0 b1')).to.equal('b');
    }
  });

  it('keeps the order of the sessions it chooses', () => {
    expect(plan(Stanza.message({ type: 'chat' }), 'juliet@a.example', 'c7 a7 b7')).to.equal('cab');
  });

  const cs = 'http://jabber.org/protocol/chatstates';
  const worth: readonly [title: string, children: string, outcome: string][] = [
    ['a body', '<body>hi</body>', 'stored'],
    ['nothing at all', '', 'stored'],
    ['a chat state alone (XEP-0085 §5.6)', `<composing xmlns='${cs}'/>`, '-'],
    ['a chat state and a thread', `<composing xmlns='${cs}'/><thread>t</thread>`, '-'],
    ['a chat state and a hint', `<active xmlns='${cs}'/><no-store xmlns='urn:xmpp:hints'/>`, '-'],
    ['a chat state and a body', `<active xmlns='${cs}'/><body>hi</body>`, 'stored'],
    ['a chat state and a foreign thread', `<active xmlns='${cs}'/><thread xmlns='urn:other'/>`, 'stored'],
    ['a thread alone', '<thread>t</thread>', 'stored'],
    ['a body not to be stored (XEP-0334 §4.2)', `<body>hi</body><no-store xmlns='urn:xmpp:hints'/>`, E],
    [
      'a body not to be archived (XEP-0334 §4.1)',
      `<body>hi</body><no-permanent-store xmlns='urn:xmpp:hints'/>`,
      'stored',
    ],
    ['a foreign no-store', `<body>hi</body><no-store xmlns='urn:other'/>`, 'stored'],
  ];
  describe('without an accepting session (XEP-0160 §3)', () => {
    for (const [title, children, outcome] of worth) {
      it(`${title}: ${outcome}`, () => {
        const message = readStanza(`<message type='chat'>${children}</message>`);
        expect(plan(message, 'juliet@a.example', '')).to.equal(outcome);
        expect(plan(message, 'juliet@a.example/z', 'a-1')).to.equal(outcome);
        expect(plan(message, 'juliet@a.example', 'a0'), 'when somebody is there').to.equal('a');
      });
    }
  });

  it('lets messages to the bare JID go to available resources without a negative priority (RFC 6121 §8.5.2.1.1)', () => {
    expect(
      sessionsOf('a0 b-1 c? d127 e-128')
        .filter(acceptsMessages)
        .map(({ jid }) => jid.resource),
    ).to.deep.equal(['a', 'd']);
  });
});
