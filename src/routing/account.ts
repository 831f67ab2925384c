import type { Jid } from '../protocol/jid.ts';
import type { AccountRecord } from '../storage/accounts.ts';
import { Roster } from './roster.ts';

/** A local account as the router knows it: what planning needs is in memory. */
export class Account {
  /** The bare JID. */
  readonly jid: Jid;
  /** The bare JID as text: its key in every map and table. */
  readonly key: string;
  readonly roster: Roster;
  /** Blocked JIDs as written in the block list: full, bare, domain or domain/resource (XEP-0191 §2). */
  readonly blocked: Set<string>;
  /** When the last session ended and what it said then (XEP-0012). */
  lastSeen: AccountRecord['lastSeen'];

  constructor(jid: Jid, record: AccountRecord) {
    this.jid = jid;
    this.key = jid.toString();
    this.roster = new Roster(record.roster, record.rosterVersion);
    this.blocked = new Set(record.blocked);
    this.lastSeen = record.lastSeen;
  }
}
