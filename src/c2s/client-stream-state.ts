import type { Jid } from '../protocol/jid.ts';
import type { StreamError } from '../protocol/stream-error.ts';
import type { StreamPhase } from '../streams/stream-deadlines.ts';
import type { ClientSession } from './client-session.ts';
import type { FrameReceiver, StreamFeature } from './negotiation/stream-feature.ts';

/** Where a client's stream stands. What is true in a state is a field of that state. */
export type StreamState =
  /** A stream header is due. */
  | { readonly name: 'opening'; readonly identity?: Jid }
  /** Features are offered and the client chooses. */
  | { readonly name: 'negotiating'; readonly identity?: Jid; readonly offered: readonly StreamFeature[] }
  /** The TLS handshake is under way. */
  | { readonly name: 'securing' }
  /** A SASL exchange is under way. */
  | { readonly name: 'authenticating'; readonly attempt: FrameReceiver; readonly offered: readonly StreamFeature[] }
  /** A resource is bound; stanzas flow. */
  | { readonly name: 'bound'; readonly session: ClientSession }
  /** We have said goodbye and take no more. */
  | { readonly name: 'closing' }
  /** The connection is gone. */
  | { readonly name: 'closed' };

/** The steps a stream may take. */
const steps: Readonly<Record<StreamState['name'], readonly StreamState['name'][]>> = {
  opening: ['securing', 'negotiating', 'closing', 'closed'],
  negotiating: ['securing', 'authenticating', 'bound', 'closing', 'closed'],
  securing: ['opening', 'closing', 'closed'],
  authenticating: ['negotiating', 'opening', 'bound', 'closing', 'closed'],
  bound: ['closing', 'closed'],
  closing: ['closed'],
  closed: [],
};

/** Whether a stream may go from one state to the other. */
export function isLegalStep(from: StreamState['name'], to: StreamState['name']): boolean {
  return steps[from].includes(to);
}

/** Where a stream stands as far as its deadlines care. */
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

/** Whether a stream ends by nobody's fault, so that the client may come back to its session (XEP-0198 §7). */
export function isPassing(error: StreamError | undefined): boolean {
  return error?.condition === 'connection-timeout' || error?.condition === 'system-shutdown';
}
