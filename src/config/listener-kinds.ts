import { isIP } from 'node:net';
import type { TlsStart } from '../tls/tls-options.ts';

/** A kind of listener: one key of `listen` and its properties. */
export interface ListenerKind {
  /** Its name for operators. */
  readonly label: string;
  readonly serves: Audience;
  /** How TLS starts; `none` for plaintext. */
  readonly tls: TlsStart | 'none';
  /** The usual TCP port. */
  readonly port: number;
  /** Whether it listens on loopback if not configured, on the usual port. Otherwise it is off. */
  readonly byDefault: boolean;
  /** Whether the server refuses to start if it cannot listen on any of the configured addresses. */
  readonly needed: boolean;
  /** The SRV service that points to it (RFC 6120 §3.2.1, XEP-0368). */
  readonly srv?: string;
  readonly description: string;
}

/** The peers a listener accepts. */
export type Audience = 'bytestreams' | 'clients' | 'components' | 'servers' | 'web';

/** Every kind of listener. The schema, its checks, `ampere check`, startup and status derive from this table. */
export const listenerKinds = {
  c2s: {
    label: 'Clients (STARTTLS)',
    serves: 'clients',
    tls: 'starttls',
    port: 5222,
    byDefault: true,
    needed: true,
    srv: '_xmpp-client',
    description: 'Addresses for clients that start TLS within the stream (STARTTLS).',
  },
  c2sTls: {
    label: 'Clients (TLS)',
    serves: 'clients',
    tls: 'direct',
    port: 5223,
    byDefault: true,
    needed: true,
    srv: '_xmpps-client',
    description: 'Addresses for clients with TLS from the first byte (XEP-0368).',
  },
  components: {
    label: 'Components',
    serves: 'components',
    tls: 'none',
    port: 5347,
    byDefault: true,
    needed: false,
    description: 'Addresses for components, opened if any are configured. No TLS: use trusted networks only.',
  },
  s2s: {
    label: 'Servers (STARTTLS)',
    serves: 'servers',
    tls: 'starttls',
    port: 5269,
    byDefault: true,
    needed: false,
    srv: '_xmpp-server',
    description: 'Addresses for servers that start TLS within the stream (STARTTLS).',
  },
  s2sTls: {
    label: 'Servers (TLS)',
    serves: 'servers',
    tls: 'direct',
    port: 5270,
    byDefault: true,
    needed: false,
    srv: '_xmpps-server',
    description: 'Addresses for servers with TLS from the first byte (XEP-0368).',
  },
  http: {
    label: 'HTTP',
    serves: 'web',
    tls: 'none',
    port: 5280,
    byDefault: true,
    needed: false,
    description: 'HTTP without TLS, for browsers and a proxy on the same machine, and for probes.',
  },
  https: {
    label: 'HTTPS',
    serves: 'web',
    tls: 'direct',
    port: 5281,
    byDefault: true,
    needed: false,
    description:
      'HTTPS, with the certificates of `tls`. Also for clients that ask for XMPP in the TLS handshake (XEP-0368).',
  },
  proxy: {
    label: 'File transfers (SOCKS5)',
    serves: 'bytestreams',
    tls: 'none',
    port: 5000,
    byDefault: true,
    needed: false,
    description: 'Addresses for file transfers between clients that cannot connect to each other (XEP-0065).',
  },
} as const satisfies Readonly<Record<string, ListenerKind>>;

/** A key of `listen`. */
export type ListenerName = keyof typeof listenerKinds;

/** One value for every kind of listener. */
export type ByListener<T, Name extends string = ListenerName> = Readonly<Record<Name, T>>;

/** Maps every kind in a table to a value. */
export function forEachListener<Name extends string, T>(
  kinds: ByListener<ListenerKind, Name>,
  make: (kind: ListenerKind, name: Name) => T,
): ByListener<T, Name> {
  const names = Object.keys(kinds) as Name[];
  return Object.fromEntries(names.map((name) => [name, make(kinds[name], name)])) as Record<Name, T>;
}

/** The part of a configuration that decides which kinds of listeners it uses. */
interface Uses<Address> {
  readonly listen: Readonly<Record<string, readonly Address[]>>;
  readonly s2s: { readonly enabled: boolean };
  readonly components: Readonly<Record<string, unknown>>;
}

/** A kind of listener that a configuration uses, and the addresses it has for it. */
interface ListenerInUse<Address> {
  readonly kind: ListenerKind;
  readonly addresses: readonly Address[];
}

/** The kinds of listeners that a configuration uses. */
export function listenersInUse<Address>(
  { listen, s2s, components }: Uses<Address>,
  kinds: ByListener<ListenerKind, string> = listenerKinds,
): readonly ListenerInUse<Address>[] {
  const unused = new Set<Audience>();
  if (!s2s.enabled) unused.add('servers');
  if (Object.keys(components).length === 0) unused.add('components');
  return Object.entries(kinds)
    .filter(([, { serves }]) => !unused.has(serves))
    .map(([name, kind]) => ({ kind, addresses: listen[name] ?? [] }));
}

/** The addresses on which a configuration accepts an audience. */
export function addressesFor<Address>(config: Uses<Address>, audience: Audience): readonly Address[] {
  return listenersInUse(config)
    .filter(({ kind }) => kind.serves === audience)
    .flatMap(({ addresses }) => addresses);
}

/** Whether other machines can connect to one of the addresses. */
export function isOpen(addresses: readonly { readonly host: string }[]): boolean {
  return addresses.some(({ host }) => !isLoopback(host));
}

/** Whether only this machine can connect to an address. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

/** Whether clients on other machines can connect. */
export function reachable(config: Uses<{ readonly host: string }>): boolean {
  return isOpen(addressesFor(config, 'clients'));
}
