import type { AddressInfo } from 'node:net';
import type { ConnectionLimits, ReadRate } from '../streams/stream-connection.ts';
import type { CertificatePems } from '../tls/pem-contexts.ts';
import type { TlsStart } from '../tls/tls-options.ts';
import type { LinkMemory } from './thread-link.ts';

/** What an edge is made with. */
export interface EdgeOptions {
  readonly memory: LinkMemory;
  readonly rate: ReadRate;
  readonly limits: ConnectionLimits;
  readonly backlog: number;
  /** Whether other edges listen on the same ports. */
  readonly reusePort: boolean;
  readonly certificates: CertificatePems;
}

/** What the core asks of an edge, beside the link. */
export type EdgeRequest =
  | {
      readonly kind: 'open';
      readonly acceptor: number;
      readonly host: string;
      readonly port: number;
      readonly start: TlsStart;
    }
  | { readonly kind: 'close' }
  | { readonly kind: 'renew'; readonly certificates: CertificatePems };

/** What an edge says, beside the link: an answer to what was asked, or that something is wrong. */
export type EdgeReport =
  | { readonly kind: 'done'; readonly address: AddressInfo | undefined }
  | ({ readonly kind: 'refused' } & Complaint)
  | ({ readonly kind: 'wrong' } & Complaint);

/** An error without what threads cannot pass to each other. */
interface Complaint {
  readonly code: string | undefined;
  readonly message: string;
}

/** What is left of an error. */
export function complaintOf(error: unknown): Complaint {
  if (!(error instanceof Error)) return { code: undefined, message: String(error) };
  return { code: 'code' in error ? String(error.code) : undefined, message: error.message };
}
