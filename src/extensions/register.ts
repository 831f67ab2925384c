import { refuseAccount } from '../c2s/account-refusal.ts';
import { Jid } from '../protocol/jid.ts';
import { ifAddress } from '../protocol/jid-or-nothing.ts';
import { ns } from '../protocol/namespaces.ts';
import { StanzaError } from '../protocol/stanza-error.ts';
import { iqResult } from '../protocol/stanza-replies.ts';
import type { Account } from '../routing/account.ts';
import type { Extension, IqRequest } from '../routing/extension.ts';
import type { Session } from '../routing/session.ts';
import { childElements, type Element, nsOf, textOf, xml } from '../xml/element.ts';

/** Changes an account at the request of its user. */
export interface AccountChanges {
  /** Resolves when the new password is durable. Ends all sessions except `keep`. */
  changePassword(account: Jid, password: string, keep: Session): Promise<void>;
  /** Removes the account, cancels its subscriptions, calls `removed`, and then ends all its sessions. */
  remove(account: Jid, removed: () => void): Promise<unknown>;
}

/** Which changes users may make to their own accounts. */
export interface RegisterOptions {
  readonly passwordChange: boolean;
  readonly accountRemoval: boolean;
}

/** In-Band Registration (XEP-0077) for users who are logged in: changing the password and removing the account. */
export function register(accounts: AccountChanges, options: RegisterOptions): Extension {
  const query = { name: 'query', ns: ns.register, scopes: ['server', 'self'] } as const;
  return {
    name: 'register',
    claims: [{ spec: 'XEP-0077', title: 'In-Band Registration', version: '2.4', status: 'complete' }],
    disco: { domain: [ns.register] },
    iq: [
      { ...query, type: 'get', handle: (request) => registration(requester(request).account) },
      { ...query, type: 'set', handle: (request) => change(request, accounts, options) },
    ],
  };
}

/** Only users of the domain can change an account there, so for all others the service does not exist. */
function requester({ session, to }: IqRequest): Session {
  if (session?.jid.domain !== to.domain) throw StanzaError.serviceUnavailable();
  return session;
}

/** XEP-0077 §3.1: the registered data, without the password. */
function registration({ jid }: Account): Element {
  return xml(
    'query',
    { xmlns: ns.register },
    xml('registered'),
    xml('instructions', {}, 'Enter a new password to change it.'),
    xml('username', {}, jid.local),
    xml('password'),
  );
}

async function change(request: IqRequest, accounts: AccountChanges, options: RegisterOptions): Promise<undefined> {
  const session = requester(request);
  const { account } = session;
  const fields = readFields(request.payload);
  if (fields.has('remove')) {
    if (childElements(request.payload).length > 1) throw StanzaError.badRequest('<remove/> must be the only element');
    if (!options.accountRemoval) throw StanzaError.notAllowed('accounts cannot be removed from a client');
    await accounts.remove(account.jid, () => sendResult(request)).catch(refuseAccount);
    return undefined;
  }
  if (!options.passwordChange) throw StanzaError.notAllowed('the password cannot be changed from a client');
  await accounts.changePassword(account.jid, newPassword(fields, account), session).catch(refuseAccount);
  return undefined;
}

/** Sends the result directly, because routing finds no account any more. */
function sendResult({ stanza, session, to, from }: IqRequest): void {
  session?.send(iqResult(stanza).with({ from: to, to: from }));
}

/** XEP-0077 §3.3: both fields are required, and the name must be the user's own. */
function newPassword(fields: ReadonlyMap<string, string>, { jid }: Account): string {
  const username = fields.get('username');
  const password = fields.get('password');
  if (!username || !password) throw StanzaError.badRequest('a user name and a password are required');
  const named = ifAddress(() => Jid.from(username, jid.domain));
  if (!named?.equals(jid)) throw StanzaError.badRequest('the user name must be your own');
  return password;
}

function readFields(query: Element): Map<string, string> {
  const fields = new Map<string, string>();
  for (const child of childElements(query)) {
    if (nsOf(child) !== ns.register) continue;
    if (fields.has(child.getName())) throw StanzaError.badRequest(`<${child.getName()}/> must occur only once`);
    fields.set(child.getName(), textOf(child));
  }
  return fields;
}
