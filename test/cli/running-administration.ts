import { ArchiveIds } from '../../src/archives/archive-ids.ts';
import { Devices } from '../../src/c2s/devices.ts';
import { Invitations } from '../../src/c2s/invitations.ts';
import { Pbkdf2Queue } from '../../src/c2s/negotiation/sasl/pbkdf2-queue.ts';
import { Registrar } from '../../src/c2s/registrar.ts';
import { Suspensions } from '../../src/c2s/suspensions.ts';
import type { ComponentReport } from '../../src/components/component.ts';
import {
  type ExplainReport,
  messageOperations,
  type OperatorMessaging,
  type SendReport,
} from '../../src/extensions/amp/operator/message-operations.ts';
import { blockListOperations } from '../../src/extensions/block-lists/block-lists.ts';
import { uploadOperations } from '../../src/extensions/upload/upload-operations.ts';
import type { LinkTestReport } from '../../src/federation/link-test.ts';
import type { PeerStreamReport } from '../../src/federation/peer-report.ts';
import { type OperatedRooms, roomOperations } from '../../src/groupchat/room-operations.ts';
import { Rooms } from '../../src/groupchat/rooms.ts';
import { Jid } from '../../src/protocol/jid.ts';
import { Account } from '../../src/routing/account.ts';
import { OperationError } from '../../src/routing/operation-error.ts';
import { LocalSessions } from '../../src/routing/session-directory.ts';
import { openSqliteStorage } from '../../src/storage/sqlite/open-sqlite-storage.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { newTraffic } from '../../src/streams/stream-traffic.ts';
import { systemClock } from '../../src/support/clock.ts';
import { Audit } from '../../src/web/control/audit.ts';
import { type ControlServer, startControlServer } from '../../src/web/control/control-server.ts';
import { operations } from '../../src/web/control/operations.ts';
import type { RunningServer } from '../../src/web/control/running-server.ts';
import { controlSocketPath } from '../../src/web/control/socket-path.ts';
import { Watches } from '../../src/web/watch/watches.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { StubSession } from '../support/stub-session.ts';

/** What a running server would say of itself. */
export const sampleStatus = {
  version: '1.2.3',
  startedAtMs: Date.UTC(2026, 0, 1),
  addresses: { c2s: [{ address: '127.0.0.1', port: 5222 }], c2sTls: [], components: [] },
  connections: 7,
  certificates: [{ domain: 'localhost', atMs: Date.UTC(2027, 0, 1) }],
  extensions: { amp: { title: 'Rules', summary: '3 fired', figures: { refused: 4 } } },
};

/** All of a running server that administration sees, over real storage and without a network but its control socket. */
export class RunningAdministration {
  readonly sessions = new LocalSessions();
  readonly forgotten: string[] = [];
  readonly known = new Map<string, Account>();
  readonly log = new RecordingLog();
  /** The domains that federation was told to block. */
  blocked: readonly string[] = [];
  /** The domains that the configuration blocks. */
  denied: readonly string[] = [];
  readonly traffic = newTraffic();
  readonly watches = new Watches({
    traffic: this.traffic,
    followLog: (take) => this.log.follow(take),
    clock: systemClock,
  });
  readonly storage: Storage;
  /** What the next reload rejects with. */
  reloadFailure: Error | undefined;
  reloads = 0;
  /** The settings that need a restart. */
  waiting: readonly string[] = [];
  /** How often the contents of removed uploads were deleted. */
  tidied = 0;
  components: ComponentReport[] = [];
  peers: PeerStreamReport[] = [];
  /** What the test of a link says. */
  linkTest: LinkTestReport | undefined;
  /** What was asked of the operations about messages. */
  readonly asked: object[] = [];
  /** What the operations about messages answer. */
  explanation: ExplainReport | undefined;
  sending: SendReport | undefined;
  readonly #console: RunningServer['console'];
  #control: ControlServer | undefined;

  private constructor(storage: Storage, console: RunningServer['console']) {
    this.storage = storage;
    this.#console = console;
  }

