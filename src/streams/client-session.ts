import type { Jid } from '../protocol/jid.ts';
import type { Stanza } from '../protocol/stanza.ts';
import { StreamError } from '../protocol/stream-error.ts';
import type { Account } from '../routing/account.ts';
import type { Interest, OutgoingGate, Session, SessionPresence, Settled } from '../routing/session.ts';

/** The stream a session speaks through at the moment. */
export interface SessionStream {
  readonly remoteAddress: string;
  readonly secure: boolean;
  sendStanza(stanza: Stanza, settled?: Settled): void;
  flushed(): Promise<void>;
  close(error: StreamError): void;
}

/** A stanza that waits, and who wants to know what becomes of it. */
interface Held {
  readonly stanza: Stanza;
  readonly settled: Settled | undefined;
}

/** Stanzas that may wait while stored messages go first; beyond them the session is as good as gone. */
const maxHeld = 10_000;

/** A bound resource. It outlives its stream if the stream breaks and the client may come back. */
export class ClientSession implements Session {
  readonly jid: Jid;
  readonly account: Account;
  readonly presence: SessionPresence = { available: undefined, priority: 0, farewell: '', directed: new Map() };
  readonly interests = new Set<Interest>();
  /** When the resource was bound, milliseconds since 1970. */
  readonly boundAtMs: number;
  gate: OutgoingGate | undefined;
  #stream: SessionStream | undefined;
  /** From the start: the client must first be told that the resource is bound. */
  #held: Held[] | undefined = [];

  constructor(jid: Jid, account: Account, stream: SessionStream, boundAtMs: number) {
    this.jid = jid;
    this.account = account;
    this.#stream = stream;
    this.boundAtMs = boundAtMs;
  }

  /** The stream in use; absent once the session has ended. */
  get stream(): SessionStream | undefined {
    return this.#stream;
  }

  get ended(): boolean {
    return this.#stream === undefined;
  }

  send(stanza: Stanza, settled?: Settled): void {
    if (this.ended) return settled?.(false);
    if (!this.#held) return this.sendHeld(stanza, settled);
    this.#held.push({ stanza, settled });
    if (this.#held.length > maxHeld) this.close(StreamError.resourceConstraint('too much waits for this session'));
  }

  hold(): void {
    this.#held ??= [];
  }

  sendHeld(stanza: Stanza, settled?: Settled): void {
    // What is watched wakes the client, and brings along what waits at the gate.
    if (settled) for (const waiting of this.gate?.release() ?? []) this.#stream?.sendStanza(waiting);
    if (!this.gate || settled) this.#stream?.sendStanza(stanza, settled);
    else for (const admitted of this.gate.admit(stanza)) this.#stream?.sendStanza(admitted);
  }

  release(): void {
    const held = this.#held ?? [];
    // What comes meanwhile goes behind what is here.
    for (let next = held.shift(); next; next = held.shift()) this.sendHeld(next.stanza, next.settled);
    this.#held = undefined;
  }

  flushed(): Promise<void> {
    return this.#stream?.flushed() ?? Promise.resolve();
  }

  close(error: StreamError): void {
    this.#stream?.close(error);
  }

  /** Lets go of the stream for good; returns what was to be sent and never was, but for what somebody watches. */
  end(): readonly Stanza[] {
    this.#stream = undefined;
    const held = this.#held ?? [];
    const unwatched = held.filter(({ settled }) => !settled).map(({ stanza }) => stanza);
    const unsent = [...(this.gate?.release() ?? []), ...unwatched];
    this.gate = undefined;
    this.#held = undefined;
    for (const { settled } of held) settled?.(false);
    return unsent;
  }
}
