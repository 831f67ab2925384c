import type { InvitationPolicy, Invitations, MadeInvitation } from '../c2s/invitations.ts';
import type { Redemption } from '../c2s/redemption.ts';
import type { DataForm, ReceivedForm } from '../protocol/data-form.ts';
import { formatDateTime } from '../protocol/date-time.ts';
import { Jid } from '../protocol/jid.ts';
import { ifAddress } from '../protocol/jid-or-nothing.ts';
import { ns } from '../protocol/namespaces.ts';
import { StanzaError } from '../protocol/stanza-error.ts';
import { badPayload, type CommandStep, command, users } from '../routing/command.ts';
import type { Claim, DomainCommand, Extension, LocalIqEnds } from '../routing/extension.ts';
import { attribute } from '../xml/element.ts';

/** Dependencies of the extension. */
interface InvitationDeps {
  readonly invitations: Pick<Invitations, 'create'>;
  readonly redemption: Pick<Redemption, 'accepts'>;
  /** Read at each use. */
  readonly options: {
    readonly registration: { readonly invitations: InvitationPolicy };
    /** The accounts of administrators, as bare JIDs. */
    readonly administrators: readonly string[];
  };
}

const claims: readonly Claim[] = [
  { spec: 'XEP-0379', title: 'Pre-Authenticated Roster Subscription', version: '0.3.3', status: 'complete' },
  { spec: 'XEP-0401', title: 'Ad-hoc Account Invitation Generation', version: '0.6.0', status: 'complete' },
  { spec: 'XEP-0445', title: 'Pre-Authenticated In-Band Registration', version: '0.2.0', status: 'complete' },
];

/** Invitations of users: commands that make them (XEP-0401), and requests that show a token (XEP-0379). */
export function invitations(deps: InvitationDeps): Extension {
  const { options } = deps;
  const all = [inviteCommand(deps), createAccountCommand(deps)];
  return {
    name: 'invitations',
    claims,
    get commands() {
      return options.registration.invitations === 'nobody' ? [] : all;
    },
    presence: {
      accepts: ({ payload }, account) => {
        const preauth = payload.find('preauth', ns.preauth);
        const token = preauth && attribute(payload.element(preauth), 'token');
        return token === undefined ? false : deps.redemption.accepts(token, account);
      },
    },
  };
}

/** Makes an invitation to become a contact of the user, and to register if the user may invite new users (XEP-0401 §5.1). */
function inviteCommand(deps: InvitationDeps): DomainCommand {
  return command({
    node: ns.inviteCommand,
    name: 'Invite somebody',
    audience: users,
    start: ({ account: { jid } }) => {
      const { registration, administrators } = deps.options;
      const mayRegister = registration.invitations === 'everybody' || administrators.includes(jid.toString());
      return made(deps, { kind: mayRegister ? 'account' : 'contact', domain: jid.domain, account: jid, maker: jid });
    },
  });
}

/** Makes an invitation to register, perhaps with a name that the administrator chooses (XEP-0401 §5.4). */
function createAccountCommand(deps: InvitationDeps): DomainCommand {
  return command({
    node: ns.createAccountCommand,
    name: 'Invite somebody to create an account',
    audience: {
      name: 'administrators',
      member: ({ session }: LocalIqEnds) =>
        session && deps.options.administrators.includes(session.account.key) ? session : undefined,
    },
    isStateless: true,
    start: ({ account: { jid } }, { to }) => ({
      form: {
        type: 'form',
        title: 'Invite somebody to create an account',
        instructions: 'Leave the user name empty to let the user choose one.',
        fields: [
          { var: 'username', type: 'text-single', label: 'User name' },
          { var: 'roster-subscription', type: 'boolean', label: 'Add the user to my contacts', values: ['1'] },
        ],
      },
      isLast: true,
      submit: (form) => {
        const account = form.boolean('roster-subscription') === true ? jid : undefined;
        const { domain } = to;
        return made(deps, { kind: 'account', domain, account, maker: jid, username: usernameIn(form, domain) });
      },
    }),
  });
}

function usernameIn(form: ReceivedForm, domain: string): string | undefined {
  const text = form.text('username')?.trim();
  if (!text) return undefined;
  const named = ifAddress(() => Jid.from(text, domain));
  if (!named) throw badPayload();
  return named.local;
}

async function made(
  { invitations: all }: InvitationDeps,
  wanted: Parameters<Invitations['create']>[0],
): Promise<CommandStep> {
  const invitation = await all.create(wanted);
  if (invitation === 'off') throw StanzaError.notAllowed('nobody can register with invitations');
  if (invitation === 'taken') throw StanzaError.conflict('the user name is taken or reserved');
  if (invitation === 'too-many')
    throw StanzaError.resourceConstraint('you have as many invitations as you may have; they end by themselves');
  return { form: invitationForm(invitation) };
}

/** The form with an invitation (XEP-0401 §5.1). */
function invitationForm({ uri, landingUrl, expiresAtMs }: MadeInvitation): DataForm {
  const values = { uri, 'landing-url': landingUrl, expire: formatDateTime(expiresAtMs) };
  return {
    type: 'result',
    formType: ns.invitationForm,
    title: 'The invitation',
    fields: Object.entries(values).flatMap(([name, value]) =>
      value === undefined ? [] : [{ var: name, type: 'text-single', values: [value] }],
    ),
  };
}
