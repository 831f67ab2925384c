import type { Clock } from '../support/clock.ts';
import type { Log } from '../support/log.ts';
import { Edges } from './edge/edges.ts';
import type { Gate } from './gate.ts';
import { SocketGate } from './socket-gate.ts';
import type { ConnectionLimits, ReadRate, StreamConnection } from './stream-connection.ts';
import type { CurrentCertificates } from './tls/current-certificates.ts';
import { servingTls } from './tls/tls-options.ts';

/** How the connections of clients are held. */
export interface ClientGateOptions {
  /** Threads that hold them; 0: this one does. */
  readonly edges: number;
  readonly rate: ReadRate;
  readonly limits: ConnectionLimits;
  readonly backlog: number;
}

/** The gate for clients, whoever holds their connections. */
export interface ClientGate extends Gate<StreamConnection> {
  /** The certificates are others now. */
  renew(): Promise<void>;
}

/** Makes the gate for clients; nothing is open yet. */
export function makeClientGate(
  { edges: count, rate, limits, backlog }: ClientGateOptions,
  certificates: CurrentCertificates,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): ClientGate {
  if (count === 0) {
    const connection = { rate, limits, layTls: servingTls(certificates), clock };
    const gate = new SocketGate({ connection, backlog, log });
    return {
      open: (address, start, arrived) => gate.open(address, start, arrived),
      close: () => gate.close(),
      renew: async () => {},
      end: () => gate.end(),
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
