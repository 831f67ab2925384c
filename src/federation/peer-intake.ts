import { checkLengths, type LengthLimits, refusalOf } from '../c2s/stanza-intake.ts';
import { Jid } from '../protocol/jid.ts';
import { domainOrNothing, jidOrNothing } from '../protocol/jid-or-nothing.ts';
import { MalformedAddress, Stanza } from '../protocol/stanza.ts';
import { StreamError } from '../protocol/stream-error.ts';
import type { AckScope } from '../routing/ack-scope.ts';
import type { MaybePromise } from '../routing/maybe-promise.ts';
import type { Frame } from '../xml/frame.ts';
import type { ProvenPairs } from './domain-pairs.ts';

/** Dependencies of the intake. */
interface PeerIntakeDeps {
  readonly isHosted: (domain: string) => boolean;
  readonly route: (stanza: Stanza, ackScope: AckScope) => MaybePromise<void>;
  readonly limits: LengthLimits;
}

/** Checks and routes the stanzas of another server (RFC 6120 §8.1.2.2). */
export class PeerIntake {
  readonly #deps: PeerIntakeDeps;

  constructor(deps: PeerIntakeDeps) {
    this.#deps = deps;
  }

  /** Takes one stanza; throws StreamError if the peer may not send it. If it returns a promise, the next frame must wait. */
  take(frame: Frame, proven: ProvenPairs, ackScope: AckScope): MaybePromise<void> {
    checkLengths(frame, this.#deps.limits);
    const stanza = readStanza(frame);
    if (stanza instanceof MalformedAddress) return this.#refuse(frame, stanza, proven, ackScope);
    this.#check(stanza.to?.domain, stanza.from?.domain, proven);
    return this.#deps.route(stanza, ackScope);
  }

  /** Servers differ in their rules for addresses, so a bad address of one user must not end the stream of all. */
  #refuse(frame: Frame, error: MalformedAddress, proven: ProvenPairs, ackScope: AckScope): MaybePromise<void> {
    const domain = this.#check(domainOf(frame.attribute('to')), domainOf(frame.attribute('from')), proven);
    const refusal = refusalOf(frame, error);
    const to = error.attribute === 'to' && jidOrNothing(frame.attribute('from'));
    if (!refusal || !to) return undefined;
    return this.#deps.route(refusal.with({ from: Jid.from('', domain), to }), ackScope);
  }

  /** Throws unless the peer may send from `remote` to `local`; returns `local`. */
  #check(local: string | undefined, remote: string | undefined, proven: ProvenPairs): string {
    if (!local || !remote) throw StreamError.improperAddressing("a stanza between servers needs a 'from' and a 'to'");
    if (!this.#deps.isHosted(local)) throw StreamError.hostUnknown(`${local} is not served here`);
    if (proven.covers({ local, remote })) return local;
    throw StreamError.invalidFrom(`this stream is not authenticated for ${remote}`);
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

/** The domain of an address whose other parts may be invalid (RFC 7622 §3.1). */
function domainOf(address = ''): string | undefined {
  const [bare = ''] = address.split('/');
  return domainOrNothing(bare.slice(bare.indexOf('@') + 1));
}
