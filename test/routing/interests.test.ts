import { expect } from 'chai';
import { Jid } from '../../src/protocol/jid.ts';
import { Account } from '../../src/routing/account.ts';
import { Interests } from '../../src/routing/interests.ts';

describe('The interests of a session', () => {
  let account: Account;
  let interests: Interests;

  beforeEach(() => {
    account = new Account(Jid.parse('juliet@a.example'), { roster: [], rosterVersion: 0, blocked: [] });
    interests = new Interests(account);
  });

  const counts = () => ['roster', 'urn:x'].map((interest) => account.sessionsInterestedIn(interest));

  it('are any text', () => {
    interests.add('urn:x');
    interests.add('roster');
    expect([...interests]).to.deep.equal(['urn:x', 'roster']);
    expect([interests.has('urn:x'), interests.has('urn:y')]).to.deep.equal([true, false]);
  });

  it('count once for each session of the account', () => {
    expect(counts()).to.deep.equal([0, 0]);
    const other = new Interests(account);
    for (const one of [interests, interests, other]) one.add('roster');
    other.add('urn:x');
    expect(counts()).to.deep.equal([2, 1]);
  });

  it('count no longer once they are deleted', () => {
    interests.add('urn:x');
    for (const one of ['urn:x', 'urn:x', 'roster']) interests.delete(one);
    expect(counts()).to.deep.equal([0, 0]);
    expect([...interests]).to.deep.equal([]);
  });

  it('end with the session, and one that is added late does not count', () => {
    for (const one of ['roster', 'urn:x']) interests.add(one);
    interests.end();
    interests.add('roster');
    expect(counts()).to.deep.equal([0, 0]);
    expect(interests.has('roster')).to.equal(false);
  });
});
