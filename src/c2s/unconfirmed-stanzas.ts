import { Jid } from '../protocol/jid.ts';
import { ns } from '../protocol/namespaces.ts';
import type { Stanza } from '../protocol/stanza.ts';
import type { OutgoingRequests } from '../routing/outgoing-requests.ts';
import type { KeptCopy } from '../streams/acknowledgment/kept-copies.ts';
import { PingConfirmedQueue, type PingedRecipient } from '../streams/acknowledgment/ping-confirmed-queue.ts';
import type { Undelivered } from '../streams/acknowledgment/redelivery.ts';
import { xml } from '../xml/element.ts';
import type { Management, ManagementDeps } from './management/management.ts';

/** Dependencies of {@link UnconfirmedStanzas}. */
export interface UnconfirmedDeps extends ManagementDeps {
  readonly requests: Pick<OutgoingRequests, 'ask'>;
}

/** The session whose client confirms stanzas. */
interface ConfirmingSession {
  readonly jid: Jid;
  readonly account: { readonly key: string };
  readonly ended: boolean;
  send(stanza: Stanza): void;
}

/**
 * The stanzas that a client may not have, and their copies on the disk. With stream management the client confirms all that it is sent,
 * by acknowledgments. Without, it confirms only stanzas that are kept, by answering pings.
 */
export class UnconfirmedStanzas {
  management: Management | undefined;
  readonly #session: ConfirmingSession;
  readonly #deps: UnconfirmedDeps;
  #pingConfirmed: PingConfirmedQueue | undefined;

  constructor(session: ConfirmingSession, deps: UnconfirmedDeps) {
    this.#session = session;
    this.#deps = deps;
  }

  /** Writes a copy of a stanza that is about to be sent: `atOnce`, or after others. Resolves when a crash can no longer lose it. */
  keep(stanza: Stanza, atOnce: boolean): Promise<void> {
    if (this.management) return this.management.delivery.keep(stanza, atOnce);
    this.#pingConfirmed ??= this.#newPingConfirmed();
    return this.#pingConfirmed.add(stanza);
  }

  /** Whether a stanza outlives a stream that is broken. */
  outlivesStream(stanza: Stanza): boolean {
    return this.management !== undefined || this.#pingConfirmed?.has(stanza) === true;
  }

  /** Forgets a stanza that will not be written. Its copy is released when `instead`, the alternative outcome, is durable. */
  withdraw(stanza: Stanza, instead: Promise<void>): void {
    const copy: KeptCopy | undefined =
      this.management?.delivery.withdraw(stanza) ?? this.#pingConfirmed?.withdraw(stanza);
    instead.then(
      () => copy?.release(),
      () => undefined,
    );
  }

  /**
   * The session has ended; returns the stanzas that the client may not have, in order: sent but unconfirmed ones, then `waiting`. If the
   * client `hasAll`, all sent stanzas count as confirmed.
   */
  end(waiting: ReadonlySet<Stanza>, hasAll: boolean): readonly Undelivered[] {
    const unconfirmed = this.#unconfirmed();
    const missing = unconfirmed.filter(({ stanza }) => !hasAll || waiting.has(stanza));
    if (hasAll) for (const { stanza, copy } of unconfirmed) if (!waiting.has(stanza)) copy?.release();
    const unsent = waiting.difference(new Set(missing.map(({ stanza }) => stanza)));
    return [...missing, ...Array.from(unsent, (stanza) => this.#unsent(stanza))];
  }

  /** A stanza kept before stream management started and sent after it is in both queues. It is returned once. */
  #unconfirmed(): readonly Undelivered[] {
    const pingConfirmed = this.#pingConfirmed?.end() ?? [];
    const managed = this.management?.end() ?? [];
    const known = new Set(pingConfirmed.map(({ stanza }) => stanza));
    for (const { stanza, copy } of managed) if (known.has(stanza)) copy?.release();
    return [...pingConfirmed, ...managed.filter(({ stanza }) => !known.has(stanza))];
  }

  #unsent(stanza: Stanza): Undelivered {
    const { atMs, copy } = this.management?.delivery.unsent(stanza) ?? {};
    return { stanza, atMs, copy };
  }

  #newPingConfirmed(): PingConfirmedQueue {
    const { copies, requests, limits, clock } = this.#deps;
    const { jid, account } = this.#session;
    const domain = Jid.from('', jid.domain);
    // Does not bypass a hold: the answer must prove that the client has all earlier stanzas.
    const send = (request: Stanza) => this.#session.send(request);
    const recipient: PingedRecipient = {
      hasEnded: () => this.#session.ended,
      keep: (stanza) => copies.add(account.key, undefined, stanza, undefined),
      ping: (timeoutMs) => requests.ask(domain, jid, xml('ping', { xmlns: ns.ping }), timeoutMs, send),
    };
    return new PingConfirmedQueue(recipient, limits, clock);
  }
}
