import { Socket } from 'node:net';
import { createSecureContext } from 'node:tls';
import { ClientSessions, type SessionPolicy } from '../../src/c2s/client-sessions.ts';
import { ClientStream } from '../../src/c2s/client-stream.ts';
import type { ClientStreamDeps } from '../../src/c2s/client-stream-deps.ts';
import { StreamManagement } from '../../src/c2s/management/stream-management.ts';
import type { StreamFeature } from '../../src/c2s/negotiation/stream-feature.ts';
import { StanzaIntake } from '../../src/c2s/stanza-intake.ts';
import { Jid } from '../../src/protocol/jid.ts';
import type { Stanza } from '../../src/protocol/stanza.ts';
import { Account } from '../../src/routing/account.ts';
import type { NonzaHandler } from '../../src/routing/extension.ts';
import type { MaybePromise } from '../../src/routing/maybe-promise.ts';
import { OutgoingRequests } from '../../src/routing/outgoing-requests.ts';
import type { Session } from '../../src/routing/session.ts';
import { LocalSessions } from '../../src/routing/session-directory.ts';
import { KeptCopies } from '../../src/streams/acknowledgment/kept-copies.ts';
import { Connection } from '../../src/streams/connection.ts';
import type { ConnectionUser } from '../../src/streams/stream-connection.ts';
import type { StreamLimits } from '../../src/streams/stream-limits.ts';
import { StreamTraffic } from '../../src/streams/stream-traffic.ts';
import { servingTls } from '../../src/tls/tls-options.ts';
import type { XmlLimits } from '../../src/xml/xml-limits.ts';
import { turn } from '../streams/socket-pair.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { MemoryResumption } from './memory-resumption.ts';

const xml: XmlLimits = { maxBytes: 10_000, maxElements: 100, maxAttributes: 20, maxDepth: 20, maxNamespaces: 20 };
const rate = { bytesPerSecond: 1e9, burstBytes: 1e9 };

/** Bounds that get in no test's way. */
export const limits: StreamLimits = {
  unauthenticatedXml: { ...xml, maxBytes: 5000 },
  unauthenticatedRate: rate,
  xml,
  rate,
  connection: { outgoingBufferBytes: 1e6, writeStallMs: 10_000 },
  idBytes: 100,
  langBytes: 20,
  tlsHandshakeMs: 5000,
  authenticationMs: 30_000,
  frameCompletionMs: 10_000,
  idlePingAfterMs: 100_000,
  idleCloseAfterMs: 20_000,
  authenticationFailures: 3,
};

/** Bounds of stream management that get in no test's way. */
export const management = {
  resumption: { resumeSeconds: 600, maxResumeSeconds: 3600 },
  limits: { maxStanzas: 100, maxBytes: 1e6, ackEveryStanzas: 5, ackAfterMs: 5000 },
};

const noContext = createSecureContext();
/** Certificates that nobody looks at. */
export const layTls = servingTls({ single: true, contextFor: () => noContext });

/** A socket without a network: it reads what the test feeds it and keeps what is written. */
export class FakeSocket extends Socket {
  output = '';
  /** Whether it takes nothing more. */
  stalled = false;
  #take = () => {};

  constructor() {
    super();
    Object.defineProperty(this, 'remoteAddress', { value: '192.0.2.1' });
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.output += chunk;
    if (this.stalled) this.#take = done;
    else done();
  }

  /** Takes what it has not taken yet. */
  takeAll(): void {
    this.stalled = false;
    this.#take();
  }

  override _writev(chunks: readonly { chunk: Buffer }[], done: () => void): void {
    for (const { chunk } of chunks) this.output += chunk;
    done();
  }

  override _final(done: () => void): void {
    done();
  }
}

/** A connection whose TLS handshakes end when the test says so. */
export class FakeConnection extends Connection {
  readonly #user: ConnectionUser;
  readonly #plain: Socket;
  #handshaking = false;

  constructor(...[socket, user, ...rest]: ConstructorParameters<typeof Connection>) {
    super(socket, user, ...rest);
    this.#plain = socket;
    this.#user = user;
  }

  override startTls(...[, , goAhead]: Parameters<Connection['startTls']>): void {
    if (goAhead !== undefined) this.write(goAhead);
    this.flush();
    this.#handshaking = true;
  }

  finishHandshake(): void {
    if (this.#handshaking && !this.#plain.destroyed) this.#user.secured();
    this.#handshaking = false;
  }
}

/** One client on the bench. */
export class Visit {
  readonly socket = new FakeSocket();
  readonly connection: FakeConnection;
  readonly stream: ClientStream;

