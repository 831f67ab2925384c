import { domainOf, localOf } from './address.ts';
import { randomId } from './base64.ts';
import { ChatView } from './chat-view.ts';
import { Client } from './client.ts';
import { reachable } from './files.ts';
import { loginView } from './login-view.ts';
import { Notifications } from './notifications.ts';
import { parseXml } from './parse-xml.ts';
import type { Account, SavedSession } from './session.ts';
import { type ChatState, emptyState, restoreState, saveState } from './state.ts';
import type { Transport } from './stream.ts';
import { countUnsent, undeliveredIn } from './undelivered.ts';

/** What the page keeps for its reload, in this tab only. */
interface Kept {
  readonly account: Account;
  readonly session: SavedSession;
  readonly state: string;
  readonly open: string | undefined;
}

const storageKey = 'ampere-chat';
const agentKey = 'ampere-chat-agent';
const app = document.querySelector<HTMLElement>('#app') ?? document.body;
const { domain = location.hostname, origins: originList = '' } = app.dataset;
const origins = [location.origin, ...originList.split(' ').filter((origin) => origin !== '')];
const transport: Transport = {
  url: `${location.origin.replace(/^http/, 'ws')}/xmpp-websocket`,
  open: (url, protocol) => new WebSocket(url, protocol),
  parse: parseXml,
};
const isAway = () => document.visibilityState === 'hidden' || !document.hasFocus();
const notifications = new Notifications({
  api: globalThis.Notification,
  storage: localStorage,
  isAway,
});

/** The client of this tab and its view. */
let running: { readonly client: Client; readonly account: Account; readonly view: ChatView } | undefined;

/** What was not delivered when a session ended for good, until its user logs in again in this tab. */
let undelivered: Pick<ChatState, 'me' | 'conversations'> = { me: '', conversations: new Map() };

function showLogin(notice?: string, jid = namedAddress()): void {
  running = undefined;
  sessionStorage.removeItem(storageKey);
  document.title = 'Chat';
  const view = loginView({
    domain,
    jid,
    notice,
    logIn: async (typed) => {
      const account = {
        username: localOf(typed.jid),
        domain: domainOf(typed.jid),
        agent: agent(),
        device: deviceName(navigator.userAgent),
        password: typed.password,
      };
      const isSame = typed.jid === undelivered.me;
      const client = makeClient(account, { ...emptyState(), ...(isSame && undelivered) });
      await client.start();
      undelivered = { me: '', conversations: new Map() };
      showChat(client, account);
    },
  });
  app.replaceChildren(view);
}

/** The address in the link that led here, such as that of a new account. */
function namedAddress(): string {
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch {
    return '';
  }
}

function makeClient(account: Account, state: ChatState, saved?: SavedSession): Client {
  const client = new Client({
    transport,
    account,
    state,
    origins,
    reach: (url) => reachable(url, origins, location),
    ...(saved && { saved }),
    changed: () => running?.view.changed(),
    noticed: (conversation, message) => {
      notifications.tell(client.state, conversation, message, () => {
        window.focus();
        running?.view.open(conversation.jid);
      });
    },
    ended: (reason) => {
      undelivered = { me: client.state.me, conversations: undeliveredIn(client.state) };
      showLogin(`${endText(reason)}${lostText(undelivered)}`, `${account.username}@${account.domain}`);
    },
  });
  return client;
}

function showChat(client: Client, account: Account): void {
  const logOut = () => {
    void client.end();
    showLogin();
  };
  const view = new ChatView({ client, notifications, domain: account.domain, origins, logOut });
  running = { client, account, view };
  app.replaceChildren(view.element);
}

/** What comes while nobody looks at the page is not read. */
function attend(): void {
  running?.view.attend(!isAway());
}

function endText(reason: string): string {
  switch (reason) {
    case 'conflict':
      return 'This session goes on in another tab or device.';
    case 'not-authorized':
      return 'You have been logged out.';
    default:
      return `The server has ended the session: ${reason}.`;
  }
}

/** Tells the user that messages were not sent. */
function lostText(state: Pick<ChatState, 'conversations'>): string {
  const count = countUnsent(state);
  if (count === 0) return '';
  return ` ${count === 1 ? 'One message was' : `${count} messages were`} not sent: log in here to send ${count === 1 ? 'it' : 'them'} again.`;
}

/** The id of this tab, by which the server knows that it comes back. */
function agent(): string {
  const known = sessionStorage.getItem(agentKey) ?? randomId();
  sessionStorage.setItem(agentKey, known);
  return known;
}

/** The browser and the system in words, such as "Firefox on Linux". */
function deviceName(userAgent: string): string {
  const find = (names: readonly string[]) => names.find((name) => userAgent.includes(name));
  // Each names the ones after it, too.
  const browser = find(['Edg', 'Firefox', 'Chrome', 'Safari'])?.replace('Edg', 'Edge') ?? 'Browser';
  const system = find(['Android', 'iPhone', 'iPad', 'Windows', 'Mac', 'Linux']);
  return system === undefined ? browser : `${browser} on ${system}`;
}

function keep(): void {
  if (!running) return;
  const { client, account, view } = running;
  const session = client.save();
  // The token does what the password could do, and can be revoked.
  if (session.token === undefined) return;
  const kept: Kept = {
    account: { ...account, password: undefined },
    session,
    state: saveState(client.state),
    open: view.openJid,
  };
  sessionStorage.setItem(storageKey, JSON.stringify(kept));
}

function readKept(): Kept | undefined {
  const text = sessionStorage.getItem(storageKey);
  // A duplicate of this tab must not find the session of this one.
  sessionStorage.removeItem(storageKey);
  try {
    return text === null ? undefined : (JSON.parse(text) as Kept);
  } catch {
    return undefined;
  }
}

function begin(): void {
  const kept = readKept();
  if (!kept) return showLogin();
  const client = makeClient(kept.account, restoreState(kept.state), kept.session);
  showChat(client, kept.account);
  if (kept.open !== undefined) running?.view.open(kept.open);
  attend();
  client.resume();
}

addEventListener('pagehide', keep);
addEventListener('online', () => running?.client.check());
addEventListener('offline', () => running?.view.changed());
addEventListener('focus', attend);
addEventListener('blur', attend);
document.addEventListener('visibilitychange', () => {
  attend();
  if (document.visibilityState === 'visible') running?.client.check();
});
begin();
