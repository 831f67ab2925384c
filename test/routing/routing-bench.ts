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

/** What a test can add to the bench or replace on it. */
export interface RoutingBenchOptions {
  readonly extensions?: readonly Partial<Extension>[];
  readonly maxRosterItems?: number;
  readonly maxDirectedPresences?: number;
  /** Called when a message is stored; a rejection is that of the store. */
  readonly keep?: (message: Stanza, owner: Jid) => Promise<void>;
  /** Whether a message fits into the store; by default it does. */
  readonly hasRoom?: () => boolean;
  /** Takes stanzas for other servers; by default none can be reached. */
  readonly remotes?: Outbound;
  readonly services?: readonly Service[];
}

/** The real routing without streams and without a disk, for the domains `a.example` and `b.example`. */
export class RoutingBench {
  readonly clock = new ManualClock();
  readonly log = new RecordingLog();
  readonly accounts = new MemoryAccounts();
  readonly rosters = new MemoryRosters();
  /** The messages stored for absent users, as text. */
  readonly kept: string[] = [];
  /** What was stored together with each. */
  readonly keptWith: (StoredExtras | undefined)[] = [];
  readonly routing: Routing;

  constructor(options: RoutingBenchOptions = {}) {
    const {
      extensions = [],
      maxRosterItems = 100,
      maxDirectedPresences = 100,
      keep,
      hasRoom = () => true,
      remotes,
      services = [],
    } = options;
    const bounds = { domains: ['a.example', 'b.example'], maxRosterItems: () => maxRosterItems, maxDirectedPresences };
    const { accounts, rosters, clock, log } = this;
    // Routing uses only these parts of the storage.
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
      beginReading: async () => undefined,
    };
    for (const service of services) this.routing.services.add(service);
    this.routing.install({
      ...(remotes && { remotes }),
      extensions: [{ messageStore }, ...extensions].map((extension) => ({ name: 'test', claims: [], ...extension })),
    });
  }

  /** An account, loaded. */
  async account(jid: string, ...items: readonly RosterItem[]): Promise<Account> {
    this.accounts.add(jid, ...items);
    const account = await this.routing.accounts.get(Jid.parse(jid));
    if (!account) throw new Error(`${jid} is not there`);
    return account;
  }

  /** A session without presence; makes its account if necessary. */
  async connect(fullJid: string, ...items: readonly RosterItem[]): Promise<StubSession> {
    const jid = Jid.parse(fullJid);
    const known = await this.routing.accounts.get(jid);
    if (known === undefined) this.routing.accounts.forget(jid.bare().toString());
    const account = known ?? (await this.account(jid.bare().toString(), ...items));
    const session = new StubSession(account, jid.resource);
    this.routing.sessions.add(session);
    return session;
  }

  /** An available session; the stanzas that its initial presence brought it are dropped. */
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

  /** Ends the session. */
  ends(session: StubSession): void {
    session.ended = true;
    this.routing.sessions.remove(session);
    this.routing.sessionEnded(session);
  }

  /** Resolves when all pending work is done, except timers: after one turn of the event loop. */
  settled(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve));
  }
}

/** The stanzas that a session got since the last call, each in a few words. */
export function briefly(session: StubSession): string[] {
  return session.sent.splice(0).map(brief);
}

/** A stanza in a few words: kind, type, sender, and the last child, or the error condition. */
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
