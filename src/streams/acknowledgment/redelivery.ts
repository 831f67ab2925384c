import { delayElement, hasDelayOf } from '../../protocol/delay.ts';
import { Jid } from '../../protocol/jid.ts';
import type { Stanza } from '../../protocol/stanza.ts';
import { StanzaError } from '../../protocol/stanza-error.ts';
import { errorReply } from '../../protocol/stanza-replies.ts';
import { PendingWork } from '../../routing/ack-scope.ts';
import type { MaybePromise } from '../../routing/maybe-promise.ts';
import type { RouteOptions } from '../../routing/passage.ts';
import type { KeptCopy } from './kept-copies.ts';

/** A stanza whose session has ended before the client had it. */
export interface Undelivered {
  readonly stanza: Stanza;
  /** When it was sent; absent if it never was. */
  readonly atMs: number | undefined;
  readonly copy: KeptCopy | undefined;
}

/** Puts stanzas on the road again. */
export type Reroute = (stanza: Stanza, options: RouteOptions) => MaybePromise<void>;

/**
 * Puts what a session could not deliver back on the road, in order: there it goes to another resource, to the store, or back as an
 * error (XEP-0198 §4). Resolves when all of it is on its way; `settling` is given what ends when it is durable where it has gone, or
 * fails when it has come to nothing: then its copy stays until the next start.
 */
export async function redeliver(
  undelivered: readonly Undelivered[],
  domain: string,
  route: Reroute,
  settling: (work: Promise<void>) => void,
): Promise<void> {
  for (const { stanza, atMs, copy } of undelivered) {
    const again = onceMore(stanza, atMs, domain);
    const work = new PendingWork();
    const options = { ackScope: work, again: { sentAtMs: atMs, hasCopy: copy !== undefined } };
    const pending = again && route(again, options);
    if (pending instanceof Promise) await pending;
    settling(
      work.settled().then(
        () => copy?.release(),
        (error: unknown) => stay(stanza, copy, error, route),
      ),
    );
  }
}

/** The next start finds the copy; if none could be written, the sender is told. */
async function stay(message: Stanza, copy: KeptCopy | undefined, error: unknown, route: Reroute): Promise<void> {
  if (!copy || (await copy.id) !== undefined) throw error;
  const told = new PendingWork();
  const refusal = errorReply(message, StanzaError.resourceConstraint());
  if (refusal) await route(refusal, { ackScope: told });
  await told.settled();
  copy.release();
}

/** What goes on the road for a stanza that was not delivered: presence and answers have nowhere else to go. */
function onceMore(stanza: Stanza, atMs: number | undefined, domain: string): Stanza | undefined {
  switch (stanza.kind) {
    case 'presence':
      return undefined;
    case 'iq':
      return refused(stanza);
    case 'message':
      // What has no addresses was said to this client alone.
      if (stanza.type === 'error' && !(stanza.from && stanza.to)) return undefined;
      return atMs === undefined ? stanza : delayed(stanza, atMs, domain);
  }
}

/** Our own requests are not answered: an answer would prove that the client had read them. */
function refused(iq: Stanza): Stanza | undefined {
  if (iq.from === undefined || iq.from.local === '') return undefined;
  return errorReply(iq, StanzaError.serviceUnavailable());
}

/** It says when it was sent first, however often it comes back. */
function delayed(message: Stanza, atMs: number, domain: string): Stanza {
  if (hasDelayOf(message.payload, domain)) return message;
  const delay = delayElement({ from: Jid.from('', domain), stampMs: atMs });
  return message.with({ payload: message.payload.with(delay) });
}
