import type { SecureContext } from 'node:tls';
import { ByServerName } from './by-server-name.ts';
import { contextOf, type PemPair } from './certificate-files.ts';
import type { ContextSource } from './tls-options.ts';

/** The certificates in a form that another thread can receive. */
export interface CertificatePems {
  readonly fallback: PemPair;
  readonly domains: readonly (readonly [domain: string, pems: PemPair])[];
}

/** Makes one TLS context for each certificate. */
export function contextsOf({ fallback, domains }: CertificatePems): ContextSource {
  const made = new Map<PemPair, SecureContext>();
  const make = (pems: PemPair): SecureContext => {
    const context = made.get(pems) ?? contextOf(pems);
    made.set(pems, context);
    return context;
  };
  const contexts = new ByServerName(
    domains.map(([domain, pems]) => [domain, make(pems)] as const),
    make(fallback),
  );
  return { single: made.size === 1, contextFor: (serverName) => contexts.get(serverName) };
}
