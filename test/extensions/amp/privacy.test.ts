import { expect } from 'chai';
import { refusalReply } from '../../../src/extensions/amp/element/replies.ts';
import { mayHaveReports, type PresencePrivacy, refuseReports } from '../../../src/extensions/amp/run/privacy.ts';
import { Jid } from '../../../src/protocol/jid.ts';
import { balcony, capulet, juliet, romeo, ruleXml, understood } from './cast.ts';
import { allRules } from './plan-tables.ts';
import { refusalXml } from './report-xml.ts';

const nobody = new Set<string>();

describe('who may have reports (N-43, N-44, D-24, D-26, D-27)', () => {
  const cases: readonly [
    PresencePrivacy['mode'],
    title: string,
    sender: Jid,
    sees: boolean,
    trusted: string[],
    boolean,
  ][] = [
    ['strict', 'a stranger', romeo, false, [], false],
    ['strict', 'a subscriber', romeo, true, [], true],
    ['strict', 'the recipient, from another resource', balcony, false, [], true],
    ['strict', 'a trusted domain', romeo, false, ['montague.example'], true],
    ['strict', 'a trusted account', romeo, false, ['romeo@montague.example'], true],
    ['strict', 'another account than the trusted one', romeo, false, ['benvolio@montague.example'], false],
    [
      'strict',
      'a subdomain of a trusted domain',
      Jid.parse('a@b.montague.example/c'),
      false,
      ['montague.example'],
      false,
    ],
    ['drop-only', 'a subscriber', romeo, true, [], false],
    ['drop-only', 'the recipient, from another resource', balcony, false, [], true],
    ['drop-only', 'a trusted domain', romeo, false, ['montague.example'], true],
    ['open', 'a stranger', romeo, false, [], true],
  ];
  for (const [mode, title, sender, sees, trusted, allowed] of cases) {
    it(`${mode}: ${title} ${allowed ? 'may' : 'may not'}`, () => {
      const privacy = { mode, trusted: new Set(trusted) };
      expect(mayHaveReports(privacy, sender, juliet, () => sees)).to.equal(allowed);
    });
  }

  for (const mode of ['drop-only', 'open'] as const) {
    it(`${mode} does not ask for the roster`, () => {
      const roster = () => {
        throw new Error('asked');
      };
      expect(() => mayHaveReports({ mode, trusted: nobody }, romeo, juliet, roster)).not.to.throw();
    });
  }
});

describe('what reveals presence (D-25)', () => {
  for (const words of allRules) {
    const reveals = !words.startsWith('drop');
    it(`${words} ${reveals ? 'does' : 'does not'}`, () => {
      expect(refuseReports(understood(words), () => false) !== undefined).to.equal(reveals);
    });
  }

  it('is refused as a whole, every revealing rule listed (N-14)', () => {
    const rules = [
      'drop deliver stored',
      'notify deliver direct',
      'drop deliver none',
      'error expire-at 2099-01-01T00:00:00Z',
    ];
    const refusal = refuseReports(understood(...rules), () => false);
    if (!refusal) throw new Error('accepted');
    const listed = rules.filter((words) => !words.startsWith('drop'));
    expect(refusalReply(refusal, { by: capulet, to: romeo, id: 'm1' }).toString()).to.equal(
      refusalXml('invalid-rules', rules.map(ruleXml), listed.map(ruleXml)),
    );
  });

  it('nobody is asked about rules that are silent', () => {
    const asked = () => {
      throw new Error('asked');
    };
    expect(refuseReports(understood('drop deliver stored'), asked)).to.equal(undefined);
  });
});
