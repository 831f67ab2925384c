import type { Jid } from '../protocol/jid.ts';
import type { Stanza } from '../protocol/stanza.ts';
import type { StanzaError } from '../protocol/stanza-error.ts';
import type { Outbound } from './outbound.ts';

/** Answers for a domain without accounts: a component, or a part of the server. */
export interface Service extends Outbound {
  readonly domain: string;
  /** Its name in the service discovery of the domain above it. */
  readonly name?: string;
  /** Whether messages to it leave XMPP (XEP-0079 §3.3.1, deliver=gateway). */
  readonly gateway: boolean;
  /** The error for every message, while nothing can be delivered. */
  readonly absence?: StanzaError | undefined;
  /** The error for a message that it will not take, if that is known before the message is sent. Changes nothing. */
  refuses?(message: Stanza, sender: Jid): StanzaError | undefined;
}
