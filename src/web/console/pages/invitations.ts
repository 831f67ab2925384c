import type { StoredInvitation } from '../../../storage/invitations.ts';
import {
  createInvitation,
  createResetLink,
  listInvitations,
  revokeInvitation,
} from '../../control/invitation-operations.ts';
import { type Html, html } from '../../html/html.ts';
import { momentView } from '../../html/moment.ts';
import { type ConsoleAction, type ConsolePage, type PageContext, pagePath } from '../page.ts';
import { accountLink, actionForm, facts, field, link, panel, rowForm, table, wholeNumber } from '../parts.ts';

const dayMs = 86_400_000;
/** The invitations that are shown. */
const mostShown = 500;

/** The invitations and links that can still be used. */
export const invitationsPage: ConsolePage = {
  name: 'invitations',
  title: 'Invitations',
  group: 'People',
  operation: listInvitations,
  content: async (context) => {
    const { invitations } = await context.call(listInvitations, { after: 0, limit: mostShown });
    const rows = invitations.map((invitation) => invitationRow(context, invitation));
    const columns = ['For', 'Contact or account', 'Made by', 'Uses left', 'Until', ''];
    return html`${newInvitation(context)}
${panel('Open invitations', table('Open invitations', columns, rows, 'No invitation is open.'))}`;
  },
};

function newInvitation(context: PageContext): Html {
  if (!context.may(createInvitation)) return html``;
  const fields = html`<div class="row">${field('username', 'User name', { hint: 'Empty: the invited person chooses' })}
${field('contact', 'First contact', { placeholder: 'juliet@example.org' })}
${field('domain', 'Domain', { hint: 'Empty: the first one' })}
${field('uses', 'Accounts', { type: 'number', value: '1', hint: 'How often the link can be used' })}
${field('days', 'Valid for days', { type: 'number', hint: 'Empty: as configured' })}</div>`;
  return panel(
    'Invite somebody',
    actionForm(context, create, {
      fields,
      label: 'Make an invitation',
    }),
  );
}

function invitationRow(context: PageContext, invitation: StoredInvitation) {
  const { id, kind, domain, username, account, maker, uses, expiresAtMs } = invitation;
  const purpose = { account: `an account at ${domain}`, contact: 'a contact', reset: 'a new password' }[kind];
  return [
    username === undefined ? purpose : `${purpose}, as ${username}`,
    account === undefined ? '' : accountLink(account),
    maker ?? 'an operator',
    uses,
    momentView(expiresAtMs),
    rowForm(context, revoke, { id }, 'Revoke'),
  ];
}

/** A link that was made. It is shown once, because the server keeps only its hash. */
function madeLink(
  title: string,
  made: { readonly landingUrl?: string | undefined; readonly uri?: string | undefined; readonly expiresAtMs: number },
): Html {
  const shown = (text: string | undefined) => text !== undefined && html`<code class="copy">${text}</code>`;
  return panel(
    title,
    html`<p>Copy it now: the server keeps only a hash of it.</p>`,
    facts([
      ['For browsers', shown(made.landingUrl) || undefined],
      ['For apps', shown(made.uri) || undefined],
      ['Until', momentView(made.expiresAtMs)],
    ]),
    html`<p>${link(pagePath('invitations'), 'All invitations')}</p>`,
  );
}

const create: ConsoleAction = {
  path: 'invitations/create',
  operation: createInvitation,
  next: () => pagePath('invitations'),
  run: async ({ call }, form) => {
    const days = wholeNumber(form, 'days');
    const made = await call(createInvitation, {
      username: form.text('username'),
      contact: form.text('contact'),
      domain: form.text('domain'),
      uses: wholeNumber(form, 'uses'),
      lifetimeMs: days === undefined ? undefined : days * dayMs,
    });
    return madeLink('The invitation', made);
  },
};

/** Makes a link that sets the password of an account. */
export const resetPassword: ConsoleAction = {
  path: 'invitations/reset',
  operation: createResetLink,
  next: (form) => pagePath('account', { jid: form.needed('jid') }),
  run: async ({ call }, form) =>
    madeLink('The link for a new password', await call(createResetLink, { jid: form.needed('jid') })),
};

const revoke: ConsoleAction = {
  path: 'invitations/revoke',
  operation: revokeInvitation,
  next: () => pagePath('invitations'),
  run: async ({ call }, form) => {
    await call(revokeInvitation, { id: wholeNumber(form, 'id') ?? 0 });
    return 'The invitation is revoked.';
  },
};

/** What can be done with invitations. */
export const invitationActions: readonly ConsoleAction[] = [create, resetPassword, revoke];
