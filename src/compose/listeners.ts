import type { AddressInfo } from 'node:net';
import {
  type Audience,
  type ByListener,
  forEachListener,
  type ListenerKind,
  type ListenerName,
  listenerKinds,
} from '../config/listener-kinds.ts';
import type { Config } from '../config/schema.ts';
import { componentStreamLimits } from '../config/stream-options.ts';
import type { ListenAddress } from '../streams/stream-listener.ts';
import type { TlsStart } from '../tls/tls-options.ts';
import type { Foundation } from './foundation.ts';
import type { Parts } from './parts.ts';

/** The addresses that the server listens on, as the kernel reports them. */
export type Addresses = ByListener<readonly AddressInfo[]>;

/** Opens and closes the ports of some kinds. */
interface PortSource {
  /** Resolves with undefined if the address is optional and not available. */
  readonly open: (address: ListenAddress, tls: ListenerKind['tls']) => Promise<AddressInfo | undefined> | undefined;
  /** Absent if its ports stay open until the server stops. */
  readonly close?: (at: AddressInfo) => void;
}

/** An open port, by the entry of the configuration for which it was opened. */
interface OpenPort {
  readonly key: string;
  readonly at: AddressInfo;
  readonly close: () => void;
}

type PortsByKind = ReadonlyMap<ListenerName, readonly OpenPort[]>;

/** The ports of the server. Components open theirs themselves, possibly after a reload. */
export class Ports {
  readonly #sources: Readonly<Record<Audience, PortSource | undefined>>;
  readonly #components: Pick<Parts['components'], 'addresses'>;
  #open: PortsByKind = new Map();

  constructor(parts: Parts) {
    this.#sources = sourcesOf(parts);
    this.#components = parts.components;
  }

  get addresses(): Addresses {
    const opened = forEachListener(listenerKinds, (_, name) => (this.#open.get(name) ?? []).map(({ at }) => at));
    return { ...opened, components: this.#components.addresses };
  }

  /**
   * Opens the addresses that are not open. Resolves with the function that closes those that are not wanted any more. Rejects, and leaves
   * the open ones as they were, if an address is not available.
   */
  async prepare(wanted: Config['listen']): Promise<() => void> {
    const opened: OpenPort[] = [];
    try {
      const next = new Map<ListenerName, readonly OpenPort[]>();
      for (const name of Object.keys(listenerKinds) as ListenerName[]) {
        next.set(name, await this.#openKind(name, wanted[name], opened));
      }
      return () => {
        closeMissing(this.#open, next);
        this.#open = next;
      };
    } catch (error) {
      for (const { close } of opened) close();
      throw error;
    }
  }

  /** The ports of a kind as they are wanted. Those that had to be opened are also added to `opened`. */
  async #openKind(name: ListenerName, wanted: readonly ListenAddress[], opened: OpenPort[]): Promise<OpenPort[]> {
    const kind: ListenerKind = listenerKinds[name];
    const source = this.#sources[kind.serves];
    if (!source) return [];
    const before = [...(this.#open.get(name) ?? [])];
    const found: OpenPort[] = [];
    for (const address of wanted) {
      const key = `${address.host} ${address.port}`;
      const index = before.findIndex((one) => one.key === key);
      const [port] = index < 0 ? await opening(source, address, kind.tls, key) : before.splice(index, 1);
      if (!port) continue;
      found.push(port);
      if (index < 0) opened.push(port);
    }
    if (kind.needed && wanted.length > 0 && found.length === 0)
      throw new Error(`${kind.label}: cannot listen on any of the addresses`);
    return found;
  }
}

function sourcesOf({ listener, federation, web, routing }: Parts): Readonly<Record<Audience, PortSource | undefined>> {
  const bytestreams = routing.hooks.listeners.find(({ serves }) => serves === 'bytestreams');
  return {
    clients: {
      open: (address, tls) => listener.listen(address, tlsStart(tls)),
      close: (at) => listener.closePort(at),
    },
    servers: federation && {
      open: (address, tls) => federation.listen(address, tlsStart(tls)),
      close: (at) => federation.closePort(at),
    },
    web: {
      open: (address, tls) => web.listener.listen(address, tls === 'direct' ? 'direct' : 'none'),
      close: (at) => web.listener.closePort(at),
    },
    bytestreams: bytestreams && { open: (address) => bytestreams.listen(address) },
    components: undefined,
  };
}

/** The port that was opened for an address; nothing if the address is optional and not available. */
async function opening(
  { open, close }: PortSource,
  address: ListenAddress,
  tls: ListenerKind['tls'],
  key: string,
): Promise<readonly OpenPort[]> {
  const at = await open(address, tls);
  return at ? [{ key, at, close: () => close?.(at) }] : [];
}

function closeMissing(before: PortsByKind, after: PortsByKind): void {
  for (const [name, ports] of before) {
    for (const port of ports) if (!after.get(name)?.includes(port)) port.close();
  }
}

function tlsStart(tls: ListenerKind['tls']): TlsStart {
  if (tls === 'none') throw new Error('streams of clients and servers can always use TLS');
  return tls;
}

/** Opens the ports for components, now or when a reload brings the first one. */
export function openForComponents(foundation: Foundation, { components, routing }: Parts): Promise<void> {
  const { config, live, limiter, traffic, clock, log } = foundation;
  return components.listen({
    addresses: config.listen.components,
    take: (stanza, ackScope) => routing.router.fromPeer(stanza, ackScope),
    limits: live.of(componentStreamLimits),
    traffic: traffic.component,
    limiter,
    clock,
    log,
  });
}
