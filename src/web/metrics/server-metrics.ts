import type { ComponentReport } from '../../components/component.ts';
import type { PeerStreamReport } from '../../federation/peer-report.ts';
import type { SessionDirectory } from '../../routing/session-directory.ts';
import type { ArchiveUsage } from '../../storage/archive.ts';
import type { Storage } from '../../storage/storage.ts';
import type { StreamTraffic, Traffic } from '../../streams/stream-traffic.ts';
import type { Clock } from '../../support/clock.ts';
import type { Metric, Sample, Tally } from '../../support/metric.ts';
import type { CertificateExpiry } from '../../tls/current-certificates.ts';
import type { Distribution } from './exposition.ts';

/** The connections of one kind. */
interface ConnectionCount {
  readonly kind: string;
  readonly authenticated: number;
  readonly unauthenticated: number;
}

/** Where the metrics of a server are read. */
export interface MetricSources {
  readonly version: string;
  readonly traffic: Traffic;
  readonly sessions: Pick<SessionDirectory, 'all'>;
  readonly connections: () => readonly ConnectionCount[];
  readonly peers: () => readonly PeerStreamReport[];
  readonly components: () => readonly ComponentReport[];
  readonly authentications: Tally<'mechanism' | 'result'>;
  readonly refusals: Tally<'reason'>;
  readonly requests: Tally<'route' | 'code'>;
  readonly certificates: () => readonly CertificateExpiry[];
  readonly storage: Pick<Storage, 'accounts' | 'archive' | 'rooms' | 'disk' | 'load'>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
}

/** For how long a measurement of archives is good: it reads them whole. */
const archiveMeasuredEveryMs = 3_600_000;

/** Seconds that a commit may take, by bucket. */
const commitSeconds = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** The metrics of the server, without those of its extensions. */
export function serverMetrics(sources: MetricSources): readonly Metric[] {
  return [...streamMetrics(sources), ...peerMetrics(sources), ...storageMetrics(sources), ...surfaceMetrics(sources)];
}

/** The distributions of the server. */
export function serverDistributions({ storage }: Pick<MetricSources, 'storage'>): readonly Distribution[] {
  return [
    {
      name: 'ampere_storage_commit_seconds',
      help: 'Time from giving a batch of operations to the storage thread to its answer.',
      buckets: commitSeconds,
      follow: (record) => storage.load.followBatches((durationMs) => record(durationMs / 1000)),
    },
  ];
}

function streamMetrics({ traffic, sessions, connections }: MetricSources): readonly Metric[] {
  return [
    {
      name: 'xmpp_sessions',
      help: 'Bound resources: connected, or waiting for their client to resume.',
      type: 'gauge',
      labels: ['state'],
      read: () => sessionSamples(sessions),
    },
    {
      name: 'xmpp_connections',
      help: 'Open connections, by kind of stream and whether the peer has authenticated.',
      type: 'gauge',
      labels: ['kind', 'state'],
      read: () =>
        connections().flatMap(({ kind, authenticated, unauthenticated }) => [
          { labels: { kind, state: 'authenticated' }, value: authenticated },
          { labels: { kind, state: 'unauthenticated' }, value: unauthenticated },
        ]),
    },
    {
      name: 'xmpp_stanzas_total',
      help: 'Stanzas read from streams and written to them.',
      type: 'counter',
      labels: ['direction', 'kind', 'via'],
      read: () =>
        byKind(traffic, ({ received, sent }) => ({ in: Object.entries(received), out: Object.entries(sent) })),
    },
    {
      name: 'xmpp_stream_bytes_total',
      help: 'Bytes of streams, above TLS.',
      type: 'counter',
      labels: ['direction', 'via'],
      read: () =>
        Object.entries(traffic).flatMap(([via, { receivedBytes, sentBytes }]) => [
          { labels: { direction: 'in', via }, value: receivedBytes },
          { labels: { direction: 'out', via }, value: sentBytes },
        ]),
    },
  ];
}

type Counts = Readonly<Record<'in' | 'out', readonly (readonly [kind: string, count: number])[]>>;

function byKind(traffic: Traffic, countsOf: (one: StreamTraffic) => Counts): Sample[] {
  return Object.entries(traffic).flatMap(([via, one]) =>
    Object.entries(countsOf(one)).flatMap(([direction, counts]) =>
      counts.map(([kind, value]) => ({ labels: { direction, kind, via }, value })),
    ),
  );
}

function sessionSamples(sessions: MetricSources['sessions']): readonly Sample[] {
  let connected = 0;
  let detached = 0;
  for (const session of sessions.all()) {
    if (session.detached) detached += 1;
    else connected += 1;
  }
  return [
    { labels: { state: 'connected' }, value: connected },
    { labels: { state: 'detached' }, value: detached },
  ];
}

