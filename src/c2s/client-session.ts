import type { Jid } from '../protocol/jid.ts';
import type { Stanza } from '../protocol/stanza.ts';
import { StreamError } from '../protocol/stream-error.ts';
import type { Account } from '../routing/account.ts';
import { Interests } from '../routing/interests.ts';
import {
  type ArchivedForRecipients,
  type Device,
  noPresence,
  type OutgoingFilter,
  type Session,
  type Watch,
} from '../routing/session.ts';
import type { Undelivered } from '../streams/acknowledgment/redelivery.ts';
import { HeldStanzas } from './held-stanzas.ts';
import { Management, type RestoredAcknowledgments, type Resumability } from './management/management.ts';
import { SessionState } from './management/session-state.ts';
import type { Leaving, SessionStream } from './session-stream.ts';
import { type UnconfirmedDeps, UnconfirmedStanzas } from './unconfirmed-stanzas.ts';
import { WatchedStanzas } from './watched-stanzas.ts';

/** Dependencies that all sessions share. */
export interface SessionDeps extends UnconfirmedDeps {
  /** A stanza waits for the client of a session without a connection. */
  readonly waiting: (session: Session, stanza: Stanza) => void;
  /** Ends a session that has no stream. */
  readonly end: (session: ClientSession) => void;
}

/** A bound resource. It outlives its stream if the stream breaks and the client can resume it. */
export class ClientSession implements Session {
  readonly jid: Jid;
  readonly account: Account;
  readonly presence = noPresence();
  readonly interests: Interests;
  /** When the resource was bound, milliseconds since 1970. */
  readonly boundAtMs: number;
  device: Device | undefined;
  filter: OutgoingFilter | undefined;
  readonly #deps: SessionDeps;
  readonly #state = new SessionState(this);
  readonly #held = new HeldStanzas();
  readonly #watched = new WatchedStanzas();
  readonly #unconfirmed: UnconfirmedStanzas;
  #stream: SessionStream | undefined;
  #ended = false;
  #detached: boolean;
  /** Resolves when there is a stream again, or the session has ended. Absent if nothing waits for this. */
  #streamChange: PromiseWithResolvers<void> | undefined;

  constructor(jid: Jid, account: Account, stream: SessionStream | undefined, boundAtMs: number, deps: SessionDeps) {
    this.jid = jid;
    this.account = account;
    this.interests = new Interests(account);
    this.#stream = stream;
    this.#detached = stream === undefined;
    this.device = stream?.device;
    this.boundAtMs = boundAtMs;
    this.#deps = deps;
    this.#unconfirmed = new UnconfirmedStanzas(this, deps);
  }

  /** The stream in use; absent while the connection is lost and when the session has ended. */
  get stream(): SessionStream | undefined {
    return this.#stream;
  }

  get ended(): boolean {
    return this.#ended;
  }

  get detached(): boolean {
    return this.#detached;
  }

  /** Stream management, if the client has enabled it (XEP-0198 §3). */
  get management(): Management | undefined {
    return this.#unconfirmed.management;
  }

  get needsAck(): boolean {
    return this.management !== undefined;
  }

  ackAfter(work: Promise<unknown>): void {
    this.management?.incoming.ackAfter(work);
  }

