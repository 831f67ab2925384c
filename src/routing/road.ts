import type { Jid } from '../protocol/jid.ts';
import type { Stanza } from '../protocol/stanza.ts';
import { StanzaError } from '../protocol/stanza-error.ts';
import type { Storage } from '../storage/storage.ts';
import type { Clock } from '../support/clock.ts';
import type { Log } from '../support/log.ts';
import { Accounts } from './accounts.ts';
import type { Eventually } from './eventually.ts';
import type { Extension } from './extension.ts';
import { IqPath } from './iq-path.ts';
import { MessagePath } from './message-path.ts';
import type { OfflineMessages } from './offline-messages.ts';
import type { Origin } from './origin.ts';
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
  readonly route: (stanza: Stanza, origin?: Origin) => Eventually<void>;
}

/** Extensions, and the one among them that keeps messages for absent users. */
export interface Equipment {
  readonly extensions: readonly Extension[];
  readonly offline: OfflineMessages;
}

/** The road, open. */
export interface Road extends Ground {
  readonly extensions: readonly Extension[];
  readonly router: Router;
  /** Tells everybody concerned that a session is gone. */
  readonly sessionEnded: (session: Session) => void;
}

/** Builds the road: first the ground, then the extensions on it, then the paths that use them. */
export function buildRoad(
  options: RoadOptions,
  storage: Pick<Storage, 'accounts' | 'rosters'>,
  clock: Clock,
  log: Log,
  equip: (ground: Ground) => Equipment,
): Road {
  let router: Router | undefined;
  const route = (stanza: Stanza, origin?: Origin) => router?.route(stanza, origin);
  const refuse = (stanza: Stanza, error: unknown, origin?: Origin) => router?.refuse(stanza, error, origin);
  const screens = new Screens();
  const ground = layGround(options, storage, clock, screens, route);
  const { extensions, offline } = equip(ground);
  screens.add(extensions.flatMap(({ screen }) => screen ?? []));
  const { sessions, subscriptions, requests, accounts } = ground;
  const common = {
    sessionsOf: (account: string) => sessions.of(account),
    findSession: (fullJid: Jid) => sessions.find(fullJid),
    screens,
    route,
    sendRemote,
  };
  const presences = new PresencePath({
    ...common,
    subscriptions,
    maxDirected: options.maxDirectedPresences,
    available: (session) => {
      for (const extension of extensions) extension.available?.(session);
    },
  });
  const judges = extensions.flatMap(({ judge }) => judge ?? []);
  const recorders = extensions.flatMap(({ record }) => record ?? []);
  const handlers = extensions.flatMap(({ iq }) => iq ?? []);
  const services = new Map<string, Service>();
  const domains = new Set(options.domains);
  router = new Router({
    isLocalDomain: (domain) => domains.has(domain),
    service: (domain) => services.get(domain),
    account: (jid) => accounts.get(jid),
    screens,
    messages: new MessagePath({ ...common, judges, recorders, offline, refuse }),
    presences,
    iqs: new IqPath({ ...common, handlers, requests }),
    log,
  });
  const sessionEnded = (session: Session) => {
    presences.sessionEnded(session);
    for (const extension of extensions) extension.ended?.(session);
  };
  return { ...ground, extensions, router, sessionEnded };
}

function layGround(
  options: RoadOptions,
  storage: Pick<Storage, 'accounts' | 'rosters'>,
  clock: Clock,
  screens: Screens,
  route: (stanza: Stanza, origin?: Origin) => Eventually<void>,
): Ground {
  const sessions = new LocalSessions();
  const accounts = new Accounts(storage.accounts, (key) => sessions.of(key).length > 0);
  const rosters = new RosterChanges(storage.rosters, sessions);
  const sessionsOf = (account: string) => sessions.of(account);
  const subscriptions = new Subscriptions({ rosters, sessionsOf, screens, route, maxItems: options.maxRosterItems });
  return { sessions, accounts, rosters, subscriptions, requests: new OutgoingRequests(clock), screens, route };
}

/** There are no streams to other servers yet (RFC 6120 §10.4.2). */
function sendRemote(stanza: Stanza): void {
  throw StanzaError.remoteServerNotFound(`${stanza.to?.domain} cannot be reached from here`);
}
