import type { Stanza } from '../protocol/stanza.ts';
import type { StreamError } from '../protocol/stream-error.ts';
import type { Device } from '../routing/session.ts';
import type { Element } from '../xml/element.ts';

/** The current stream of a session. */
export interface SessionStream {
  readonly remoteAddress: string;
  readonly secure: boolean;
  /** The device, if the client has named it. */
  readonly device?: Device | undefined;
  /** Whether nothing sent can arrive any more. */
  readonly broken: boolean;
  /** Whether so much output is buffered that nothing optional should be sent. */
  readonly congested: boolean;
  send(element: Element): void;
  sendStanza(stanza: Stanza): void;
  /** Requests an acknowledgment (XEP-0198 §4). */
  requestAcknowledgment(): void;
  flushed(): Promise<void>;
  close(error: StreamError): void;
}

/** How a stream ends: the connection is lost, we close it, or the client closes it (RFC 6120 §4.4). */
export type Leaving = 'lost' | 'closed' | 'goodbye';
