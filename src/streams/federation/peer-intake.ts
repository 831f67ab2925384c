import { Jid } from '../../protocol/jid.ts';
import { domainOrNothing, jidOrNothing } from '../../protocol/jid-or-nothing.ts';
import { MalformedAddress, Stanza } from '../../protocol/stanza.ts';
import { StreamError } from '../../protocol/stream-error.ts';
import type { Eventually } from '../../routing/eventually.ts';
import type { Origin } from '../../routing/origin.ts';
import type { Frame } from '../../xml/frame.ts';
import { checkLengths, type LengthLimits, refusalOf } from '../stanza-intake.ts';
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
    if (stanza instanceof MalformedAddress) return this.#refuse(frame, stanza, proven, origin);
    this.#check(stanza.to?.domain, stanza.from?.domain, proven);
    return this.#parts.route(stanza, origin);
  }

  /** Not every server has our rules for names and resources: what one of its users writes must not end the stream of all. */
  #refuse(frame: Frame, error: MalformedAddress, proven: ProvenPairs, origin: Origin): Eventually<void> {
    const domain = this.#check(domainOf(frame.attribute('to')), domainOf(frame.attribute('from')), proven);
    const refusal = refusalOf(frame, error);
    const to = error.attribute === 'to' && jidOrNothing(frame.attribute('from'));
    if (!refusal || !to) return undefined;
    return this.#parts.route(refusal.with({ from: Jid.from('', domain), to }), origin);
  }

  /** Throws unless the peer may send from the one domain to the other, which is returned. */
  #check(local: string | undefined, remote: string | undefined, proven: ProvenPairs): string {
    if (!local || !remote) throw StreamError.improperAddressing("a stanza between servers has a 'from' and a 'to'");
    if (!this.#parts.isHosted(local)) throw StreamError.hostUnknown(`${local} is not served here`);
    if (proven.covers({ local, remote })) return local;
    throw StreamError.invalidFrom(`nothing has proved this stream to be that of ${remote}`);
  }
}

function readStanza(frame: Frame): Stanza | MalformedAddress {
  try {
    return Stanza.fromFrame(frame);
  } catch (error) {
    if (error instanceof MalformedAddress) return error;
    throw error;
  }
}

/** The domain of an address whose other parts may be bad (RFC 7622 §3.1). */
function domainOf(address = ''): string | undefined {
  const [bare = ''] = address.split('/');
  return domainOrNothing(bare.slice(bare.indexOf('@') + 1));
}
