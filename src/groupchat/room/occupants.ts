import type { Jid } from '../../protocol/jid.ts';
import type { OccupantRole } from '../../protocol/muc/room-config.ts';
import type { Stanza } from '../../protocol/stanza.ts';

/** A client with which an occupant is in the room. */
export interface OccupantSession {
  /** The full JID. */
  readonly jid: Jid;
  /** Its last presence, without what only the room may say, and without addresses. */
  readonly presence: Stanza;
  readonly priority: number;
}

/** A user in a room under one nickname, perhaps with several clients (XEP-0045 §7.2.8). */
export interface Occupant {
  readonly nick: string;
  readonly nickKey: string;
  /** The address in the room: the room with the nickname. */
  readonly address: Jid;
  /** The bare JID. */
  readonly user: Jid;
  readonly role: OccupantRole;
  /** XEP-0421. */
  readonly occupantId: string;
  /** At least one; the latest presence is last. */
  readonly sessions: readonly OccupantSession[];
}

/** The occupants of a room, by nickname and by full JID. Immutable, so that an announcement can keep the occupants of its moment. */
export class Occupants {
  static readonly none = new Occupants(new Map());

  readonly #byNick: ReadonlyMap<string, Occupant>;
  #bySession: ReadonlyMap<string, Occupant> | undefined;
  #sessions: readonly Jid[] | undefined;

  private constructor(byNick: ReadonlyMap<string, Occupant>, bySession?: ReadonlyMap<string, Occupant>) {
    this.#byNick = byNick;
    this.#bySession = bySession;
  }

  /** How many occupants there are. */
  get size(): number {
    return this.#byNick.size;
  }

  get all(): Iterable<Occupant> {
    return this.#byNick.values();
  }

  /** The occupant with a nickname of this key. */
  named(nickKey: string): Occupant | undefined {
    return this.#byNick.get(nickKey);
  }

  /** The occupant that is here with this client. */
  with(fullJid: Jid): Occupant | undefined {
    return this.#sessionIndex().get(fullJid.toString());
  }

  /** Whether a client is here, by the text of its full JID. */
  isInside(fullJid: string): boolean {
    return this.#sessionIndex().has(fullJid);
  }

  #sessionIndex(): ReadonlyMap<string, Occupant> {
    this.#bySession ??= new Map(
      [...this.all].flatMap((occupant) => occupant.sessions.map(({ jid }) => [jid.toString(), occupant])),
    );
    return this.#bySession;
  }

  /** The occupants of one user. */
  of(user: Jid): Occupant[] {
    return [...this.all].filter((occupant) => occupant.user.equals(user));
  }

  /** The full JIDs of all clients. The same array each time, so that it can be a key. */
  get sessions(): readonly Jid[] {
    this.#sessions ??= [...this.all].flatMap((occupant) => occupant.sessions.map(({ jid }) => jid));
    return this.#sessions;
  }

  /** The occupants with changes: each nickname key gets its new occupant, or nobody. */
  changed(changes: Iterable<readonly [nickKey: string, occupant: Occupant | undefined]>): Occupants {
    const byNick = new Map(this.#byNick);
    const bySession = this.#bySession && new Map(this.#bySession);
    for (const [key, occupant] of changes) {
      const before = byNick.get(key);
      for (const { jid } of before?.sessions ?? [])
        if (bySession?.get(jid.toString()) === before) bySession?.delete(jid.toString());
      for (const { jid } of occupant?.sessions ?? []) if (occupant) bySession?.set(jid.toString(), occupant);
      if (occupant) byNick.set(key, occupant);
      else byNick.delete(key);
    }
    return new Occupants(byNick, bySession);
  }
}

/** The client that stands for an occupant: the one of the highest priority, and the latest of these. */
export function primaryOf({ sessions }: Occupant): OccupantSession {
  return sessions.reduce((best, next) => (next.priority >= best.priority ? next : best));
}
