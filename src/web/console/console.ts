import type { BlockList } from 'node:net';
import { type HttpAnswer, HttpError, type HttpRequest } from '../../routing/http-route.ts';
import { OperationError } from '../../routing/operation-error.ts';
import type { Clock } from '../../support/clock.ts';
import type { AdministrationAccess, Administrator } from '../administration/administration-access.ts';
import { serverHistory } from '../control/console-operations.ts';
import { statusOf, toOperationError } from '../control/error-status.ts';
import { watch } from '../control/watch-operations.ts';
import { readForm } from '../html/form.ts';
import { html } from '../html/html.ts';
import { type Login, Logins, loginMs, type Person } from './logins.ts';
import { type ConsoleAction, type ConsolePage, FormFields, type PageContext } from './page.ts';
import { actions, pages } from './pages/index.ts';
import { mayUse, type NamedOperation } from './roles.ts';
import { consoleHeaders, consolePage, logoutPath, outerPage } from './shell.ts';
import { cookieHeader, isFromOtherSite, isNavigation, refusalFor, tokenIn } from './site-check.ts';
import { watchAnswer } from './watch-stream.ts';

/** Dependencies of the console. */
export interface ConsoleDeps {
  readonly access: Pick<AdministrationAccess, 'for' | 'record'>;
  /** Whose requests are answered; read at each request. */
  readonly networks: () => BlockList;
  /** Whether an account is an administrator, and may log in. */
  readonly isAdministrator: (account: string) => boolean;
  readonly clock: Clock;
}

/** Somebody who has logged in, and what that person can do now. */
interface Visit {
  readonly token: string;
  readonly login: Login;
  readonly context: PageContext;
}

const pagesByName = new Map(pages.map((page) => [page.name, page]));
const actionsByPath = new Map(actions.map((action) => [action.path, action]));

/** The pages for operators. Everything that they show or change goes through operations of the server. */
export class Console {
  readonly #deps: ConsoleDeps;
  readonly #logins: Logins;

  constructor(deps: ConsoleDeps) {
    this.#deps = deps;
    this.#logins = new Logins(deps.clock);
  }

  /** Makes the path of a link that logs a person in, once. */
  newLink(person: Person): { readonly path: string; readonly forMs: number } {
    const { token, forMs } = this.#logins.newLink(person);
    return { path: `/console/login/${token}`, forMs };
  }

  /** Ends all logins, and makes all links useless. */
  logOutAll(): void {
    this.#logins.clear();
  }

