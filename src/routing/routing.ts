import type { Jid } from '../protocol/jid.ts';
import type { Stanza } from '../protocol/stanza.ts';
import { StanzaError } from '../protocol/stanza-error.ts';
import type { Storage } from '../storage/storage.ts';
import type { Clock } from '../support/clock.ts';
import type { Log } from '../support/log.ts';
import type { LoadedState } from './account-slot.ts';
import { Accounts } from './accounts.ts';
import type { Extension, LocalIqEnds } from './extension.ts';
import { ExtensionHooks } from './extension-hooks.ts';
import { IqPath } from './iq-path.ts';
import { IqReplies } from './iq-replies.ts';
import { IqTable } from './iq-table.ts';
import { hostService, type LocalService } from './local-service.ts';
import { Mailboxes } from './mailboxes.ts';
import type { MaybePromise } from './maybe-promise.ts';
import { MessagePath } from './message-path.ts';
import type { Outbound } from './outbound.ts';
import { OutgoingRequests } from './outgoing-requests.ts';
import type { RouteOptions } from './passage.ts';
import { PresenceHooks } from './presence-hooks.ts';
import { PresencePath } from './presence-path.ts';
import { RosterChanges } from './roster-changes.ts';
import { Router } from './router.ts';
import { Services } from './services.ts';
import type { Session } from './session.ts';
import { LocalSessions, type SessionDirectory } from './session-directory.ts';
import { StanzaFilters } from './stanza-filters.ts';
import { Subscriptions } from './subscriptions.ts';

/** Dependencies of routing, and its limits. */
export interface RoutingDeps {
  readonly domains: readonly string[];
  readonly maxRosterItems: () => number;
  /** The number of entities to which one session may send directed presence. */
  readonly maxDirectedPresences: number;
  readonly storage: Pick<Storage, 'accounts' | 'rosters'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** The parts that complete routing. They are made after it, because they route stanzas themselves. */
interface RoutingParts {
  readonly extensions: readonly Extension<never>[];
  /** Carries stanzas to other servers. Without it, other servers cannot be reached. */
  readonly remotes?: Outbound;
}

/** RFC 6120 §10.4.2. */
const noRemotes: Outbound = {
  send: () => {
    throw StanzaError.remoteServerNotFound('this server does not connect to other servers');
  },
};

function slotsOf(extensions: readonly Extension<never>[]): LoadedState[] {
  return extensions.flatMap(({ accountSlots }) => accountSlots ?? []);
}

/** Makes and joins the router, the paths, and everything they use, between the sender's stream and the recipient's. */
export class Routing {
  readonly sessions: SessionDirectory = new LocalSessions();
  readonly mailboxes = new Mailboxes();
  readonly hooks = new ExtensionHooks();
  readonly filters = new StanzaFilters(this.hooks);
  readonly presenceHooks: PresenceHooks;
  readonly accounts: Accounts;
  readonly rosters: RosterChanges;
  readonly subscriptions: Subscriptions;
  readonly requests: OutgoingRequests;
  /** The services that answer for further domains. */
  readonly services: Services;
  readonly router: Router;
  readonly #presences: PresencePath;
  readonly #iqReplies: IqReplies;
  readonly #iqTable: IqTable<LocalIqEnds>;
  readonly #log: Log;
  /** The services of extensions. */
  readonly #hosted = new Set<LocalService>();
  #remotes = noRemotes;

