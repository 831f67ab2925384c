import type { AddressInfo } from 'node:net';
import { ClientSessions } from './c2s/client-sessions.ts';
import { ClientStream } from './c2s/client-stream.ts';
import type { ClientStreamDeps } from './c2s/client-stream-deps.ts';
import { StreamManagement } from './c2s/management/stream-management.ts';
import { clientFeatures } from './c2s/negotiation/client-features.ts';
import { Pbkdf2Queue } from './c2s/negotiation/sasl/pbkdf2-queue.ts';
import type { Registrar } from './c2s/registrar.ts';
import { StanzaIntake } from './c2s/stanza-intake.ts';
import { reloaded } from './config/reload.ts';
import type { Config, Listener } from './config/schema.ts';
import {
  clientAcceptorOptions,
  componentStreamLimits,
  listenerLimits,
  managementLimits,
  streamLimits,
} from './config/stream-options.ts';
import { type ClientAcceptor, makeClientAcceptor } from './edges/client-acceptor.ts';
import { buildWorks, makeRegistrar, type Site, software, type Works } from './equipment.ts';
import { AmpCounters } from './extensions/amp/amp-counters.ts';
import type { AmpService } from './extensions/amp/amp-service.ts';
import type { Jid } from './protocol/jid.ts';
import type { Routing } from './routing/build-routing.ts';
import { then } from './routing/maybe-promise.ts';
import type { Service } from './routing/service.ts';
import { openSqliteStorage, type SqliteStorageOptions } from './storage/sqlite/open-sqlite-storage.ts';
import type { Storage } from './storage/storage.ts';
import { KeptCopies } from './streams/acknowledgment/kept-copies.ts';
import { ConnectionLimiter } from './streams/connection-limiter.ts';
import { StreamListener } from './streams/stream-listener.ts';
import { type Clock, systemClock } from './support/clock.ts';
import type { DiskSpace } from './support/disk-space.ts';
import type { AdjustableLog } from './support/log.ts';
import { CurrentCertificates } from './tls/current-certificates.ts';
import type { TlsStart } from './tls/tls-options.ts';
import { type ControlServer, startControlServer } from './web/control/control-server.ts';
import { operations } from './web/control/operations.ts';
import { type Operator, operatorOf } from './web/control/operator.ts';
import { OperatorMessages } from './web/control/operator-messages.ts';
import type { RunningServer } from './web/control/running-server.ts';
import { controlSocketPath } from './web/control/socket-path.ts';

/** A running server. */
export interface Server {
  /** Where it listens, by the kernel's word. */
  readonly addresses: {
    readonly c2s: readonly AddressInfo[];
    readonly c2sTls: readonly AddressInfo[];
    readonly s2s: readonly AddressInfo[];
    readonly s2sTls: readonly AddressInfo[];
    readonly components: readonly AddressInfo[];
  };
  /** The file clients must trust, if certificates were made here. */
  readonly developmentAuthority: string | undefined;
  /** Carries out what an operator asks for. */
  readonly administration: Operator<RunningServer>;
  /** Takes over what can change while streams are open; a configuration or certificate that is no good changes nothing. */
  reload(): Promise<void>;
  /** Says goodbye to every client, and ends. */
  stop(): Promise<void>;
}

/** What a server needs besides its configuration. */
export interface ServerOptions {
  readonly log: AdjustableLog;
  readonly clock?: Clock;
  /** Reads the configuration again, for a reload. */
  readonly reloadConfig?: () => Config;
  /** What answers for further domains in this process. */
  readonly services?: readonly Service[];
  /** Another way to know how much room is left for the data. */
  readonly diskSpace?: (directory: string) => DiskSpace;
  /** Another store. */
  readonly openStorage?: (options: SqliteStorageOptions) => Promise<Storage>;
  /** Storage has failed for good: nothing more can be promised, so the process should end. */
  readonly onFatal?: (error: Error) => void;
}

/** How long clients have to hear that the server ends because its storage has failed: nothing more can be done for them. */
const farewellMs = 1000;

