import type { Jid } from '../protocol/jid.ts';
import type { Stanza } from '../protocol/stanza.ts';
import { StanzaError } from '../protocol/stanza-error.ts';
import type { Storage } from '../storage/storage.ts';
import type { Clock } from '../support/clock.ts';
import type { Log } from '../support/log.ts';
import { Accounts } from './accounts.ts';
import type { Carrier } from './carrier.ts';
import type { Eventually } from './eventually.ts';
import type { Extension } from './extension.ts';
import { IqPath } from './iq-path.ts';
import { Mailboxes } from './mailboxes.ts';
import { MessagePath } from './message-path.ts';
import type { OfflineMessages } from './offline-messages.ts';
import type { Way } from './origin.ts';
import { OutgoingRequests } from './outgoing-requests.ts';
import { PresencePath } from './presence-path.ts';
import { RosterChanges } from './roster-changes.ts';
import { Router } from './router.ts';
import { Screens } from './screens.ts';
import type { Service } from './service.ts';
import type { Session } from './session.ts';
import { LocalSessions, type SessionDirectory } from './session-directory.ts';
import { Subscriptions } from './subscriptions.ts';

/** What the road is made for. */
export interface RoadOptions {
  readonly domains: readonly string[];
  readonly maxRosterItems: number;
  /** How many entities one session may send directed presence to. */
  readonly maxDirectedPresences: number;
}

/** What extensions build on. */
export interface Ground {
  readonly sessions: SessionDirectory;
  readonly accounts: Accounts;
  readonly rosters: RosterChanges;
  readonly subscriptions: Subscriptions;
  readonly requests: OutgoingRequests;
  readonly screens: Screens;
  readonly mailboxes: Mailboxes;
  readonly route: (stanza: Stanza, way?: Way) => Eventually<void>;
  /** Whether a domain is one of ours. */
  readonly isLocalDomain: (domain: string) => boolean;
}

/** Extensions, and the one among them that keeps messages for absent users. */
export interface Equipment {
  readonly extensions: readonly Extension[];
  readonly offline: OfflineMessages;
  /** What answers for another domain, if something does now. */
  readonly service?: (domain: string) => Service | undefined;
  /** Carries stanzas to other servers; without it none can be reached. */
  readonly remotes?: Carrier;
}

/** The road, open. */
export interface Road extends Ground {
  readonly extensions: readonly Extension[];
  readonly router: Router;
  /** Tells everybody concerned that a session is gone. */
  readonly sessionEnded: (session: Session) => void;
}

/** RFC 6120 §10.4.2. */
const noRemotes: Carrier = {
  send: () => {
    throw StanzaError.remoteServerNotFound('there is no way from here to other servers');
  },
};

/** Builds the road: first the ground, then the extensions on it, then the paths that use them. */
export function buildRoad(
  options: RoadOptions,
  storage: Pick<Storage, 'accounts' | 'rosters'>,
  clock: Clock,
  log: Log,
  equip: (ground: Ground) => Equipment,
): Road {
  let router: Router | undefined;
  const route = (stanza: Stanza, way?: Way) => router?.route(stanza, way);
  const refuse = (stanza: Stanza, error: unknown, way?: Way) => router?.refuse(stanza, error, way);
  const explain = (stanza: Stanza, error: unknown) =>
    router?.explain(stanza, error) ?? StanzaError.internalServerError();
  const screens = new Screens();
  const ground = layGround(options, storage, clock, screens, route);
  const { extensions, offline, service = () => undefined, remotes = noRemotes } = equip(ground);
  screens.add(extensions.flatMap(({ screen }) => screen ?? []));
  const { sessions, subscriptions, requests, accounts } = ground;
  const common = {
    sessionsOf: (account: string) => sessions.of(account),
    findSession: (fullJid: Jid) => sessions.find(fullJid),
    screens,
    route,
    remotes,
    isHosted: (domain: string) => ground.isLocalDomain(domain) || service(domain) !== undefined,
    send: (carrier: Carrier, stanza: Stanza) => carrier.send(stanza, { failed: (error) => refuse(stanza, error) }),
  };
  const presences = new PresencePath({
    ...common,
    subscriptions,
    explain,
    maxDirected: options.maxDirectedPresences,
    available: (session) => {
      for (const extension of extensions) extension.available?.(session);
    },
  });
  const judges = extensions.flatMap(({ judge }) => judge ?? []);
  const recalls = extensions.flatMap(({ recall }) => recall ?? []);
  const recorders = extensions.flatMap(({ record }) => record ?? []);
  const handlers = extensions.flatMap(({ iq }) => iq ?? []);
  router = new Router({
    isLocalDomain: ground.isLocalDomain,
    service,
    mailboxes: ground.mailboxes,
    account: (jid) => accounts.get(jid),
    screens,
    messages: new MessagePath({ ...common, judges, recalls, recorders, offline, explain, refuse }),
    presences,
    iqs: new IqPath({ ...common, isService: (domain) => service(domain) !== undefined, handlers, requests }),
    log,
  });
  const sessionEnded = (session: Session) => {
    presences.sessionEnded(session);
    for (const extension of extensions) {
      try {
        extension.ended?.(session);
      } catch (error) {
        // A session ends within somebody else's work, and the others must hear of it too.
        log.error({ err: error, extension: extension.name }, 'the end of a session was not dealt with');
      }
    }
  };
  return { ...ground, extensions, router, sessionEnded };
}

function layGround(
  options: RoadOptions,
  storage: Pick<Storage, 'accounts' | 'rosters'>,
  clock: Clock,
  screens: Screens,
  route: (stanza: Stanza, way?: Way) => Eventually<void>,
): Ground {
  const sessions = new LocalSessions();
  const accounts = new Accounts(storage.accounts, (key) => sessions.of(key).length > 0);
  const rosters = new RosterChanges(storage.rosters, sessions);
  const sessionsOf = (account: string) => sessions.of(account);
  const maxItems = options.maxRosterItems;
  const subscriptions = new Subscriptions({ rosters, sessionsOf, screens, route, clock, maxItems });
  const domains = new Set(options.domains);
  const isLocalDomain = (domain: string) => domains.has(domain);
  const requests = new OutgoingRequests(clock);
  return {
    sessions,
    accounts,
    rosters,
    subscriptions,
    requests,
    screens,
    mailboxes: new Mailboxes(),
    route,
    isLocalDomain,
  };
}
