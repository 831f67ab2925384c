import type { HttpAnswer } from '../../routing/http-route.ts';
import { type Html, html } from '../html/html.ts';
import { localTimesModule, momentView } from '../html/moment.ts';
import { pageAnswer } from '../html/page.ts';
import { iconPath } from '../html/page-assets.ts';
import type { PlatformApps } from './chat-apps.ts';

/** The shortest password that a page takes. */
export const leastPasswordLength = 8;

/** What the page of an invitation shows. */
interface InvitationView {
  readonly domain: string;
  /** The address of the user who invites; undefined if the operator does. */
  readonly inviter: string | undefined;
  /** Whether an account can be created. */
  readonly registers: boolean;
  /** The user name, if it is given. */
  readonly username: string | undefined;
  /** The address for apps. */
  readonly uri: string;
  readonly expiresAtMs: number;
  readonly apps: readonly PlatformApps[];
  /** A QR code of the page, for a phone; undefined if a phone could not open it. */
  readonly code: Html | undefined;
  /** Another form is shown after one that has a fault. */
  readonly fault?: FormFault | undefined;
}

/** What is wrong with a form. */
export interface FormFault {
  readonly status: number;
  readonly text: string;
  /** The user name that was entered. */
  readonly username?: string;
}

/** The page of an invitation. */
export function invitationPage(view: InvitationView): HttpAnswer {
  const { domain, inviter, registers, expiresAtMs, code, fault } = view;
  const isMobile = view.apps.some((one) => one.isHere && one.isMobile);
  const appFirst = isMobile && !fault;
  const form = registers && registrationForm(view, appFirst);
  const app = appPanel(view, appFirst);
  const title = inviter === undefined ? `You are invited to ${domain}` : `${inviter} invites you to chat`;
  const body = html`<main>
${heading(title)}
<p>${introduction(view)}</p>
${appFirst ? [app, form] : [form, app]}
${code && html`<section class="panel large-screen"><h2>On your phone</h2><p>Point its camera at this code to open this page there.</p><div class="code">${code}</div></section>`}
<p><small>The invitation can be used until ${momentView(expiresAtMs)}.</small></p>
</main>`;
  return pageAnswer({ title, body, scripts: [localTimesModule], ...(fault && { status: fault.status }) });
}

function introduction({ domain, inviter, registers }: InvitationView): string {
  if (!registers)
    return 'To accept, open the invitation in your chat app. If you have none yet, get one and an account first.';
  const contact = inviter === undefined ? '' : ` ${inviter} will be your first contact.`;
  return `Create an account at ${domain}, here or in an app.${contact}`;
}

function registrationForm({ domain, username, fault }: InvitationView, isSecond: boolean): Html {
  const name = username ?? fault?.username;
  return html`<section class="panel">
<h2>${isSecond ? 'Or create your account here' : 'Create your account here'}</h2>
<form method="post">
${faultNotice(fault)}
<div class="field">
<label for="username">User name</label>
<div class="joined"><input id="username" name="username" value="${name}" required maxlength="64" autocomplete="username" autocapitalize="none" autocorrect="off" spellcheck="false"${username !== undefined && html` readonly`}><span>@${domain}</span></div>
<small>This becomes your address. It cannot be changed later.</small>
</div>
${passwordFields('Password')}
<button class="full">Create account</button>
</form>
</section>`;
}

function appPanel({ uri, apps, registers }: InvitationView, isFirst: boolean): Html {
  const title = isFirst || !registers ? 'Start in an app' : 'Or start in an app';
  return html`<section class="panel">
<h2>${title}</h2>
<p>Install a chat app if you have none yet. Then come back to this page, and open the invitation in the app.</p>
${appLists(apps)}
<p><a class="${isFirst || !registers ? 'button full' : 'button second full'}" href="${uri}">Open the invitation</a></p>
<details><summary>Copy the invitation</summary><p><small>Some apps take it as text:</small></p><code class="copy">${uri}</code></details>
</section>`;
}

