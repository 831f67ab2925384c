import { checkServer, showConfiguration } from '../../control/console-operations.ts';
import type { CheckFinding, ConfigurationReport } from '../../control/running-server.ts';
import { reload } from '../../control/server-operations.ts';
import { type Html, html } from '../../html/html.ts';
import { type ConsoleAction, type ConsolePage, type PageContext, pagePath } from '../page.ts';
import { actionForm, badge, facts, link, panel, table } from '../parts.ts';

/** The configuration in effect. */
export const configurationPage: ConsolePage = {
  name: 'configuration',
  title: 'Configuration',
  group: 'Server',
  operation: showConfiguration,
  content: async (context) => {
    const report = await context.call(showConfiguration, {});
    return html`${source(context, report)}${Object.entries(report.effective).map(([name, value]) => section(name, value))}`;
  },
};

function source(context: PageContext, { file, waiting }: ConfigurationReport): Html {
  return panel(
    'Source',
    facts([
      ['File', file === undefined ? 'none: the defaults apply' : html`<code>${file}</code>`],
      ['Changed, needs a restart', waiting.length === 0 ? undefined : waiting.join(', ')],
    ]),
    html`<p>${link(pagePath('check'), 'Check the configuration and the machine')}</p>`,
    actionForm(context, readAgain, {
      label: 'Read the file and the certificates again',
      kind: 'second',
    }),
  );
}

function section(name: string, value: unknown): Html {
  const entries = leaves(value, name).map(([path, leaf]) => [html`<code>${path}</code>`, html`<code>${leaf}</code>`]);
  return html`<details class="panel"><summary>${name}</summary>${table(name, ['Setting', 'Value'], entries, 'Nothing is set.')}</details>`;
}

/** The innermost settings below a path, with their values as JSON. */
function leaves(value: unknown, path: string): (readonly [path: string, value: string])[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [[path, JSON.stringify(value)]];
  return Object.entries(value).flatMap(([name, inner]) => leaves(inner, `${path}.${name}`));
}

/** What `ampere check` finds. */
export const checkPage: ConsolePage = {
  name: 'check',
  title: 'Check',
  group: 'Server',
  operation: checkServer,
  content: async ({ call }) => {
    const { findings } = await call(checkServer, {});
    const rows = findings.toSorted(bySeverity).map((one) => [levelBadge(one), one.topic, one.message]);
    return table('Findings', ['Result', 'Topic', 'Finding'], rows, 'Nothing was checked.');
  },
};

const severities = ['error', 'warning', 'ok'];

function bySeverity(one: CheckFinding, other: CheckFinding): number {
  return severities.indexOf(one.level) - severities.indexOf(other.level);
}

function levelBadge({ level }: CheckFinding): Html {
  return badge(level === 'ok' ? 'good' : level === 'warning' ? 'warn' : 'bad', level);
}

const readAgain: ConsoleAction = {
  path: 'configuration/reload',
  operation: reload,
  next: () => pagePath('configuration'),
  run: async ({ call }) => {
    const { waiting } = await call(reload, {});
    const done = 'The configuration and the certificates were read again.';
    return waiting.length === 0 ? done : `${done} These changes need a restart: ${waiting.join(', ')}.`;
  },
};

/** What can be done with the configuration. */
export const configurationActions: readonly ConsoleAction[] = [readAgain];
