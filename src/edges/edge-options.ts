import type { AddressInfo } from 'node:net';
import type { ConnectionLimits, ReadRate } from '../streams/stream-connection.ts';
import type { CertificatePems } from '../tls/pem-contexts.ts';
import type { TlsStart } from '../tls/tls-options.ts';
import type { LinkMemory } from './thread-link.ts';

/** What an edge does with new connections. A reload changes it. */
export interface ConnectionSettings {
  readonly rate: ReadRate;
  readonly limits: ConnectionLimits;
  readonly certificates: CertificatePems;
}

/** The data with which an edge starts. */
export interface EdgeOptions extends ConnectionSettings {
  readonly memory: LinkMemory;
  readonly backlog: number;
  /** Whether other edges listen on the same ports. */
  readonly reusePort: boolean;
}

/** Requests from the core to an edge, outside the link. */
export type EdgeRequest =
  | {
      readonly kind: 'open';
      readonly acceptor: number;
      readonly host: string;
      readonly port: number;
      readonly start: TlsStart;
    }
  | { readonly kind: 'closePort'; readonly address: AddressInfo }
  | { readonly kind: 'close' }
  | { readonly kind: 'renew'; readonly settings: ConnectionSettings };

/** Messages from an edge, outside the link: the answer to a request, or a failure. */
export type EdgeReport =
  | { readonly kind: 'done'; readonly address: AddressInfo | undefined }
  | ({ readonly kind: 'refused' } & Complaint)
  | ({ readonly kind: 'wrong' } & Complaint);

/** The parts of an error that can be passed between threads. */
interface Complaint {
  readonly code: string | undefined;
  readonly message: string;
}

/** Reduces an error to these parts. */
export function complaintOf(error: unknown): Complaint {
  if (!(error instanceof Error)) return { code: undefined, message: String(error) };
  return { code: 'code' in error ? String(error.code) : undefined, message: error.message };
}
