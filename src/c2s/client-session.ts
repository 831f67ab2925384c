import { Jid } from '../protocol/jid.ts';
import { ns } from '../protocol/namespaces.ts';
import type { Stanza } from '../protocol/stanza.ts';
import { StreamError } from '../protocol/stream-error.ts';
import type { Account } from '../routing/account.ts';
import { PendingWork } from '../routing/ack-scope.ts';
import { Interests } from '../routing/interests.ts';
import type { OutgoingRequests } from '../routing/outgoing-requests.ts';
import { noPresence, type OutgoingFilter, type Session, type Watch } from '../routing/session.ts';
import { PingConfirmedQueue, type PingedRecipient } from '../streams/acknowledgment/ping-confirmed-queue.ts';
import type { Undelivered } from '../streams/acknowledgment/redelivery.ts';
import { xml } from '../xml/element.ts';
import {
  Management,
  type ManagementDeps,
  type RestoredAcknowledgments,
  type Resumability,
} from './management/management.ts';
import { SessionState } from './management/session-state.ts';
import type { Leaving, SessionStream } from './session-stream.ts';

/** What all sessions share. */
export interface SessionDeps extends ManagementDeps {
  readonly requests: Pick<OutgoingRequests, 'ask'>;
  /** Ends a session that has no stream. */
  readonly end: (session: ClientSession) => void;
}

/** Stanzas that may wait while stored messages go first; beyond them the session is as good as gone. */
const maxHeld = 10_000;
/** Bytes of what they say, for the same. */
const maxHeldBytes = 8 * 1024 * 1024;

/** A bound resource. It outlives its stream if the stream breaks and the client may come back. */
export class ClientSession implements Session {
  readonly jid: Jid;
  readonly account: Account;
  readonly presence = noPresence();
  readonly interests: Interests;
  /** When the resource was bound, milliseconds since 1970. */
  readonly boundAtMs: number;
  filter: OutgoingFilter | undefined;
  readonly #deps: SessionDeps;
  readonly #state = new SessionState(this);
  #stream: SessionStream | undefined;
  #ended = false;
  /** From the start: the client must first be told that the resource is bound. */
  #held: Stanza[] | undefined = [];
  #heldBytes = 0;
  #holders = 1;
  /** Who wants to know whether a stanza has left; hardly ever anybody. */
  #watched: Map<Stanza, Watch> | undefined;
  #management: Management | undefined;
  #pingConfirmed: PingConfirmedQueue | undefined;
  #streamAwaited: (() => void)[] | undefined;

  constructor(jid: Jid, account: Account, stream: SessionStream | undefined, boundAtMs: number, deps: SessionDeps) {
    this.jid = jid;
    this.account = account;
    this.interests = new Interests(account);
    this.#stream = stream;
    this.boundAtMs = boundAtMs;
    this.#deps = deps;
  }

