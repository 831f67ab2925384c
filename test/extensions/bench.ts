import { Jid } from '../../src/protocol/jid.ts';
import { Stanza } from '../../src/protocol/stanza.ts';
import type { Account } from '../../src/routing/account.ts';
import type { Extension } from '../../src/routing/extension.ts';
import type { Outbound } from '../../src/routing/outbound.ts';
import { Routing } from '../../src/routing/routing.ts';
import type { Service } from '../../src/routing/service.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { parseFrame } from '../../src/xml/parse-frame.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { StubSession } from '../support/stub-session.ts';
import { openTemporaryStorage } from '../support/temporary-storage.ts';

/** What an extension on the bench can be made from. */
export interface BenchGround extends Omit<Routing, 'install'> {
  readonly routing: Routing;
  readonly storage: Storage;
  readonly clock: ManualClock;
  readonly log: RecordingLog;
}

/** The extensions under test, and what they are tested with. */
export interface Fitting {
  readonly extensions: readonly Extension<never>[];
  /** What carries stanzas to other servers. */
  readonly remotes?: Outbound;
  /** What answers for other domains. */
  readonly services?: readonly Service[];
}

let accounts = 0;

/** A real road and a real store with some extensions on it, and sessions without streams. Made inside a `describe`. */
export class Bench {
  readonly clock = new ManualClock();
  readonly log = new RecordingLog();
  readonly #fit: (core: BenchGround) => Fitting;
  #storage: Storage | undefined;
  #routing: Routing | undefined;

  constructor(fit: (core: BenchGround) => Fitting) {
    this.#fit = fit;
    let close: (() => Promise<void>) | undefined;
    before(async () => {
      const opened = await openTemporaryStorage();
      this.#storage = opened.storage;
      close = opened.close;
    });
    beforeEach(() => this.rebuild());
    after(() => close?.());
  }

  get storage(): Storage {
    if (!this.#storage) throw new Error('the store is open only while tests run');
    return this.#storage;
  }

  get routing(): Routing {
    if (!this.#routing) throw new Error('the road is open only while tests run');
    return this.#routing;
  }

  /** Starts the server anew: only what was stored is still there. */
  rebuild(): void {
    const { storage, clock, log } = this;
    const bounds = { domains: ['localhost'], maxRosterItems: 100, maxDirectedPresences: 10 };
    const routing = new Routing({ ...bounds, storage, clock, log });
    const { services = [], ...parts } = this.#fit({ ...routing, routing, storage, clock, log });
    for (const service of services) routing.services.add(service);
    routing.install(parts);
    this.#routing = routing;
  }

  /** A new account whose name begins with `name`. */
  async account(name = 'juliet'): Promise<Account> {
    const jid = `${name}${++accounts}@localhost`;
    await this.storage.accounts.create(jid, { scram: {} });
    const account = await this.routing.accounts.get(Jid.parse(jid));
    if (!account) throw new Error(`${jid} is not there`);
    return account;
  }

  /** A session of an account; available if it has something to say about itself. */
  async session(account: Account, resource: string, presence?: string): Promise<StubSession> {
    const session = new StubSession(account, resource);
    this.routing.sessions.add(session);
    if (presence) await this.does(session, presence);
    session.taken();
    return session;
  }

  /** An account with one session. */
  async user(name?: string, presence?: string): Promise<StubSession> {
    return this.session(await this.account(name), 'home', presence);
  }

  /** The client sends a stanza; resolves when it has been dealt with. */
  async does(session: StubSession, stanza: string): Promise<void> {
    await this.routing.router.fromSession(read(stanza).with({ from: session.jid }), session);
  }

  /** The client sends a stanza; answers with what it got since. */
  async asks(session: StubSession, stanza: string): Promise<string[]> {
    session.taken();
    await this.does(session, stanza);
    return session.taken();
  }

  /** A stanza comes in from elsewhere. */
  async arrives(stanza: string): Promise<void> {
    await this.routing.route(read(stanza));
  }

  /** A stanza comes in from another server. */
  async comes(stanza: string): Promise<void> {
    await this.routing.router.fromPeer(read(stanza), { needsAck: false, ackAfter: () => undefined });
  }

  /** The session's stream is gone. */
  ends(session: StubSession): void {
    session.ended = true;
    this.routing.sessions.remove(session);
    this.routing.sessionEnded(session);
  }

  /** Makes `contact` a subscriber of the owner's presence, and the owner one of the contact's. */
  async befriend(owner: Account, contact: Account): Promise<void> {
    for (const [one, other] of [
      [owner, contact],
      [contact, owner],
    ] as const) {
      const item = one.roster.getOrBlank(other.key);
      await this.routing.rosters.save(one, { ...item, subscription: 'both', inRoster: true });
    }
  }
}

function read(stanza: string): Stanza {
  return Stanza.fromFrame(parseFrame(stanza));
}

/** The `<error/>` of a stanza error with its default type, as text. */
export function errorText(type: string, condition: string): RegExp {
  return new RegExp(`^<iq [^>]*type="error"><error type="${type}"><${condition} xmlns="[^"]*"/>`);
}
