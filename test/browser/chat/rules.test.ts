import { expect } from 'chai';
import { serialize } from '../../../src/browser/chat/element.ts';
import { failureText, reportOf } from '../../../src/browser/chat/outcomes.ts';
import { conditionText, nextMoment, rulesElement, rulesOf, ruleText } from '../../../src/browser/chat/rules.ts';
import { readXml } from './read-xml.ts';

const amp = 'http://jabber.org/protocol/amp';

describe('Rules on messages of the chat page (XEP-0079)', () => {
  it('are written in their order', () => {
    const rules = [
      { condition: 'expire-at', value: '2026-03-01T18:00:00Z', action: 'alert' },
      { condition: 'deliver', value: 'stored', action: 'notify' },
    ];
    const element = rulesElement(rules) ?? expect.fail();
    expect(serialize(element)).to.equal(
      `<amp xmlns="${amp}"><rule condition="expire-at" value="2026-03-01T18:00:00Z" action="alert"/>` +
        '<rule condition="deliver" value="stored" action="notify"/></amp>',
    );
    expect(rulesOf(readXml(`<message>${serialize(element)}</message>`))).to.deep.equal(rules);
    expect(rulesElement([])).to.equal(undefined);
  });

  it('do not include what a report repeats', () => {
    const report = `<message><amp xmlns="${amp}" status="notify"><rule condition="deliver" value="stored" action="notify"/></amp></message>`;
    expect(rulesOf(readXml(report))).to.deep.equal([]);
  });

  it('are shown in words', () => {
    const rule = { condition: 'deliver', value: 'stored', action: 'alert' };
    expect(ruleText(rule)).to.equal('If it would be stored for later: do not send it, and tell me');
    expect(ruleText({ condition: 'x', value: 'y', action: 'z' })).to.equal('If x is y: z');
    expect(conditionText({ condition: 'expire-at', value: 'never' })).to.equal('it would arrive after never');
  });

  it('have the next moment at which a clock shows the time, in UTC', () => {
    const now = new Date(2026, 2, 1, 17, 30).getTime();
    expect(nextMoment('18:00', now)).to.equal(new Date(2026, 2, 1, 18).toISOString().replace('.000', ''));
    expect(nextMoment('17:30', now)).to.equal(new Date(2026, 2, 2, 17, 30).toISOString().replace('.000', ''));
  });

  const rule = (condition: string, value: string, action: string) =>
    `<rule condition="${condition}" value="${value}" action="${action}"/>`;
  const report = (status: string, rules: string) =>
    readXml(
      `<message id="m"><amp xmlns="${amp}" status="${status}" to="juliet@capulet.example">${rules}</amp></message>`,
    );

  for (const [status, condition, value, text, bad] of [
    ['notify', 'deliver', 'direct', 'Delivered to Juliet.', false],
    ['notify', 'deliver', 'stored', 'Stored until Juliet is online.', false],
    ['alert', 'deliver', 'stored', 'Not sent: Juliet is not online.', true],
    ['alert', 'match-resource', 'other', 'Not sent: it would have reached another device.', true],
    ['notify', 'unheard-of', 'x', 'The rule on unheard-of applied.', false],
  ] as const)
    it(`have an outcome: ${status} ${condition} ${value}`, () => {
      expect(reportOf(report(status, rule(condition, value, status)), 'Juliet')).to.deep.equal({ text, bad });
    });

  it('have the time of an expiry in their outcome', () => {
    const outcome = reportOf(report('alert', rule('expire-at', '2026-03-01T18:00:00Z', 'alert')), 'Juliet');
    expect(outcome?.text).to.match(/^Expired: it could not be delivered before .*\d\d.*\.$/);
  });

  it('are not reported by a message without a status', () => {
    expect(reportOf(readXml(`<message><amp xmlns="${amp}">${rule('a', 'b', 'c')}</amp></message>`), 'x')).to.equal(
      undefined,
    );
  });

  const failure = (content: string) =>
    readXml(`<message type="error"><error type="modify">${content}</error></message>`);
  const stanzas = 'xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"';

  for (const [what, content, expected] of [
    [
      'a rule that demanded an error',
      `<undefined-condition ${stanzas}/><failed-rules xmlns="${amp}#errors">${rule('match-resource', 'other', 'error')}</failed-rules>`,
      'Not sent: it would have reached another device.',
    ],
    [
      'rules that reveal too much',
      `<not-acceptable ${stanzas}/><invalid-rules xmlns="${amp}"/>`,
      'Not sent: rules that report back need a contact who lets you see whether they are online.',
    ],
    [
      'an absent account',
      `<service-unavailable ${stanzas}/>`,
      'Not delivered: this address does not take the message.',
    ],
    ['something new', `<unheard-of ${stanzas}/>`, 'Not delivered: unheard-of.'],
    ['a name that objects have', `<constructor ${stanzas}/>`, 'Not delivered: constructor.'],
    ['nothing', '', 'Not delivered: unknown error.'],
  ] as const)
    it(`are explained after an error: ${what}`, () => {
      expect(failureText(failure(content), 'Juliet')).to.equal(expected);
    });
});
