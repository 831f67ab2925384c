import type { AddressInfo } from 'node:net';
import type { ConnectionUser, StreamConnection, TlsStart } from './stream-connection.ts';

/** Somebody who has connected, and is neither let in nor turned away yet. Nothing is read before that. */
export interface Arrival<C extends StreamConnection = StreamConnection> {
  readonly remoteAddress: string;
  /** Makes the connection. */
  admit(user: ConnectionUser): C;
  /** Closes it without a word. */
  turnAway(): void;
}

/** Where connections come in. */
export interface Gate<C extends StreamConnection> {
  /** Opens a port, and says where that is; rejects if it cannot be had. */
  open(
    address: { readonly host: string; readonly port: number },
    start: TlsStart,
    arrived: (arrival: Arrival<C>) => void,
  ): Promise<AddressInfo>;
  /** Lets nobody in any more. */
  close(): void;
  /** Lets go of everything; after this no connection is left. */
  end(): Promise<void>;
}
