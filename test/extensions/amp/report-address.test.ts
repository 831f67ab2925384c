import { expect } from 'chai';
import { carriesReport, isAnswerable, lateAddress } from '../../../src/extensions/amp/element/report-address.ts';
import { Jid } from '../../../src/protocol/jid.ts';
import { ampXml, message, romeo } from './cast.ts';

const amp = ampXml(['notify deliver stored']);
const report = ampXml(['notify deliver stored'], ' status="notify"');

describe('whether to answer (D-21)', () => {
  const cases: readonly [
    title: string,
    answerable: boolean,
    content: string,
    sender?: string | undefined,
    attributes?: string,
  ][] = [
    ['a user', true, amp],
    ['a bare JID', true, amp, 'romeo@montague.example'],
    ['a resource of a domain', true, amp, 'montague.example/announcements'],
    ['a domain', false, amp, 'montague.example'],
    ['the sender of an error', false, amp, undefined, "type='error' id='m1'"],
    ['the sender of a report', false, report],
  ];
  for (const [title, answerable, content, sender = romeo.toString(), attributes] of cases) {
    it(`${title}: ${answerable ? 'yes' : 'no'}`, () => {
      expect(isAnswerable(message(content, attributes), Jid.parse(sender))).to.equal(answerable);
    });
  }
});

describe('a report (D-22)', () => {
  it('is recognized by its status, not by its type', () => {
    expect(carriesReport(message(report))).to.equal(true);
    expect(carriesReport(message(report, "type='error'"))).to.equal(true);
    expect(carriesReport(message(amp))).to.equal(false);
    expect(carriesReport(message(`<x xmlns='urn:x'>${report}</x>`))).to.equal(false);
  });
});

describe('late reports (D-23)', () => {
  const isLocal = ({ domain }: Jid) => domain === 'montague.example';
  const afar = Jid.parse('paris@verona.example/x');

  it('go to the resource if it is still connected', () => {
    expect(lateAddress(romeo, isLocal, () => true).toString()).to.equal('romeo@montague.example/orchard');
  });

  it('go to the account if the resource has disconnected', () => {
    expect(lateAddress(romeo, isLocal, () => false).toString()).to.equal('romeo@montague.example');
  });

  it('go to the full address of senders on other servers', () =>
    expect(lateAddress(afar, isLocal, () => false)).to.equal(afar));
});