  constructor({ domains, maxRosterItems, maxDirectedPresences, storage, clock, log }: RoutingDeps) {
    const { sessions, filters, hooks, route, routeAll } = this;
    const local = new Set(domains);
    this.isLocalDomain = (domain) => local.has(domain);
    this.services = new Services(this.isLocalDomain);
    this.#log = log;
    this.presenceHooks = new PresenceHooks(log);
    this.accounts = new Accounts(storage.accounts, (key) => sessions.of(key).length > 0, clock);
    this.rosters = new RosterChanges(storage.rosters, sessions);
    this.requests = new OutgoingRequests(clock);
    const sessionsOf = (account: string) => sessions.of(account);
    const findSession = (fullJid: Jid) => sessions.find(fullJid);
    const { rosters, requests, services, isLocalDomain } = this;
    this.subscriptions = new Subscriptions({
      rosters,
      sessionsOf,
      filters,
      hooks: this.presenceHooks,
      route,
      clock,
      maxItems: maxRosterItems,
    });
    const common = {
      hooks,
      sessionsOf,
      findSession,
      filters,
      route,
      subscriptions: this.subscriptions,
      requests,
      remotes: { send: (stanza, handoff) => this.#remotes.send(stanza, handoff) } satisfies Outbound,
      isHosted: (domain: string) => this.isHosted(domain),
      isService: (domain: string) => services.at(domain) !== undefined,
      explain: (stanza: Stanza, error: unknown) => this.router.explain(stanza, error),
      refuse: (stanza: Stanza, error: unknown, options?: RouteOptions) => this.router.refuse(stanza, error, options),
      send: (outbound: Outbound, stanza: Stanza) =>
        outbound.send(stanza, { failed: (error) => this.router.refuse(stanza, error) }),
    };
    this.#presences = new PresencePath({
      ...common,
      routeAll,
      hooks: this.presenceHooks,
      maxDirected: maxDirectedPresences,
      available: (session) => hooks.readyForMessages(session),
    });
    const outbound = (domain: string) => services.at(domain) ?? this.#remotes;
    this.#iqReplies = new IqReplies({ ...common, isLocalDomain, outbound });
    this.#iqTable = new IqTable<LocalIqEnds>(this.#iqReplies);
    this.router = new Router({
      ...common,
      isLocalDomain,
      service: (domain) => services.at(domain),
      mailboxes: this.mailboxes,
      account: (jid) => this.accounts.get(jid),
      messages: new MessagePath(common),
      presences: this.#presences,
      iqs: new IqPath({ ...common, table: this.#iqTable }),
      log,
    });
  }

  /** Completes routing. Called once, before the first stanza. Throws an Error if extensions contradict each other. */
  install({ extensions, remotes = noRemotes }: RoutingParts): void {
    this.#remotes = remotes;
    this.#use(extensions);
  }

  /**
   * Turns extensions on and off. Resolves when the accounts in memory have what the new ones keep with them, with a function that completes
   * the change.
   */
  async prepareChange(extensions: readonly Extension<never>[]): Promise<() => void> {
    const before = this.hooks.extensions;
    const added = extensions.filter((one) => !before.includes(one));
    await this.accounts.attach(slotsOf(added));
    return () => {
      this.#use(extensions);
      for (const { opened } of added) opened?.();
      for (const one of before) if (!extensions.includes(one)) void this.#closed(one);
    };
  }

  #use(extensions: readonly Extension<never>[]): void {
    this.hooks.install(extensions);
    this.presenceHooks.install(extensions);
    this.accounts.install(slotsOf(extensions));
    this.#iqTable.clear();
    for (const { name, iq = [] } of extensions) this.#iqTable.add(name, iq);
    this.#host(extensions.flatMap(({ services }) => services ?? []));
  }

  /** Hosts exactly these services of extensions. */
  #host(services: readonly LocalService[]): void {
    const deps = {
      replies: this.#iqReplies,
      explain: (stanza: Stanza, error: unknown) => this.router.explain(stanza, error),
    };
    for (const gone of [...this.#hosted].filter((one) => !services.includes(one))) {
      this.#hosted.delete(gone);
      this.services.remove(gone);
    }
    for (const added of services.filter((one) => !this.#hosted.has(one))) {
      this.services.add(hostService(added, deps));
      this.#hosted.add(added);
    }
  }

  async #closed({ name, closing }: Extension<never>): Promise<void> {
    try {
      await closing?.();
    } catch (error) {
      this.#log.error({ err: error, extension: name }, 'an extension was not turned off cleanly');
    }
  }

  /** Whether a domain is one of those with accounts. */
  readonly isLocalDomain: (domain: string) => boolean;

  /** Whether this server, or one of its services, answers for a domain. */
  readonly isHosted = (domain: string): boolean => this.isLocalDomain(domain) || this.services.at(domain) !== undefined;

  /** Routes a stanza with 'from' and 'to' that the server has made, stored or received. */
  readonly route = (stanza: Stanza, options?: RouteOptions): MaybePromise<void> => this.router.route(stanza, options);

  /** Routes copies of one stanza to many recipients. */
  readonly routeAll = (copies: Iterable<Stanza>, options?: RouteOptions): MaybePromise<void> =>
    this.router.routeAll(copies, options);

  /** Broadcasts the presence of an available session again, because what its account adds to it has changed. */
  readonly announceAgain = (session: Session): void => this.#presences.announceAgain(session);

  /** Sends unavailable presence for an ended session, and tells the extensions. */
  readonly sessionEnded = (session: Session): void => {
    this.#presences.sessionEnded(session);
    for (const extension of this.hooks.extensions) {
      try {
        extension.ended?.(session);
      } catch (error) {
        // The session ends in the middle of other work, and the other extensions must be told.
        this.#log.error({ err: error, extension: extension.name }, 'the end of a session was not handled');
      }
    }
  };
}
