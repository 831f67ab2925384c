import type { AddressInfo } from 'node:net';
import { type ByListener, type ListenerKind, type ListenerName, listenerKinds } from '../config/listener-kinds.ts';
import { componentStreamLimits } from '../config/stream-options.ts';
import type { ListenAddress } from '../streams/stream-listener.ts';
import type { TlsStart } from '../tls/tls-options.ts';
import type { Foundation } from './foundation.ts';
import type { Parts } from './parts.ts';

/** The addresses that the server listens on, as the kernel tells them. */
export type Addresses = ByListener<readonly AddressInfo[]>;

/** Opens one address; undefined if it may be done without and is not available. */
type Listen = (address: ListenAddress, start: TlsStart) => Promise<AddressInfo | undefined>;

/** Opens every port. */
export async function openListeners(foundation: Foundation, parts: Parts): Promise<Addresses> {
  const { listen } = foundation.config;
  const { listener, federation, components } = parts;
  const open = async (name: Exclude<ListenerName, 'components'>, listenOn: Listen | undefined) =>
    listenOn ? openKind(listenerKinds[name], listen[name], listenOn) : [];
  const forClients: Listen = (address, start) => listener.listen(address, start);
  const forServers: Listen | undefined = federation && ((address, start) => federation.listen(address, start));
  const addresses = {
    c2s: await open('c2s', forClients),
    c2sTls: await open('c2sTls', forClients),
    s2s: await open('s2s', forServers),
    s2sTls: await open('s2sTls', forServers),
  };
  await openForComponents(foundation, parts);
  return {
    ...addresses,
    /** A reload may open them. */
    get components() {
      return components.addresses;
    },
  };
}

/** Opens the available addresses of a kind of listener. Rejects if the kind is needed and none of its addresses is available. */
async function openKind(kind: ListenerKind, wanted: readonly ListenAddress[], listen: Listen): Promise<AddressInfo[]> {
  if (kind.tls === 'none') throw new Error(`${kind.label}: no TLS to start`);
  const found: AddressInfo[] = [];
  for (const address of wanted) {
    const got = await listen(address, kind.tls);
    if (got) found.push(got);
  }
  if (kind.needed && wanted.length > 0 && found.length === 0)
    throw new Error(`${kind.label}: cannot listen on any of the addresses`);
  return found;
}

function openForComponents(foundation: Foundation, { components, routing }: Parts): Promise<void> {
  const { config, limiter, clock, log } = foundation;
  return components.listen({
    addresses: config.listen.components,
    take: (stanza, ackScope) => routing.router.fromPeer(stanza, ackScope),
    limits: componentStreamLimits(config),
    limiter,
    clock,
    log,
  });
}
