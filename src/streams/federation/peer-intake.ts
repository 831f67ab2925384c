import { MalformedAddress, Stanza } from '../../protocol/stanza.ts';
import { StreamError } from '../../protocol/stream-error.ts';
import type { Eventually } from '../../routing/eventually.ts';
import type { Origin } from '../../routing/origin.ts';
import type { Frame } from '../../xml/frame.ts';
import { checkLengths, type LengthLimits } from '../stanza-intake.ts';
import type { ProvenPairs } from './domain-pairs.ts';

/** What the intake needs from the rest of the house. */
export interface PeerIntakeParts {
  readonly isHosted: (domain: string) => boolean;
  readonly route: (stanza: Stanza, origin: Origin) => Eventually<void>;
  readonly limits: LengthLimits;
}

/** Turns the frames of another server into stanzas on the road, if it may send them (RFC 6120 §8.1.2.2). */
export class PeerIntake {
  readonly #parts: PeerIntakeParts;

  constructor(parts: PeerIntakeParts) {
    this.#parts = parts;
  }

  /** Takes one stanza; throws StreamError for what the peer may not send. A promise: the next frame must wait. */
  take(frame: Frame, proven: ProvenPairs, origin: Origin): Eventually<void> {
    checkLengths(frame, this.#parts.limits);
    const stanza = readStanza(frame);
    const { from, to } = stanza;
    if (!from || !to) throw StreamError.improperAddressing("a stanza between servers has a 'from' and a 'to'");
    if (!this.#parts.isHosted(to.domain)) throw StreamError.hostUnknown(`${to.domain} is not served here`);
    if (!proven.covers({ local: to.domain, remote: from.domain })) {
      throw StreamError.invalidFrom(`nothing has proved this stream to be that of ${from.domain}`);
    }
    return this.#parts.route(stanza, origin);
  }
}

function readStanza(frame: Frame): Stanza {
  try {
    return Stanza.fromFrame(frame);
  } catch (error) {
    if (error instanceof MalformedAddress) throw StreamError.improperAddressing(error.text);
    throw error;
  }
}
