import type { AddressInfo } from 'node:net';

/** Ports that an extension serves. The configuration has their addresses. */
export interface ExtensionListener {
  /** Which kind of listener, by its `serves` in the table of kinds (`src/config/listener-kinds.ts`). */
  readonly serves: string;
  /** Opens a port. Resolves with undefined if the address is optional and not available. */
  listen(address: {
    readonly host: string;
    readonly port: number;
    readonly optional: boolean;
  }): Promise<AddressInfo | undefined>;
  /** Accepts no more connections, and ends the others within `drainMs`. */
  stop(drainMs: number): Promise<void>;
}
