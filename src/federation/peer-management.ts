import { Jid } from '../protocol/jid.ts';
import { ns } from '../protocol/namespaces.ts';
import type { Stanza } from '../protocol/stanza.ts';
import { StanzaError } from '../protocol/stanza-error.ts';
import { StreamError } from '../protocol/stream-error.ts';
import {
  acknowledgment,
  acknowledgmentRequest,
  enabled,
  handledCountTooHigh,
  managementFailed,
} from '../protocol/stream-management.ts';
import type { AckScope } from '../routing/ack-scope.ts';
import type { MaybePromise } from '../routing/maybe-promise.ts';
import type { Handoff } from '../routing/outbound.ts';
import type { OutgoingRequests } from '../routing/outgoing-requests.ts';
import { type AcknowledgmentLimits, AckRequests } from '../streams/acknowledgment/ack-requests.ts';
import { Acknowledger } from '../streams/acknowledgment/acknowledger.ts';
import { countIn, wireCount } from '../streams/acknowledgment/count.ts';
import { PingConfirmedQueue } from '../streams/acknowledgment/ping-confirmed-queue.ts';
import { type SentStanza, UnacknowledgedQueue } from '../streams/acknowledgment/unacknowledged-queue.ts';
import type { Clock } from '../support/clock.ts';
import { type Element, xml } from '../xml/element.ts';
import type { Frame } from '../xml/frame.ts';

/** A stanza on its way to another server. */
export interface OutgoingStanza extends SentStanza {
  readonly handoff: Handoff;
  /** When it began to wait. */
  readonly sinceMs: number;
  /** How many streams it has been written to. */
  readonly attempts: number;
  /** The stream it was written to is over, and nothing has proved that it has arrived. */
  takeBack(entry: OutgoingStanza): void;
}

/** The stream whose stanzas are confirmed. */
export interface ManagedPeer {
  /** The local domain and that of the peer, as far as known. */
  readonly role: { readonly local: string | undefined; readonly remote: string | undefined };
  readonly over: boolean;
  readonly wire: { fail(error: unknown): void };
  send(element: Element): void;
  sendStanza(stanza: Stanza): void;
}

/** Dependencies of {@link PeerManagement}. */
export interface PeerManagementDeps {
  readonly management: AcknowledgmentLimits;
  readonly requests: Pick<OutgoingRequests, 'ask'>;
  readonly clock: Clock;
}

/** The scope of a stanza from a peer without stream management: nothing will be acknowledged. */
const unacknowledged: AckScope = { needsAck: false, ackAfter: () => undefined };

/**
 * Confirms what has arrived on one stream between servers: by acknowledgments if the peer has stream management (XEP-0198 §4), otherwise by
 * pings behind the stanzas that have copies. Streams are not resumed: stanzas that are not confirmed when a stream ends go by the next one.
 */
export class PeerManagement {
  readonly #peer: ManagedPeer;
  readonly #deps: PeerManagementDeps;
  readonly #pingConfirmed: PingConfirmedQueue;
  readonly #sent = new Map<Stanza, OutgoingStanza>();
  readonly #queue = new UnacknowledgedQueue<OutgoingStanza>();
  readonly #ackRequests: AckRequests;
  /** Acknowledges what the peer sends, once it has stream management. */
  #acknowledger: Acknowledger | undefined;
  /** Whether the peer acknowledges what we send: not, not yet, or yes. */
  #acknowledging: 'no' | 'asked' | 'yes' = 'no';
  /** Resolve the promises of {@link room}. */
  #roomWaiters: (() => void)[] = [];

