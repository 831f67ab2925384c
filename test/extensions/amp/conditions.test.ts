import { expect } from 'chai';
import { allConditions } from '../../../src/extensions/amp/rules/conditions.ts';
import { outcomes, type Prospect, type Situation } from '../../../src/extensions/amp/rules/situation.ts';
import { featuresOf, vocabulary } from '../../../src/extensions/amp/rules/vocabulary.ts';
import { Jid } from '../../../src/protocol/jid.ts';
import { balcony, everything, juliet, now, nowMs } from './cast.ts';

const garden = juliet.withResource('garden');
const room = Jid.parse('verona@rooms.example');

function at(prospect: Prospect, intended = juliet): Situation {
  return { event: 'receipt', prospect, intended, hop: false, nowMs };
}

const later: Situation = { event: 'dispatch', intended: juliet, hop: false, nowMs };

function conditionOf(name: string) {
  const found = allConditions.find((condition) => condition.name === name);
  if (!found) throw new Error(`no condition ${name}`);
  return found;
}

const deliver = conditionOf('deliver');
const expireAt = conditionOf('expire-at');
const matchResource = conditionOf('match-resource');

describe('the registry (N-24)', () => {
  it('knows the four actions and three conditions of the XEP (N-23)', () => {
    expect([...everything.actions.keys()]).to.deep.equal(['alert', 'drop', 'error', 'notify']);
    expect([...everything.conditions.keys()]).to.deep.equal(['deliver', 'expire-at', 'match-resource']);
  });

  it('knows for every condition whether it applies per hop (N-25, N-27, N-30)', () => {
    const perHop = [...everything.conditions.values()].map(({ name, perHop }) => [name, perHop]);
    expect(perHop).to.deep.equal([
      ['deliver', true],
      ['expire-at', true],
      ['match-resource', false],
    ]);
  });

  it('lists the features, alert under its own name (N-4, N-8, D-48)', () => {
    expect(featuresOf(everything)).to.deep.equal([
      'http://jabber.org/protocol/amp',
      'http://jabber.org/protocol/amp?action=alert',
      'http://jabber.org/protocol/amp?action=drop',
      'http://jabber.org/protocol/amp?action=error',
      'http://jabber.org/protocol/amp?action=notify',
      'http://jabber.org/protocol/amp?condition=deliver',
      'http://jabber.org/protocol/amp?condition=expire-at',
      'http://jabber.org/protocol/amp?condition=match-resource',
    ]);
  });

  it('lists nothing that is disabled (D-50)', () => {
    const features = featuresOf(vocabulary(new Set(['alert', 'error', 'notify', 'match-resource'])));
    expect(features).to.deep.equal([
      'http://jabber.org/protocol/amp',
      'http://jabber.org/protocol/amp?action=drop',
      'http://jabber.org/protocol/amp?condition=deliver',
      'http://jabber.org/protocol/amp?condition=expire-at',
    ]);
  });
});

describe('deliver (N-25)', () => {
  for (const value of outcomes) {
    it(`is met only by '${value}'`, () => {
      const met = outcomes.filter((other) => deliver.isMet(value, at({ deliver: other, destinations: [] })));
      expect(met).to.deep.equal([value]);
    });

    it(`accepts the value '${value}', and is not met when only time has passed (D-6)`, () => {
      expect(deliver.accepts(value)).to.equal(true);
      expect(deliver.isMet(value, later)).to.equal(false);
    });
  }

  for (const value of ['', 'Direct', 'direct ', 'nowhere', 'constructor']) {
    it(`does not accept '${value}' (D-18)`, () => expect(deliver.accepts(value)).to.equal(false));
  }

  it('is not met where another server decides', () => {
    const prospect = { deliver: undefined, destinations: undefined };
    expect(outcomes.filter((value) => deliver.isMet(value, at(prospect)))).to.deep.equal([]);
  });
});

