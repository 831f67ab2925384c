import type { Acceptor } from '../streams/acceptor.ts';
import { SocketAcceptor } from '../streams/socket-acceptor.ts';
import type { ConnectionLimits, ReadRate, StreamConnection } from '../streams/stream-connection.ts';
import type { Clock } from '../support/clock.ts';
import type { Log } from '../support/log.ts';
import type { CurrentCertificates } from '../tls/current-certificates.ts';
import { servingTls } from '../tls/tls-options.ts';
import { Edges } from './edges.ts';

/** Settings for client connections. `rate` and `limits` are read for each new connection. */
export interface ClientAcceptorOptions {
  /** The number of additional threads for them; 0: the main thread handles them. */
  readonly edges: number;
  readonly rate: ReadRate;
  readonly limits: ConnectionLimits;
  readonly backlog: number;
}

/** Accepts client connections, in this thread or in edges. */
export interface ClientAcceptor extends Acceptor<StreamConnection> {
  /** Uses the current certificates and settings for new connections, after a reload. */
  renew(): Promise<void>;
}

/** Makes the acceptor for clients. It has no open ports yet. */
export function makeClientAcceptor(
  options: ClientAcceptorOptions,
  certificates: CurrentCertificates,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): ClientAcceptor {
  const { edges: count, backlog } = options;
  if (count === 0) {
    const connection = {
      get rate() {
        return options.rate;
      },
      get limits() {
        return options.limits;
      },
      layTls: servingTls(certificates),
      clock,
    };
    const acceptor = new SocketAcceptor({ connection, backlog, log });
    return {
      open: (address, start, arrived) => acceptor.open(address, start, arrived),
      closePort: (address) => acceptor.closePort(address),
      close: () => acceptor.close(),
      renew: async () => {},
      end: () => acceptor.end(),
    };
  }
  const settings = () => ({ rate: options.rate, limits: options.limits, certificates: certificates.pems });
  const edges = new Edges(count, { ...settings(), backlog }, log);
  return {
    open: (address, start, arrived) => edges.open(address, start, arrived),
    closePort: (address) => edges.closePort(address),
    close: () => edges.close(),
    renew: () => edges.renew(settings()),
    end: () => edges.end(),
  };
}