  constructor(deps: ClientStreamDeps, start: 'starttls' | 'direct') {
    this.stream = new ClientStream(deps, () => {});
    const { unauthenticatedRate: rate, connection: limits } = deps.limits;
    this.connection = new FakeConnection(this.socket, this.stream, { rate, limits, layTls, clock: deps.clock });
    this.stream.open(this.connection, start);
  }

  /** The client sends; answers with what it gets for it. */
  async says(text: string | Buffer): Promise<string> {
    if (!this.socket.destroyed) this.socket.push(Buffer.from(text));
    return this.hears();
  }

  /** What has come since the last call, with everything that was under way done. */
  async hears(): Promise<string> {
    for (let turns = 0; turns < 3; turns++) await turn();
    const { output } = this.socket;
    this.socket.output = '';
    return output.replace(/ id="[\w-]{22}"/g, ' id="*"');
  }

  /** The client is gone. */
  async leaves(): Promise<void> {
    this.socket.destroy();
    await turn();
  }
}

/** What a bench may have that is not as usual. */
export interface BenchOptions {
  readonly features?: (bench: StreamBench) => readonly StreamFeature[];
  readonly limits?: Partial<StreamLimits>;
  readonly policy?: Partial<SessionPolicy>;
  readonly nonzas?: readonly NonzaHandler[];
  readonly route?: (stanza: Stanza, session: Session) => MaybePromise<void>;
  readonly account?: (jid: Jid) => MaybePromise<Account | undefined>;
}

/** Streams with a directory and a router of their own, at `a.example` and `b.example`. */
export class StreamBench {
  readonly clock = new ManualClock();
  readonly log = new RecordingLog();
  readonly directory = new LocalSessions();
  readonly requests = new OutgoingRequests(this.clock);
  /** The sessions that ended, in order. */
  readonly ended: Session[] = [];
  /** The stanzas that ended sessions redelivered. */
  readonly undelivered: Stanza[] = [];
  readonly traffic = new StreamTraffic();
  readonly store = new MemoryResumption();
  /** The accounts whose password was changed after all clients have begun to authenticate. */
  readonly changed = new Set<string>();
  /** The stanzas that reached the router. */
  readonly routed: string[] = [];
  readonly sessions: ClientSessions;
  readonly management: StreamManagement;
  readonly deps: ClientStreamDeps;
  readonly visits: Visit[] = [];
  readonly #accounts = new Map<string, Account>();

  constructor(options: BenchOptions = {}) {
    const { clock, log, requests, directory, store } = this;
    this.sessions = new ClientSessions({
      directory,
      account: options.account ?? ((jid) => this.account(jid.toString())),
      policy: { maxPerAccount: 3, conflict: 'replace', ...options.policy },
      ...management,
      store,
      copies: new KeptCopies({ store, clock, log }),
      requests,
      clock,
      log,
      ended: (session) => void this.ended.push(session),
      connectionLost: () => undefined,
      waiting: () => undefined,
      restored: () => undefined,
      returned: () => {},
      restoreWatch: () => undefined,
      route: (stanza) => void this.undelivered.push(stanza),
    });
    this.management = new StreamManagement(this.sessions.resumable);
    const bounds = { ...limits, ...options.limits };
    const route = (stanza: Stanza, session: Session) => {
      this.routed.push(stanza.toString());
      return options.route?.(stanza, session);
    };
    this.deps = {
      isLocalDomain: (domain) => domain === 'a.example' || domain === 'b.example',
      features: options.features?.(this) ?? [],
      notices: () => [],
      intake: new StanzaIntake({
        nonzas: options.nonzas ?? [],
        management: this.management,
        route,
        limits: bounds,
      }),
      traffic: this.traffic,
      sessions: this.sessions,
      registrar: {
        changes: 0,
        hasChangedSince: (jid, changes) => changes === 0 && this.changed.has(jid.toString()),
      },
      requests,
      limits: bounds,
      clock,
      log,
    };
  }

  account(jid: string): Account {
    const account =
      this.#accounts.get(jid) ?? new Account(Jid.parse(jid), { roster: [], rosterVersion: 0, blocked: [] });
    this.#accounts.set(jid, account);
    return account;
  }

  visit(start: 'starttls' | 'direct' = 'starttls'): Visit {
    const visit = new Visit(this.deps, start);
    this.visits.push(visit);
    return visit;
  }
}

/** A client's stream header. */
export function header(to = 'a.example', attributes = ''): string {
  return `<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='${to}' version='1.0'${attributes}>`;
}
