import type { AddressInfo } from 'node:net';
import {
  type Audience,
  type ByListener,
  forEachListener,
  type ListenerKind,
  type ListenerName,
  listenerKinds,
} from '../config/listener-kinds.ts';
import { componentStreamLimits } from '../config/stream-options.ts';
import type { ListenAddress } from '../streams/stream-listener.ts';
import type { TlsStart } from '../tls/tls-options.ts';
import type { Foundation } from './foundation.ts';
import type { Parts } from './parts.ts';

/** The addresses that the server listens on, as the kernel reports them. */
export type Addresses = ByListener<readonly AddressInfo[]>;

/** Opens one address for a kind of listener. Resolves with undefined if the address is optional and not available. */
type Listen = (address: ListenAddress, tls: ListenerKind['tls']) => Promise<AddressInfo | undefined> | undefined;

/** Opens every port. */
export async function openListeners(foundation: Foundation, parts: Parts): Promise<Addresses> {
  const { listener, federation, web, components, routing } = parts;
  const { listeners } = routing.hooks;
  const listenFor: Readonly<Record<Audience, Listen | undefined>> = {
    clients: (address, tls) => listener.listen(address, tlsStart(tls)),
    servers: federation && ((address, tls) => federation.listen(address, tlsStart(tls))),
    web: (address, tls) => web.listener.listen(address, tls === 'direct' ? 'direct' : 'none'),
    bytestreams: (address) => listeners.find(({ serves }) => serves === 'bytestreams')?.listen(address),
    // Components open their ports themselves, possibly after a reload.
    components: undefined,
  };
  const opened = new Map<string, readonly AddressInfo[]>();
  for (const [name, kind] of Object.entries<ListenerKind>(listenerKinds)) {
    const listen = listenFor[kind.serves];
    if (listen) opened.set(name, await openKind(kind, foundation.config.listen[name as ListenerName], listen));
  }
  await openForComponents(foundation, parts);
  return {
    ...forEachListener(listenerKinds, (_, name) => opened.get(name) ?? []),
    get components() {
      return components.addresses;
    },
  };
}

/** Opens the available addresses of a kind. Rejects if the server needs the kind and none of its addresses is available. */
async function openKind(kind: ListenerKind, wanted: readonly ListenAddress[], listen: Listen): Promise<AddressInfo[]> {
  const found: AddressInfo[] = [];
  for (const address of wanted) {
    const got = await listen(address, kind.tls);
    if (got) found.push(got);
  }
  if (kind.needed && wanted.length > 0 && found.length === 0)
    throw new Error(`${kind.label}: cannot listen on any of the addresses`);
  return found;
}

function tlsStart(tls: ListenerKind['tls']): TlsStart {
  if (tls === 'none') throw new Error('streams of clients and servers can always use TLS');
  return tls;
}

function openForComponents(foundation: Foundation, { components, routing }: Parts): Promise<void> {
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