/** The apps for this device, and behind a click those for others. */
function appLists(apps: readonly PlatformApps[]): Html {
  const here = apps.filter(({ isHere }) => isHere);
  const others = apps.filter(({ isHere }) => !isHere);
  return html`${here.map(appList)}
<details><summary>Apps for ${here.length > 0 ? 'other devices' : 'your device'}</summary>${others.map(
    (one) => html`<h3>${one.platform}</h3>${appList(one)}`,
  )}</details>`;
}

function appList({ apps }: PlatformApps): Html {
  return html`<ul class="choices">${apps.map(
    ({ name, sources }) =>
      html`<li><strong>${name}</strong><span>${sources.map(
        ({ label, url }) => html`<a href="${url}" rel="noreferrer">${label}</a> `,
      )}</span></li>`,
  )}</ul>`;
}

/** The page after an account was created. */
export function welcomePage(address: string, apps: readonly PlatformApps[], chatPath: string | undefined): HttpAnswer {
  const title = 'Your account is ready';
  const body = html`<main>
${heading(title)}
<section class="panel">
<p>This is your address. Others need it to write to you, and you need it to log in:</p>
<p><code class="copy">${address}</code></p>
${chatPath !== undefined && html`<p><a class="button full" href="${`${chatPath}#${encodeURIComponent(address)}`}">Chat in this browser</a></p>`}
</section>
<section class="panel">
<h2>Chat with an app</h2>
<p>Log in there with your address and your password.</p>
${appLists(apps)}
</section>
</main>`;
  return pageAnswer({ title, body });
}

/** The page on which somebody sets a new password. */
export function resetPage(address: string, fault?: FormFault): HttpAnswer {
  const title = 'Set a new password';
  const body = html`<main>
${heading(title)}
<section class="panel">
<form method="post">
${faultNotice(fault)}
<div class="field">
<label for="username">Account</label>
<input id="username" value="${address}" readonly autocomplete="username">
</div>
${passwordFields('New password')}
<button class="full">Set password</button>
</form>
</section>
<p><small>This logs all your devices out. Log in again there with the new password.</small></p>
</main>`;
  return pageAnswer({ title, body, ...(fault && { status: fault.status }) });
}

/** The page after a password was set. */
export function passwordSetPage(address: string, chatPath: string | undefined): HttpAnswer {
  const title = 'Your new password is set';
  const body = html`<main>
${heading(title)}
<section class="panel">
<p>Log in with your address and the new password:</p>
<p><code class="copy">${address}</code></p>
${chatPath !== undefined && html`<p><a class="button full" href="${`${chatPath}#${encodeURIComponent(address)}`}">Chat in this browser</a></p>`}
</section>
</main>`;
  return pageAnswer({ title, body });
}

/** A page that says why there is no other. */
export function refusalPage(status: number, title: string, text: Html): HttpAnswer {
  const body = html`<main>
${heading(title)}
<section class="panel"><p>${text}</p></section>
</main>`;
  return pageAnswer({ title, body, status });
}

function heading(title: string): Html {
  return html`<img class="brand" src="${iconPath}" alt="">
<h1>${title}</h1>`;
}

function faultNotice(fault: FormFault | undefined): Html | undefined {
  return fault && html`<p class="notice" role="alert">${fault.text}</p>`;
}

function passwordFields(label: string): Html {
  return html`<div class="field">
<label for="password">${label}</label>
<input id="password" name="password" type="password" required minlength="${leastPasswordLength}" maxlength="256" autocomplete="new-password">
<small>At least ${leastPasswordLength} characters.</small>
</div>
<div class="field">
<label for="again">${label}, again</label>
<input id="again" name="again" type="password" required minlength="${leastPasswordLength}" maxlength="256" autocomplete="new-password">
</div>`;
}
