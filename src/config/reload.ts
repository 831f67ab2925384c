import { overlap } from './cross-checks.ts';
import type { JsonPath } from './json-text.ts';
import { forEachListener, listenerKinds } from './listener-kinds.ts';
import type { Config, Listener } from './schema.ts';
import { pathText } from './unplaced-problems.ts';

/** The result of a reload. */
interface Reloaded {
  /** The configuration in effect from now on. */
  readonly config: Config;
  /** The paths of changed settings that take effect only after a restart. */
  readonly waiting: readonly string[];
}

/** The running configuration with those settings of `next` that can change while the server runs. */
export function reloaded(running: Config, next: Config): Reloaded {
  const { domains, dataDir, edges, storage, proxy } = running;
  const config: Config = {
    ...next,
    // The start opens and makes what these name.
    domains,
    dataDir,
    listen: listenOf(running, next.listen),
    edges,
    storage,
    proxy,
    tls: { ...next.tls, required: running.tls.required },
    log: { ...running.log, level: next.log.level },
    s2s: { ...next.s2s, enabled: running.s2s.enabled },
    rooms: { ...next.rooms, enabled: running.rooms.enabled, domains: running.rooms.domains },
    amp: { ...next.amp, enabled: running.amp.enabled },
    limits: limitsOf(running.limits, next.limits),
    components: componentsBeside(domains, next.components),
  };
  return { config, waiting: differences(config, next, []) };
}

/**
 * The addresses of components and of the proxy stay those of the start. So do all of a kind if one of the new ones has a port that is open
 * already, for another entry: it can be opened only when that one is closed.
 */
function listenOf({ listen, edges }: Config, next: Config['listen']): Config['listen'] {
  const open = Object.values(listen).flat();
  return forEachListener(listenerKinds, ({ serves }, name) => {
    if (serves === 'components' || serves === 'bytestreams') return listen[name];
    const isFree = (one: Listener) =>
      listen[name].some((other) => isSame(one, other)) || !open.some((other) => overlap(one, other));
    // Edges do not know the PROXY protocol.
    const isPossible = (one: Listener) => isFree(one) && !(serves === 'clients' && edges > 0 && one.proxyProtocol);
    return next[name].every(isPossible) ? next[name] : listen[name];
  });
}

function isSame(one: Listener, other: Listener): boolean {
  const proxies = ({ proxyProtocol = [] }: Listener) => proxyProtocol.join(' ');
  return one.host === other.host && one.port === other.port && proxies(one) === proxies(other);
}

/** Sockets keep some limits of the start. No limit is lifted while the addresses of the start are open, which may not be loopback only. */
function limitsOf(running: Config['limits'], next: Config['limits']): Config['limits'] {
  const { disabled, http, proxy, connections } = running;
  if (next.disabled === true && !disabled) return running;
  return { ...next, disabled, http, proxy, connections: { ...next.connections, backlog: connections.backlog } };
}

/** Leaves out components whose domain the server still serves itself until the next start. */
function componentsBeside(domains: readonly string[], components: Config['components']): Config['components'] {
  return Object.fromEntries(Object.entries(components).filter(([domain]) => !domains.includes(domain)));
}

/** The innermost settings that differ; a list is one setting. */
function differences(before: unknown, after: unknown, path: JsonPath): string[] {
  if (!isGroup(before) || !isGroup(after)) {
    return JSON.stringify(before) === JSON.stringify(after) ? [] : [pathText(path)];
  }
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].flatMap((key) => differences(before[key], after[key], [...path, key]));
}

function isGroup(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