  /** The stream in use; absent while the connection is lost and when the session has ended. */
  get stream(): SessionStream | undefined {
    return this.#stream;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Its acknowledgments, if the client has asked for them (XEP-0198 §3). */
  get management(): Management | undefined {
    return this.#management;
  }

  get needsAck(): boolean {
    return this.#management !== undefined;
  }

  ackAfter(work: Promise<unknown>): void {
    this.#management?.incoming.ackAfter(work);
  }

  /** Stream management begins. */
  manage(resumability?: Resumability, restored?: RestoredAcknowledgments): Management {
    this.#management = new Management(this, this.#deps, resumability, restored);
    return this.#management;
  }

  /** Tells `watch` what becomes of a stanza that has not been written. */
  follow(stanza: Stanza, watch: Watch): void {
    this.#watched ??= new Map();
    this.#watched.set(stanza, watch);
  }

  state(): string {
    return this.#state.text();
  }

  changedState(): string | undefined {
    return this.#state.changedText();
  }

  send(stanza: Stanza, watch?: Watch): void {
    if (this.#ended) return watch?.settled(false);
    if (watch && !this.#held && !this.filter && !this.#management) return this.#sendWatched(stanza, watch);
    if (watch) this.follow(stanza, watch);
    if (!this.#held) return this.sendHeld(stanza);
    this.#held.push(stanza);
    this.#heldBytes += stanza.payload.bytes.length;
    const tooMuch = this.#held.length > maxHeld || this.#heldBytes > maxHeldBytes;
    if (tooMuch) this.close(StreamError.resourceConstraint('too much waits for this session'));
  }

  /** What nothing keeps back has left when it is written: it needs no place among those that are followed. */
  #sendWatched(stanza: Stanza, watch: Watch): void {
    this.#transmit(stanza);
    if (this.#stream?.broken === false) return watch.settled(true);
    this.follow(stanza, watch);
    this.#settle(stanza);
  }

  sendDurably(stanza: Stanza, watch?: Watch): Promise<void> {
    if (this.#ended && watch) {
      // Whoever watches finds another way; a copy would go a second way after a restart.
      watch.settled(false);
      return Promise.resolve();
    }
    const durable = this.#keep(stanza);
    this.send(stanza, watch);
    return durable;
  }

  sendStored(stanza: Stanza): void {
    this.#management?.delivery.storedElsewhere(stanza);
    this.sendHeld(stanza);
  }

  received(): Promise<boolean> | undefined {
    return this.#ended ? Promise.resolve(false) : this.#management?.delivery.received();
  }

  hold(): void {
    this.#holders += 1;
    this.#held ??= [];
  }

  sendHeld(stanza: Stanza): void {
    if (!this.filter) return this.#transmit(stanza);
    // What is watched wakes the client, and brings along what waits at the gate.
    const admitted = this.#watched?.has(stanza) ? [...this.filter.release(), stanza] : this.filter.admit(stanza);
    for (const one of admitted) this.#transmit(one);
  }

  release(): void {
    this.#holders -= 1;
    if (this.#holders > 0) return;
    const held = this.#held ?? [];
    // What comes meanwhile goes behind what is here.
    for (let stanza = held.shift(); stanza; stanza = held.shift()) if (this.#mayLeave(stanza)) this.sendHeld(stanza);
    this.#held = undefined;
    this.#heldBytes = 0;
  }

  get crowded(): boolean {
    return this.#stream?.congested === true || this.#management?.delivery.crowded === true;
  }

  async flushed(): Promise<void> {
    while (!this.#ended && !this.#stream) await this.#newStream();
    await this.#stream?.flushed();
    if (this.#management?.delivery.crowded) await this.#management.delivery.received();
  }

  close(error: StreamError): void {
    if (this.#stream) this.#stream.close(error);
    else this.#deps.end(this);
  }

  /** The connection is lost and the client may come back: nothing is held back from what waits for it. */
  detach(): void {
    this.#stream = undefined;
    const gated = this.filter?.release() ?? [];
    this.filter = undefined;
    for (const stanza of gated) this.#transmit(stanza);
    this.#management?.detached(this.#held ?? []);
  }

  /** Takes the count that the client brings along; throws the stream error of XEP-0198 §6. */
  resumedAt(h: number): void {
    this.#management?.resumedAt(h, this.#held ?? []);
  }

  /** The client has come back (XEP-0198 §5). What goes `behindStored` is sent again when the session is released, which must be on hold. */
  attach(stream: SessionStream, behindStored = false): void {
    this.#stream = stream;
    const held = new Set(this.#held);
    const waited = [...(this.#watched?.keys() ?? [])].filter((stanza) => !held.has(stanza));
    for (const stanza of waited) this.#mayLeave(stanza);
    const later = new Set(behindStored ? this.#management?.delivery.takeOut() : []);
    this.#held?.unshift(...later);
    this.#management?.attached(stream);
    for (const stanza of waited) if (!later.has(stanza)) this.#settle(stanza);
    this.#wake();
  }

  /** Lets go of the stream for good; returns what the client may not have. */
  end(leaving: Leaving = 'closed'): readonly Undelivered[] {
    // RFC 6120 §4.4: whoever says goodbye goes on reading until we have said it, too.
    const hasAll = leaving === 'goodbye' && this.#stream?.broken === false;
    this.#ended = true;
    this.interests.end();
    this.#stream = undefined;
    const waiting = new Set([...(this.filter?.release() ?? []), ...(this.#held ?? [])]);
    this.filter = undefined;
    this.#held = undefined;
    // What was watched goes back on the road with the rest, to be judged again.
    this.#watched = undefined;
    const unreceived = this.#unreceived();
    const missing = unreceived.filter(({ stanza }) => !hasAll || waiting.has(stanza));
    for (const sent of unreceived) if (!missing.includes(sent)) sent.copy?.release();
    for (const { stanza } of missing) waiting.delete(stanza);
    this.#wake();
    return [...missing, ...[...waiting].map((stanza) => this.#unsent(stanza))];
  }

  /** What was kept before stream management began and sent after it is known to both, and goes once. */
  #unreceived(): readonly Undelivered[] {
    const pingConfirmed = this.#pingConfirmed?.end() ?? [];
    const managed = this.#management?.end() ?? [];
    const known = new Set(pingConfirmed.map(({ stanza }) => stanza));
    for (const { stanza, copy } of managed) if (known.has(stanza)) copy?.release();
    return [...pingConfirmed, ...managed.filter(({ stanza }) => !known.has(stanza))];
  }

  #unsent(stanza: Stanza): Undelivered {
    const { atMs, copy } = this.#management?.delivery.unsent(stanza) ?? {};
    return { stanza, atMs, copy };
  }

  #keep(stanza: Stanza): Promise<void> {
    if (this.#management) return this.#management.delivery.keep(stanza, !this.#held && !this.filter);
    this.#pingConfirmed ??= this.#newPingConfirmed();
    return this.#pingConfirmed.add(stanza);
  }

  #newPingConfirmed(): PingConfirmedQueue {
    const { copies, requests, limits, clock } = this.#deps;
    const domain = Jid.from('', this.jid.domain);
    // Not past a hold: the answer must prove what was sent before.
    const send = (request: Stanza) => this.send(request);
    const recipient: PingedRecipient = {
      hasEnded: () => this.#ended,
      keep: (stanza) => copies.add(this.account.key, undefined, stanza, undefined),
      ping: (timeoutMs) => requests.ask(domain, this.jid, xml('ping', { xmlns: ns.ping }), timeoutMs, send),
    };
    return new PingConfirmedQueue(recipient, limits, clock);
  }

  #transmit(stanza: Stanza): void {
    if (this.#ended) return;
    if (this.#management) this.#management.delivery.transmit(stanza);
    else this.#stream?.sendStanza(stanza);
    if (this.#watched) this.#settle(stanza);
  }

  /** Nobody is told of what waits for a client that may come back, or goes back on the road at the end. */
  #settle(stanza: Stanza): void {
    const left = this.#stream?.broken === false;
    if (!left && (this.#management || this.#pingConfirmed?.has(stanza))) return;
    const watch = this.#watched?.get(stanza);
    this.#watched?.delete(stanza);
    watch?.settled(left);
  }

  /** What has waited and is watched may have come to its end. Without a stream it goes on waiting. */
  #mayLeave(stanza: Stanza): boolean {
    const watch = this.#stream && this.#watched?.get(stanza);
    if (!watch) return true;
    const instead = new PendingWork();
    if (watch.mayLeave(instead)) return true;
    this.#withdraw(stanza, instead.settled());
    return false;
  }

  /** It was never written, and is not to be any more; its copy goes when what happens instead is durable. */
  #withdraw(stanza: Stanza, instead: Promise<void>): void {
    this.#watched?.delete(stanza);
    const copy = this.#management?.delivery.withdraw(stanza) ?? this.#pingConfirmed?.withdraw(stanza);
    instead.then(
      () => copy?.release(),
      () => undefined,
    );
  }

  #newStream(): Promise<void> {
    this.#streamAwaited ??= [];
    const waiting = this.#streamAwaited;
    return new Promise((resolve) => waiting.push(resolve));
  }

  #wake(): void {
    const waiting = this.#streamAwaited ?? [];
    this.#streamAwaited = undefined;
    for (const wake of waiting) wake();
  }
}