/** Makes every part of the house, joins them, and opens the doors. */
export async function startServer(config: Config, options: ServerOptions): Promise<Server> {
  const { log, clock = systemClock, openStorage = openSqliteStorage } = options;
  const failure = new AbortController();
  const onFatal = (error: Error) => {
    failure.abort();
    log.error({ err: error }, 'storage has failed for good');
    options.onFatal?.(error);
  };
  const { dataDir } = config;
  const { quickCheck, ballastBytes } = config.storage;
  const disk = { ballastBytes, ...(options.diskSpace && { diskSpace: options.diskSpace }) };
  const storage = await openStorage({ dataDir, onFatal, log, clock, quickCheck, ...disk });
  let acceptor: ClientAcceptor | undefined;
  try {
    const certificates = await CurrentCertificates.load(config, log);
    const { services = [] } = options;
    const limiter = new ConnectionLimiter(listenerLimits(config), clock, log);
    acceptor = makeClientAcceptor(clientAcceptorOptions(config), certificates, { clock, log });
    const made = {
      pbkdf2: new Pbkdf2Queue(),
      amp: new AmpCounters(),
      services,
      limiter,
      acceptor,
      failure: failure.signal,
    };
    return await open({ config, storage, certificates, clock, log, ...made }, options);
  } catch (error) {
    await acceptor?.end();
    await storage.close();
    throw error;
  }
}

/** What is open, as far as the start has come. */
interface House {
  readonly site: Site;
  readonly works: Works;
  readonly messages: OperatorMessages;
  sessions?: ClientSessions;
  listener?: StreamListener;
  control?: ControlServer;
}

/** Opens everything or nothing: what was opened before something failed is closed again. */
async function open(site: Site, options: ServerOptions): Promise<Server> {
  const works = await buildWorks(site);
  const house: House = { site, works, messages: makeMessageDesk(site, works.routing, works.amp) };
  try {
    return await openHouse(house, options);
  } catch (error) {
    await closeHouse(house, 0).catch((fault: unknown) => site.log.error({ err: fault }, 'not everything is closed'));
    throw error;
  }
}

async function openHouse(house: House, options: ServerOptions): Promise<Server> {
  const { site, works, messages } = house;
  const { config, storage, certificates, clock, log } = site;
  const { routing, copies, components, federation } = works;
  const registrar = makeRegistrar(site, routing, () => routing.extensions);
  const stream = await makeStreamParts(site, routing, registrar);
  house.sessions = stream.sessions;
  const left = await copies.left();
  await stream.sessions.restore();
  const listener = makeListener(site, stream);
  house.listener = listener;
  const addresses = await openDoors(site, works, listener);
  await copies.restore(left);
  const reload = reloading(site, works, options);
  const startedAtMs = clock.nowMs();
  const status = () => ({
    version: software.version,
    startedAtMs,
    addresses,
    connections: listener.connections,
    amp: site.amp.report(),
  });
  const running: RunningServer = {
    storage,
    domains: config.domains,
    registrar,
    accounts: routing.accounts,
    sessions: routing.sessions,
    messages,
    status,
    components: () => components.report(),
    testPeer: federation && ((pair) => federation.test(pair)),
    peers: () => federation?.report() ?? [],
    reload,
  };
  house.control = await startControlServer({
    path: controlSocketPath(config.dataDir),
    operations: operations.map(({ bind }) => bind(running)),
    log,
  });
  for (const extension of routing.extensions) extension.opened?.();
  const stop = async () => {
    await closeHouse(house, site.failure.aborted ? farewellMs : config.shutdown.drainSeconds * 1000);
    await storage.close();
  };
  return {
    addresses,
    developmentAuthority: certificates.developmentAuthority,
    administration: operatorOf(running),
    reload,
    stop,
  };
}

async function closeHouse({ site, works, control, listener, sessions }: House, drainMs: number) {
  const failed = site.failure.aborted;
  const { routing, components, federation, copies } = works;
  // An operation may take long.
  const controlClosed = control?.close();
  await Promise.all([listener?.stop(drainMs), components.stop(drainMs)]);
  if (!failed) await sessions?.stop();
  // Last, so that others hear who is gone.
  await federation?.stop(drainMs);
  if (!failed) await copies.settled();
  for (const extension of routing.extensions) await extension.closing?.();
  await controlClosed;
}

