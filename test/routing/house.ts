import { Jid } from '../../src/protocol/jid.ts';
import type { Stanza } from '../../src/protocol/stanza.ts';
import type { Account } from '../../src/routing/account.ts';
import { stampFrom } from '../../src/routing/client-boundary.ts';
import type { Extension } from '../../src/routing/extension.ts';
import type { MaybePromise } from '../../src/routing/maybe-promise.ts';
import type { MessageStore, StoredExtras } from '../../src/routing/message-store.ts';
import type { Outbound } from '../../src/routing/outbound.ts';
import { Routing, type RoutingDeps } from '../../src/routing/routing.ts';
import type { Service } from '../../src/routing/service.ts';
import type { RosterItem } from '../../src/storage/rosters.ts';
import { readStanza } from '../protocol/read-stanza.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { StubSession } from '../support/stub-session.ts';
import { MemoryAccounts, MemoryRosters } from './memory-stores.ts';

/** What a house can be furnished with. */
export interface Furniture {
  readonly extensions?: readonly Partial<Extension>[];
  readonly maxRosterItems?: number;
  readonly maxDirectedPresences?: number;
  /** What keeping a message comes to. */
  readonly keep?: (message: Stanza, owner: Jid) => Promise<void>;
  /** Whether a message fits into the store; it does unless said otherwise. */
  readonly hasRoom?: () => boolean;
  /** What takes stanzas for other servers; there is no way to them unless it is said. */
  readonly remotes?: Outbound;
  readonly services?: readonly Service[];
}

/** A real road without streams and without a disk, at `a.example` and `b.example`. */
export class House {
  readonly clock = new ManualClock();
  readonly log = new RecordingLog();
  readonly accounts = new MemoryAccounts();
  readonly rosters = new MemoryRosters();
  /** What was kept for absent users, as text. */
  readonly kept: string[] = [];
  /** What was kept with each. */
  readonly keptWith: (StoredExtras | undefined)[] = [];
  readonly routing: Routing;

  constructor(furniture: Furniture = {}) {
    const {
      extensions = [],
      maxRosterItems = 100,
      maxDirectedPresences = 100,
      keep,
      hasRoom = () => true,
      remotes,
      services = [],
    } = furniture;
    const bounds = { domains: ['a.example', 'b.example'], maxRosterItems, maxDirectedPresences };
    const { accounts, rosters, clock, log } = this;
    // Routing reads no more of the storage than this.
    const storage = { accounts, rosters } as unknown as RoutingDeps['storage'];
    this.routing = new Routing({ ...bounds, storage, clock, log });
    const messageStore: MessageStore = {
      keep: async (message, owner, extras) => {
        await keep?.(message, owner);
        this.keptWith.push(extras);
        this.kept.push(`${owner} ${message}`);
      },
      hasRoom,
      isInFlight: () => false,
    };
    for (const service of services) this.routing.services.add(service);
    this.routing.install({
      ...(remotes && { remotes }),
      extensions: [{ messageStore }, ...extensions].map((extension) => ({ name: 'test', claims: [], ...extension })),
    });
  }

  /** An account, in memory. */
  async account(jid: string, ...items: readonly RosterItem[]): Promise<Account> {
    this.accounts.add(jid, ...items);
    const account = await this.routing.accounts.get(Jid.parse(jid));
    if (!account) throw new Error(`${jid} is not there`);
    return account;
  }

  /** A session without presence; makes its account if there is none. */
  async connect(fullJid: string, ...items: readonly RosterItem[]): Promise<StubSession> {
    const jid = Jid.parse(fullJid);
    const known = await this.routing.accounts.get(jid);
    if (known === undefined) this.routing.accounts.forget(jid.bare().toString());
    const account = known ?? (await this.account(jid.bare().toString(), ...items));
    const session = new StubSession(account, jid.resource);
    this.routing.sessions.add(session);
    return session;
  }

  /** An available session; what it was greeted with is thrown away. */
  async online(fullJid: string, ...items: readonly RosterItem[]): Promise<StubSession> {
    const session = await this.connect(fullJid, ...items);
    await this.says(session, '<presence/>');
    await this.settled();
    session.taken();
    return session;
  }

  /** The session's client sends a stanza. */
  says(session: StubSession, stanza: string): MaybePromise<void> {
    return this.routing.router.fromSession(stampFrom(readStanza(stanza), session.jid), session);
  }

  /** The session is gone. */
  ends(session: StubSession): void {
    session.ended = true;
    this.routing.sessions.remove(session);
    this.routing.sessionEnded(session);
  }

  /** Everything that was under way has happened: a turn of the event loop, and no timer. */
  settled(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve));
  }
}

/** What a session got, of a stanza only what matters: kind, type, sender, and the first child. */
export function briefly(session: StubSession): string[] {
  return session.sent.splice(0).map(brief);
}

/** A stanza in a few words. */
export function brief({ kind, type, from, payload }: Stanza): string {
  const child = payload.children.at(-1);
  const condition = child?.name === 'error' ? errorCondition(payload.element(child).children) : child?.name;
  return [kind, type, from?.toString(), condition].filter((part) => part !== undefined).join(' ');
}

function errorCondition(children: readonly unknown[]): string {
  return children
    .map((child) => (child instanceof Object && 'name' in child ? String(child.name) : ''))
    .filter((name) => name !== '' && name !== 'text')
    .join('+');
}
