import { isCarbon } from '../../protocol/carbon.ts';
import { delayElement, hasDelayOf } from '../../protocol/delay.ts';
import { Jid } from '../../protocol/jid.ts';
import type { Stanza } from '../../protocol/stanza.ts';
import { StanzaError } from '../../protocol/stanza-error.ts';
import { errorReply } from '../../protocol/stanza-replies.ts';
import { PendingWork } from '../../routing/ack-scope.ts';
import type { MaybePromise } from '../../routing/maybe-promise.ts';
import type { RouteOptions } from '../../routing/passage.ts';
import type { KeptCopy } from './kept-copies.ts';

/** A stanza whose session, or stream, ended before the recipient had it. */
export interface Undelivered {
  readonly stanza: Stanza;
  /** When it was sent; undefined if it never was. */
  readonly atMs: number | undefined;
  readonly copy: KeptCopy | undefined;
}

/** Routes a stanza. */
export type RouteStanza = (stanza: Stanza, options: RouteOptions) => MaybePromise<void>;

/**
 * Routes undelivered stanzas again, in order: to another resource, to the store, or back as an error (XEP-0198 §4). Resolves when all
 * are routed. `settling` gets a promise for each stanza. It resolves when the stanza is durable in its new place, and rejects if it has
 * none: then its copy stays until the next start.
 */
export async function redeliver(
  undelivered: readonly Undelivered[],
  domain: string,
  route: RouteStanza,
  settling: (work: Promise<void>) => void,
): Promise<void> {
  for (const { stanza, atMs, copy } of undelivered) {
    const replacement = replacementOf(stanza, atMs, domain);
    const work = new PendingWork();
    const options = { ackScope: work, again: { sentAtMs: atMs, hasCopy: copy !== undefined } };
    const pending = replacement && route(replacement, options);
    if (pending instanceof Promise) await pending;
    settling(
      work.settled().then(
        () => copy?.release(),
        (error: unknown) => refuseUnlessKept(stanza, copy, error, route),
      ),
    );
  }
}

/** Rethrows `error` if the copy is on the disk, where the next start finds it. If it could not be written, the sender gets an error. */
async function refuseUnlessKept(
  message: Stanza,
  copy: KeptCopy | undefined,
  error: unknown,
  route: RouteStanza,
): Promise<void> {
  if (!copy || (await copy.id) !== undefined) throw error;
  const work = new PendingWork();
  const refusal = errorReply(message, StanzaError.resourceConstraint());
  if (refusal) await route(refusal, { ackScope: work });
  await work.settled();
  copy.release();
}

/**
 * The stanza to route in place of one that was not delivered. Nothing for presence, results, carbons and messages of rooms: they were meant
 * for this client alone.
 */
function replacementOf(stanza: Stanza, atMs: number | undefined, domain: string): Stanza | undefined {
  switch (stanza.kind) {
    case 'presence':
      return undefined;
    case 'iq':
      return refusalOf(stanza);
    case 'message':
      if (isCarbon(stanza) || stanza.type === 'groupchat' || (stanza.type === 'error' && !(stanza.from && stanza.to)))
        return undefined;
      return atMs === undefined ? stanza : withDelay(stanza, atMs, domain);
  }
}

/** The error that answers a request. Requests of the server are not answered: that would prove that the client had read them. */
function refusalOf(iq: Stanza): Stanza | undefined {
  if (iq.from === undefined || iq.from.local === '') return undefined;
  return errorReply(iq, StanzaError.serviceUnavailable());
}

/** Stamps a message with the time it was first sent, however often it is redelivered (XEP-0203). */
function withDelay(message: Stanza, atMs: number, domain: string): Stanza {
  if (hasDelayOf(message.payload, domain)) return message;
  const delay = delayElement({ from: Jid.from('', domain), stampMs: atMs });
  return message.with({ payload: message.payload.with(delay) });
}
