import { expect } from 'chai';
import { readRequest } from '../../../src/extensions/amp/element/parse.ts';
import { vocabulary } from '../../../src/extensions/amp/rules/vocabulary.ts';
import { type Arrival, admit } from '../../../src/extensions/amp/run/admission.ts';
import { mayHaveReports } from '../../../src/extensions/amp/run/privacy.ts';
import { Jid } from '../../../src/protocol/jid.ts';
import type { Stanza } from '../../../src/protocol/stanza.ts';
import { Account } from '../../../src/routing/account.ts';
import { maySeePresence } from '../../../src/routing/visibility.ts';
import type { RosterItem } from '../../../src/storage/rosters.ts';
import { ampXml, balcony, capulet, juliet, limits, message, nowMs, romeo, ruleXml, words } from './cast.ts';
import { allRules } from './plan-tables.ts';
import { refusalXml } from './report-xml.ts';

const arrival: Arrival = {
  fromClient: true,
  sender: romeo,
  recipient: juliet,
  by: capulet,
  mayReport: () => true,
  nowMs,
};
const bound = ' from="romeo@montague.example/orchard" to="juliet@capulet.example"';

/** The answer, or the payload that goes on and the rules that go with it. */
function outcome(sent: Stanza, changes: Partial<Arrival> = {}, within = limits) {
  const admission = admit(sent, { ...arrival, ...changes }, within);
  if (admission.kind === 'refused') return admission.reply.toString();
  const { ruleset } = admission;
  return {
    payload: admission.message.payload.bytes.toString(),
    rules: ruleset?.rules.map(({ rule }) => words(rule)),
    reportTo: ruleset?.reportTo,
  };
}

describe('admission', () => {
  it('lets a message without rules pass unchanged', () => {
    const plain = message('<body>a</body>');
    const admission = admit(plain, arrival, limits);
    expect(admission.kind === 'admitted' && admission.message).to.equal(plain);
    expect(admission.kind === 'admitted' && admission.ruleset).to.equal(undefined);
  });

  it('signs the rules for the next server or client (N-37, N-38)', () => {
    expect(outcome(message(`<body>a</body>${ampXml(['drop deliver stored'])}`))).to.deep.equal({
      payload: `<body>a</body>${ampXml(['drop deliver stored'], bound)}`,
      rules: ['drop deliver stored'],
      reportTo: 'sender',
    });
  });

  it('overwrites the addresses that a client writes (D-20)', () => {
    for (const sender of ['tybalt@capulet.example/x', 'romeo@montague.example/street']) {
      const forged = ampXml(['drop deliver stored'], ` from="${sender}" to="nurse@capulet.example"`);
      expect(outcome(message(forged))).to.deep.include({ payload: ampXml(['drop deliver stored'], bound) });
    }
  });

  it('removes forged reports (N-36, D-20)', () => {
    const report = ampXml(['notify deliver direct'], ' status="notify" from="a@b/c" to="d@e"');
    const expected = { payload: '<body>a</body>', rules: undefined, reportTo: undefined };
    expect(outcome(message(`${report}<body>a</body>${report}`))).to.deep.equal(expected);
  });

  it('leaves the reports of servers alone', () => {
    const report = ampXml(['notify deliver direct'], ' status="notify" from="a@b/c" to="d@e"');
    expect(outcome(message(report), { fromClient: false })).to.deep.include({ payload: report, rules: undefined });
  });

  it('leaves errors unchanged, whatever they contain (D-1)', () => {
    for (const amp of [
      ampXml(['notify deliver none']),
      ampXml(['error deliver none'], ' status="error"'),
      '<x xmlns="jabber:x:expire" seconds="0"/>',
    ]) {
      const bounce = message(amp, "id='m1' type='error'");
      expect(outcome(bounce)).to.deep.equal({ payload: amp, rules: undefined, reportTo: undefined });
    }
  });

  it('refuses faulty rules before it checks privacy', () => {
    const asked = () => {
      throw new Error('asked');
    };
    const rules = ['notify deliver direct', 'explode deliver stored'].map(ruleXml);
    const sent = message(ampXml(['notify deliver direct', 'explode deliver stored']));
    expect(outcome(sent, { mayReport: asked })).to.equal(refusalXml('unsupported-actions', rules, rules.slice(1)));
  });

  it('answers no bare domain (D-21): its rules apply without reports, and faulty ones are ignored', () => {
    const montague = Jid.parse('montague.example');
    const good = outcome(message(ampXml(['alert deliver stored'])), { sender: montague });
    expect(good).to.deep.include({ rules: ['alert deliver stored'], reportTo: undefined });
    const bad = ampXml(['explode deliver stored']);
    expect(outcome(message(bad), { sender: montague })).to.deep.equal({
      payload: bad,
      rules: undefined,
      reportTo: undefined,
    });
  });

  const verified = ['romeo@montague.example/orchard', 'juliet@capulet.example'];
  const believed: readonly [title: string, attributes: string, ends?: string[]][] = [
    ['no ends', ''],
    [
      'ends that fit',
      ' from="romeo@montague.example/street" to="juliet@capulet.example/garden"',
      ['romeo@montague.example/street', 'juliet@capulet.example/garden'],
    ],
    ['somebody else', ' from="tybalt@capulet.example/x" to="nurse@capulet.example"'],
    ['a bare sender', ' from="romeo@montague.example" to="nurse@capulet.example"'],
    ['no JID', ' from="@@" to="nurse@capulet.example"'],
    ['a recipient that is no JID', ' from="romeo@montague.example/orchard" to="@@"'],
    ['only a recipient', ' to="nurse@capulet.example"'],
  ];
  for (const [title, attributes, [from, to] = verified] of believed) {
    it(`believes another server about the original addresses if they match the sender: ${title} (D-20)`, () => {
      const sent = message(ampXml(['drop deliver none'], attributes));
      const admission = admit(sent, { ...arrival, fromClient: false }, limits);
      if (admission.kind === 'refused') throw new Error('refused');
      expect(admission.ends).to.deep.equal({ sender: Jid.parse(from ?? ''), recipient: Jid.parse(to ?? '') });
      expect(readRequest(admission.message)).to.deep.include({ from, to });
    });
  }
});

