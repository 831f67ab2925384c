import { expect } from 'chai';
import { Stage } from '../support/conversation.ts';
import { type Condition, conditions, type Outcome, outcomeOf, recipient, storedBodies } from './delivery-cast.ts';

const types = ['normal', 'chat', 'groupchat', 'headline', 'error'] as const;

/** Condition; resource addressed, a dash for the bare JID; outcomes in the order of the types. */
type Row = readonly [Condition, string, Outcome, Outcome, Outcome, Outcome, Outcome];

/**
 * RFC 6121 §8.5.4, Table 1, and the choices it leaves: what may be ignored or refused is refused, but for headlines and errors.
 */
const table: readonly Row[] = [
  // RFC 6121 §8.5.1
  ['no account', '-', 'error', 'error', 'error', 'silence', 'silence'],
  ['no account', 'nowhere', 'error', 'error', 'error', 'silence', 'silence'],
  // RFC 6121 §8.5.2.2.1, §8.5.3.2.1
  ['no session', '-', 'stored', 'stored', 'error', 'silence', 'silence'],
  ['no session', 'nowhere', 'error', 'stored', 'error', 'silence', 'silence'],
  ['a session without presence', '-', 'stored', 'stored', 'error', 'silence', 'silence'],
  ['a session without presence', 'silent', 'silent', 'silent', 'silent', 'silent', 'silent'],
  ['a session without presence', 'nowhere', 'error', 'stored', 'error', 'silence', 'silence'],
  ['only a negative resource', '-', 'stored', 'stored', 'error', 'silence', 'silence'],
  ['only a negative resource', 'pda', 'pda', 'pda', 'pda', 'pda', 'pda'],
  ['only a negative resource', 'nowhere', 'error', 'stored', 'error', 'silence', 'silence'],
  // RFC 6121 §8.5.2.1.1, §8.5.3.1
  ['one non-negative resource', '-', 'balcony', 'balcony', 'error', 'balcony', 'silence'],
  ['one non-negative resource', 'balcony', 'balcony', 'balcony', 'balcony', 'balcony', 'balcony'],
  ['one non-negative resource', 'nowhere', 'error', 'balcony', 'error', 'silence', 'silence'],
  [
    'resources of several priorities',
    '-',
    'balcony+chamber',
    'balcony+chamber',
    'error',
    'balcony+chamber+hall',
    'silence',
  ],
  ['resources of several priorities', 'hall', 'hall', 'hall', 'hall', 'hall', 'hall'],
  ['resources of several priorities', 'pda', 'pda', 'pda', 'pda', 'pda', 'pda'],
  ['resources of several priorities', 'silent', 'silent', 'silent', 'silent', 'silent', 'silent'],
  ['resources of several priorities', 'nowhere', 'error', 'balcony+chamber', 'error', 'silence', 'silence'],
];

describe('Delivery of messages to local accounts (RFC 6121 §8.5)', () => {
  const stage = new Stage();

  for (const [condition, resource, ...outcomes] of table) {
    it(`${condition}, ${resource === '-' ? 'bare JID' : `full JID …/${resource}`} (RFC 6121 §8.5.4)`, async () => {
      const { romeo } = await stage.enter(['romeo']);
      const juliet = await recipient(stage, condition);
      const to = resource === '-' ? juliet.jid : `${juliet.jid}/${resource}`;
      const found = new Map<string, Outcome>();
      for (const type of types) {
        const message = `<message to="${to}" type="${type}" id="m"><body>${type}</body></message>`;
        found.set(type, await outcomeOf(romeo, message, juliet));
      }
      for (const body of await storedBodies(juliet)) {
        found.set(body, found.get(body) === 'silence' ? 'stored' : `${found.get(body)}+stored`);
      }
      expect(Object.fromEntries(found)).to.deep.equal(
        Object.fromEntries(types.map((type, at) => [type, outcomes[at]])),
      );
    });
  }

  it('covers every condition', () => {
    expect([...new Set(table.map(([condition]) => condition))]).to.have.members(Object.keys(conditions));
  });

  it('treats a missing and an unknown type as normal (RFC 6121 §5.2.2)', async () => {
    const { romeo } = await stage.enter(['romeo']);
    const juliet = await recipient(stage, 'one non-negative resource');
    const send = (attributes: string) => {
      return outcomeOf(romeo, `<message to="${juliet.jid}${attributes}><body>x</body></message>`, juliet);
    };
    expect(await send('"')).to.equal('balcony');
    expect(await send('" type="gossip"')).to.equal('balcony');
    expect(await send('/nowhere" type="gossip"')).to.equal('error');
  });

  it('delivers the message as it was sent, from the full JID (RFC 6121 §8.1.1, RFC 6120 §8.1.2.1)', async () => {
    const { romeo, juliet } = await stage.enter(['romeo', 'juliet']);
    romeo.sends(
      `<message to="${juliet.bare}" type="chat" id="ktx72v49" xml:lang="en"><subject>I implore you!</subject>` +
        '<body>Art thou not Romeo, &lt;and&gt; a "Montague"?</body><x xmlns="urn:example:x" a="&apos;&#10;">&#x1F339;</x></message>',
    );
    await juliet.receives(
      `<message to="${juliet.bare}" from="${romeo.jid}" type="chat" id="ktx72v49" xml:lang="en"><subject>I implore you!</subject>` +
        '<body>Art thou not Romeo, &lt;and&gt; a "Montague"?</body><x xmlns="urn:example:x" a="&apos;&#10;">&#x1F339;</x></message>',
      { strict: true },
    );
  });

  it('keeps the order of what one client sends to another (RFC 6120 §10.1)', async () => {
    const { romeo, juliet } = await stage.enter(['romeo', 'juliet']);
    const numbers = Array.from({ length: 100 }, (_, index) => String(index));
    const to = (index: number) => [juliet.jid, juliet.bare, `${juliet.bare}/nowhere`][index % 3];
    romeo.sends(
      numbers.map((n, index) => `<message to="${to(index)}" type="chat"><body>${n}</body></message>`).join(''),
    );
    for (const n of numbers) await juliet.receives(`<message from="${romeo.jid}"><body>${n}</body></message>`);
    await juliet.receivesNothing();
  });

  it('answers a message without "to" as one to the own bare JID (RFC 6120 §10.3.1)', async () => {
    const { romeo } = await stage.enter(['romeo']);
    romeo.sends('<message type="chat"><body>to myself</body></message>');
    await romeo.receives(`<message from="${romeo.jid}"><body>to myself</body></message>`);
  });

  it('repeats the id in the error and turns the addresses round (RFC 6120 §8.1.3, §8.3.1)', async () => {
    const { romeo } = await stage.enter(['romeo']);
    romeo.sends(`<message to="nobody@${stage.domain}/x" id="m1"><body>x</body></message>`);
    await romeo.receives(
      `<message type="error" id="m1" from="nobody@${stage.domain}/x" to="${romeo.jid}"><error type="cancel">` +
        '<service-unavailable xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/></error></message>',
    );
  });

  it('answers a message to a domain that cannot be reached (RFC 6120 §8.3.3.16)', async () => {
    const { romeo } = await stage.enter(['romeo']);
    romeo.sends('<message to="juliet@capulet.invalid" id="m1"><body>x</body></message>');
    await romeo.receives(
      '<message type="error" id="m1" from="juliet@capulet.invalid"><error type="cancel">' +
        '<remote-server-not-found xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/>...</error></message>',
    );
  });
});
