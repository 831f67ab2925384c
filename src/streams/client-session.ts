import type { Jid } from '../protocol/jid.ts';
import type { Stanza } from '../protocol/stanza.ts';
import { StreamError } from '../protocol/stream-error.ts';
import type { Account } from '../routing/account.ts';
import type { Interest, OutgoingGate, Session, SessionPresence } from '../routing/session.ts';

/** The stream a session speaks through at the moment. */
export interface SessionStream {
  readonly remoteAddress: string;
  readonly secure: boolean;
  sendStanza(stanza: Stanza): void;
  flushed(): Promise<void>;
  close(error: StreamError): void;
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
  #held: Stanza[] | undefined = [];

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

  send(stanza: Stanza): void {
    if (!this.#held) return this.sendHeld(stanza);
    this.#held.push(stanza);
    if (this.#held.length > maxHeld) this.close(StreamError.resourceConstraint('too much waits for this session'));
  }

  hold(): void {
    this.#held ??= [];
  }

  sendHeld(stanza: Stanza): void {
    if (!this.gate) this.#stream?.sendStanza(stanza);
    else for (const admitted of this.gate.admit(stanza)) this.#stream?.sendStanza(admitted);
  }

  release(): void {
    const held = this.#held ?? [];
    // What comes meanwhile goes behind what is here.
    for (let stanza = held.shift(); stanza; stanza = held.shift()) this.sendHeld(stanza);
    this.#held = undefined;
  }

  flushed(): Promise<void> {
    return this.#stream?.flushed() ?? Promise.resolve();
  }

  close(error: StreamError): void {
    this.#stream?.close(error);
  }

  /** Lets go of the stream for good; returns what was to be sent and never was. */
  end(): readonly Stanza[] {
    this.#stream = undefined;
    const unsent = [...(this.gate?.release() ?? []), ...(this.#held ?? [])];
    this.gate = undefined;
    this.#held = undefined;
    return unsent;
  }
}
