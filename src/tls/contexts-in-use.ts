import type { SecureContext } from 'node:tls';

/** What a connection is served with: until its handshake is over, another one may take its place. */
export interface ContextInUse {
  context: SecureContext | undefined;
}

/** The contexts of the connections that are served here, and with them the certificates. */
export const contextsInUse = new WeakMap<object, ContextInUse>();
