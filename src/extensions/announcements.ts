import { z } from 'zod';
import { formatDateTime } from '../protocol/date-time.ts';
import { Jid } from '../protocol/jid.ts';
import { randomId } from '../protocol/random-id.ts';
import { Stanza } from '../protocol/stanza.ts';
import type { Extension } from '../routing/extension.ts';
import { operation } from '../routing/operation.ts';
import { OperationError } from '../routing/operation-error.ts';
import type { Routing } from '../routing/routing.ts';
import type { Session } from '../routing/session.ts';
import { type Notice, type NoticeKind, noticeKinds } from '../storage/moderation.ts';
import type { Storage } from '../storage/storage.ts';
import type { Clock } from '../support/clock.ts';
import type { Log } from '../support/log.ts';
import { xml } from '../xml/element.ts';
import { isXmlText } from '../xml/escape.ts';

/** Dependencies of announcements. */
interface AnnouncementsDeps extends Pick<Routing, 'sessions' | 'route'> {
  readonly domains: readonly string[];
  readonly storage: Pick<Storage, 'accounts' | 'moderation'>;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly log: Log;
}

/** Accounts that are read at once. */
const pageSize = 200;

/**
 * Announcements of the operator: to all users who are online, to all accounts, or to each user once (the notices of a domain).
 * An announcement to all accounts is stored for absent users like any message.
 */
export function announcements(deps: AnnouncementsDeps): Extension {
  const service = new Announcements(deps);
  return {
    name: 'announcements',
    claims: [],
    operations: announcementOperations.map(({ bind }) => bind(service)),
    presence: {
      announced: (session, _presence, initial) => {
        if (initial) service.greet(session);
      },
    },
    opened: () => void service.load(),
  };
}

/** Announces, and keeps the notices of domains in memory. */
export class Announcements {
  readonly #deps: AnnouncementsDeps;
  /** By domain and kind. */
  readonly #notices = new Map<string, Notice>();

  constructor(deps: AnnouncementsDeps) {
    this.#deps = deps;
  }

  async load(): Promise<void> {
    const { storage, log } = this.#deps;
    try {
      for (const notice of await storage.moderation.notices()) this.#keep(notice);
    } catch (error) {
      log.error({ err: error }, 'the notices of domains cannot be read');
    }
  }

  /** Sends a message to each account with a session, or to all accounts. Resolves with their number. */
  async announce({ text, subject, to, domain }: Announcement, stopped?: AbortSignal): Promise<number> {
    const domains = domain === undefined ? this.#deps.domains : [this.served(domain)];
    let recipients = 0;
    for (const one of domains) {
      for await (const account of to === 'online' ? this.#online(one) : this.#all(one)) {
        if (stopped?.aborted) return recipients;
        // Online users get a headline, which is neither stored nor archived (RFC 6121 §5.2.2).
        await this.#send(one, account, to === 'online' ? 'headline' : 'normal', text, subject);
        recipients += 1;
      }
    }
    return recipients;
  }

