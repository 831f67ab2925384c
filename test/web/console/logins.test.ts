import { expect } from 'chai';
import { Logins } from '../../../src/web/console/logins.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const minuteMs = 60_000;
const person = { operator: 'root', role: 'operator' } as const;

describe('The logins of the console', () => {
  let clock: ManualClock;
  let logins: Logins;

  beforeEach(() => {
    clock = new ManualClock();
    logins = new Logins(clock);
  });

  const opened = () => {
    const found = logins.open(logins.newLink(person).token);
    if (!found) throw new Error('the link does not work');
    return found;
  };

  it('come of a link, for the person for whom it was made', () => {
    const { token } = opened();
    expect(logins.find(token, true)).to.include(person);
  });

  it('have tokens of 256 bits, of which no two are the same', () => {
    const tokens = [logins.newLink(person).token, logins.newLink(person).token, opened().token];
    for (const token of tokens) expect(Buffer.from(token, 'base64url')).to.have.length(32);
    expect(new Set(tokens).size).to.equal(3);
  });

  it('come of a link once', () => {
    const { token } = logins.newLink(person);
    expect(logins.knowsLink(token)).to.equal(true);
    expect(logins.open(token)).not.to.equal(undefined);
    expect(logins.knowsLink(token)).to.equal(false);
    expect(logins.open(token)).to.equal(undefined);
  });

  it('come of a link for five minutes', () => {
    const { token, forMs } = logins.newLink(person);
    expect(forMs).to.equal(5 * minuteMs);
    clock.advance(forMs - 1);
    expect(logins.knowsLink(token)).to.equal(true);
    clock.advance(1);
    expect(logins.knowsLink(token)).to.equal(false);
    expect(logins.open(token)).to.equal(undefined);
  });

  it('do not come of the token of a login', () => {
    expect(logins.open(opened().token)).to.equal(undefined);
    expect(logins.find(logins.newLink(person).token, true)).to.equal(undefined);
  });

  it('end after half an hour without a page', () => {
    const { token } = opened();
    clock.advance(30 * minuteMs - 1);
    expect(logins.find(token, true)).not.to.equal(undefined);
    clock.advance(30 * minuteMs - 1);
    // A page that is only left open does not count.
    expect(logins.find(token, false)).not.to.equal(undefined);
    clock.advance(1);
    expect(logins.find(token, true)).to.equal(undefined);
  });

  it('end after twelve hours whatever happens', () => {
    const { token } = opened();
    for (let minutes = 0; minutes < 12 * 60 - 10; minutes += 10) {
      clock.advance(10 * minuteMs);
      expect(logins.find(token, true), `after ${minutes} minutes`).not.to.equal(undefined);
    }
    clock.advance(10 * minuteMs);
    expect(logins.find(token, true)).to.equal(undefined);
  });

  it('end when their person logs out', () => {
    const { token } = opened();
    logins.close(token);
    expect(logins.find(token, true)).to.equal(undefined);
  });

  it('are bounded: the oldest ends', () => {
    const first = opened();
    const others = Array.from({ length: 32 }, opened);
    expect(logins.find(first.token, true)).to.equal(undefined);
    for (const { token } of others) expect(logins.find(token, true)).not.to.equal(undefined);
  });

  it('have tokens for forms, one for each path and login', () => {
    const [one, other] = [opened().login, opened().login];
    const token = one.formToken('accounts/remove');
    expect(one.accepts('accounts/remove', token)).to.equal(true);
    expect(one.accepts('accounts/suspend', token)).to.equal(false);
    expect(one.accepts('accounts/remove', '')).to.equal(false);
    expect(other.accepts('accounts/remove', token)).to.equal(false);
  });

  it('keep a few notices for the next page', () => {
    const { login } = opened();
    for (let number = 1; number <= 10; number++) login.note({ kind: 'done', text: String(number) });
    expect(login.takeNotices().map(({ text }) => text)).to.deep.equal(['3', '4', '5', '6', '7', '8', '9', '10']);
    expect(login.takeNotices()).to.deep.equal([]);
  });
});