describe('expiry as it was before AMP (D-44)', () => {
  const expiry = (seconds: string) => `<x xmlns='jabber:x:expire' seconds='${seconds}'/>`;
  const inAMinute = 'drop expire-at 2026-03-01T12:01:00Z';

  it('is a last rule without reports', () => {
    expect(outcome(message(expiry('60')))).to.deep.include({ rules: [inAMinute] });
    const both = outcome(message(`${expiry('60')}${ampXml(['notify deliver stored'])}`));
    expect(both).to.deep.include({ rules: ['notify deliver stored', inAMinute] });
  });

  it('is not part of a refusal', () => {
    const rules = [ruleXml('notify deliver stored')];
    expect(
      outcome(message(`${expiry('60')}${ampXml(['notify deliver stored'])}`), { mayReport: () => false }),
    ).to.equal(refusalXml('invalid-rules', rules, rules));
  });

  it('is ignored if expire-at is disabled', () => {
    const within = { ...limits, vocabulary: vocabulary(new Set(['expire-at'])) };
    expect(outcome(message(expiry('60')), {}, within)).to.deep.include({ rules: undefined });
  });

  it('leaves the message unchanged', () => {
    expect(outcome(message(expiry('60')))).to.deep.include({ payload: expiry('60') });
  });

  for (const seconds of ['', '-1', '1.5', ' 60', '60s', '3155760001', '99999999999', '1e3']) {
    it(`of '${seconds}' seconds is ignored`, () => {
      expect(outcome(message(expiry(seconds)))).to.deep.include({ rules: undefined });
    });
  }
});

describe('the privacy matrix (N-43, D-26, D-28, D-31)', () => {
  const account = (roster: RosterItem[], blocked: string[]) =>
    new Account(juliet, { roster, rosterVersion: 0, blocked });
  const contact = (subscription: RosterItem['subscription'], pending = false): RosterItem => ({
    contact: 'romeo@montague.example',
    name: '',
    groups: [],
    subscription,
    ask: pending,
    approved: pending,
    version: 1,
    inRoster: true,
    ...(pending && { pendingIn: Buffer.from('<presence/>') }),
  });
  const strangers = {
    'no account': undefined,
    'an empty roster': account([], []),
    'a blocked sender': account([], ['romeo@montague.example']),
    'a subscription the other way': account([contact('to')], []),
    'a contact without subscription': account([contact('none')], []),
    'pending requests and a pre-approval': account([contact('none', true)], []),
  };
  const strict = { mode: 'strict', trusted: new Set<string>() } as const;
  const mayReport = (recipient: Account | undefined) => () =>
    mayHaveReports(strict, romeo, juliet, () => recipient !== undefined && maySeePresence(recipient, romeo));

  for (const words of allRules.filter((rule) => !rule.startsWith('drop'))) {
    it(`${words}: the same answer for all strangers, byte for byte`, () => {
      for (const to of [juliet, balcony]) {
        const answers = Object.values(strangers).map((recipient) =>
          outcome(message(ampXml([words])), { recipient: to, mayReport: mayReport(recipient) }),
        );
        const refusal = refusalXml('invalid-rules', [ruleXml(words)], [ruleXml(words)]);
        expect(answers).to.deep.equal(answers.map(() => refusal));
      }
    });
  }

  for (const subscription of ['from', 'both'] as const) {
    it(`a subscriber ('${subscription}') may get all reports, blocked or not`, () => {
      for (const blocked of [[], ['romeo@montague.example']]) {
        const recipient = account([contact(subscription)], blocked);
        for (const words of allRules) {
          const result = outcome(message(ampXml([words])), { mayReport: mayReport(recipient) });
          expect(result).to.deep.include({ rules: [words] });
        }
      }
    });
  }

  it('strangers may have their messages dropped', () => {
    for (const words of allRules.filter((rule) => rule.startsWith('drop'))) {
      expect(outcome(message(ampXml([words])), { mayReport: mayReport(undefined) })).to.deep.include({
        rules: [words],
      });
    }
  });
});
