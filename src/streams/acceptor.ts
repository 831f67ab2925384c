import type { AddressInfo } from 'node:net';
import type { TlsStart } from '../tls/tls-options.ts';
import type { Framing } from './framing.ts';
import type { ConnectionUser, StreamConnection } from './stream-connection.ts';

/** A connection that is neither admitted nor refused yet. Nothing is read before that. */
export interface IncomingConnection<C extends StreamConnection = StreamConnection> {
  readonly remoteAddress: string;
  /** The framing of its stream, if it is not that of the listener. */
  readonly framing?: Framing;
  /** Makes the connection. */
  admit(user: ConnectionUser): C;
  /** Closes it without an error. */
  refuse(): void;
}

/** Where an acceptor listens. */
export interface AcceptorAddress {
  readonly host: string;
  readonly port: number;
  /** The proxies that begin each connection with the PROXY protocol. Absent if clients connect directly. */
  readonly proxyProtocol?: readonly string[];
}

/** Accepts connections. */
export interface Acceptor<C extends StreamConnection> {
  /** Opens a port and gives its address; rejects if it is not available. */
  open(
    address: AcceptorAddress,
    start: TlsStart,
    arrived: (arrival: IncomingConnection<C>) => void,
  ): Promise<AddressInfo>;
  /** Accepts no more connections at an address that `open` gave. Those that are open stay. */
  closePort(address: AddressInfo): void;
  /** Accepts no more connections. */
  close(): void;
  /** Releases everything; after this no connection is left. */
  end(): Promise<void>;
}
