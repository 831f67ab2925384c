import { expect } from 'chai';
import { Stage } from '../support/conversation.ts';
import { type Condition, conditions, type Outcome, outcomeOf, recipient } from './delivery-cast.ts';

const types = [undefined, 'unavailable', 'error', 'probe'] as const;

/** Condition; resource addressed, a dash for the bare JID; outcomes in the order of the types. */
type Row = readonly [Condition, string, Outcome, Outcome, Outcome, Outcome];

/**
 * RFC 6121 §8.5, §4.6: directed presence between strangers. A probe is answered with 'unsubscribed' whatever the account and whether
 * there is one (§4.3.2); the stranger's own server keeps that from a client that has subscribed to nothing (§3.2.3).
 */
const table: readonly Row[] = [
  // RFC 6121 §8.5.1
  ['no account', '-', 'silence', 'silence', 'silence', 'silence'],
  ['no account', 'nowhere', 'silence', 'silence', 'silence', 'silence'],
  // RFC 6121 §8.5.2.2.2, §8.5.3.2.2
  ['no session', '-', 'silence', 'silence', 'silence', 'silence'],
  ['no session', 'nowhere', 'silence', 'silence', 'silence', 'silence'],
  ['a session without presence', '-', 'silence', 'silence', 'silence', 'silence'],
  ['a session without presence', 'silent', 'silent', 'silent', 'silent', 'silence'],
  ['a session without presence', 'nowhere', 'silence', 'silence', 'silence', 'silence'],
  // RFC 6121 §8.5.2.1.2: to all available resources, whatever their priority
  ['only a negative resource', '-', 'pda', 'pda', 'silence', 'silence'],
  ['only a negative resource', 'pda', 'pda', 'pda', 'pda', 'silence'],
  ['one non-negative resource', '-', 'balcony', 'balcony', 'silence', 'silence'],
  ['one non-negative resource', 'balcony', 'balcony', 'balcony', 'balcony', 'silence'],
  ['one non-negative resource', 'nowhere', 'silence', 'silence', 'silence', 'silence'],
  [
    'resources of several priorities',
    '-',
    'balcony+chamber+hall+pda',
    'balcony+chamber+hall+pda',
    'silence',
    'silence',
  ],
  ['resources of several priorities', 'hall', 'hall', 'hall', 'hall', 'silence'],
  ['resources of several priorities', 'nowhere', 'silence', 'silence', 'silence', 'silence'],
];

describe('Delivery of presence to local accounts (RFC 6121 §8.5)', () => {
  const stage = new Stage();

  for (const [condition, resource, ...outcomes] of table) {
    it(`${condition}, ${resource === '-' ? 'bare JID' : `full JID …/${resource}`} (RFC 6121 §8.5)`, async () => {
      const { romeo } = await stage.enter(['romeo']);
      const juliet = await recipient(stage, condition);
      const to = resource === '-' ? juliet.jid : `${juliet.jid}/${resource}`;
      const found: Outcome[] = [];
      for (const type of types) {
        found.push(await outcomeOf(romeo, `<presence to="${to}"${type ? ` type="${type}"` : ''}/>`, juliet));
      }
      expect(found).to.deep.equal(outcomes);
    });
  }

  it('covers every condition', () => {
    expect([...new Set(table.map(([condition]) => condition))]).to.have.members(Object.keys(conditions));
  });

  it('refuses an unknown type (RFC 6121 §4.7.1)', async () => {
    const { romeo, juliet } = await stage.enter(['romeo', 'juliet']);
    romeo.sends(`<presence to="${juliet.jid}" type="invisible"/>`);
    await romeo.receives(
      '<presence type="error"><error type="modify"><bad-request xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/>...</error></presence>',
    );
    await juliet.receivesNothing();
  });
});