  /** Starts stream management. */
  manage(resumability?: Resumability, restored?: RestoredAcknowledgments): Management {
    const management = new Management(this, this.#deps, resumability, restored);
    this.#unconfirmed.management = management;
    return management;
  }

  state(): string {
    return this.#state.text();
  }

  changedState(): string | undefined {
    return this.#state.changedText();
  }

  // --- sending

  send(stanza: Stanza, watch?: Watch): void {
    if (this.#ended) return watch?.settled(false);
    if (!this.#stream) this.#deps.waiting(this, stanza);
    if (watch && !this.#held.active && !this.filter && !this.management) return this.#sendWatched(stanza, watch);
    if (watch) this.watch(stanza, watch);
    if (!this.#held.active) return this.sendHeld(stanza);
    if (!this.#held.push(stanza)) this.close(StreamError.resourceConstraint('the queue of this session is full'));
  }

  sendDurably(stanza: Stanza, watch?: Watch): Promise<void> {
    if (this.#ended && watch) {
      // The watch delivers the stanza elsewhere. A copy would be delivered a second time after a restart.
      watch.settled(false);
      return Promise.resolve();
    }
    const durable = this.#unconfirmed.keep(stanza, !this.#held.active && !this.filter);
    this.send(stanza, watch);
    return durable;
  }

  sendArchived(stanza: Stanza, archived: ArchivedForRecipients): void {
    this.management?.delivery.storedElsewhere(stanza, archived);
    this.send(stanza);
  }

  sendStored(stanza: Stanza): void {
    this.management?.delivery.storedElsewhere(stanza);
    // If the filter kept it, the acknowledgment of all that was sent would not cover it.
    this.#sendPastFilter(stanza);
  }

  sendHeld(stanza: Stanza): void {
    if (!this.filter) return this.#transmit(stanza);
    if (this.#watched.has(stanza)) return this.#sendPastFilter(stanza);
    for (const one of this.filter.admit(stanza)) this.#transmit(one);
  }

  /** Sends a stanza at once, behind those that the filter kept. */
  #sendPastFilter(stanza: Stanza): void {
    for (const one of this.filter?.release() ?? []) this.#transmit(one);
    this.#transmit(stanza);
  }

  hold(): void {
    this.#held.hold();
  }

  release(): void {
    this.#held.release((stanza) => {
      if (this.#mayLeave(stanza)) this.sendHeld(stanza);
    });
  }

  received(): Promise<boolean> | undefined {
    return this.#ended ? Promise.resolve(false) : this.management?.delivery.received();
  }

  get crowded(): boolean {
    return this.#stream?.congested === true || this.management?.delivery.crowded === true;
  }

  async flushed(): Promise<void> {
    while (!this.#ended && !this.#stream) {
      this.#streamChange ??= Promise.withResolvers();
      await this.#streamChange.promise;
    }
    await this.#stream?.flushed();
    if (this.management?.delivery.crowded) await this.management.delivery.received();
  }

  #transmit(stanza: Stanza): void {
    if (this.#ended) return;
    const { management } = this.#unconfirmed;
    if (management) management.delivery.transmit(stanza);
    else this.#stream?.sendStanza(stanza);
    if (this.#watched.size > 0) this.#settle(stanza);
  }

  // --- watches

  /** Tells `watch` the outcome of a stanza that has not been written yet. */
  watch(stanza: Stanza, watch: Watch): void {
    this.#watched.add(stanza, watch);
  }

  /** The stanza is being written without delay. Its watch ends when it is written. */
  #sendWatched(stanza: Stanza, watch: Watch): void {
    this.#transmit(stanza);
    if (this.#stream?.broken === false) return watch.settled(true);
    this.watch(stanza, watch);
    this.#settle(stanza);
  }

  /** Settles the watch of a stanza, unless the stanza waits for a resumption, or to be routed again at the end. */
  #settle(stanza: Stanza): void {
    const left = this.#stream?.broken === false;
    if (left || !this.#unconfirmed.outlivesStream(stanza)) this.#watched.settle(stanza, left);
  }

  /** Asks the watch of a delayed stanza whether it may still be written. Without a stream the stanza keeps waiting. */
  #mayLeave(stanza: Stanza): boolean {
    const instead = this.#stream && this.#watched.has(stanza) ? this.#watched.refused(stanza) : undefined;
    if (instead) this.#unconfirmed.withdraw(stanza, instead);
    return instead === undefined;
  }

  // --- losing and finding the stream

  close(error: StreamError): void {
    if (this.#stream) this.#stream.close(error);
    else this.#deps.end(this);
  }

  /** The connection is lost, and the client can resume. The filter ends; its stanzas wait with the rest. Returns all that may be missing. */
  detach(): readonly Stanza[] {
    this.#stream = undefined;
    this.#detached = true;
    for (const stanza of this.#endFilter()) this.#transmit(stanza);
    return this.management?.detached(this.#held.stanzas) ?? [];
  }

  /** Takes the client's count at resumption; throws the stream error of XEP-0198 §6. */
  resumedAt(h: number): void {
    this.management?.resumedAt(h, this.#held.stanzas);
  }

  /**
   * The client has resumed (XEP-0198 §5). Unacknowledged stanzas are sent again: at once, or, with `behindStored`, when the session is
   * released; it must then be on hold.
   */
  attach(stream: SessionStream, behindStored = false): void {
    this.#stream = stream;
    this.#detached = false;
    this.device = stream.device ?? this.device;
    const held = new Set(this.#held.stanzas);
    const waited = this.#watched.stanzas().filter((stanza) => !held.has(stanza));
    for (const stanza of waited) this.#mayLeave(stanza);
    const later = new Set(behindStored ? this.management?.delivery.takeOut() : []);
    this.#held.putFirst([...later]);
    this.management?.attached(stream);
    for (const stanza of waited) if (!later.has(stanza)) this.#settle(stanza);
    this.#streamChanged();
  }

  /** Detaches the stream for good; returns the stanzas that the client may not have. */
  end(leaving: Leaving = 'closed'): readonly Undelivered[] {
    // RFC 6120 §4.4: a client that closes its stream keeps reading until the server has closed it, too.
    const hasAll = leaving === 'goodbye' && this.#stream?.broken === false;
    this.#ended = true;
    this.#stream = undefined;
    this.interests.end();
    const waiting = new Set([...this.#endFilter(), ...this.#held.end()]);
    this.#watched.clear();
    const undelivered = this.#unconfirmed.end(waiting, hasAll);
    this.#streamChanged();
    return undelivered;
  }

  #endFilter(): readonly Stanza[] {
    const kept = this.filter?.release() ?? [];
    this.filter = undefined;
    return kept;
  }

  #streamChanged(): void {
    this.#streamChange?.resolve();
    this.#streamChange = undefined;
  }
}
