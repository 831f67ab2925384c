import type { Acceptor } from '../streams/acceptor.ts';
import { SocketAcceptor } from '../streams/socket-acceptor.ts';
import type { ConnectionLimits, ReadRate, StreamConnection } from '../streams/stream-connection.ts';
import type { Clock } from '../support/clock.ts';
import type { Log } from '../support/log.ts';
import type { CurrentCertificates } from '../tls/current-certificates.ts';
import { servingTls } from '../tls/tls-options.ts';
import { Edges } from './edges.ts';

/** Settings for client connections. */
export interface ClientAcceptorOptions {
  /** The number of additional threads for them; 0: the main thread handles them. */
  readonly edges: number;
  readonly rate: ReadRate;
  readonly limits: ConnectionLimits;
  readonly backlog: number;
}

/** Accepts client connections, in this thread or in edges. */
export interface ClientAcceptor extends Acceptor<StreamConnection> {
  /** Switches to the current certificates after a reload. */
  renew(): Promise<void>;
}

/** Makes the acceptor for clients. It has no open ports yet. */
export function makeClientAcceptor(
  { edges: count, rate, limits, backlog }: ClientAcceptorOptions,
  certificates: CurrentCertificates,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): ClientAcceptor {
  if (count === 0) {
    const connection = { rate, limits, layTls: servingTls(certificates), clock };
    const acceptor = new SocketAcceptor({ connection, backlog, log });
    return {
      open: (address, start, arrived) => acceptor.open(address, start, arrived),
      close: () => acceptor.close(),
      renew: async () => {},
      end: () => acceptor.end(),
    };
  }
  const edges = new Edges(count, { rate, limits, backlog, certificates: certificates.pems }, log);
  return {
    open: (address, start, arrived) => edges.open(address, start, arrived),
    close: () => edges.close(),
    renew: () => edges.renew(certificates.pems),
    end: () => edges.end(),
  };
}
