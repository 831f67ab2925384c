import { expect } from 'chai';
import { befriend, Stage } from '../support/conversation.ts';
import type { TestClient } from '../support/test-client.ts';
import { type Condition, conditions, type Outcome, outcomeOf, type Recipient, recipient } from './delivery-cast.ts';

const types = ['get', 'set', 'result', 'error'] as const;
const failure = '<error type="cancel"><item-not-found xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/></error>';

/** Condition; resource addressed, a dash for the bare JID; outcomes in the order of the types. */
type Row = readonly [Condition, string, Outcome, Outcome, Outcome, Outcome];

/** RFC 6121 §8.5: the server answers for the bare JID, a connected resource for itself, and nobody answers an answer. */
const table: readonly Row[] = [
  // RFC 6121 §8.5.1
  ['no account', '-', 'error', 'error', 'silence', 'silence'],
  ['no account', 'nowhere', 'error', 'error', 'silence', 'silence'],
  // RFC 6121 §8.5.2.2.3, §8.5.3.2.3
  ['no session', '-', 'error', 'error', 'silence', 'silence'],
  ['no session', 'nowhere', 'error', 'error', 'silence', 'silence'],
  // RFC 6121 §8.5.2.1.3, §8.5.3.1
  ['a session without presence', '-', 'error', 'error', 'silence', 'silence'],
  ['a session without presence', 'silent', 'silent', 'silent', 'silent', 'silent'],
  ['only a negative resource', '-', 'error', 'error', 'silence', 'silence'],
  ['only a negative resource', 'pda', 'pda', 'pda', 'pda', 'pda'],
  ['one non-negative resource', '-', 'error', 'error', 'silence', 'silence'],
  ['one non-negative resource', 'balcony', 'balcony', 'balcony', 'balcony', 'balcony'],
  ['one non-negative resource', 'nowhere', 'error', 'error', 'silence', 'silence'],
  ['resources of several priorities', '-', 'error', 'error', 'silence', 'silence'],
  ['resources of several priorities', 'hall', 'hall', 'hall', 'hall', 'hall'],
  ['resources of several priorities', 'nowhere', 'error', 'error', 'silence', 'silence'],
];

/** Lets the sender see the presence of the recipient, if there is anybody to allow it. */
async function acquaint(sender: TestClient, { resources }: Recipient): Promise<void> {
  const [somebody] = resources.values();
  if (somebody) await befriend(sender, somebody);
  for (const client of [sender, ...resources.values()]) await client.drains();
}