  constructor(peer: ManagedPeer, deps: PeerManagementDeps) {
    this.#peer = peer;
    this.#deps = deps;
    const recipient = {
      hasEnded: () => peer.over,
      keep: () => {
        throw new Error('a copy is made before a stanza is sent');
      },
      ping: (timeoutMs: number) => this.#ping(timeoutMs),
    };
    this.#pingConfirmed = new PingConfirmedQueue(recipient, deps.management, deps.clock);
    const source = { pending: () => this.#queue.length, ask: () => peer.send(acknowledgmentRequest()) };
    this.#ackRequests = new AckRequests(source, deps.management, 0, deps.clock);
  }

  /** Whether stanzas are acknowledged in at least one direction. */
  get enabled(): boolean {
    return this.#acknowledging === 'yes' || this.#acknowledger !== undefined;
  }

  /** Whether so much is unacknowledged that nothing more should be sent. */
  get full(): boolean {
    return this.#queue.exceeds(this.#deps.management);
  }

  /** How many stanzas are not confirmed yet. */
  get pending(): number {
    return this.#queue.length + this.#sent.size;
  }

  /** How long the peer has left a request for an acknowledgment unanswered. */
  unansweredMs(nowMs: number): number {
    const { openSinceMs } = this.#ackRequests;
    return openSinceMs === undefined ? 0 : nowMs - openSinceMs;
  }

  // --- stanzas of the peer

  /** Takes a stanza of the peer by `take`, and counts it when it is final. */
  count(take: (ackScope: AckScope) => MaybePromise<void>): MaybePromise<void> {
    const { incoming } = this.#acknowledger ?? {};
    if (!incoming) return take(unacknowledged);
    return incoming.count(() => take({ needsAck: true, ackAfter: (work) => incoming.ackAfter(work) }));
  }

  /** Handles an element of stream management; throws StreamError. */
  take(frame: Frame): void {
    switch (frame.name) {
      case 'enable':
        return this.#enable();
      case 'enabled':
        if (this.#acknowledging === 'asked') this.#agreed();
        return;
      case 'failed':
        return this.#refused();
      case 'r':
        return this.#requested();
      case 'a':
        return this.#acknowledged(countIn(frame));
      case 'resume':
        return this.#peer.send(managementFailed(StanzaError.itemNotFound()));
      default:
        throw StreamError.unsupportedStanzaType(`<${frame.name}/> is not an element of stream management`);
    }
  }

  /** Tells the peer its count when all that it has sent is final. */
  async finish(): Promise<void> {
    await this.#acknowledger?.settled();
    this.#acknowledger?.tell();
  }

  #enable(): void {
    if (this.#acknowledger) throw StreamError.policyViolation('stream management is already enabled');
    this.#countIncoming();
    this.#acknowledging = 'yes';
    this.#peer.send(enabled({}));
  }

  #countIncoming(): void {
    this.#acknowledger = new Acknowledger(0, {
      send: (handled) => this.#peer.send(acknowledgment(wireCount(handled))),
      failed: (error) => this.#peer.wire.fail(error),
      clock: this.#deps.clock,
    });
  }

  #requested(): void {
    if (!this.#acknowledger) return this.#peer.send(managementFailed(StanzaError.unexpectedRequest()));
    this.#acknowledger.requested();
  }

  // --- stanzas for the peer

  /** Asks the peer to acknowledge what we send from now on (XEP-0198 §3). */
  begin(): void {
    this.#acknowledging = 'asked';
    this.#peer.send(xml('enable', { xmlns: ns.streamManagement }));
  }

  /** Sends a stanza, and remembers it until the peer has confirmed it, if it can. */
  transmit(entry: OutgoingStanza): void {
    if (this.#acknowledging === 'no') this.#remember(entry);
    else this.#queue.push(entry);
    this.#peer.sendStanza(entry.stanza);
    if (this.#acknowledging !== 'no') this.#ackRequests.sent();
  }

  /** Sends a stanza of the server that is not sent again if it gets lost. */
  sendOnce(stanza: Stanza): void {
    const lost = { handoff: { failed: () => undefined }, sinceMs: 0, attempts: 0, takeBack: () => undefined };
    this.transmit({ ...lost, stanza, atMs: 0, storedElsewhere: false, copy: undefined });
  }

  /** Resolves when there is room for more. */
  room(): Promise<void> {
    return new Promise((resolve) => this.#roomWaiters.push(resolve));
  }

  /** Resolves when everything is confirmed, or the stream has ended, or the peer does not answer a ping. */
  async settled(): Promise<void> {
    if (this.#queue.length > 0) {
      const received = this.#queue.received();
      this.#ackRequests.now();
      await received;
    } else if (this.#sent.size > 0) await this.#ping(this.#deps.management.ackAfterMs + 10_000);
  }

  /** The stream has ended: stanzas that are not confirmed go back to their links, in order. */
  end(): void {
    this.#ackRequests.stop();
    this.#acknowledger?.end();
    const pingConfirmed = this.#pingConfirmed.end().flatMap(({ stanza }) => this.#sent.get(stanza) ?? []);
    this.#sent.clear();
    for (const entry of [...this.#queue.end(), ...pingConfirmed]) entry.takeBack(entry);
    this.#wake();
  }

  #remember(entry: OutgoingStanza): void {
    if (!entry.copy) return;
    this.#sent.set(entry.stanza, entry);
    const { release } = entry.copy;
    const forget = () => {
      this.#sent.delete(entry.stanza);
      release();
    };
    void this.#pingConfirmed.add(entry.stanza, { ...entry.copy, release: forget });
  }

  #agreed(): void {
    this.#acknowledging = 'yes';
    this.#countIncoming();
  }

  /** XEP-0198 §3: the peer will not acknowledge. Stanzas sent meanwhile are confirmed by pings. */
  #refused(): void {
    if (this.#acknowledging !== 'asked') return;
    this.#acknowledging = 'no';
    this.#ackRequests.stop();
    for (const entry of this.#queue.end()) this.#remember(entry);
    this.#wake();
  }

  #acknowledged(h: number): void {
    if (this.#acknowledging !== 'yes') throw StreamError.policyViolation('unexpected acknowledgment');
    const covered = this.#queue.acknowledge(h);
    if (!covered) throw handledCountTooHigh(h, wireCount(this.#queue.sent));
    for (const { copy } of covered) copy?.release();
    this.#ackRequests.answered(covered.length > 0, this.#queue.awaited);
    if (!this.full) this.#wake();
  }

  #wake(): void {
    for (const wake of this.#roomWaiters.splice(0)) wake();
  }

  #ping(timeoutMs: number): Promise<Stanza | undefined> {
    const { local = '', remote = '' } = this.#peer.role;
    const ping = xml('ping', { xmlns: ns.ping });
    const send = (request: Stanza) => this.sendOnce(request);
    return this.#deps.requests.ask(Jid.from('', local), Jid.from('', remote), ping, timeoutMs, send);
  }
}
