import { z } from 'zod';
import {
  type ExplainReport,
  explainMessage,
  type RuleWords,
} from '../../../extensions/amp/operator/message-operations.ts';
import { OperationError } from '../../../routing/operation-error.ts';
import { showConfiguration } from '../../control/console-operations.ts';
import { serverStatus } from '../../control/server-operations.ts';
import { type Html, html } from '../../html/html.ts';
import { type ConsoleAction, type ConsolePage, type FormFields, type PageContext, pagePath } from '../page.ts';
import { actionForm, badge, choice, facts, field, panel, table, textArea } from '../parts.ts';

const types = ['normal', 'chat', 'headline', 'groupchat', 'error'] as const;
const actions = ['alert', 'drop', 'error', 'notify'] as const;
const conditions = ['deliver', 'expire-at', 'match-resource'] as const;
/** The rules that the form has room for; a message in XML may have more. */
const ruleRows = 3;

/** The figures of AMP in the status, and its policies in the configuration. */
const ampFigures = z.object({
  fired: z.record(z.string(), z.number()),
  refused: z.number(),
  repliesHeldBack: z.number(),
});
const ampSettings = z.object({
  amp: z.object({
    policies: z.array(
      z.object({
        name: z.string(),
        match: z.record(z.string(), z.unknown()),
        rules: z.array(z.record(z.string(), z.unknown())),
      }),
    ),
  }),
});

/** Rules of messages (XEP-0079): those that have fired, the policies of the operator, and what would happen to a message. */
export const rulesPage: ConsolePage = {
  name: 'rules',
  title: 'Message rules',
  group: 'Messages',
  operation: explainMessage,
  content: async (context) => html`
<p class="quiet">Advanced Message Processing (XEP-0079): what a message asks the server to do with it, and what you ask for it.</p>
${playground(context, undefined)}<div class="columns">${await firedPanel(context)}${await policiesPanel(context)}</div>`,
};

async function firedPanel({ call }: PageContext): Promise<Html> {
  const { extensions } = await call(serverStatus, {});
  const figures = ampFigures.safeParse(extensions['amp']?.figures).data;
  const rows = Object.entries(figures?.fired ?? {}).map(([rule, count]) => {
    const [action, condition, ...value] = rule.split(' ');
    return [html`<code>${action}</code>`, html`<code>${condition}</code>`, value.join(' '), count.toLocaleString('en')];
  });
  return panel(
    'Rules that have fired',
    table(
      'Rules that have fired',
      ['Action', 'Condition', 'Value', 'Times'],
      rows,
      'No rule has fired since the start.',
    ),
    facts([
      ['Messages refused for their rules', figures?.refused],
      ['Replies held back', figures?.repliesHeldBack],
    ]),
  );
}

async function policiesPanel({ call }: PageContext): Promise<Html> {
  const { effective } = await call(showConfiguration, {});
  const policies = ampSettings.safeParse(effective).data?.amp.policies ?? [];
  const rows = policies.map(({ name, match, rules }) => [
    name,
    settingsText(match) || 'every message',
    html`${rules.map((rule) => html`<div><code>${ruleText(rule)}</code></div>`)}`,
  ]);
  return panel(
    'Policies',
    table('Policies', ['Policy', 'Applies to', 'Rules'], rows, 'The configuration has no policies.'),
  );
}

function settingsText(settings: Readonly<Record<string, unknown>>): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name}: ${Array.isArray(value) ? value.join(', ') : String(value)}`)
    .join('; ');
}

function ruleText({ action, condition, value, maxAgeSeconds }: Readonly<Record<string, unknown>>): string {
  return maxAgeSeconds === undefined ? `${action} ${condition}=${value}` : `${action} after ${maxAgeSeconds} s`;
}

/** The form that explains a message, filled with what was asked before. */
function playground(context: PageContext, asked: FormFields | undefined): Html {
  const value = (name: string) => asked?.text(name) ?? '';
  const rows = Array.from({ length: ruleRows }, (_, index) => {
    const chosen = (name: string) => asked?.all(name)[index] ?? '';
    return html`<div class="row rule">${choice('action', `Action ${index + 1}`, optional(actions), chosen('action'))}
${choice('condition', 'Condition', optional(conditions), chosen('condition'))}
${field('value', 'Value', { value: chosen('value'), placeholder: index === 0 ? 'stored' : '' })}</div>`;
  });
  const fields = html`<div class="row">${field('from', 'From', { value: value('from'), placeholder: 'juliet@example.org' })}