  /** Users who are online get a notice at once. Resolves with their number. */
  async setNotice(domain: string, kind: NoticeKind, text: string): Promise<number> {
    const notice = { domain: this.served(domain), kind, text, atMs: this.#deps.clock.nowMs() };
    await this.#deps.storage.moderation.setNotice(notice);
    this.#keep(notice);
    return kind === 'online' ? this.announce({ text, to: 'online', domain }) : 0;
  }

  async removeNotice(domain: string, kind: NoticeKind): Promise<boolean> {
    this.#notices.delete(keyOf(domain, kind));
    return this.#deps.storage.moderation.removeNotice(domain, kind);
  }

  get notices(): readonly Notice[] {
    return [...this.#notices.values()];
  }

  /**
   * Sends the notices of the domain to a session that has come online: the welcome if its user was never online, and the other one unless
   * the user has got it: the user was online when it was set, or since.
   */
  greet({ jid, account }: Session): void {
    if (this.#notices.size === 0 || this.#deps.sessions.of(account.key).length > 1) return;
    const { domain } = jid;
    const welcome = this.#notices.get(keyOf(domain, 'welcome'));
    if (welcome && !account.lastSeen) void this.#send(domain, account.key, 'normal', welcome.text, undefined);
    const notice = this.#notices.get(keyOf(domain, 'online'));
    if (!notice || (account.lastSeen?.atMs ?? 0) >= notice.atMs) return;
    void this.#send(domain, jid.toString(), 'headline', notice.text, undefined);
  }

  #keep(notice: Notice): void {
    this.#notices.set(keyOf(notice.domain, notice.kind), notice);
  }

  /** The domain, if it is served here. Throws `not-found` otherwise. */
  served(domain: string): string {
    if (this.#deps.domains.includes(domain)) return domain;
    throw new OperationError('not-found', `${domain} is not served here.`);
  }

  async *#online(domain: string): AsyncGenerator<string> {
    const accounts = new Set<string>();
    for (const { jid, presence } of this.#deps.sessions.all()) {
      if (jid.domain === domain && presence.available) accounts.add(jid.bare().toString());
    }
    yield* accounts;
  }

  async *#all(domain: string): AsyncGenerator<string> {
    for (let after: string | undefined = ''; after !== undefined; ) {
      const page: string[] = await this.#deps.storage.accounts.list({ domain, after, limit: pageSize });
      yield* page;
      after = page.length === pageSize ? page.at(-1) : undefined;
    }
  }

  async #send(domain: string, to: string, type: string, text: string, subject: string | undefined): Promise<void> {
    const { route, log } = this.#deps;
    const attributes = { from: Jid.from('', domain), to: Jid.parse(to), id: randomId(), type };
    const content = [...(subject === undefined ? [] : [xml('subject', {}, subject)]), xml('body', {}, text)];
    try {
      await route(Stanza.message(attributes, ...content));
    } catch (error) {
      log.error({ err: error, to }, 'an announcement could not be delivered');
    }
  }
}

function keyOf(domain: string, kind: NoticeKind): string {
  return `${kind} ${domain}`;
}

/** An announcement. */
interface Announcement {
  readonly text: string;
  readonly subject?: string | undefined;
  readonly to: 'online' | 'all';
  /** All domains if absent. */
  readonly domain?: string | undefined;
}

const words = z.string().min(1).max(10_000).refine(isXmlText, { error: 'contains characters that XML does not allow' });
const name = z.string().min(1);
const noticeKind = z.enum(noticeKinds).default('online');

/** Sends a message from the server to all users who are online, or to all accounts. */
export const announce = operation({
  method: 'POST',
  path: '/announcements',
  input: z.strictObject({
    text: words,
    subject: words.optional(),
    to: z.enum(['online', 'all']),
    domain: name.optional(),
  }),
  subject: ({ to, domain }) => `${to}${domain === undefined ? '' : ` of ${domain}`}`,
  run: async (service: Announcements, request, stopped) => ({ recipients: await service.announce(request, stopped) }),
});

/** Sets the text that users of a domain get now or when they come online next, or when they come online for the first time at all. */
export const setNotice = operation({
  method: 'PUT',
  path: '/notices',
  input: z.strictObject({ domain: name, kind: noticeKind, text: words }),
  subject: ({ domain }) => domain,
  run: async (service: Announcements, { domain, kind, text }) => ({
    recipients: await service.setNotice(domain, kind, text),
  }),
});

/** Removes it. */
export const removeNotice = operation({
  method: 'DELETE',
  path: '/notices',
  input: z.strictObject({ domain: name, kind: noticeKind }),
  subject: ({ domain }) => domain,
  run: async (service: Announcements, { domain, kind }) => {
    if (await service.removeNotice(domain, kind)) return;
    throw new OperationError('not-found', `${domain} has no ${kind === 'welcome' ? 'welcome' : 'notice'}.`);
  },
});

/** Lists the texts that users get when they come online. */
export const listNotices = operation({
  method: 'GET',
  path: '/notices',
  input: z.strictObject({}),
  run: async (service: Announcements) => ({
    notices: service.notices.map(({ atMs, ...notice }) => ({ ...notice, since: formatDateTime(atMs) })),
  }),
});

/** Everything that an operator can ask of announcements. */
export const announcementOperations = [announce, setNotice, removeNotice, listNotices] as const;
