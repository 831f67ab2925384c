import { expect } from 'chai';
import { Jid } from '../../src/protocol/jid.ts';
import { StanzaError } from '../../src/protocol/stanza-error.ts';
import { Account } from '../../src/routing/account.ts';
import type { StanzaFilter } from '../../src/routing/extension.ts';
import { StanzaFilters } from '../../src/routing/stanza-filters.ts';
import { maySeePresence } from '../../src/routing/visibility.ts';
import { readStanza } from '../protocol/read-stanza.ts';
import { item } from './memory-stores.ts';

const juliet = new Account(Jid.parse('juliet@a.example'), { roster: [], rosterVersion: 0, blocked: [] });
const message = readStanza("<message to='romeo@a.example'/>");

function filtersOf(...all: readonly StanzaFilter[]): StanzaFilters {
  return new StanzaFilters({
    outboundFilters: all.flatMap(({ outbound }) => outbound ?? []),
    inboundFilters: all.flatMap(({ inbound }) => inbound ?? []),
  });
}

describe('The stanza filters', () => {
  const refuse: StanzaFilter = { inbound: () => 'refuse', outbound: () => StanzaError.forbidden() };
  const indifferent: StanzaFilter = { inbound: () => undefined, outbound: () => undefined };

  it('let every stanza pass without filters, and if no filter objects', () => {
    for (const filters of [filtersOf(), filtersOf({}), filtersOf(indifferent, {})]) {
      expect(() => filters.checkOutbound(message, juliet)).to.not.throw();
      expect(filters.passesOutbound(message, juliet)).to.equal(true);
      expect(filters.refusesInbound(message, juliet)).to.equal(false);
    }
  });

  it('stop a stanza with the error of the first filter that objects', () => {
    const filters = filtersOf(indifferent, refuse, { outbound: () => StanzaError.gone() });
    expect(() => filters.checkOutbound(message, juliet))
      .to.throw(StanzaError)
      .with.property('condition', 'forbidden');
    expect(filters.passesOutbound(message, juliet)).to.equal(false);
    expect(filters.refusesInbound(message, juliet)).to.equal(true);
  });
});

describe('Presence may be seen (RFC 6121 §11)', () => {
  const account = new Account(Jid.parse('juliet@a.example'), {
    roster: [
      item('from@a.example', { subscription: 'from' }),
      item('both@a.example', { subscription: 'both' }),
      item('to@a.example', { subscription: 'to', ask: true }),
      item('none@a.example', { approved: true, pendingIn: Buffer.from('<presence/>') }),
    ],
    rosterVersion: 1,
    blocked: [],
  });
  const observers: Record<string, boolean> = {
    'juliet@a.example': true,
    'juliet@a.example/chamber': true,
    'from@a.example': true,
    'from@a.example/home': true,
    'both@a.example/home': true,
    'to@a.example/home': false,
    'none@a.example': false,
    'stranger@a.example': false,
    'juliet@b.example': false,
    'from@b.example': false,
    'a.example': false,
  };
  for (const [observer, may] of Object.entries(observers)) {
    it(`by ${observer}: ${may ? 'yes' : 'no'}`, () => {
      expect(maySeePresence(account, Jid.parse(observer))).to.equal(may);
    });
  }
});
