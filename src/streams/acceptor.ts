import type { AddressInfo } from 'node:net';
import type { TlsStart } from '../tls/tls-options.ts';
import type { ConnectionUser, StreamConnection } from './stream-connection.ts';

/** Somebody who has connected, and is neither let in nor turned away yet. Nothing is read before that. */
export interface IncomingConnection<C extends StreamConnection = StreamConnection> {
  readonly remoteAddress: string;
  /** Makes the connection. */
  admit(user: ConnectionUser): C;
  /** Closes it without a word. */
  refuse(): void;
}

/** Where connections come in. */
export interface Acceptor<C extends StreamConnection> {
  /** Opens a port and gives its address; rejects if it is not available. */
  open(
    address: { readonly host: string; readonly port: number },
    start: TlsStart,
    arrived: (arrival: IncomingConnection<C>) => void,
  ): Promise<AddressInfo>;
  /** Lets nobody in any more. */
  close(): void;
  /** Lets go of everything; after this no connection is left. */
  end(): Promise<void>;
}
