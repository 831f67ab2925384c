import type { Config } from '../config/schema.ts';
import { shownConfig } from '../config/shown-config.ts';
import { Audit } from '../web/control/audit.ts';
import { type ControlServer, startControlServer } from '../web/control/control-server.ts';
import { operations } from '../web/control/operations.ts';
import { type Operator, operatorOf } from '../web/control/operator.ts';
import type { RunningServer } from '../web/control/running-server.ts';
import { controlSocketPath } from '../web/control/socket-path.ts';
import { Watches } from '../web/watch/watches.ts';
import { closeFoundation, type Environment, type Foundation, openFoundation } from './foundation.ts';
import { type Addresses, openForComponents, Ports } from './listeners.ts';
import { makeParts, type Parts, software } from './parts.ts';
import { makeReload, type RunningConfig } from './reload.ts';

/** A running server. */
export interface Server {
  readonly addresses: Addresses;
  /** The file with the authority that clients must trust, if the server made its certificates. */
  readonly developmentAuthority: string | undefined;
  /** Runs the operations that an operator asks for. */
  readonly administration: Operator<RunningServer>;
  /** Reads the configuration again. Rejects and changes nothing if it or a certificate has a fault. */
  readonly reload: () => Promise<void>;
  /** Closes all streams in an orderly way, and then everything else. */
  stop(): Promise<void>;
}

/** The environment of a server, and how it reads its configuration again. */
export interface ServerOptions extends Environment {
  /** Reads the configuration for a reload. */
  readonly reloadConfig?: () => Config;
  /** The file of the configuration, for people. */
  readonly configFile?: string | undefined;
}

/** The time to close streams when storage has failed: nothing more can be done for their peers. */
const farewellMs = 1000;

/** Makes every part of a server, joins them, and opens the ports. If something fails, rejects and leaves nothing open. */
export async function startServer(config: Config, options: ServerOptions): Promise<Server> {
  const foundation = await openFoundation(config, options);
  try {
    const parts = await makeParts(foundation);
    return await open(foundation, parts, options);
  } catch (error) {
    await closeFoundation(foundation);
    throw error;
  }
}

async function open(foundation: Foundation, parts: Parts, options: ServerOptions): Promise<Server> {
  let control: ControlServer | undefined;
  try {
    const ports = new Ports(parts);
    await openStreams(foundation, parts, ports);
    const configuration = makeReload(foundation, { ...parts, ports }, options.log, options.reloadConfig);
    const running = makeRunningServer(foundation, parts, ports, configuration, options);
    control = await openControl(foundation, parts, running);
    parts.routing.hooks.opened();
    // The operator may have blocked domains while the server was stopped.
    void parts.federation?.bar();
    parts.suspensions.start();
    return {
      get addresses() {
        return ports.addresses;
      },
      developmentAuthority: foundation.certificates.developmentAuthority,
      administration: operatorOf(running),
      reload: configuration.reload,
      stop: () => stop(foundation, parts, control, configuration.current.shutdown.drainSeconds * 1000),
    };
  } catch (error) {
    await close(foundation, parts, control, 0).catch((fault: unknown) =>
      foundation.log.error({ err: fault }, 'not everything could be closed'),
    );
    throw error;
  }
}

/** Restores the sessions and stanzas of the last run, and opens the ports. */
async function openStreams(foundation: Foundation, parts: Parts, ports: Ports): Promise<void> {
  const left = await parts.copies.left();
  await parts.sessions.restore();
  const close = await ports.prepare(foundation.config.listen);
  close();
  await openForComponents(foundation, parts);
  await parts.copies.restore(left);
}

async function stop(
  foundation: Foundation,
  parts: Parts,
  control: ControlServer | undefined,
  drainMs: number,
): Promise<void> {
  const { failure, storage } = foundation;
  await close(foundation, parts, control, failure.aborted ? farewellMs : drainMs);
  await storage.close();
}

/** Closes everything except the foundation. Waits at most `drainMs` for clients and peers. */
async function close(
  foundation: Foundation,
  parts: Parts,
  control: ControlServer | undefined,
  drainMs: number,
): Promise<void> {
  const { listener, components, web, sessions, suspensions, federation, copies, routing, administration, console } =
    parts;
  suspensions.stop();
  administration.close();
  console.stop();
  const failed = foundation.failure.aborted;
  // Not awaited yet, because an operation may take long.
  const controlClosed = control?.close();
  const others = [components, web.listener, ...routing.hooks.listeners];
  await Promise.all([listener, ...others].map((one) => one.stop(drainMs)));
  if (!failed) await sessions.stop();
  // After the sessions, so that other servers get the unavailable presence of their users.
  await federation?.stop(drainMs);
  if (!failed) await copies.settled();
  await routing.hooks.closing();
  await controlClosed;
}

function openControl(
  { config, storage, clock, log }: Foundation,
  { routing, administration }: Parts,
  running: RunningServer,
): Promise<ControlServer> {
  const path = controlSocketPath(config.dataDir);
  const all = [...operations.map(({ bind }) => bind(running)), ...routing.hooks.operations];
  const audit = new Audit({ store: storage.administrations, clock, log });
  administration.open({ operations: all, audit });
  return startControlServer({ path, operations: all, audit, clock, log });
}

function makeRunningServer(
  foundation: Foundation,
  parts: Parts,
  ports: Ports,
  configuration: RunningConfig,
  { log, configFile: file }: Pick<ServerOptions, 'log' | 'configFile'>,
): RunningServer {
  const { config, storage, clock, certificates } = foundation;
  const { routing, registrar, devices, suspensions, invitations, components, federation, listener } = parts;
  const startedAtMs = clock.nowMs();
  return {
    storage,
    domains: config.domains,
    registrar,
    devices,
    suspensions,
    invitations,
    denied: () => configuration.current.s2s.deny,
    blocksChanged: async () => {
      const blocked = await storage.moderation.blockedDomains();
      await federation?.block(blocked.map(({ domain }) => domain));
    },
    exports: new Set(),
    accounts: routing.accounts,
    sessions: routing.sessions,
    status: () => ({
      version: software.version,
      startedAtMs,
      addresses: ports.addresses,
      connections: listener.connections,
      certificates: certificates.expiries,
      extensions: routing.hooks.status(),
    }),
    watches: new Watches({ traffic: foundation.traffic, followLog: (take) => log.follow(take), clock }),
    components: () => components.report(),
    testPeer: federation && ((pair) => federation.test(pair)),
    peers: () => federation?.report() ?? [],
    get console() {
      return parts.console.operated(ports.addresses.http).console;
    },
    get history() {
      return parts.console.operated(ports.addresses.http).history;
    },
    configuration: () => ({ file, effective: shownConfig(configuration.current), waiting: configuration.waiting }),
    check: async () => {
      const { check } = await import('../check/check.ts');
      const server = { level: 'ok', topic: 'server', message: 'The server is running.' } as const;
      return check(configuration.current, { file, runs: true, server });
    },
    reload: configuration.reload,
  };
}
