import type { Approvals } from '../c2s/approvals.ts';
import { ClientSessions } from '../c2s/client-sessions.ts';
import { ClientStream } from '../c2s/client-stream.ts';
import type { ClientStreamDeps } from '../c2s/client-stream-deps.ts';
import type { Devices } from '../c2s/devices.ts';
import { StreamManagement } from '../c2s/management/stream-management.ts';
import { clientFeatures } from '../c2s/negotiation/client-features.ts';
import type { Redemption } from '../c2s/redemption.ts';
import type { Registrar } from '../c2s/registrar.ts';
import { StanzaIntake } from '../c2s/stanza-intake.ts';
import type { Suspensions } from '../c2s/suspensions.ts';
import { managementLimits } from '../config/stream-options.ts';
import type { Routing } from '../routing/routing.ts';
import { KeptCopies } from '../streams/acknowledgment/kept-copies.ts';
import type { Framing } from '../streams/framing.ts';
import { StreamListener } from '../streams/stream-listener.ts';
import type { Foundation } from './foundation.ts';

/** Makes the sessions of clients. */
export function makeSessions({ live, storage, clock, log }: Foundation, routing: Routing): ClientSessions {
  const store = storage.resumption;
  return new ClientSessions({
    directory: routing.sessions,
    account: (jid) => routing.accounts.get(jid),
    policy: live.of(({ sessions }) => sessions),
    resumption: live.of(({ streamManagement }) => streamManagement),
    limits: live.of(managementLimits),
    store,
    copies: new KeptCopies({ store, clock, log }),
    requests: routing.requests,
    clock,
    log,
    ended: routing.sessionEnded,
    connectionLost: (session, unconfirmed) => routing.hooks.connectionLost(session, unconfirmed),
    waiting: (session, stanza) => routing.hooks.waiting(session, stanza),
    restored: () => routing.hooks.restored(),
    returned: (session) => routing.hooks.returned(session),
    restoreWatch: (message, session, sentAtMs) => routing.router.recall(message, session, sentAtMs),
    route: routing.route,
  });
}

/** The parts that the streams of clients use. */
interface ClientParts {
  readonly sessions: ClientSessions;
  readonly registrar: Registrar;
  readonly redemption: Redemption;
  readonly devices: Devices;
  readonly suspensions: Suspensions;
  readonly approvals: Approvals;
}

/** Makes the listener for clients. */
export async function makeListener(
  foundation: Foundation,
  routing: Routing,
  parts: ClientParts,
): Promise<StreamListener> {
  const { acceptor, limiter, clock, log } = foundation;
  const stream = await makeStreamDeps(foundation, routing, parts);
  const newStream = (authenticated: () => void, framing?: Framing) => new ClientStream(stream, authenticated, framing);
  return new StreamListener({ newStream, acceptor, limiter, clock, log });
}

async function makeStreamDeps(foundation: Foundation, routing: Routing, parts: ClientParts): Promise<ClientStreamDeps> {
  const { live, traffic, clock, log } = foundation;
  const { router, hooks, requests, isLocalDomain } = routing;
  const { sessions, registrar } = parts;
  const limits = live.streams;
  const management = new StreamManagement(sessions.resumable);
  const { nonzas } = hooks;
  return {
    isLocalDomain,
    features: await clientFeatures({
      ...foundation,
      ...parts,
      options: negotiationOptions(foundation),
      registration: live.registration,
      management,
      hooks,
      streamLimits: limits,
    }),
    notices: (stage) => hooks.streamFeatures(stage),
    intake: new StanzaIntake({
      nonzas,
      management,
      route: (stanza, session) => router.fromSession(stanza, session),
      limits,
    }),
    sessions,
    registrar,
    requests,
    limits,
    traffic: traffic.c2s,
    clock,
    log,
  };
}

function negotiationOptions({ config: { tls }, live }: Foundation) {
  return {
    tls,
    authentication: live.of(({ authentication }) => authentication),
    limits: {
      authentication: live.of(({ limits }) => limits.authentication),
      registration: live.of(({ limits }) => limits.registration),
    },
  };
}
