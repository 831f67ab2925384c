import { expect } from 'chai';
import fc from 'fast-check';
import { signedCopy, withoutForgedReports, withoutRules } from '../../../src/extensions/amp/run/delivered-copy.ts';
import { ampXml, juliet, message, romeo } from './cast.ts';
import { allRules } from './plan-tables.ts';

const ends = { sender: romeo, recipient: juliet };
const bound = ' from="romeo@montague.example/orchard" to="juliet@capulet.example"';
const rules = ['drop deliver stored', 'notify deliver direct'];

function signed(content: string): string {
  return signedCopy(message(content), ends).payload.bytes.toString();
}

describe('the copy that is passed on (N-37, N-38)', () => {
  it('keeps the rules and has the original sender and recipient', () => {
    expect(signed(`<body>a</body>${ampXml(rules)}<thread>t</thread>`)).to.equal(
      `<body>a</body>${ampXml(rules, bound)}<thread>t</thread>`,
    );
  });

  it('keeps per-hop and unknown content', () => {
    const amp =
      '<amp xmlns="http://jabber.org/protocol/amp" per-hop="true" x="1"><rule action="drop"/><y xmlns="urn:y">z</y></amp>';
    expect(signed(amp)).to.equal(amp.replace(' x="1"', ` x="1"${bound}`));
  });

  it('signs the request, not a report beside it', () => {
    const report = ampXml(rules, ' status="notify"');
    expect(signed(report + ampXml(rules))).to.equal(report + ampXml(rules, bound));
  });

  it('is the message itself if it has no request', () => {
    const plain = message('<body>a</body><amp/>');
    expect(signedCopy(plain, ends)).to.equal(plain);
  });

  it('does not change when signed again, and keeps all other content', () => {
    const content = fc.constantFrom(
      '<body>a &amp; b</body>',
      "<x xmlns='urn:x'  a = '1' >y</x >",
      '<thread/>',
      'text ',
    );
    fc.assert(
      fc.property(
        fc.array(content),
        fc.array(content),
        fc.subarray(allRules, { minLength: 1 }),
        (before, after, some) => {
          const sent = `${before.join('')}${ampXml(some)}${after.join('')}`;
          const once = signed(sent);
          expect(signed(once)).to.equal(once);
          expect(once.startsWith(before.join('')) && once.endsWith(after.join(''))).to.equal(true);
        },
      ),
    );
  });
});

describe('copies without rules', () => {
  it('are sent to the occupants of a room (D-30)', () => {
    const sent = message(`${ampXml(rules)}<body>a</body>${ampXml(rules, ' status="alert"')}`);
    expect(withoutRules(sent).payload.bytes.toString()).to.equal('<body>a</body>');
  });

  it('are the message itself if it has none', () => {
    const plain = message("<body>a</body><amp xmlns='urn:other'/>");
    expect(withoutRules(plain)).to.equal(plain);
    expect(withoutForgedReports(plain)).to.equal(plain);
  });

  it('lose reports, which only servers may send, and keep requests (D-20)', () => {
    const sent = message(`${ampXml(rules)}${ampXml(rules, ' status=""')}<body>a</body>`);
    expect(withoutForgedReports(sent).payload.bytes.toString()).to.equal(`${ampXml(rules)}<body>a</body>`);
  });

  it('keep the report in an error', () => {
    const bounce = message(ampXml(rules, ' status="error"'), "type='error'");
    expect(withoutForgedReports(bounce)).to.equal(bounce);
  });
});
