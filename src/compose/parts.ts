import type { ClientSessions } from '../c2s/client-sessions.ts';
import { Registrar } from '../c2s/registrar.ts';
import type { Components } from '../components/components.ts';
import { ampOptions } from '../config/amp-options.ts';
import { OperatorMessages } from '../extensions/amp/desk/operator-messages.ts';
import { AmpService } from '../extensions/amp/run/amp-service.ts';
import { extensions } from '../extensions/index.ts';
import type { Federation } from '../federation/federation.ts';
import type { SystemResolver } from '../federation/system-resolver.ts';
import { then } from '../routing/maybe-promise.ts';
import { Routing } from '../routing/routing.ts';
import type { OutgoingCopies } from '../streams/outgoing-copies.ts';
import type { StreamListener } from '../streams/stream-listener.ts';
import { packageVersion } from '../support/package-version.ts';
import type { HttpListener } from '../web/http/http-listener.ts';
import { makeListener, makeSessions } from './c2s.ts';
import type { Foundation } from './foundation.ts';
import { makeHttpListener } from './http.ts';
import { makeComponents, makeCopies, makeFederation, makeResolver } from './peers.ts';

/** What the server calls itself. */
export const software = { name: 'Ampere', version: packageVersion(), homepage: 'urn:ampere:server' };

/** Entities one session may send directed presence to. */
const maxDirectedPresences = 1000;

/** The parts of a server, joined, before anything is open. */
export interface Parts {
  readonly routing: Routing;
  readonly copies: OutgoingCopies;
  readonly components: Components;
  readonly resolver: SystemResolver;
  /** Absent if the configuration wants no streams with other servers. */
  readonly federation: Federation | undefined;
  readonly registrar: Registrar;
  readonly amp: AmpService;
  readonly sessions: ClientSessions;
  readonly listener: StreamListener;
  readonly http: HttpListener;
}

/** Makes every part once, each from those above it. */
export async function makeParts(foundation: Foundation): Promise<Parts> {
  const routing = makeRouting(foundation);
  const copies = makeCopies(foundation, routing);
  const components = makeComponents(foundation, routing, copies);
  routing.services.join(components);
  for (const service of foundation.services) routing.services.add(service);
  const resolver = makeResolver(foundation);
  const federation = await makeFederation(foundation, routing, resolver, copies);
  const registrar = makeRegistrar(foundation, routing);
  const amp = makeAmp(foundation, routing);
  routing.install({
    extensions: makeExtensions(foundation, routing, { amp, registrar }),
    ...(federation && { remotes: federation.remotes }),
  });
  const sessions = makeSessions(foundation, routing);
  const listener = await makeListener(foundation, routing, sessions, registrar);
  const http = makeHttpListener(foundation, routing);
  return { routing, copies, components, resolver, federation, registrar, amp, sessions, listener, http };
}

function makeRouting({ config, storage, clock, log }: Foundation): Routing {
  const { domains, roster } = config;
  return new Routing({ domains, maxRosterItems: roster.maxItems, maxDirectedPresences, storage, clock, log });
}

function makeRegistrar({ config, storage, pbkdf2 }: Foundation, routing: Routing): Registrar {
  const { accounts, subscriptions, sessions, hooks } = routing;
  return new Registrar({
    store: storage.accounts,
    account: (jid) => accounts.get(jid),
    cancelSubscriptions: (account) => subscriptions.cancelAll(account),
    forget: (key) => accounts.forget(key),
    sessions,
    pbkdf2,
    iterations: config.authentication.scramIterations,
    removed: (jid) => hooks.accountRemoved(jid),
  });
}

function makeAmp({ config, storage, clock, log }: Foundation, routing: Routing): AmpService {
  return new AmpService({
    ...routing,
    isInFlight: (owner, id) => routing.hooks.messageStore?.isInFlight(owner, id) ?? false,
    options: ampOptions(config),
    store: storage,
    clock,
    log,
  });
}

function makeMessageDesk({ config, clock }: Foundation, routing: Routing, amp: AmpService): OperatorMessages {
  return new OperatorMessages({
    domains: config.domains,
    components: Object.keys(config.components),
    hasAccount: (jid) => then(routing.accounts.get(jid), (account) => account !== undefined),
    clock,
    mailboxes: routing.mailboxes,
    route: (message) => routing.route(message, { byOperator: true }),
    explain: (message, sender, recipient, nowMs) =>
      then(routing.router.plan(message, sender, recipient), ({ passage, plan }) =>
        amp.judge.explain(passage, plan, nowMs),
      ),
  });
}

function makeExtensions(
  foundation: Foundation,
  routing: Routing,
  { amp, registrar }: Pick<Parts, 'amp' | 'registrar'>,
) {
  const { config, storage, clock, log } = foundation;
  const services = (domain: string) => routing.services.itemsOf(domain);
  const messageDesk = makeMessageDesk(foundation, routing, amp);
  return extensions({ routing, software, options: config, amp, messageDesk, registrar, storage, services, clock, log });
}
