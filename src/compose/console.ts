import type { AddressInfo } from 'node:net';
import { performance } from 'node:perf_hooks';
import type { Suspensions } from '../c2s/suspensions.ts';
import type { Config } from '../config/schema.ts';
import { publicUrl } from '../config/stream-options.ts';
import type { Federation } from '../federation/federation.ts';
import type { HttpRoute } from '../routing/http-route.ts';
import type { Routing } from '../routing/routing.ts';
import type { StreamListener } from '../streams/stream-listener.ts';
import { isIn, networkList } from '../support/network-list.ts';
import { residentBytes } from '../support/resident-bytes.ts';
import type { AdministrationAccess } from '../web/administration/administration-access.ts';
import { History, type Measured } from '../web/console/history.ts';
import { LazyConsole } from '../web/console/lazy-console.ts';
import type { Person } from '../web/console/logins.ts';
import type { RunningServer } from '../web/control/running-server.ts';
import type { Foundation } from './foundation.ts';

/** The parts that are measured. */
interface MeasuredParts {
  readonly routing: Routing;
  readonly listener: StreamListener;
  readonly federation: Federation | undefined;
}

/** The parts that the console asks. */
interface ConsoleParts {
  readonly access: AdministrationAccess;
  readonly suspensions: Pick<Suspensions, 'isSuspended'>;
}

/** The console, which reloads turn on and off. */
export class SwitchedConsole {
  readonly #foundation: Foundation;
  readonly #measured: MeasuredParts;
  readonly #pages: LazyConsole;
  #history: History | undefined;

  constructor(foundation: Foundation, measured: MeasuredParts, { access, suspensions }: ConsoleParts) {
    const { live, clock } = foundation;
    this.#foundation = foundation;
    this.#measured = measured;
    const isAdministrator = (account: string) =>
      live.config.administrators.includes(account) && !suspensions.isSuspended(account);
    const networks = live.of(({ web }) => ({ list: networkList(web.console.networks) }));
    this.#pages = new LazyConsole({ access, networks: () => networks.list, isAdministrator, clock });
    this.reload();
  }

  /** The routes of a configuration. Its networks are read at each request. */
  routesFor(config: Config): readonly HttpRoute[] {
    return isOn(config) ? this.#pages.routes : [];
  }

  /** Takes the configuration in effect up. While the console is off, nobody is logged in and no figures are kept. */
  reload(): void {
    const { live, clock } = this.#foundation;
    if (!isOn(live.config)) return this.stop();
    this.#history ??= new History({ measure: () => measured(this.#foundation, this.#measured), clock });
  }

  stop(): void {
    this.#pages.logOutAll();
    this.#history?.stop();
    this.#history = undefined;
  }

  /** What operations see of the console, whose HTTP listener has these addresses. */
  operated(http: readonly AddressInfo[]): Pick<RunningServer, 'console' | 'history'> {
    const newLink = async (person: Person) => {
      const { path, forMs } = await this.#pages.newLink(person);
      return { url: `${consoleUrl(this.#foundation.live.config, http)}${path}`, forMs };
    };
    return { ...(this.#history && { history: this.#history, console: { newLink } }) };
  }
}

/** Whether there is a console: it needs a port of HTTP. */
function isOn({ listen, web }: Config): boolean {
  return web.console.enabled && listen.http.length + listen.https.length > 0;
}

const loopback = networkList(['127.0.0.0/8', '::1']);
/** An address for every address of the machine. */
const everywhere = ['::', '0.0.0.0'];

/** The address of the console: that of this machine to itself, unless others may open it. */
function consoleUrl(config: Config, http: readonly AddressInfo[]): string {
  const isOpen = config.web.console.networks.some((network) => !isIn(loopback, network.replace(/\/.*$/, '')));
  const outside = publicUrl(config);
  const local = http.find(({ address }) => isIn(loopback, address) || everywhere.includes(address));
  if (local && !(isOpen && outside)) return `http://localhost:${local.port}`;
  return outside ?? `http://localhost:${http[0]?.port}`;
}

function measured({ traffic, storage }: Foundation, { routing, listener, federation }: MeasuredParts): Measured {
  const streams = Object.values(traffic);
  const sum = (count: (one: (typeof streams)[number]) => number) => streams.reduce((all, one) => all + count(one), 0);
  return {
    sessions: routing.sessions.size,
    connections: listener.connections,
    links: federation?.connections.authenticated ?? 0,
    storageWaiting: storage.load.waiting,
    residentBytes: residentBytes(),
    freeBytes: storage.disk.freeBytes,
    messagesIn: sum(({ received }) => received.message),
    messagesOut: sum(({ sent }) => sent.message),
    otherIn: sum(({ received }) => received.presence + received.iq),
    otherOut: sum(({ sent }) => sent.presence + sent.iq),
    commits: storage.load.commits,
    busyMs: performance.eventLoopUtilization().active,
  };
}
