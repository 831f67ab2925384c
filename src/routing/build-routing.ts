import type { Jid } from '../protocol/jid.ts';
import type { Stanza } from '../protocol/stanza.ts';
import { StanzaError } from '../protocol/stanza-error.ts';
import type { Storage } from '../storage/storage.ts';
import type { Clock } from '../support/clock.ts';
import type { Log } from '../support/log.ts';
import { Accounts } from './accounts.ts';
import type { RouteOptions } from './ack-scope.ts';
import type { Extension, LocalIqEnds } from './extension.ts';
import { IqPath } from './iq-path.ts';
import { IqReplies } from './iq-replies.ts';
import { IqTable } from './iq-table.ts';
import { hostService } from './local-service.ts';
import { Mailboxes } from './mailboxes.ts';
import type { MaybePromise } from './maybe-promise.ts';
import { MessagePath } from './message-path.ts';
import type { OfflineMessages } from './offline-messages.ts';
import type { Outbound } from './outbound.ts';
import { OutgoingRequests } from './outgoing-requests.ts';
import { PresenceHooks } from './presence-hooks.ts';
import { PresencePath } from './presence-path.ts';
import { RosterChanges } from './roster-changes.ts';
import { Router } from './router.ts';
import { Services } from './services.ts';
import type { Session } from './session.ts';
import { LocalSessions, type SessionDirectory } from './session-directory.ts';
import { StanzaFilters } from './stanza-filters.ts';
import { Subscriptions } from './subscriptions.ts';

/** What the road is made for. */
interface RoutingOptions {
  readonly domains: readonly string[];
  readonly maxRosterItems: number;
  /** How many entities one session may send directed presence to. */
  readonly maxDirectedPresences: number;
}

/** What extensions build on. */
export interface RoutingCore {
  readonly sessions: SessionDirectory;
  readonly accounts: Accounts;
  readonly rosters: RosterChanges;
  readonly subscriptions: Subscriptions;
  readonly requests: OutgoingRequests;
  readonly filters: StanzaFilters;
  readonly presenceHooks: PresenceHooks;
  readonly mailboxes: Mailboxes;
  readonly route: (stanza: Stanza, way?: RouteOptions) => MaybePromise<void>;
  /** Broadcasts the presence of an available session again because the dress of its account has changed. */
  readonly announceAgain: (session: Session) => void;
  /** Whether a domain is one of accounts here. */
  readonly isLocalDomain: (domain: string) => boolean;
  /** What answers for the other domains of this server. */
  readonly services: Services;
  /** Whether this server answers for a domain, with accounts or by a service. */
  readonly isHosted: (domain: string) => boolean;
}

/** Extensions, and the one among them that keeps messages for absent users. */
interface Equipment {
  readonly extensions: readonly Extension[];
  readonly offline: OfflineMessages;
  /** Carries stanzas to other servers; without it none can be reached. */
  readonly remotes?: Outbound;
}

/** The road, open. */
export interface Routing extends RoutingCore {
  readonly extensions: readonly Extension[];
  readonly router: Router;
  /** Tells everybody concerned that a session is gone. */
  readonly sessionEnded: (session: Session) => void;
}

/** RFC 6120 §10.4.2. */
const noRemotes: Outbound = {
  send: () => {
    throw StanzaError.remoteServerNotFound('there is no way from here to other servers');
  },
};

