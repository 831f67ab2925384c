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

/** Everything that the extensions under test can be made from. */
export interface BenchDeps extends Omit<Routing, 'install' | 'prepareChange'> {
  readonly routing: Routing;
  readonly storage: Storage;
  readonly clock: ManualClock;
  readonly log: RecordingLog;
}

/** The extensions under test, and the parts around them. */
export interface BenchParts {
  readonly extensions: readonly Extension<never>[];
  /** Carries stanzas to other servers. */
  readonly remotes?: Outbound;
  /** Answer for other domains. */
  readonly services?: readonly Service[];
}

/** The answer to an iq. */
const answer = /^<iq [^>]*type="(?:result|error)"/;
/** The turns of the event loop that an answer may take. */
const mostTurns = 1000;

let accounts = 0;

/** The real routing and a real store with some extensions, and sessions without streams. Make it inside a `describe`. */
export class Bench {
  readonly clock = new ManualClock();
  readonly log = new RecordingLog();
  readonly #makeParts: (deps: BenchDeps) => BenchParts;
  #storage: Storage | undefined;
  #routing: Routing | undefined;

  constructor(makeParts: (deps: BenchDeps) => BenchParts) {
    this.#makeParts = makeParts;
    let close: (() => Promise<void>) | undefined;
    before(async () => {
      const opened = await openTemporaryStorage(this.clock);
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
    if (!this.#routing) throw new Error('the routing exists only while tests run');
    return this.#routing;
  }

  /** Starts the server again: only stored data survives. */
  rebuild(): void {
    const { storage, clock, log } = this;
    const bounds = { domains: ['localhost'], maxRosterItems: () => 100, maxDirectedPresences: 10 };
    const routing = new Routing({ ...bounds, storage, clock, log });
    const { services = [], ...parts } = this.#makeParts({ ...routing, routing, storage, clock, log });
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

  /** A session of an account; available if `presence` is given. */
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

  /** The client sends a stanza; resolves when the stanza was handled. */
  async does(session: StubSession, stanza: string): Promise<void> {
    await this.routing.router.fromSession(read(stanza).with({ from: session.jid }), session);
  }

  /** The client sends a stanza; resolves with the stanzas that the client got in the meantime, up to the answer to an iq. */
  async asks(session: StubSession, stanza: string): Promise<string[]> {
    session.taken();
    await this.does(session, stanza);
    const taken = session.taken();
    const isAnswered = () => !stanza.startsWith('<iq') || taken.some((text) => answer.test(text));
    // A long answer takes several turns of the event loop.
    for (let turn = 0; turn < mostTurns && !isAnswered(); turn++) {
      await new Promise(setImmediate);
      taken.push(...session.taken());
    }
    return taken;
  }

  /** Routes a stanza that comes from no client. */
  async arrives(stanza: string): Promise<void> {
    await this.routing.route(read(stanza));
  }

  /** Another server sends a stanza. */
  async comes(stanza: string): Promise<void> {
    await this.routing.router.fromPeer(read(stanza), { needsAck: false, ackAfter: () => undefined });
  }

  /** Ends the session. */
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
  return new RegExp(`^<iq [^>]*type="error"><error type="${type}"(?: code="404")?><${condition} xmlns="[^"]*"/>`);
}
