import type { StreamPhase } from '../streams/stream-deadlines.ts';

/** The state of a stream between servers, in either direction. */
export type PeerState =
  /** Waiting for a stream header. */
  | { readonly name: 'opening' }
  /** Features have been offered. */
  | { readonly name: 'negotiating' }
  /** The TLS handshake is about to start, or running. */
  | { readonly name: 'securing' }
  /** The peer is checking our certificate (RFC 6120 §6). */
  | { readonly name: 'authenticating' }
  /** At least one domain is proved, and stanzas are exchanged. */
  | { readonly name: 'open' }
  /** Our side is closed; input is ignored. */
  | { readonly name: 'closing' }
  /** The connection is gone. */
  | { readonly name: 'closed' };

/** The legal transitions. */
const steps: Readonly<Record<PeerState['name'], readonly PeerState['name'][]>> = {
  opening: ['securing', 'negotiating', 'closing', 'closed'],
  negotiating: ['securing', 'authenticating', 'opening', 'open', 'closing', 'closed'],
  securing: ['opening', 'closing', 'closed'],
  authenticating: ['opening', 'closing', 'closed'],
  open: ['closing', 'closed'],
  closing: ['closed'],
  closed: [],
};

/** Whether a stream may change from one state to the other. */
export function isLegalStep(from: PeerState['name'], to: PeerState['name']): boolean {
  return steps[from].includes(to);
}

/** The phase that the stream's wire sees. */
export function phaseOf({ name }: PeerState): StreamPhase {
  switch (name) {
    case 'open':
      return 'bound';
    case 'securing':
      return name;
    case 'closing':
      return 'over';
    case 'closed':
      return 'ended';
    case 'opening':
    case 'negotiating':
    case 'authenticating':
      return 'negotiating';
  }
}
