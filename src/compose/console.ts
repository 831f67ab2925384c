import type { AddressInfo } from 'node:net';
import { performance } from 'node:perf_hooks';
import type { Config } from '../config/schema.ts';
import { publicUrl } from '../config/stream-options.ts';
import type { Federation } from '../federation/federation.ts';
import type { Routing } from '../routing/routing.ts';
import type { StreamListener } from '../streams/stream-listener.ts';
import { isIn, networkList } from '../support/network-list.ts';
import type { AdministrationAccess } from '../web/administration/administration-access.ts';
import { History, type Measured } from '../web/console/history.ts';
import { LazyConsole } from '../web/console/lazy-console.ts';
import type { RunningServer } from '../web/control/running-server.ts';
import type { Foundation } from './foundation.ts';

/** The console, and the figures for its charts. */
export interface ConsoleParts {
  readonly pages: LazyConsole;
  readonly history: History;
}

/** The parts that are measured. */
interface MeasuredParts {
  readonly routing: Routing;
  readonly listener: StreamListener;
  readonly federation: Federation | undefined;
}

/** Makes the console; undefined if the configuration turns it off or has no HTTP listener. */
export function makeConsole(
  foundation: Foundation,
  parts: MeasuredParts,
  access: AdministrationAccess,
): ConsoleParts | undefined {
  const { config, clock } = foundation;
  const { listen, web } = config;
  if (!web.console.enabled || listen.http.length + listen.https.length === 0) return undefined;
  return {
    pages: new LazyConsole({ access, networks: networkList(web.console.networks), clock }),
    history: new History({ measure: () => measured(foundation, parts), clock }),
  };
}

/** What operations see of the console, whose HTTP listener has these addresses. */
export function operatedConsole(
  config: Config,
  { pages, history }: ConsoleParts,
  http: readonly AddressInfo[],
): Pick<RunningServer, 'console' | 'history'> {
  const base = consoleUrl(config, http);
  return {
    history,
    console: {
      newLink: async (person) => {
        const { path, forMs } = await pages.newLink(person);
        return { url: `${base}${path}`, forMs };
      },
    },
  };
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
    residentBytes: process.memoryUsage.rss(),
    freeBytes: storage.disk.freeBytes,
    messagesIn: sum(({ received }) => received.message),
    messagesOut: sum(({ sent }) => sent.message),
    otherIn: sum(({ received }) => received.presence + received.iq),
    otherOut: sum(({ sent }) => sent.presence + sent.iq),
    commits: storage.load.commits,
    busyMs: performance.eventLoopUtilization().active,
  };
}