function peerMetrics({ peers, components }: MetricSources): readonly Metric[] {
  return [
    {
      name: 'xmpp_s2s_links',
      help: 'Pairs of domains and streams with other servers, by direction and state.',
      type: 'gauge',
      labels: ['direction', 'state'],
      read: () => countBy(peers().map(({ direction, state }) => ({ direction, state }))),
    },
    {
      name: 'xmpp_components',
      help: 'Configured components.',
      type: 'gauge',
      labels: ['state'],
      read: () => {
        const all = components();
        const connected = all.filter(({ remoteAddress }) => remoteAddress !== undefined).length;
        return [
          { labels: { state: 'connected' }, value: connected },
          { labels: { state: 'absent' }, value: all.length - connected },
        ];
      },
    },
    {
      name: 'xmpp_queue_stanzas',
      help: 'Stanzas that wait for another server or a component.',
      type: 'gauge',
      labels: ['queue'],
      read: () => [
        { labels: { queue: 's2s' }, value: peers().reduce((sum, { queued }) => sum + queued, 0) },
        { labels: { queue: 's2s-unacknowledged' }, value: peers().reduce((sum, one) => sum + one.unacknowledged, 0) },
        { labels: { queue: 'component' }, value: components().reduce((sum, { waiting }) => sum + waiting, 0) },
      ],
    },
  ];
}

function countBy(all: readonly Readonly<Record<string, string>>[]): Sample[] {
  const groups = Map.groupBy(all, (labels) => Object.values(labels).join('\n'));
  return [...groups.values()].map((group) => ({ labels: group[0] ?? {}, value: group.length }));
}

function storageMetrics({ storage, clock }: MetricSources): readonly Metric[] {
  const ofAccounts = new ArchiveMeasurement(() => storage.archive.usage(), clock);
  const ofRooms = new ArchiveMeasurement(() => storage.rooms.usage(), clock);
  const gauge = (name: string, help: string, read: () => number | Promise<number>): Metric => ({
    name,
    help,
    type: 'gauge',
    read: async () => [{ value: await read() }],
  });
  return [
    gauge('xmpp_accounts', 'Accounts.', () => storage.accounts.count()),
    gauge(
      'xmpp_archive_messages',
      'Messages in the archives of accounts, measured once an hour.',
      () => ofAccounts.messages,
    ),
    gauge('xmpp_archive_bytes', 'Size of these messages, measured once an hour.', () => ofAccounts.bytes),
    gauge(
      'xmpp_room_archive_messages',
      'Messages in the archives of rooms, measured once an hour.',
      () => ofRooms.messages,
    ),
    gauge('xmpp_room_archive_bytes', 'Size of these messages, measured once an hour.', () => ofRooms.bytes),
    gauge(
      'ampere_storage_queue_operations',
      'Operations that wait for the storage thread.',
      () => storage.load.waiting,
    ),
    gauge('ampere_disk_free_bytes', 'Free space on the disk with the data.', () => storage.disk.freeBytes),
    gauge('ampere_disk_total_bytes', 'Size of the disk with the data.', () => storage.disk.totalBytes),
    gauge('ampere_disk_refusing', '1 while new data is refused because the disk is nearly full.', () =>
      Number(storage.disk.refusing),
    ),
    {
      name: 'ampere_storage_commits_total',
      help: 'Transactions committed.',
      type: 'counter',
      read: () => [{ value: storage.load.commits }],
    },
  ];
}

/** The size of archives. A measurement reads all of them, so it runs beside the requests, and seldom. */
class ArchiveMeasurement {
  readonly #measure: () => Promise<ArchiveUsage>;
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  #measuredAtMs: number | undefined;
  #messages = 0;
  #bytes = 0;

  constructor(measure: () => Promise<ArchiveUsage>, clock: Pick<Clock, 'monotonicMs'>) {
    this.#measure = measure;
    this.#clock = clock;
  }

  /** The number of messages at the last measurement; 0 before the first has ended. */
  get messages(): number {
    this.#renew();
    return this.#messages;
  }

  get bytes(): number {
    this.#renew();
    return this.#bytes;
  }

  #renew(): void {
    const nowMs = this.#clock.monotonicMs();
    if (this.#measuredAtMs !== undefined && nowMs - this.#measuredAtMs < archiveMeasuredEveryMs) return;
    this.#measuredAtMs = nowMs;
    this.#measure().then(
      ({ messages, bytes }) => {
        this.#messages = messages;
        this.#bytes = bytes;
      },
      // The store tells of its failures itself.
      () => undefined,
    );
  }
}

function surfaceMetrics(sources: MetricSources): readonly Metric[] {
  const { version, authentications, refusals, requests, certificates } = sources;
  return [
    {
      name: 'ampere_info',
      help: 'The version of the server.',
      type: 'gauge',
      labels: ['version'],
      read: () => [{ labels: { version }, value: 1 }],
    },
    {
      name: 'xmpp_auth_total',
      help: 'Authentications of clients. The result is "success" or the condition of the failure.',
      type: 'counter',
      labels: ['mechanism', 'result'],
      read: () => authentications.read(),
    },
    {
      name: 'xmpp_refused_total',
      help: 'Connections refused, by limit.',
      type: 'counter',
      labels: ['reason'],
      read: () => refusals.read(),
    },
    {
      name: 'xmpp_http_requests_total',
      help: 'Answered HTTP requests, by route and status.',
      type: 'counter',
      labels: ['route', 'code'],
      read: () => requests.read(),
    },
    {
      name: 'xmpp_tls_certificate_expiry_timestamp_seconds',
      help: 'When the certificate of a domain expires, in seconds since 1970.',
      type: 'gauge',
      labels: ['domain'],
      read: () => certificates().map(({ domain, atMs }) => ({ labels: { domain }, value: atMs / 1000 })),
    },
  ];
}
