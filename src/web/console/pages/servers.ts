import { listBlockLists } from '../../../extensions/block-lists/block-lists.ts';
import type { LinkTestReport } from '../../../federation/link-test.ts';
import type { PeerStreamReport } from '../../../federation/peer-report.ts';
import type { BlockedDomain } from '../../../storage/moderation.ts';
import { blockDomain, listBlockedDomains, unblockDomain } from '../../control/moderation-operations.ts';
import { listPeers, testPeer } from '../../control/server-operations.ts';
import { type Html, html } from '../../html/html.ts';
import { momentView } from '../../html/moment.ts';
import { type ConsoleAction, type ConsolePage, type PageContext, pagePath } from '../page.ts';
import { actionForm, badge, duration, field, link, panel, rowForm, table } from '../parts.ts';

/** The streams with other servers, and the blocked domains. */
export const serversPage: ConsolePage = {
  name: 'servers',
  title: 'Other servers',
  group: 'Network',
  operation: listPeers,
  content: async (context) => {
    const [{ streams }, { domains }, { lists }] = await Promise.all([
      context.call(listPeers, {}),
      context.call(listBlockedDomains, {}),
      context.may(listBlockLists) ? context.call(listBlockLists, {}) : { lists: [] },
    ]);
    const rows = streams.toSorted(byDomain).map((stream) => streamRow(context, stream));
    const columns = ['Stream', 'State', 'Proof', 'Address', 'Waiting', 'Last failure', ''];
    return html`${testPanel(context)}
${panel('Streams', table('Streams', columns, rows, 'There are no streams with other servers.'))}
${blockedPanel(context, domains)}
${listsPanel(lists)}`;
  },
};

function testPanel(context: PageContext): Html {
  if (!context.may(testPeer)) return html``;
  const fields = html`<div class="row">${field('remote', 'Domain', { required: true, placeholder: 'example.net' })}${field(
    'local',
    'From',
    { hint: 'Empty: the first domain' },
  )}</div>`;
  return panel(
    'Test a link',
    html`<p class="quiet">Connects to the server of a domain and shows each step, so that you see why it cannot be reached.</p>`,
    actionForm(context, test, { fields, label: 'Test' }),
  );
}

function byDomain(one: PeerStreamReport, other: PeerStreamReport): number {
  const key = ({ remote = '', local = '' }: PeerStreamReport) => `${remote} ${local}`;
  return key(one).localeCompare(key(other));
}

function streamRow(context: PageContext, stream: PeerStreamReport) {
  const { local = '?', remote, direction, bothWays, state, authenticatedBy = '', tls, remoteAddress = '' } = stream;
  const arrow = bothWays ? '↔' : direction === 'out' ? '→' : '←';
  const waiting = [
    ...(stream.queued > 0 ? [`${stream.queued} waiting`] : []),
    ...(stream.unacknowledged > 0 ? [`${stream.unacknowledged} unacknowledged`] : []),
    ...(stream.retryInMs ? [`next attempt in ${duration(stream.retryInMs)}`] : []),
  ];
  return [
    html`${local} ${arrow} <strong>${remote ?? '?'}</strong>`,
    html`${badge(stream.failure === undefined ? 'good' : 'bad', state)}${!tls && html` ${badge('warn', 'no TLS')}`}`,
    authenticatedBy,
    remoteAddress,
    waiting.join(', '),
    stream.failure,
    remote !== undefined && rowForm(context, test, { remote, local }, 'Why not?'),
  ].map((cell) => (cell === false ? '' : cell));
}

function blockedPanel(context: PageContext, domains: readonly BlockedDomain[]): Html {
  const rows = domains.map(({ domain, atMs, reason = '' }) => [
    domain,
    momentView(atMs),
    reason,
    rowForm(context, unblock, { domain }, 'Unblock'),
  ]);
  const fields = html`<div class="row">${field('domain', 'Domain', {
    required: true,
    placeholder: '*.example.net',
    hint: '*. in front stands for all subdomains',
  })}${field('reason', 'Reason, for operators')}</div>`;
  return panel(
    'Blocked domains',
    table('Blocked domains', ['Domain', 'Since', 'Reason', ''], rows, 'No domain is blocked here.'),
    actionForm(context, block, { fields, label: 'Block', kind: 'second' }),
  );
}

type FollowedLists = Awaited<ReturnType<typeof listBlockLists.run>>['lists'];

function listsPanel(lists: FollowedLists): Html {
  const rows = lists.map(({ uri, entries, followed, readAt = 'not yet', problem = '' }) => [
    uri,
    entries,
    badge(followed ? 'good' : 'bad', followed ? 'followed' : 'not followed'),
    readAt,
    problem,
  ]);
  const columns = ['List', 'Entries', 'State', 'Read', 'Last failure'];
  return panel('Block lists of other servers', table('Block lists', columns, rows, 'This server follows none.'));
}

function testResult(remote: string, { steps, reached }: LinkTestReport): Html {
  const rows = steps.map(({ ok, step, detail }) => [badge(ok ? 'good' : 'bad', ok ? 'ok' : 'failed'), step, detail]);
  return html`<p class="subject">${remote} ${reached ? badge('good', 'reached') : badge('bad', 'not reached')}</p>
${panel('Steps', table('Steps', ['Result', 'Step', 'Detail'], rows, 'There was no step.'))}
<p>${link(pagePath('servers'), 'Back to the servers')}</p>`;
}

const test: ConsoleAction = {
  path: 'servers/test',
  operation: testPeer,
  next: () => pagePath('servers'),
  run: async ({ call }, form) => {
    const remote = form.needed('remote');
    return testResult(remote, await call(testPeer, { remote, local: form.text('local') }));
  },
};

const block: ConsoleAction = {
  path: 'servers/block',
  operation: blockDomain,
  next: () => pagePath('servers'),
  run: async ({ call }, form) => {
    const { domain } = await call(blockDomain, { domain: form.needed('domain'), reason: form.text('reason') });
    return `${domain} is blocked.`;
  },
};

const unblock: ConsoleAction = {
  path: 'servers/unblock',
  operation: unblockDomain,
  next: () => pagePath('servers'),
  run: async ({ call }, form) => {
    const { domain } = await call(unblockDomain, { domain: form.needed('domain') });
    return `${domain} is not blocked any more.`;
  },
};

/** What can be done about other servers. */
export const serverActions: readonly ConsoleAction[] = [test, block, unblock];
