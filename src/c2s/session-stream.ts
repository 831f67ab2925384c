import type { Stanza } from '../protocol/stanza.ts';
import type { StreamError } from '../protocol/stream-error.ts';
import type { Element } from '../xml/element.ts';

/** The stream a session speaks through at the moment. */
export interface SessionStream {
  readonly remoteAddress: string;
  readonly secure: boolean;
  /** Whether nothing that is sent can arrive any more. */
  readonly broken: boolean;
  /** Whether so much waits to leave that nothing more should be sent unasked. */
  readonly congested: boolean;
  send(element: Element): void;
  sendStanza(stanza: Stanza): void;
  /** Asks the client what it has, and expects an answer (XEP-0198 §4). */
  requestAcknowledgment(): void;
  flushed(): Promise<void>;
  close(error: StreamError): void;
}

/** How a stream ends: the connection is lost, we close it, or the client says goodbye (RFC 6120 §4.4). */
export type Leaving = 'lost' | 'closed' | 'goodbye';
