import type { StanzaError } from '../protocol/stanza-error.ts';
import type { Outbound } from './outbound.ts';

/** A domain that something other than accounts answers for: a component, or a part of the server. */
export interface Service extends Outbound {
  readonly domain: string;
  /** True when messages leave XMPP there (XEP-0079 §3.3.1, deliver=gateway). */
  readonly gateway: boolean;
  /** Why nothing can be delivered at the moment, if so. */
  readonly absence?: StanzaError | undefined;
}
