import type { Jid } from '../protocol/jid.ts';
import type { StreamError } from '../protocol/stream-error.ts';
import type { StreamPhase } from '../streams/stream-deadlines.ts';
import type { ClientSession } from './client-session.ts';
import type { FrameReceiver, StreamFeature } from './negotiation/stream-feature.ts';

/** The state of a client's stream. Data that belongs to a state is a field of that state. */
export type StreamState =
  /** Waiting for a stream header. */
  | { readonly name: 'opening'; readonly identity?: Jid }
  /** Features have been offered. */
  | { readonly name: 'negotiating'; readonly identity?: Jid; readonly offered: readonly StreamFeature[] }
  /** The TLS handshake is running. */
  | { readonly name: 'securing' }
  /** A SASL exchange is running. */
  | { readonly name: 'authenticating'; readonly attempt: FrameReceiver; readonly offered: readonly StreamFeature[] }
  /** A resource is bound, and stanzas are exchanged. */
  | { readonly name: 'bound'; readonly session: ClientSession }
  /** Our side is closed; input is ignored. */
  | { readonly name: 'closing' }
  /** The connection is gone. */
  | { readonly name: 'closed' };

/** The legal transitions. */
const steps: Readonly<Record<StreamState['name'], readonly StreamState['name'][]>> = {
  opening: ['securing', 'negotiating', 'closing', 'closed'],
  negotiating: ['securing', 'authenticating', 'bound', 'closing', 'closed'],
  securing: ['opening', 'closing', 'closed'],
  authenticating: ['negotiating', 'opening', 'bound', 'closing', 'closed'],
  bound: ['closing', 'closed'],
  closing: ['closed'],
  closed: [],
};

/** Whether a stream may change from one state to the other. */
export function isLegalStep(from: StreamState['name'], to: StreamState['name']): boolean {
  return steps[from].includes(to);
}

/** The phase that the stream's wire sees. */
export function phaseOf({ name }: StreamState): StreamPhase {
  switch (name) {
    case 'bound':
    case 'securing':
      return name;
    case 'closing':
      return 'over';
    case 'closed':
      return 'ended';
    default:
      return 'negotiating';
  }
}

/** Whether a stream ended in a way that lets the client resume its session (XEP-0198 §7). */
export function isPassing(error: StreamError | undefined): boolean {
  return error?.condition === 'connection-timeout' || error?.condition === 'system-shutdown';
}