${field('to', 'To', { value: value('to'), placeholder: 'romeo@example.org' })}
${choice(
  'type',
  'Type',
  types.map((type) => [type, type]),
  value('type') || 'chat',
)}</div>
${rows}
<details${value('xml') !== '' && html` open`}><summary>A whole message instead</summary>${textArea(
    'xml',
    'Message as XML',
    value('xml'),
    'Its rules and its type count then. From and To above replace its addresses.',
  )}</details>`;
  return panel('What would happen to a message?', actionForm(context, explain, { fields, label: 'Explain' }));
}

function optional(words: readonly string[]): (readonly [string, string])[] {
  return [['', '–'], ...words.map((word) => [word, word] as const)];
}

const explain: ConsoleAction = {
  path: 'rules/explain',
  operation: explainMessage,
  next: () => pagePath('rules'),
  run: async (context, form) => {
    const result = await explained(context, form);
    return html`${result}${playground(context, form)}`;
  },
};

/** What can be asked about rules. */
export const ruleActions: readonly ConsoleAction[] = [explain];

/** The explanation, or why there is none; the form stays filled. */
async function explained({ call }: PageContext, form: FormFields): Promise<Html> {
  const [from, to, xml] = [form.text('from'), form.text('to'), form.text('xml')];
  const made = { type: form.text('type'), rules: rulesIn(form) };
  try {
    return explanation(await call(explainMessage, { from, to, xml, ...(xml === undefined && made) }));
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    return html`<p class="notice" role="alert">${error.message}</p>`;
  }
}

function rulesIn(form: FormFields): RuleWords[] {
  const [condition, value] = [form.all('condition'), form.all('value')];
  return form
    .all('action')
    .map((action, index) => ({ action, condition: condition[index] ?? '', value: (value[index] ?? '').trim() }))
    .filter((rule) => rule.action !== '' || rule.condition !== '' || rule.value !== '');
}

const plans = new Map<string, string>([
  ['direct', 'It would be delivered to'],
  ['forward', 'It would be forwarded to'],
  ['gateway', 'It would leave XMPP through the gateway at'],
  ['stored', 'It would be stored for'],
]);

const standings: Readonly<Record<string, Html>> = {
  fires: badge('good', 'fires'),
  unmet: badge('plain', 'not met'),
  unreached: badge('plain', 'not evaluated'),
  foreign: badge('plain', 'not for this server'),
};

const decisions = {
  keep: 'The message goes as planned.',
  stop: 'A rule stops the message.',
  refuse: 'The server refuses the rules and the message.',
} as const;

/** The steps that the server would take. */
function explanation(report: ExplainReport): Html {
  const steps = [
    html`<h3>Without rules</h3><p>${planText(report)}</p>`,
    ...report.rulesets.map(({ policy, rules }) => {
      const rows = rules.map(({ action, condition, value, standing }) => [
        html`<code>${action}</code>`,
        html`<code>${condition}=${value}</code>`,
        standings[standing] ?? standing,
      ]);
      const title = policy === undefined ? 'Rules of the sender' : `Rules of the policy ${policy}`;
      return html`<h3>${title}</h3>${table(title, ['Action', 'Condition', 'Result'], rows, 'It has no rules.')}`;
    }),
    html`<h3>Decision</h3><p>${decisions[report.decision]}</p>${report.refusal !== undefined && html`<pre>${report.refusal}</pre>`}`,
    ...report.reports.map(({ status, to, when }) => {
      return html`<h3>Report</h3><p>${to} gets a report (<code>${status}</code>)${when === 'now' ? '' : ' afterwards'}.</p>`;
    }),
    ...(report.nextDueAt === undefined
      ? []
      : [html`<h3>While it waits</h3><p>Its rules are checked again at ${report.nextDueAt}.</p>`]),
  ];
  return panel(
    'Explanation',
    facts([
      ['From', report.from],
      ['To', report.to],
      ['At', report.at],
    ]),
    html`<ol class="steps">${steps.map((step) => html`<li>${step}</li>`)}</ol>`,
  );
}

function planText({ plan: { deliver, destinations, error } }: ExplainReport): string {
  if (deliver === 'none') {
    return error === undefined
      ? 'It would be discarded silently.'
      : `It would not be delivered, and the sender would get ${error}.`;
  }
  const plan = deliver === undefined ? undefined : plans.get(deliver);
  return plan === undefined ? 'Another server decides.' : `${plan} ${destinations.join(', ')}.`;
}
