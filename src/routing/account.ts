import { Jid } from '../protocol/jid.ts';
import type { AccountRecord } from '../storage/accounts.ts';
import type { Interest, InterestCounter } from './interests.ts';
import { Roster } from './roster.ts';

/** One for all who block nobody: every message looks at two block lists. */
const nobody: ReadonlySet<string> = new Set();

/** A local account as the router knows it: what planning needs is in memory. */
export class Account implements InterestCounter {
  /** The bare JID. */
  readonly jid: Jid;
  /** The bare JID as text: its key in every map and table. */
  readonly key: string;
  readonly roster: Roster;
  /** Blocked JIDs as written in the block list: full, bare, domain or domain/resource (XEP-0191 §2). */
  blocked: ReadonlySet<string>;
  /** When the last session ended and what it said then (XEP-0012). */
  lastSeen: AccountRecord['lastSeen'];
  /** How much is kept for its user, as far as planning must know; the store has the last word. */
  readonly stored: { messages: number; bytes: number };
  /** The address that its chat and normal messages go to instead. */
  forwardTo: Jid | undefined;
  /** How many of its sessions have an interest; absent until one has. */
  #interested: Map<Interest, number> | undefined;

  constructor(jid: Jid, record: AccountRecord) {
    this.jid = jid;
    this.key = jid.toString();
    this.roster = new Roster(record.roster, record.rosterVersion);
    this.blocked = record.blocked.length === 0 ? nobody : new Set(record.blocked);
    this.lastSeen = record.lastSeen;
    this.stored = { messages: 0, bytes: 0, ...record.stored };
    this.forwardTo = record.forwardTo === undefined ? undefined : Jid.parse(record.forwardTo);
  }

  /** Blocks these too. */
  block(texts: Iterable<string>): void {
    this.blocked = new Set([...this.blocked, ...texts]);
  }

  /** Blocks these no longer. */
  unblock(texts: Iterable<string>): void {
    const blocked = new Set(this.blocked);
    for (const text of texts) blocked.delete(text);
    this.blocked = blocked.size === 0 ? nobody : blocked;
  }

  /** Counts messages that are kept from now on, or no longer. */
  countStored(messages: number, bytes: number): void {
    this.stored.messages += messages;
    this.stored.bytes += bytes;
  }

  /** How many of its sessions have an interest; cheap enough to be asked for every message. */
  sessionsInterestedIn(interest: Interest): number {
    return this.#interested?.get(interest) ?? 0;
  }

  countInterest(interest: Interest, change: 1 | -1): void {
    this.#interested ??= new Map();
    this.#interested.set(interest, this.sessionsInterestedIn(interest) + change);
  }
}
