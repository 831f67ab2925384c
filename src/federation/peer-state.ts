import type { StreamPhase } from '../streams/stream-deadlines.ts';

/** Where a stream between servers stands, whoever has opened it. */
export type PeerState =
  /** A stream header is due. */
  | { readonly name: 'opening' }
  /** Features are on the table. */
  | { readonly name: 'negotiating' }
  /** The TLS handshake is agreed upon, or under way. */
  | { readonly name: 'securing' }
  /** Our certificate is being judged (RFC 6120 §6). */
  | { readonly name: 'authenticating' }
  /** Somebody is proven, and stanzas flow. */
  | { readonly name: 'open' }
  /** We have said goodbye and take no more. */
  | { readonly name: 'closing' }
  /** The connection is gone. */
  | { readonly name: 'closed' };

/** The steps a stream may take. */
const steps: Readonly<Record<PeerState['name'], readonly PeerState['name'][]>> = {
  opening: ['securing', 'negotiating', 'closing', 'closed'],
  negotiating: ['securing', 'authenticating', 'opening', 'open', 'closing', 'closed'],
  securing: ['opening', 'closing', 'closed'],
  authenticating: ['opening', 'closing', 'closed'],
  open: ['closing', 'closed'],
  closing: ['closed'],
  closed: [],
};

/** Whether a stream may go from one state to the other. */
export function isLegalStep(from: PeerState['name'], to: PeerState['name']): boolean {
  return steps[from].includes(to);
}

/** Where a stream stands as far as its wire cares. */
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
