import type { AuthenticationTally } from '../c2s/negotiation/address-guard.ts';
import { Pbkdf2Queue } from '../c2s/negotiation/sasl/pbkdf2-queue.ts';
import type { Config } from '../config/schema.ts';
import { certificateOptions, clientAcceptorOptions, listenerLimits } from '../config/stream-options.ts';
import { type ClientAcceptor, makeClientAcceptor } from '../edges/client-acceptor.ts';
import { extensions } from '../extensions/index.ts';
import type { Service } from '../routing/service.ts';
import type { BlobStore } from '../storage/blobs.ts';
import { FileBlobs } from '../storage/file-blobs.ts';
import { dataPaths } from '../storage/sqlite/data-directory.ts';
import { openSqliteStorage, type SqliteStorageOptions } from '../storage/sqlite/open-sqlite-storage.ts';
import type { Storage } from '../storage/storage.ts';
import { ConnectionLimiter } from '../streams/connection-limiter.ts';
import { newTraffic, type Traffic } from '../streams/stream-traffic.ts';
import { type Clock, systemClock } from '../support/clock.ts';
import type { DiskSpace } from '../support/disk-space.ts';
import type { FollowedLog, Log } from '../support/log.ts';
import { Tally } from '../support/metric.ts';
import { CurrentCertificates } from '../tls/current-certificates.ts';
import { LiveOptions } from './live-options.ts';

/** What the caller that starts a server can give it. */
export interface Environment {
  readonly log: FollowedLog;
  readonly clock?: Clock;
  /** Services in this process that answer for further domains. */
  readonly services?: readonly Service[];
  /** Makes the list of extensions, in place of the server's own list. */
  readonly extensions?: typeof extensions;
  /** Measures the free space on the disk of the data. */
  readonly diskSpace?: (directory: string) => DiskSpace;
  /** Opens the store, in place of SQLite. */
  readonly openStorage?: (options: SqliteStorageOptions) => Promise<Storage>;
  /** Called when storage has failed permanently. The server can promise nothing more, so the process should end. */
  readonly onFatal?: (error: Error) => void;
}

/** What all parts of a server share: the configuration, the store, the certificates and limits. */
export interface Foundation {
  /** The configuration at the start. */
  readonly config: Config;
  /** What reloads change of it. */
  readonly live: LiveOptions;
  readonly storage: Storage;
  /** The contents of uploaded files. */
  readonly blobs: BlobStore;
  /** Services that the environment brings. */
  readonly services: readonly Service[];
  readonly makeExtensions: typeof extensions;
  readonly certificates: CurrentCertificates;
  /** Accepts the connections of clients. */
  readonly acceptor: ClientAcceptor;
  /** Shared by all listeners. */
  readonly limiter: ConnectionLimiter;
  readonly pbkdf2: Pbkdf2Queue;
  readonly authentications: AuthenticationTally;
  /** What the streams carry. */
  readonly traffic: Traffic;
  /** Aborted when storage has failed permanently. */
  readonly failure: AbortSignal;
  readonly clock: Clock;
  readonly log: Log;
}

/** Opens the store and reads the certificates. If one of them fails, rejects and leaves nothing open. */
export async function openFoundation(config: Config, environment: Environment): Promise<Foundation> {
  const { log, clock = systemClock, services = [] } = environment;
  const failure = new AbortController();
  const storage = await openStorage(config, environment, failure);
  try {
    const live = new LiveOptions(config);
    const certificates = await CurrentCertificates.load(certificateOptions(config, services), log);
    return {
      config,
      live,
      storage,
      blobs: new FileBlobs(dataPaths(config.dataDir).uploads, environment.diskSpace),
      services,
      makeExtensions: environment.extensions ?? extensions,
      certificates,
      acceptor: makeClientAcceptor(live.of(clientAcceptorOptions), certificates, { clock, log }),
      limiter: makeLimiter(live, clock, log),
      pbkdf2: new Pbkdf2Queue(),
      authentications: new Tally(),
      traffic: newTraffic(),
      failure: failure.signal,
      clock,
      log,
    };
  } catch (error) {
    await storage.close();
    throw error;
  }
}

/** Closes what {@link openFoundation} opened. */
export async function closeFoundation({ acceptor, storage }: Foundation): Promise<void> {
  await acceptor.end();
  await storage.close();
}

function makeLimiter(live: LiveOptions, clock: Clock, log: Log): ConnectionLimiter {
  const address = live.of((config) => listenerLimits(config).address);
  return new ConnectionLimiter(
    live.of((config) => ({ ...listenerLimits(config), address })),
    clock,
    log,
  );
}

function openStorage(config: Config, environment: Environment, failure: AbortController): Promise<Storage> {
  const { log, clock = systemClock, diskSpace, openStorage: open = openSqliteStorage } = environment;
  const { dataDir } = config;
  const { quickCheck, ballastBytes } = config.storage;
  const onFatal = (error: Error) => {
    failure.abort();
    log.error({ err: error }, 'storage failed for good');
    environment.onFatal?.(error);
  };
  return open({ dataDir, onFatal, log, clock, quickCheck, ballastBytes, ...(diskSpace && { diskSpace }) });
}
