import { expect } from 'chai';
import fc from 'fast-check';
import { formatDateTime, parseDateTime, parseUtcDateTime } from '../../src/protocol/date-time.ts';

const accepted: readonly [text: string, iso: string][] = [
  ['1969-07-21T02:56:15Z', '1969-07-21T02:56:15.000Z'],
  ['1969-07-20T21:56:15-05:00', '1969-07-21T02:56:15.000Z'],
  ['2004-01-01T00:00:00Z', '2004-01-01T00:00:00.000Z'],
  ['2004-01-01T00:00:00.5Z', '2004-01-01T00:00:00.500Z'],
  ['2004-01-01T00:00:00.1239Z', '2004-01-01T00:00:00.123Z'],
  ['2004-01-01T00:00:00.000000000000000000000001Z', '2004-01-01T00:00:00.000Z'],
  ['2004-02-29T12:00:00Z', '2004-02-29T12:00:00.000Z'],
  ['2000-02-29T12:00:00Z', '2000-02-29T12:00:00.000Z'],
  ['2004-01-01T00:00:00+14:00', '2003-12-31T10:00:00.000Z'],
  ['2004-01-01T00:00:00-14:00', '2004-01-01T14:00:00.000Z'],
  ['2004-12-31T24:00:00Z', '2005-01-01T00:00:00.000Z'],
  ['2004-12-31T24:00:00.000Z', '2005-01-01T00:00:00.000Z'],
  ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
  ['0099-12-31T23:59:59Z', '0099-12-31T23:59:59.000Z'],
  ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'],
];

const refused = [
  '',
  'now',
  '2004-01-01',
  '2004-01-01T00:00:00',
  '2004-01-01T00:00Z',
  '20040101T00:00:00',
  '20040101T00:00:00Z',
  '2004-1-1T00:00:00Z',
  '2004-01-01 00:00:00Z',
  '2004-01-01t00:00:00z',
  ' 2004-01-01T00:00:00Z',
  '2004-01-01T00:00:00Z\n',
  '2004-01-01T00:00:00.Z',
  '2004-01-01T00:00:00,5Z',
  '2004-00-01T00:00:00Z',
  '2004-13-01T00:00:00Z',
  '2004-01-00T00:00:00Z',
  '2004-01-32T00:00:00Z',
  '2004-04-31T00:00:00Z',
  '2003-02-29T00:00:00Z',
  '1900-02-29T00:00:00Z',
  '2004-01-01T25:00:00Z',
  '2004-01-01T24:00:01Z',
  '2004-01-01T24:01:00Z',
  '2004-01-01T24:00:00.001Z',
  '2004-01-01T00:60:00Z',
  '2016-12-31T23:59:60Z',
  '2004-01-01T00:00:61Z',
  '2004-01-01T00:00:00+0000',
  '2004-01-01T00:00:00+14:01',
  '2004-01-01T00:00:00+15:00',
  '2004-01-01T00:00:00+01:60',
  '0000-01-01T00:00:00Z',
  '-0001-01-01T00:00:00Z',
  '99999-01-01T00:00:00Z',
  '+002004-01-01T00:00:00Z',
  '9999-12-31T24:00:00Z',
  '9999-12-31T23:59:59-00:01',
  '0001-01-01T00:00:00+00:01',
  '２００４-01-01T00:00:00Z',
];

const years = {
  min: new Date('0001-01-01T00:00:00.000Z'),
  max: new Date('9999-12-31T23:59:59.999Z'),
  noInvalidDate: true,
};

describe('DateTime (XEP-0082)', () => {
  for (const [text, iso] of accepted) {
    it(`reads ${text}`, () => {
      const timeMs = parseDateTime(text);
      expect(timeMs === undefined ? undefined : new Date(timeMs).toISOString()).to.equal(iso);
    });
  }

  for (const text of refused) {
    it(`refuses ${JSON.stringify(text)}`, () => expect(parseDateTime(text)).to.equal(undefined));
  }

  it('writes whole seconds without a fraction and others with milliseconds', () => {
    expect(formatDateTime(1_000_000_000_000)).to.equal('2001-09-09T01:46:40Z');
    expect(formatDateTime(1_000_000_000_007)).to.equal('2001-09-09T01:46:40.007Z');
    expect(formatDateTime(Date.parse('0001-01-01T00:00:00Z'))).to.equal('0001-01-01T00:00:00Z');
  });

  it('writes no year of other than four digits', () => {
    for (const timeMs of [
      Number.NaN,
      Infinity,
      Date.parse('+010000-01-01T00:00:00Z'),
      Date.parse('0000-12-31T23:59:59Z'),
    ]) {
      expect(() => formatDateTime(timeMs), String(timeMs)).to.throw(RangeError);
    }
  });

  it('reads what it writes', () => {
    fc.assert(
      fc.property(fc.date(years), (date) => {
        expect(parseDateTime(formatDateTime(date.getTime()))).to.equal(date.getTime());
      }),
    );
  });

  it('agrees with Date on every text both accept', () => {
    const digits = (length: number) => fc.stringMatching(new RegExp(`^[0-9]{${length}}$`));
    const text = fc
      .tuple(digits(4), fc.nat(13), fc.nat(32), fc.nat(24), fc.nat(60), fc.nat(60), fc.constantFrom('', '.5', '.123'))
      .map(([year, ...parts]) => {
        const [month, day, hour, minute, second] = parts.map((part) => String(part).padStart(2, '0'));
        return `${year}-${month}-${day}T${hour}:${minute}:${second}${parts[5]}Z`;
      });
    fc.assert(
      fc.property(text, (candidate) => {
        const timeMs = parseDateTime(candidate);
        if (timeMs !== undefined) expect(timeMs).to.equal(Date.parse(candidate));
      }),
    );
  });
});

describe('DateTime in UTC (XEP-0079 §3.3.2)', () => {
  const same = Date.parse('2004-01-01T00:00:00Z');

  for (const zone of ['Z', '+00:00', '-00:00']) {
    it(`accepts the zone ${zone} with any number of digits`, () => {
      expect(parseUtcDateTime(`2004-01-01T00:00:00${zone}`)).to.equal(same);
      expect(parseUtcDateTime(`2004-01-01T00:00:00.${'0'.repeat(1000)}9${zone}`)).to.equal(same);
    });
  }

  for (const zone of ['', '+01:00', '-05:00', '+00:01', '+14:00', 'z', '+0000']) {
    it(`refuses the zone '${zone}'`, () => {
      expect(parseUtcDateTime(`2004-01-01T00:00:00${zone}`)).to.equal(undefined);
    });
  }

  it('refuses what is no DateTime', () => {
    for (const text of refused) expect(parseUtcDateTime(text), text).to.equal(undefined);
  });
});