describe('Delivery of iqs to local accounts (RFC 6121 §8.5)', () => {
  const stage = new Stage();

  async function outcomesOf(sender: TestClient, to: string, juliet: Recipient): Promise<Outcome[]> {
    const found: Outcome[] = [];
    for (const type of types) {
      const query = `<query xmlns="urn:example:unknown"/>${type === 'error' ? failure : ''}`;
      found.push(await outcomeOf(sender, `<iq to="${to}" type="${type}" id="i">${query}</iq>`, juliet));
    }
    return found;
  }

  for (const [condition, resource, ...outcomes] of table) {
    it(`${condition}, ${resource === '-' ? 'bare JID' : `full JID …/${resource}`} (RFC 6121 §8.5)`, async () => {
      const { romeo } = await stage.enter(['romeo']);
      const juliet = await recipient(stage, condition);
      await acquaint(romeo, juliet);
      const to = resource === '-' ? juliet.jid : `${juliet.jid}/${resource}`;
      expect(await outcomesOf(romeo, to, juliet)).to.deep.equal(outcomes);
    });
  }

  describe('to a resource that does not show itself to the sender (RFC 6121 §8.5.3.1)', () => {
    it('asks what is asked of no resource; answers come through', async () => {
      const { romeo } = await stage.enter(['romeo']);
      const juliet = await recipient(stage, 'resources of several priorities');
      for (const resource of juliet.resources.keys()) {
        const found = await outcomesOf(romeo, `${juliet.jid}/${resource}`, juliet);
        expect(found).to.deep.equal(['error', 'error', resource, resource]);
      }
    });

    it('comes through as long as there is directed presence', async () => {
      const { romeo } = await stage.enter(['romeo']);
      const juliet = await recipient(stage, 'one non-negative resource');
      const balcony = juliet.resources.get('balcony');
      for (const to of [romeo.bare, romeo.jid, `${romeo.bare}/elsewhere`]) {
        for (const [type, outcome] of [
          ['', 'balcony'],
          ['type="unavailable"', 'error'],
        ] as const) {
          balcony?.sends(`<presence to="${to}" ${type}/>`);
          await balcony?.settles();
          await romeo.drains();
          const found = await outcomesOf(romeo, `${juliet.jid}/balcony`, juliet);
          expect(found, `${to} ${type}`).to.deep.equal([outcome, outcome, 'balcony', 'balcony']);
        }
      }
    });
  });

  it('covers every condition', () => {
    expect([...new Set(table.map(([condition]) => condition))]).to.have.members(Object.keys(conditions));
  });

  it('lets two clients ask and answer each other (RFC 6120 §8.2.3)', async () => {
    const { romeo, juliet } = await stage.enter(['romeo', 'juliet']);
    await befriend(romeo, juliet);
    romeo.sends(`<iq type="get" id="a" to="${juliet.jid}"><query xmlns="urn:example:q"/></iq>`);
    await juliet.receives(`<iq type="get" id="a" from="${romeo.jid}"><query xmlns="urn:example:q"/></iq>`);
    juliet.sends(`<iq type="result" id="a" to="${romeo.jid}"/>`);
    await romeo.receives(`<iq type="result" id="a" from="${juliet.jid}"/>`);
  });

  describe('what no iq may look like (RFC 6120 §8.2.3)', () => {
    const bad: readonly (readonly [string, string])[] = [
      ['no type', '<iq id="x"><query xmlns="urn:example:q"/></iq>'],
      ['an unknown type', '<iq id="x" type="ask"><query xmlns="urn:example:q"/></iq>'],
      ['a get without a child', '<iq id="x" type="get"/>'],
      ['a set with two children', '<iq id="x" type="set"><a xmlns="urn:example:q"/><b xmlns="urn:example:q"/></iq>'],
      ['no id', '<iq type="get"><query xmlns="urn:example:q"/></iq>'],
    ];
    for (const [name, iq] of bad) {
      it(`${name} is a bad request (RFC 6120 §8.3.3.1)`, async () => {
        const { romeo } = await stage.enter(['romeo']);
        romeo.sends(iq);
        await romeo.receives(
          '<iq type="error"><error type="modify"><bad-request xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/>...</error></iq>',
        );
        await romeo.receivesNothing();
      });
    }

    it('a result with two children is not passed on (RFC 6120 §8.2.3)', async () => {
      const { romeo, juliet } = await stage.enter(['romeo', 'juliet']);
      const children = '<a xmlns="urn:example:q"/><b xmlns="urn:example:q"/>';
      romeo.sends(`<iq type="result" id="x" to="${juliet.jid}">${children}</iq>`);
      await romeo.settles();
      await juliet.receivesNothing();
    });
  });

  it('answers an address that is none with jid-malformed (RFC 6120 §8.3.3.8)', async () => {
    const { romeo } = await stage.enter(['romeo']);
    for (const to of [
      '@localhost',
      'a b@localhost',
      'juliet@',
      'juliet@localhost/',
      'juliet@-/x',
      `${'a'.repeat(1024)}@localhost`,
    ]) {
      romeo.sends(`<iq type="get" id="x" to="${to}"><query xmlns="urn:example:q"/></iq>`);
      await romeo.receives(
        '<iq type="error" id="x"><error type="modify"><jid-malformed xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/>...</error></iq>',
      );
    }
  });
});
