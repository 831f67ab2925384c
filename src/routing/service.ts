import type { Jid } from '../protocol/jid.ts';
import type { Stanza } from '../protocol/stanza.ts';
import type { StanzaError } from '../protocol/stanza-error.ts';
import type { Outbound } from './outbound.ts';

/** A domain that something other than accounts answers for: a component, or a part of the server. */
export interface Service extends Outbound {
  readonly domain: string;
  /** Its name in the service discovery of the domain above it. */
  readonly name?: string;
  /** True when messages leave XMPP there (XEP-0079 §3.3.1, deliver=gateway). */
  readonly gateway: boolean;
  /** Why nothing can be delivered at the moment, if so. */
  readonly absence?: StanzaError | undefined;
  /** Why this message cannot be delivered, if that can be told before it is sent. Changes nothing. */
  refuses?(message: Stanza, sender: Jid): StanzaError | undefined;
}
