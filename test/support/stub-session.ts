import type { Jid } from '../../src/protocol/jid.ts';
import type { Stanza } from '../../src/protocol/stanza.ts';
import type { StreamError } from '../../src/protocol/stream-error.ts';
import type { Account } from '../../src/routing/account.ts';
import { Interests } from '../../src/routing/interests.ts';
import { type Device, noPresence, type OutgoingFilter, type Session, type Watch } from '../../src/routing/session.ts';

/** A session without a stream: it writes down what a client would get. */
export class StubSession implements Session {
  readonly jid: Jid;
  readonly account: Account;
  readonly presence = noPresence();
  readonly interests: Interests;
  filter: OutgoingFilter | undefined;
  device: Device | undefined;
  ended = false;
  /** Whether its client has lost its connection and can come back. */
  detached = false;
  /** Why the server closed it. */
  closedBy: StreamError | undefined;
  needsAck = false;
  /** What an acknowledgment to the client would wait for. */
  readonly awaited: Promise<unknown>[] = [];
  /** When what is sent durably is durable. */
  durable: Promise<void> = Promise.resolve();
  /** Everything the client was sent, in order. */
  readonly sent: Stanza[] = [];
  /** Whether its client has to acknowledge something before it is sent more. */
  crowded = false;
  /** How many times somebody has waited for the network. */
  flushes = 0;
  /** Whether the network takes nothing any more though the session has not ended yet. */
  broken = false;
  #held: { readonly stanza: Stanza; readonly watch: Watch | undefined }[] | undefined;

  constructor(account: Account, resource: string) {
    this.account = account;
    this.interests = new Interests(account);
    this.jid = account.jid.withResource(resource);
  }

  send(stanza: Stanza, watch?: Watch): void {
    if (this.#held && !this.ended) this.#held.push({ stanza, watch });
    else this.sendHeld(stanza, watch);
  }

  hold(): void {
    this.#held ??= [];
  }

  sendHeld(stanza: Stanza, watch?: Watch): void {
    const lost = this.ended || this.broken;
    if (!lost) this.sent.push(...(this.filter && !watch ? this.filter.admit(stanza) : [stanza]));
    watch?.settled(!lost);
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const { stanza, watch } of held) this.send(stanza, watch);
  }

  sendDurably(stanza: Stanza, watch?: Watch): Promise<void> {
    this.send(stanza, watch);
    return this.durable;
  }

  sendArchived(stanza: Stanza): void {
    this.send(stanza);
  }

  sendStored(stanza: Stanza): void {
    this.sendHeld(stanza);
  }

  received(): undefined {}

  ackAfter(work: Promise<unknown>): void {
    this.awaited.push(work);
  }

  flushed(): Promise<void> {
    this.flushes += 1;
    return Promise.resolve();
  }

  close(error: StreamError): void {
    this.closedBy = error;
  }

  /** What came since the last call, as text. Ids of stanzas that the server made up are masked. */
  taken(): string[] {
    return this.sent.splice(0).map((stanza) => stanza.toString().replace(/^(<[^>]*) id="[\w-]{22}"/, '$1 id="*"'));
  }
}
