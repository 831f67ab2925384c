import type { Stanza } from '../protocol/stanza.ts';
import type { Eventually } from './eventually.ts';

/** A domain that something other than accounts answers for: a component, or a part of the server. */
export interface Service {
  readonly domain: string;
  /** True when messages leave XMPP there (XEP-0079 §3.3.1, deliver=gateway). */
  readonly gateway: boolean;
  deliver(stanza: Stanza): Eventually<void>;
}
