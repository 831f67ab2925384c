import { expect } from 'chai';
import { judge } from '../../../src/extensions/amp/rules/judgment.ts';
import { prospectOf } from '../../../src/extensions/amp/rules/situation.ts';
import { admit } from '../../../src/extensions/amp/run/admission.ts';
import { Jid } from '../../../src/protocol/jid.ts';
import type { Stanza } from '../../../src/protocol/stanza.ts';
import { type DeliveryPlan, planLocal } from '../../../src/routing/delivery-plan.ts';
import { serviceOf } from '../../support/service-of.ts';
import { ampXml, balcony, capulet, juliet, limits, message, nowMs, romeo, sessionsOf } from './cast.ts';
import {
  allRules,
  expected,
  localRow,
  type MessageKind,
  type RecipientState,
  type Row,
  states,
} from './plan-tables.ts';
import { reportXml } from './report-xml.ts';

const types: readonly MessageKind[] = ['chat', 'normal', 'groupchat', 'headline', 'error'];
const contents = {
  '<no-store/>': "<body>a</body><no-store xmlns='urn:xmpp:hints'/>",
  'chat state': "<composing xmlns='http://jabber.org/protocol/chatstates'/>",
  text: '<body>a</body>',
};

interface Case {
  readonly rule: string;
  readonly to: Jid;
  readonly type: MessageKind;
  readonly content: keyof typeof contents;
  readonly perHop?: boolean;
  readonly planned: (stanza: Stanza) => DeliveryPlan;
}

/** What the server does with a message that has one rule, in the words of the tables. */
function actual({ rule, to, type, content, perHop = false, planned }: Case): string {
  const amp = ampXml([rule], perHop ? ' per-hop="true"' : '');
  const sent = message(`${contents[content]}${amp}`, `id='m1' type='${type}'`);
  const arrival = { fromClient: true, sender: romeo, recipient: to, by: capulet, mayReport: () => true, nowMs };
  const admission = admit(sent, arrival, limits);
  if (admission.kind === 'refused') return 'refused';
  const { ruleset, ends } = admission;
  if (!ruleset) return 'not judged';
  const plan = planned(admission.message);
  const prospect = prospectOf(plan, to);
  const judgment = judge([ruleset], { event: 'receipt', prospect, intended: to, hop: false, nowMs });
  const otherwise = plan.kind !== 'none' ? 'goes on' : (plan.error?.condition ?? 'silence');
  const [report] = judgment.reports;
  const xml = report?.rule.action.report?.(report.rule.written, { by: capulet, to: romeo, id: 'm1', ...ends });
  const [name = ''] = rule.split(' ');
  if (xml) expect(xml.toString()).to.equal(reportXml(name, rule, to.toString()));
  if (judgment.decision === 'stop') return report ? `stopped, ${name} ${report.when}` : 'stopped';
  if (!report) return otherwise;
  return report.when === 'now' ? `${name} now, then ${otherwise}` : `${otherwise}, then ${name}`;
}

/** Whoever blocks the sender is planned for as somebody who does not exist. */
function view({ account, resources }: RecipientState) {
  if (account) return { exists: false, sessions: [] };
  const priorities = Object.entries(resources).map(([name, priority]) => [
    name,
    priority === 'mute' ? undefined : priority,
  ]);
  return { exists: true, sessions: sessionsOf(Object.fromEntries(priorities)) };
}

describe('every rule in every state of the recipient (D-2, D-28, D-42, D-45, N-23, N-25, N-29, N-45)', () => {
  for (const [name, state] of Object.entries(states)) {
    for (const to of [juliet, balcony]) {
      for (const type of types) {
        const row = localRow(state, !to.isBare, type);
        it(`${name}; ${type} to the ${to.isBare ? 'bare' : 'full'} JID: row ${row?.row ?? 17}`, () => {
          const content = state.content ?? 'text';
          const recipient = view(state);
          const planned = (stanza: Stanza) => planLocal(stanza, to, recipient);
          for (const rule of allRules) {
            const wanted = row ? expected(rule, row) : 'not judged';
            expect(actual({ rule, to, type, content, planned }), rule).to.equal(wanted);
          }
        });
      }
    }
  }
});

describe('every rule at every other destination (D-2, N-25, N-29)', () => {
  const service = (gateway: boolean) => serviceOf('bridge.example', gateway, () => undefined);
  const at = Jid.parse('12345@bridge.example');
  const afar = Jid.parse('benvolio@verona.example/x');
  const cases: readonly { name: string; plan: DeliveryPlan; to: Jid; perHop?: boolean; row: Row }[] = [
    {
      name: 'a component',
      plan: { kind: 'service', service: service(false) },
      to: at,
      row: { row: 20, deliver: 'direct', matches: ['any', 'exact'], otherwise: 'goes on' },
    },
    {
      name: 'a gateway',
      plan: { kind: 'gateway', service: service(true) },
      to: at,
      row: { row: 21, deliver: 'gateway', matches: ['any', 'exact'], otherwise: 'goes on' },
    },
    {
      name: 'a forward from the bare JID',
      plan: { kind: 'forward', to: afar },
      to: juliet,
      row: { row: 15, deliver: 'forward', matches: ['any', 'other'], otherwise: 'goes on' },
    },
    {
      name: 'a forward from a full JID',
      plan: { kind: 'forward', to: afar },
      to: balcony,
      row: { row: 15, deliver: 'forward', matches: ['any', 'other'], otherwise: 'goes on' },
    },
    {
      name: 'another server, by edge rules',
      plan: { kind: 'remote', domain: 'verona.example' },
      to: afar,
      row: { row: 28, deliver: 'undecided', matches: [], otherwise: 'goes on' },
    },
    {
      name: 'another server, per hop',
      plan: { kind: 'remote', domain: 'verona.example' },
      to: afar,
      perHop: true,
      row: { row: 29, deliver: 'direct', matches: [], otherwise: 'goes on' },
    },
    {
      name: 'the domain',
      plan: { kind: 'none' },
      to: capulet,
      row: { row: 27, deliver: 'none', matches: [], otherwise: 'silence' },
    },
  ];
  for (const { name, plan, to, perHop = false, row } of cases) {
    it(`${name}: row ${row.row}`, () => {
      for (const rule of allRules) {
        const result = actual({ rule, to, type: 'normal', content: 'text', perHop, planned: () => plan });
        expect(result, rule).to.equal(expected(rule, row));
      }
    });
  }
});