  readonly #messages: OperatorMessaging = {
    explain: async (request) => this.#answer(request, this.explanation),
    send: async (request) => this.#answer(request, this.sending),
  };

  #rooms(): OperatedRooms {
    const rooms = new Rooms({
      listed: { has: () => false, sparesMembers: true, reason: '', refused: () => undefined },
      store: this.storage.rooms,
      ids: async () => new ArchiveIds(Buffer.alloc(16)),
      limits: { maxRooms: 10, maxRoomsPerOwner: 10 },
      isLocalDomain: () => true,
      hasSession: () => true,
      restored: Promise.resolve(),
      ping: () => Promise.resolve(undefined),
      send: () => {},
      clock: systemClock,
      log: this.log,
    });
    return { rooms, store: this.storage.rooms, hasRooms: (domain) => domain === 'conference.localhost' };
  }

  #context(): RunningServer {
    const forget = (key: string) => void this.forgotten.push(key);
    return {
      storage: this.storage,
      domains: ['localhost'],
      registrar: new Registrar({
        store: this.storage.accounts,
        account: () => undefined,
        cancelSubscriptions: () => Promise.resolve(),
        forget,
        sessions: this.sessions,
        pbkdf2: new Pbkdf2Queue(),
        iterations: 4096,
        removed: () => {},
      }),
      devices: new Devices({
        store: this.storage.devices,
        sessions: this.sessions,
        revoked: () => {},
        keepMs: 0,
        clock: systemClock,
        log: this.log,
      }),
      suspensions: new Suspensions({
        store: this.storage.moderation,
        sessions: this.sessions,
        removeAccount: () => Promise.resolve(true),
        clock: systemClock,
        log: this.log,
      }),
      invitations: new Invitations({
        store: this.storage.invitations,
        options: { enabled: true, url: 'https://localhost', lifetimeMs: 86_400_000, maxOfMaker: 10 },
        clock: systemClock,
      }),
      denied: () => this.denied,
      blocksChanged: async () => {
        this.blocked = (await this.storage.moderation.blockedDomains()).map(({ domain }) => domain);
      },
      exports: new Set(),
      accounts: { forget, peek: (key) => this.known.get(key) },
      sessions: this.sessions,
      peers: () => this.peers,
      status: () => sampleStatus,
      watches: this.watches,
      components: () => this.components,
      testPeer: async (pair) => this.#answer(pair, this.linkTest),
      configuration: () => ({ effective: {}, waiting: this.waiting }),
      check: async () => [],
      console: this.#console,
      reload: async () => {
        if (this.reloadFailure) throw this.reloadFailure;
        this.reloads += 1;
      },
    };
  }

  /** Opens the storage of a data directory and the control socket in it. */
  static async start(dataDir: string, console?: RunningServer['console']): Promise<RunningAdministration> {
    const onFatal = (error: Error) => {
      throw error;
    };
    const running = new RunningAdministration(await openSqliteStorage({ dataDir, onFatal }), console);
    const context = running.#context();
    const rooms = running.#rooms();
    const uploads = {
      store: running.storage.uploads,
      clock: systemClock,
      tidy: () => {
        running.tidied += 1;
      },
    };
    running.#control = await startControlServer({
      path: controlSocketPath(dataDir),
      operations: [
        ...operations.map(({ bind }) => bind(context)),
        ...blockListOperations.map(({ bind }) =>
          bind({ report: () => [], listsWith: () => ['xmpp:lists.example?;node=a'] }),
        ),
        ...messageOperations.map(({ bind }) => bind(running.#messages)),
        ...roomOperations.map(({ bind }) => bind(rooms)),
        ...uploadOperations.map(({ bind }) => bind(uploads)),
      ],
      audit: new Audit({ store: running.storage.administrations, clock: systemClock, log: running.log }),
      clock: systemClock,
      log: running.log,
    });
    return running;
  }

  /** Connects a client of an account. */
  connect(jid: string): StubSession {
    const address = Jid.parse(jid);
    const account = new Account(address.bare(), { roster: [], rosterVersion: 0, blocked: [] });
    const session = new StubSession(account, address.resource);
    this.sessions.add(session);
    return session;
  }

  #answer<T>(request: object, answer: T | undefined): T {
    this.asked.push(request);
    if (answer === undefined) throw new OperationError('invalid', 'Nobody expected this.');
    return answer;
  }

  async stop(): Promise<void> {
    await this.#control?.close();
    await this.storage.close();
  }
}
