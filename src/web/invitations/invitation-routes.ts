import { uriOf } from '../../c2s/invitations.ts';
import { PasswordError } from '../../c2s/negotiation/sasl/credentials.ts';
import { Pbkdf2QueueFull } from '../../c2s/negotiation/sasl/pbkdf2-queue.ts';
import { type Redemption, type ShownInvitation, TooManyTokens } from '../../c2s/redemption.ts';
import { Jid } from '../../protocol/jid.ts';
import { ifAddress } from '../../protocol/jid-or-nothing.ts';
import type { HttpAnswer, HttpRequest, HttpRequestHead, HttpRoute } from '../../routing/http-route.ts';
import type { InvitationKind } from '../../storage/invitations.ts';
import { StorageError } from '../../storage/storage-error.ts';
import { formBytes, readForm } from '../html/form.ts';
import { html } from '../html/html.ts';
import { appsFor } from './chat-apps.ts';
import {
  type FormFault,
  invitationPage,
  leastPasswordLength,
  passwordSetPage,
  refusalPage,
  resetPage,
  welcomePage,
} from './invitation-pages.ts';

/** Dependencies of the pages. */
interface InvitationRouteDeps {
  readonly redemption: Pick<Redemption, 'find' | 'register' | 'resetPassword'>;
  /** The address of the pages for people outside; undefined if nobody outside reaches them. */
  readonly url: string | undefined;
  /** Whether nobody on the way can read or change what a request brings. */
  readonly isSecure: (request: HttpRequestHead) => boolean;
  /** The path of the chat page, if the client may open it. */
  readonly chatPath: (request: HttpRequestHead) => string | undefined;
}

/** Shows a page for a token, or answers its form. */
type Page = (invitation: ShownInvitation, request: HttpRequest, deps: InvitationRouteDeps) => Promise<HttpAnswer>;

/** The pages of invitations and of links that set a password. Looking at a page uses nothing: messengers fetch links to preview them. */
export function invitationRoutes(deps: InvitationRouteDeps): readonly HttpRoute[] {
  return [
    route('/invite/:token', ['account', 'contact'], invite, deps),
    route('/reset/:token', ['reset'], reset, deps),
  ];
}

function route(path: string, kinds: readonly InvitationKind[], page: Page, deps: InvitationRouteDeps): HttpRoute {
  return {
    methods: ['GET', 'POST'],
    path,
    bodyBytes: formBytes,
    handle: async (request) => {
      if (!deps.isSecure(request)) return unprotected(deps.url);
      const { token = '' } = request.parameters;
      const { remoteAddress } = request;
      try {
        const found = await deps.redemption.find(token, kinds, { remoteAddress });
        return found ? await page(found, request, deps) : notValid();
      } catch (error) {
        if (!(error instanceof TooManyTokens)) throw error;
        return refusalPage(429, 'Too many attempts', html`Too many links that are not valid. Try again later.`);
      }
    },
  };
}

const invite: Page = async (invitation, request, deps) => {
  const { domain, account, username, kind, expiresAtMs, token } = invitation;
  const uri = uriOf({ ...invitation, account: account === undefined ? undefined : Jid.parse(account) }, token);
  const apps = appsFor(userAgentOf(request), uri);
  const show = async (fault?: FormFault) => {
    const code = await codeOf(deps.url && `${deps.url}/invite/${token}`);
    const registers = kind === 'account';
    return invitationPage({
      domain,
      inviter: account,
      registers,
      username,
      uri: uri ?? '',
      expiresAtMs,
      apps,
      code,
      fault,
    });
  };
  if (request.method !== 'POST') return show();
  const form = await readForm(request);
  const entered = username ?? form.get('username') ?? '';
  const address = addressOf(entered, domain);
  const fault = kind === 'account' ? (passwordFault(form) ?? nameFault(address)) : notHere;
  if (fault || !address) return show({ ...(fault ?? notHere), username: entered });
  try {
    await deps.redemption.register(invitation, address, form.get('password') ?? '');
  } catch (error) {
    const refused = faultOf(error);
    return refused ? show({ ...refused, username: entered }) : notValid();
  }
  return welcomePage(address.toString(), appsFor(userAgentOf(request), undefined), deps.chatPath(request));
};

const reset: Page = async (link, request, { redemption, chatPath }) => {
  const { account = '' } = link;
  if (request.method !== 'POST') return resetPage(account);
  const form = await readForm(request);
  const fault = passwordFault(form);
  if (fault) return resetPage(account, fault);
  try {
    await redemption.resetPassword(link, form.get('password') ?? '');
  } catch (error) {
    const refused = faultOf(error);
    return refused ? resetPage(account, refused) : notValid();
  }
  return passwordSetPage(account, chatPath(request));
};

/** The same for tokens that are unknown, used, revoked and expired. */
function notValid(): HttpAnswer {
  const text = html`It may have been used already, or its time is over. Ask for a new one.`;
  return refusalPage(404, 'This link is not valid', text);
}

function unprotected(url: string | undefined): HttpAnswer {
  const title = 'This page needs a protected connection';
  if (!url?.startsWith('https:')) return refusalPage(403, title, html`It is available over HTTPS only.`);
  return refusalPage(
    403,
    title,
    html`It is available at <a href="${url}">${url}</a> only: ask for a link that begins so.`,
  );
}

const notHere: FormFault = { status: 422, text: 'No account can be created with this invitation.' };

function nameFault(address: Jid | undefined): FormFault | undefined {
  if (address) return undefined;
  return { status: 422, text: 'This user name is not possible. Letters, digits, dots and hyphens always are.' };
}

function passwordFault(form: URLSearchParams): FormFault | undefined {
  const password = form.get('password') ?? '';
  if (password.length < leastPasswordLength)
    return { status: 422, text: `The password needs at least ${leastPasswordLength} characters.` };
  return form.get('again') === password ? undefined : { status: 422, text: 'The two passwords differ.' };
}

/** What to say of an error; undefined if the token does not work any more. Throws those that the user has not caused. */
function faultOf(error: unknown): FormFault | undefined {
  const busy = { status: 503, text: 'The server is busy. Try again in a moment.' };
  if (error instanceof PasswordError) return { status: 422, text: error.message };
  if (error instanceof Pbkdf2QueueFull) return busy;
  if (!(error instanceof StorageError)) throw error;
  if (error.isPassing) return busy;
  if (error.code === 'conflict') return { status: 409, text: 'This user name is taken. Choose another one.' };
  if (error.code === 'not-found') return undefined;
  throw error;
}

/** The address with a user name, with which some people write the domain. */
function addressOf(username: string, domain: string): Jid | undefined {
  const name = username.trim();
  const local = name.endsWith(`@${domain}`) ? name.slice(0, -domain.length - 1) : name;
  return local === '' ? undefined : ifAddress(() => Jid.from(local, domain));
}

/** A phone cannot open a page of this machine. The library is loaded when it is needed. */
async function codeOf(url: string | undefined) {
  if (url === undefined || new URL(url).hostname === 'localhost') return undefined;
  const { qrCode } = await import('./qr-code.ts');
  return qrCode(url);
}

function userAgentOf({ headers }: HttpRequest): string {
  const { 'user-agent': name } = headers;
  return typeof name === 'string' ? name : '';
}