/** Builds the road: first the ground, then the extensions on it, then the paths that use them. */
export function buildRouting(
  options: RoutingOptions,
  storage: Pick<Storage, 'accounts' | 'rosters'>,
  clock: Clock,
  log: Log,
  equip: (core: RoutingCore) => Equipment,
): Routing {
  let router: Router | undefined;
  let presences: PresencePath | undefined;
  const route = (stanza: Stanza, way?: RouteOptions) => router?.route(stanza, way);
  const refuse = (stanza: Stanza, error: unknown, way?: RouteOptions) => router?.refuse(stanza, error, way);
  const explain = (stanza: Stanza, error: unknown) =>
    router?.explain(stanza, error) ?? StanzaError.internalServerError();
  const filters = new StanzaFilters();
  const presenceHooks = new PresenceHooks(log);
  const announceAgain = (session: Session) => presences?.announceAgain(session);
  const core = buildCore(options, storage, clock, { filters, presenceHooks, route, announceAgain });
  const { extensions, offline, remotes = noRemotes } = equip(core);
  filters.add(extensions.flatMap(({ filter }) => filter ?? []));
  presenceHooks.install(extensions);
  const { sessions, subscriptions, requests, accounts, services, isLocalDomain, isHosted } = core;
  const common = {
    sessionsOf: (account: string) => sessions.of(account),
    findSession: (fullJid: Jid) => sessions.find(fullJid),
    filters,
    route,
    remotes,
    isHosted,
    send: (outbound: Outbound, stanza: Stanza) => outbound.send(stanza, { failed: (error) => refuse(stanza, error) }),
  };
  presences = new PresencePath({
    ...common,
    subscriptions,
    hooks: presenceHooks,
    explain,
    maxDirected: options.maxDirectedPresences,
    available: (session) => {
      for (const extension of extensions) extension.readyForMessages?.(session);
    },
  });
  const judges = extensions.flatMap(({ judge }) => judge ?? []);
  const recalls = extensions.flatMap(({ recall }) => recall ?? []);
  const recorders = extensions.flatMap(({ record }) => record ?? []);
  const isService = (domain: string) => services.at(domain) !== undefined;
  const outbound = (domain: string) => services.at(domain) ?? remotes;
  const replies = new IqReplies({ ...common, isLocalDomain, outbound, refuse });
  const own = extensions.flatMap((extension) => extension.services ?? []);
  for (const one of own) services.add(hostService(one, { replies, explain }));
  router = new Router({
    isLocalDomain,
    service: (domain) => services.at(domain),
    mailboxes: core.mailboxes,
    account: (jid) => accounts.get(jid),
    filters,
    messages: new MessagePath({ ...common, judges, recalls, recorders, offline, explain, refuse }),
    presences,
    iqs: new IqPath({ ...common, isService, table: tableOf(extensions, replies), requests }),
    log,
  });
  const sessionEnded = (session: Session) => {
    presences?.sessionEnded(session);
    tellOfEnd(session, extensions, log);
  };
  return { ...core, extensions, router, sessionEnded };
}

function tellOfEnd(session: Session, extensions: readonly Extension[], log: Log): void {
  for (const extension of extensions) {
    try {
      extension.ended?.(session);
    } catch (error) {
      // A session ends within somebody else's work, and the others must hear of it too.
      log.error({ err: error, extension: extension.name }, 'the end of a session was not dealt with');
    }
  }
}

function tableOf(extensions: readonly Extension[], replies: IqReplies): IqTable<LocalIqEnds> {
  const table = new IqTable<LocalIqEnds>(replies);
  for (const { name, iq = [] } of extensions) table.add(name, iq);
  return table;
}

function buildCore(
  options: RoutingOptions,
  storage: Pick<Storage, 'accounts' | 'rosters'>,
  clock: Clock,
  given: Pick<RoutingCore, 'filters' | 'presenceHooks' | 'route' | 'announceAgain'>,
): RoutingCore {
  const sessions = new LocalSessions();
  const accounts = new Accounts(storage.accounts, (key) => sessions.of(key).length > 0);
  const rosters = new RosterChanges(storage.rosters, sessions);
  const sessionsOf = (account: string) => sessions.of(account);
  const maxItems = options.maxRosterItems;
  const { filters, presenceHooks: hooks, route } = given;
  const subscriptions = new Subscriptions({ rosters, sessionsOf, filters, hooks, route, clock, maxItems });
  const domains = new Set(options.domains);
  const isLocalDomain = (domain: string) => domains.has(domain);
  const requests = new OutgoingRequests(clock);
  const services = new Services(isLocalDomain);
  return {
    sessions,
    accounts,
    rosters,
    subscriptions,
    requests,
    mailboxes: new Mailboxes(),
    isLocalDomain,
    services,
    isHosted: (domain) => isLocalDomain(domain) || services.at(domain) !== undefined,
    ...given,
  };
}