describe('match-resource (N-29)', () => {
  const values = ['any', 'exact', 'other'];
  const cases: readonly [title: string, intended: Jid, prospect: Prospect, met: string][] = [
    ['the addressed resource', balcony, { deliver: 'direct', destinations: [balcony] }, 'any exact'],
    ['another resource', balcony, { deliver: 'direct', destinations: [garden] }, 'any other'],
    [
      'the addressed resource and another',
      balcony,
      { deliver: 'direct', destinations: [balcony, garden] },
      'any other',
    ],
    ['a resource of a bare JID', juliet, { deliver: 'direct', destinations: [garden] }, 'any other'],
    ['two resources of a bare JID', juliet, { deliver: 'direct', destinations: [balcony, garden] }, 'any other'],
    ['a room', room, { deliver: 'direct', destinations: [room] }, 'any exact'],
    ['the store, for a bare JID', juliet, { deliver: 'stored', destinations: [juliet] }, 'exact'],
    ['the store, for a full JID', balcony, { deliver: 'stored', destinations: [juliet] }, 'other'],
    ['nowhere, for a bare JID', juliet, { deliver: 'none', destinations: [] }, ''],
    ['nowhere, for a full JID', balcony, { deliver: 'none', destinations: [] }, 'other'],
    ['another server', balcony, { deliver: undefined, destinations: undefined }, ''],
  ];
  for (const [title, intended, prospect, met] of cases) {
    it(`going to ${title}: ${met || 'nothing'}`, () => {
      const actual = values.filter((value) => matchResource.isMet(value, at(prospect, intended)));
      expect(actual.join(' ')).to.equal(met);
    });
  }

  it('compares whole resources: home differs from homeboy', () => {
    const prospect: Prospect = { deliver: 'direct', destinations: [juliet.withResource('homeboy')] };
    expect(matchResource.isMet('exact', at(prospect, juliet.withResource('home')))).to.equal(false);
  });

  it('is not met when only time has passed (D-6)', () => {
    expect(values.filter((value) => matchResource.isMet(value, later))).to.deep.equal([]);
  });

  for (const value of ['', 'Any', 'none', 'toString']) {
    it(`does not accept '${value}' (D-18)`, () => expect(matchResource.accepts(value)).to.equal(false));
  }
});

describe('expire-at (N-26, N-27)', () => {
  const taken = [
    '2026-03-01T12:00:00Z',
    '2026-03-01T12:00:00+00:00',
    '2026-03-01T12:00:00.000+00:00',
    '2026-03-01T12:00:00-00:00',
    '2026-03-01T12:00:00.123456789Z',
    '2099-12-31T23:59:59Z',
  ];
  for (const value of taken) {
    it(`accepts ${value} (D-10)`, () => expect(expireAt.accepts(value)).to.equal(true));
  }
  const refused = [
    '2026-03-01T14:00:00+02:00',
    '2026-03-01T12:00:00',
    '2026-03-01',
    '12:00:00Z',
    '20260301T12:00:00',
    '2026-02-30T12:00:00Z',
    '2026-03-01t12:00:00z',
    ' 2026-03-01T12:00:00Z',
    '2026-03-01T12:00:00.Z',
    '0',
    'tomorrow',
  ];
  for (const value of refused) {
    it(`does not accept '${value}' (D-10)`, () => expect(expireAt.accepts(value)).to.equal(false));
  }

  const moments: readonly [offsetMs: number, met: boolean][] = [
    [-1, false],
    [0, true],
    [1, true],
  ];
  for (const [offsetMs, met] of moments) {
    it(`is ${met ? 'met' : 'not met'} ${offsetMs} ms after the time, at any event and for any outcome (D-11, D-12)`, () => {
      const time = { intended: juliet, hop: false, nowMs: nowMs + offsetMs };
      const situations: Situation[] = [
        ...outcomes.map(
          (deliver): Situation => ({ ...time, event: 'receipt', prospect: { deliver, destinations: [] } }),
        ),
        { ...time, event: 'expiry' },
        { ...time, event: 'dispatch' },
      ];
      for (const situation of situations) expect(expireAt.isMet(now, situation)).to.equal(met);
    });
  }

  it('has the time at which it is due (D-13)', () => expect(expireAt.dueMs?.(now)).to.equal(nowMs));
});