/** Opens every port. */
async function openDoors(site: Site, { routing, components, federation }: Works, listener: StreamListener) {
  const { config, limiter, clock, log } = site;
  const addresses = {
    c2s: await listenAll(listener, config.listen.c2s, 'starttls'),
    c2sTls: await listenAll(listener, config.listen.c2sTls, 'direct'),
    s2s: federation ? await listenWhere(federation, config.listen.s2s, 'starttls') : [],
    s2sTls: federation ? await listenWhere(federation, config.listen.s2sTls, 'direct') : [],
  };
  await components.listen({
    addresses: config.listen.components,
    take: (stanza, origin) => routing.router.fromPeer(stanza, origin),
    limits: componentStreamLimits(config),
    limiter,
    clock,
    log,
  });
  return {
    ...addresses,
    /** A reload may open them. */
    get components() {
      return components.addresses;
    },
  };
}

function makeListener({ acceptor, limiter, clock, log }: Site, stream: ClientStreamDeps): StreamListener {
  return new StreamListener({
    newStream: (authenticated) => new ClientStream(stream, authenticated),
    acceptor,
    limiter,
    clock,
    log,
  });
}

/** Takes over what can change at once and says what waits for the next start; what is no good changes nothing. One after the other. */
function reloading(site: Site, works: Works, options: ServerOptions): () => Promise<void> {
  const { certificates, acceptor, log } = site;
  let running = site.config;
  let last = Promise.resolve();
  const reload = async () => {
    const { config, waiting } = reloaded(running, options.reloadConfig?.() ?? running);
    const takeCertificates = await certificates.prepare(config);
    const takeOver = await works.prepare(config);
    takeCertificates();
    takeOver();
    running = config;
    options.log.level = config.log.level;
    await acceptor.renew();
    if (waiting.length > 0) log.warn({ keys: waiting }, 'changed settings that wait for a restart');
    log.info({}, 'reloaded');
  };
  return () => {
    const done = last.then(reload);
    last = done.catch(() => undefined);
    return done;
  };
}

/** Listens for clients, for whom the server is there: not to be had anywhere is not to start. */
async function listenAll(listener: StreamListener, wanted: readonly Listener[], start: TlsStart) {
  const found = await listenWhere(listener, wanted, start);
  if (wanted.length > 0 && found.length === 0) throw new Error(`none of the addresses for ${start} can be had`);
  return found;
}

/** Listens on those of the addresses that can be had. */
async function listenWhere(listener: Pick<StreamListener, 'listen'>, wanted: readonly Listener[], start: TlsStart) {
  const found: AddressInfo[] = [];
  for (const address of wanted) {
    const got = await listener.listen(address, start);
    if (got) found.push(got);
  }
  return found;
}

function makeMessageDesk({ config, clock }: Site, routing: Routing, amp: AmpService): OperatorMessages {
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

async function makeStreamParts(site: Site, routing: Routing, registrar: Registrar): Promise<ClientStreamDeps> {
  const { config, clock, log } = site;
  const limits = streamLimits(config);
  const domains = new Set(config.domains);
  const sessions = makeSessions(site, routing);
  const management = new StreamManagement(sessions.resumable);
  const nonzas = routing.extensions.flatMap((extension) => extension.nonzas ?? []);
  return {
    isLocalDomain: (domain) => domains.has(domain),
    features: await clientFeatures({
      ...site,
      options: config,
      sessions,
      management,
      nonzas,
      registrar,
      streamLimits: limits,
    }),
    notices: (stage) => routing.extensions.flatMap(({ streamFeatures }) => streamFeatures?.(stage) ?? []),
    intake: new StanzaIntake({
      nonzas,
      management,
      route: (stanza, session) => routing.router.fromSession(stanza, session),
      limits,
    }),
    sessions,
    requests: routing.requests,
    limits,
    clock,
    log,
  };
}

function makeSessions({ config, storage, clock, log }: Site, routing: Routing): ClientSessions {
  const store = storage.resumption;
  return new ClientSessions({
    directory: routing.sessions,
    account: (jid: Jid) => routing.accounts.get(jid),
    policy: config.sessions,
    resumption: config.streamManagement,
    limits: managementLimits(config),
    store,
    copies: new KeptCopies({ store, clock, log }),
    requests: routing.requests,
    clock,
    log,
    ended: routing.sessionEnded,
    returned: (session) => {
      if (!session.presence.available) return;
      for (const extension of routing.extensions) extension.readyForMessages?.(session);
    },
    recall: (message, session, sentAtMs) => routing.router.recall(message, session, sentAtMs),
    route: (stanza, origin) => routing.route(stanza, { origin }),
  });
}
