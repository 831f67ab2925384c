import type { XmlLimits } from '../xml/xml-limits.ts';
import type { ConnectionLimits, ReadRate } from './stream-connection.ts';

/** The limits of one stream. */
export interface StreamLimits {
  readonly unauthenticatedXml: XmlLimits;
  readonly unauthenticatedRate: ReadRate;
  readonly xml: XmlLimits;
  readonly rate: ReadRate;
  readonly connection: ConnectionLimits;
  /** Bytes of a stanza's 'id' and 'xml:lang'. */
  readonly idBytes: number;
  readonly langBytes: number;
  readonly tlsHandshakeMs: number;
  /** Time allowed from accepting the connection to a bound resource. */
  readonly authenticationMs: number;
  readonly frameCompletionMs: number;
  readonly idlePingAfterMs: number;
  readonly idleCloseAfterMs: number;
  /** Failed authentications after which the stream is closed. */
  readonly authenticationFailures: number;
}