  /** Shows the button that uses a link up: programs that only look at links, such as messengers, must not. */
  showLogin(request: HttpRequest): HttpAnswer {
    const refused = this.#refusal(request);
    if (refused) return refused;
    const { token = '' } = request.parameters;
    if (!this.#logins.knowsLink(token)) return invalidLink();
    const content = html`<p>This link logs you in to the console, once.</p>
<form method="post" action="/console/login/${token}"><button class="full">Log in</button></form>`;
    return outerPage(200, 'Ampere', content);
  }

  /** Uses a link up, and begins a login with a new token in the cookie, whatever cookie there was. */
  async login(request: HttpRequest): Promise<HttpAnswer> {
    const refused = this.#refusal(request);
    if (refused) return refused;
    await readForm(request);
    const opened = this.#logins.open(request.parameters['token'] ?? '');
    if (!opened || !this.#admits(opened.login)) return invalidLink();
    this.#logins.close(tokenIn(request));
    const { token, login } = opened;
    await this.#deps.access.record(requesterOf(login, request), '/console/login', login.role);
    return seeOther('/console', { 'set-cookie': cookieHeader(token, loginMs, request.secure) });
  }

  /** The figures that the charts ask for. A page that is left open asks for them, too, and does not prolong the login. */
  async history(request: HttpRequest): Promise<HttpAnswer> {
    const visit = this.#visit(request, false);
    if ('status' in visit) return visit;
    return answerHistory(visit.context, new FormFields(request.query));
  }

  /** A page. */
  async show(request: HttpRequest): Promise<HttpAnswer> {
    const visit = this.#visit(request, true);
    if ('status' in visit) return visit;
    const query = new FormFields(request.query);
    const page = pagesByName.get(request.parameters['page'] ?? '');
    if (!page || !visit.context.may(page.operation)) return this.#failure(visit, page ? 403 : 404, unavailable(page));
    try {
      return this.#page(visit, page, { content: await page.content(visit.context, query) });
    } catch (error) {
      const known = toOperationError(error);
      if (!known) throw error;
      return this.#failure(visit, statusOf(known.code), known.message, page);
    }
  }

  /** Carries out what a form asks for. The page that follows tells what came of it. */
  async act(request: HttpRequest): Promise<HttpAnswer> {
    const visit = this.#visit(request, true);
    if ('status' in visit) return visit;
    const form = new FormFields(await readForm(request));
    const { page = '', action = '' } = request.parameters;
    const path = `${page}/${action}`;
    if (!visit.login.accepts(path, form.needed('form'))) return oldForm();
    if (path === logoutPath) return this.#logOut(request, visit);
    const found = actionsByPath.get(path);
    if (!found) throw new HttpError(404);
    return this.#carryOut(visit, found, form);
  }

  /** The live watch, for the module of its page. */
  watch(request: HttpRequest): HttpAnswer | Promise<HttpAnswer> {
    if (isFromOtherSite(request)) throw new HttpError(403);
    const visit = this.#visit(request, true);
    if ('status' in visit) return visit;
    if (!visit.context.may(watch)) throw new HttpError(403);
    const isOpen = () => this.#login(visit.token, false) !== undefined;
    return watchAnswer(visit.context, request, { isOpen, clock: this.#deps.clock });
  }

  async #carryOut(visit: Visit, action: ConsoleAction, form: FormFields): Promise<HttpAnswer> {
    const { path, operation, next, run } = action;
    if (!visit.context.may(operation)) return this.#failure(visit, 403, 'Your role does not allow this.');
    const page = pagesByName.get(path.replace(/\/.*$/, ''));
    try {
      requireConfirmation(action, form);
      const result = await run(visit.context, form);
      if (typeof result !== 'string' && page) return this.#page(visit, page, { content: result });
      visit.login.note({ kind: 'done', text: String(result) });
    } catch (error) {
      const known = toOperationError(error);
      if (!known) throw error;
      visit.login.note({ kind: 'failed', text: known.message });
    }
    return seeOther(next(form));
  }

  #logOut(request: HttpRequest, { token }: Visit): HttpAnswer {
    this.#logins.close(token);
    const headers = { 'set-cookie': cookieHeader('', 0, request.secure) };
    return outerPage(200, 'Logged out', html`<p>You have left the console. A new link opens it again.</p>`, headers);
  }

  /** The visit that a request belongs to, or the answer to a request that may not be here. */
  #visit(request: HttpRequest, active: boolean): Visit | HttpAnswer {
    const refused = this.#refusal(request);
    if (refused) return refused;
    // Also a page of another port of this host sends the cookie.
    if (isFromOtherSite(request) && !isNavigation(request)) throw new HttpError(403);
    const token = tokenIn(request);
    const login = this.#login(token, active);
    if (!login) return loggedOut();
    const administrator = this.#deps.access.for(requesterOf(login, request));
    if (!administrator) throw new HttpError(503);
    return { token, login, context: contextOf(login, administrator, this.#deps.clock.nowMs()) };
  }

  /** The login with this token, if it still holds. */
  #login(token: string, active: boolean): Login | undefined {
    const login = this.#logins.find(token, active);
    return login && this.#admits(login) ? login : undefined;
  }

  #admits({ operator, asAdministrator }: Login): boolean {
    return !asAdministrator || this.#deps.isAdministrator(operator);
  }

  #refusal(request: HttpRequest): HttpAnswer | undefined {
    const reason = refusalFor(request, this.#deps.networks());
    return reason === undefined ? undefined : outerPage(403, 'Not here', html`<p>${reason}</p>`);
  }

  #page(
    visit: Visit,
    page: ConsolePage,
    shown: { readonly content: ReturnType<typeof html>; readonly status?: number },
  ): HttpAnswer {
    const { context, login } = visit;
    return consolePage(context, {
      title: page.title,
      listed: pages.filter(({ group, operation }) => group !== undefined && context.may(operation)),
      current: page.within ?? page.name,
      notices: login.takeNotices(),
      ...(page.modules && { modules: page.modules }),
      ...shown,
    });
  }

