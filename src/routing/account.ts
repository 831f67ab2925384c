import { Jid } from '../protocol/jid.ts';
import type { AccountRecord } from '../storage/accounts.ts';
import type { OfflineUsages } from '../storage/offline.ts';
import type { Interest, InterestCounter } from './interests.ts';
import { Roster } from './roster.ts';

/** Shared by all accounts with an empty block list, and by those without stored messages. */
const nobody: ReadonlySet<string> = new Set();
const noneStored: OfflineUsages = { unarchived: { messages: 0, bytes: 0 }, archived: { messages: 0, bytes: 0 } };

/** A local account as routing needs it, with everything that planning reads in memory. */
export class Account implements InterestCounter {
  /** The bare JID. */
  readonly jid: Jid;
  /** The bare JID as text: its key in every map and table. */
  readonly key: string;
  readonly roster: Roster;
  /** Blocked JIDs as written in the block list: full, bare, domain or domain/resource (XEP-0191 §2). */
  blocked: ReadonlySet<string>;
  /** When the account was last available, and its last status (XEP-0012). */
  lastSeen: AccountRecord['lastSeen'];
  /** The size of its stored messages, for planning. The store decides whether another message fits. */
  stored: OfflineUsages;
  /** The address to which its chat and normal messages are forwarded. */
  forwardTo: Jid | undefined;
  /** When its user has registered it, in milliseconds since 1970. 0 if the operator has made it, and when it is not new any more. */
  registeredAtMs: number;
  /** The number of its devices that push services wake (XEP-0357). */
  pushDevices = 0;
  /** The number of its sessions with each interest; absent until a session has one. */
  #interested: Map<Interest, number> | undefined;

  constructor(jid: Jid, record: AccountRecord) {
    this.jid = jid;
    this.key = jid.toString();
    this.roster = new Roster(record.roster, record.rosterVersion);
    this.blocked = record.blocked.length === 0 ? nobody : new Set(record.blocked);
    this.lastSeen = record.lastSeen;
    this.stored = record.stored ?? noneStored;
    this.registeredAtMs = record.registeredAtMs ?? 0;
    this.forwardTo = record.forwardTo === undefined ? undefined : Jid.parse(record.forwardTo);
  }

  /** Adds to the block list. */
  block(texts: Iterable<string>): void {
    this.blocked = new Set([...this.blocked, ...texts]);
  }

  /** Removes from the block list. */
  unblock(texts: Iterable<string>): void {
    const blocked = new Set(this.blocked);
    for (const text of texts) blocked.delete(text);
    this.blocked = blocked.size === 0 ? nobody : blocked;
  }

  /** Adds to the size of its stored messages of one kind; negative numbers for removed messages. */
  countStored(kind: keyof OfflineUsages, messages: number, bytes: number): void {
    const before = this.stored[kind];
    this.stored = { ...this.stored, [kind]: { messages: before.messages + messages, bytes: before.bytes + bytes } };
  }

  /** The number of its sessions with an interest. Cheap enough to call for every message. */
  sessionsInterestedIn(interest: Interest): number {
    return this.#interested?.get(interest) ?? 0;
  }

  countInterest(interest: Interest, change: 1 | -1): void {
    this.#interested ??= new Map();
    this.#interested.set(interest, this.sessionsInterestedIn(interest) + change);
  }
}
