import { ns } from '../protocol/namespaces.ts';
import { MalformedAddress, Stanza } from '../protocol/stanza.ts';
import { errorReplyToFrame } from '../protocol/stanza-replies.ts';
import { StreamError } from '../protocol/stream-error.ts';
import { answer, stampFrom } from '../routing/client-boundary.ts';
import type { NonzaHandler } from '../routing/extension.ts';
import type { MaybePromise } from '../routing/maybe-promise.ts';
import type { Session } from '../routing/session.ts';
import type { Frame } from '../xml/frame.ts';
import type { ClientSession } from './client-session.ts';
import type { StreamManagement } from './management/stream-management.ts';

/** Dependencies of the intake. */
interface StanzaIntakeDeps {
  readonly nonzas: readonly NonzaHandler[];
  readonly management: Pick<StreamManagement, 'take'>;
  readonly route: (stanza: Stanza, session: Session) => MaybePromise<void>;
  readonly limits: LengthLimits;
}

/** Bytes of a stanza's 'id' and 'xml:lang'. */
export interface LengthLimits {
  readonly idBytes: number;
  readonly langBytes: number;
}

/** Checks and routes the stanzas of a bound client. */
export class StanzaIntake {
  readonly #deps: StanzaIntakeDeps;

  constructor(deps: StanzaIntakeDeps) {
    this.#deps = deps;
  }

  /** Takes one frame; throws StreamError if a client may not send it. If it returns a promise, the next frame must wait. */
  take(frame: Frame, session: ClientSession): MaybePromise<void> {
    if (frame.ns !== ns.client) return this.#takeNonza(frame, session);
    checkLengths(frame, this.#deps.limits);
    const route = () => this.#deps.route(stampFrom(Stanza.fromFrame(frame), session.jid), session);
    const refuse = (reply: Stanza) => answer(reply, session);
    const incoming = session.management?.incoming;
    if (!incoming) return refusingBadAddress(frame, route, refuse);
    return incoming.count(() => refusingBadAddress(frame, route, refuse));
  }

  #takeNonza(frame: Frame, session: ClientSession): void {
    if (frame.ns === ns.streamManagement) return this.#deps.management.take(frame, session);
    const handler = this.#deps.nonzas.find((nonza) => nonza.name === frame.name && nonza.ns === frame.ns);
    if (!handler) throw StreamError.unsupportedStanzaType(`unknown element <${frame.name}/>`);
    handler.handle(session, frame.element());
  }
}

/** Throws StreamError if the frame's 'id' or 'xml:lang' is too long. */
export function checkLengths(frame: Frame, { idBytes, langBytes }: LengthLimits): void {
  if (isLonger(frame.attribute('id'), idBytes)) throw StreamError.policyViolation("the 'id' is too long");
  if (isLonger(frame.lang, langBytes)) throw StreamError.policyViolation('the xml:lang is too long');
}

function isLonger(text: string | undefined, bytes: number): boolean {
  // A UTF-16 code unit takes at most three bytes of UTF-8.
  return text !== undefined && 3 * text.length > bytes && Buffer.byteLength(text) > bytes;
}

/** Takes a frame by `take`; a bad 'to' costs the stanza (RFC 6120 §8.1.1.1), a bad 'from' the stream (RFC 6120 §8.1.2.1). */
export function refusingBadAddress(
  frame: Frame,
  take: () => MaybePromise<void>,
  answer: (reply: Stanza) => void,
): MaybePromise<void> {
  try {
    return take();
  } catch (error) {
    if (!(error instanceof MalformedAddress)) throw error;
    if (error.attribute === 'from') throw StreamError.invalidFrom();
    const reply = refusalOf(frame, error);
    if (reply) answer(reply);
  }
}

/** The error reply to a stanza with a bad address, without addresses; undefined if the stanza is an error itself. */
export function refusalOf(frame: Frame, error: MalformedAddress): Stanza | undefined {
  const kind = frame.name === 'message' || frame.name === 'presence' ? frame.name : 'iq';
  return errorReplyToFrame(frame, kind, error);
}