  #failure(visit: Visit, status: number, reason: string, page?: ConsolePage): HttpAnswer {
    const shown = page ?? { ...nowhere, title: status === 404 ? 'Not found' : 'Not allowed' };
    const { modules: _, ...quiet } = shown;
    return this.#page(visit, quiet, { content: html`<p class="notice" role="alert">${reason}</p>`, status });
  }
}

/** Stands for a page that cannot be shown. */
const nowhere: ConsolePage = {
  name: 'nowhere',
  title: '',
  operation: { method: 'GET', path: '' },
  content: async () => html``,
};

/** Throws `invalid` unless the person has confirmed an action that cannot be taken back. */
function requireConfirmation({ confirm }: ConsoleAction, form: FormFields): void {
  const word = confirm && form.needed(confirm);
  if (word === undefined || form.text('confirm') === word) return;
  throw new OperationError('invalid', `Nothing was done: to confirm, write ${word}.`);
}

function unavailable(page: ConsolePage | undefined): string {
  return page ? 'Your role does not allow this page.' : 'The console has no such page.';
}

function contextOf(login: Login, administrator: Administrator, nowMs: number): PageContext {
  const may = (operation: NamedOperation) => administrator.has(operation) && mayUse(login.role, operation);
  return {
    login,
    may,
    nowMs,
    call: async (operation, input) => {
      if (may(operation)) return administrator.call(operation, input);
      throw new OperationError('invalid', 'Your role does not allow this.');
    },
  };
}

async function answerHistory({ call }: PageContext, query: FormFields): Promise<HttpAnswer> {
  const span = query.text('span') === 'day' ? 'day' : 'hour';
  const report = await call(serverHistory, { span, afterMs: query.number('after') });
  const headers = { ...consoleHeaders, 'content-type': 'application/json' };
  return { status: 200, headers, body: JSON.stringify(report) };
}

function requesterOf({ operator, role }: Login, { remoteAddress }: HttpRequest) {
  return { operator, origin: `console, ${role}, ${remoteAddress}` };
}

function seeOther(location: string, headers: Readonly<Record<string, string>> = {}): HttpAnswer {
  return { status: 303, headers: { ...consoleHeaders, location, ...headers } };
}

/** The same for an unknown, a used and an expired link. */
function invalidLink(): HttpAnswer {
  const content = html`<p>This link cannot be used, or not any more. A link works once, for five minutes.</p>${howToLogIn}`;
  return outerPage(404, 'No such link', content);
}

function oldForm(): HttpAnswer {
  const content = html`<p>Nothing was done. The form does not belong to your login: go back, load its page again, and repeat it.</p>`;
  return outerPage(403, 'Not accepted', content);
}

function loggedOut(): HttpAnswer {
  const content = html`<p>You are not logged in, or your login has ended.</p>${howToLogIn}`;
  return outerPage(403, 'Log in', content);
}

const howToLogIn = html`<p>Run this on the machine of the server, and open the link that it prints:</p>
<p><code class="copy">ampere console</code></p>
<p class="quiet">Administrators also get a link from their client, by the command “Open the console”.</p>`;
