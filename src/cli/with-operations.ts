import { existsSync, statSync } from 'node:fs';
import type { Config } from '../config/schema.ts';
import { dataPaths } from '../storage/sqlite/data-directory.ts';
import { StorageError } from '../storage/storage-error.ts';
import type { Operator } from '../web/control/operator.ts';
import type { ServedDomains } from '../web/control/served-domains.ts';
import type { ServerLocation } from './configuration.ts';
import { ControlClient, operatorName } from './control-client.ts';
import { CommandError, exitCodes } from './exit-codes.ts';

/** Works with the running server. If no server is running, throws `unreachable`, or `ConfigError` if the configuration is invalid. */
export async function withRunningServer<T>(
  { dataDir, readConfig }: ServerLocation,
  work: (server: ControlClient) => Promise<T>,
): Promise<T> {
  const server = await ControlClient.connect(dataDir);
  if (server !== undefined) return work(server);
  // An invalid configuration may be why no server is running.
  await readConfig();
  throw new CommandError(
    exitCodes.unreachable,
    `No server is running on the data in ${dataDir}: start it with "ampere start".`,
  );
}

/** Works with the running server, or with the data of a stopped one. The database must exist unless `create` is true. */
export async function withServerOrData<T>(
  { dataDir, readConfig }: ServerLocation,
  work: (operator: Operator<ServedDomains>) => Promise<T>,
  { create } = { create: false },
): Promise<T> {
  const server = await ControlClient.connect(dataDir);
  if (server !== undefined) return work(server);
  const config = await readConfig();
  const { database } = dataPaths(dataDir);
  if (create || existsSync(database)) return withData(config, work);
  throw new CommandError(exitCodes.conflict, `No server is running, and ${dataDir} has no database.`);
}

async function withData<T>(config: Config, work: (operator: Operator<ServedDomains>) => Promise<T>): Promise<T> {
  refuseForeignOwner(config.dataDir);
  const [
    { recordedOperator },
    { stoppedServer },
    { Audit },
    { invitationOptions },
    { systemClock },
    { silentLog },
    storage,
  ] = await Promise.all([
    import('../web/control/operator.ts'),
    import('../web/control/stopped-server.ts'),
    import('../web/control/audit.ts'),
    import('../config/stream-options.ts'),
    import('../support/clock.ts'),
    import('../support/log.ts'),
    open(config),
  ]);
  try {
    const { domains, authentication, s2s } = config;
    const audit = new Audit({ store: storage.administrations, clock: systemClock, log: silentLog });
    const requester = { operator: operatorName(), origin: 'command line, server stopped' };
    const served = stoppedServer(storage, {
      domains,
      denied: () => s2s.deny,
      iterations: authentication.scramIterations,
      invitations: invitationOptions(config),
    });
    return await work(recordedOperator(served, audit, requester));
  } finally {
    await storage.close();
  }
}

async function open({ dataDir }: Config) {
  const { openSqliteStorage } = await import('../storage/sqlite/open-sqlite-storage.ts');
  try {
    // A failure also rejects the operation in progress, which reports it.
    return await openSqliteStorage({ dataDir, onFatal: () => {}, quickCheck: false });
  } catch (error) {
    if (!(error instanceof StorageError) || error.code !== 'locked') throw error;
    throw new CommandError(exitCodes.unreachable, `${error.message}, and it does not answer on its control socket.`);
  }
}

/** Refuses root: its files in another user's data directory would keep the server from starting. */
export function refuseForeignOwner(dataDir: string): void {
  if (process.getuid?.() !== 0 || !existsSync(dataDir)) return;
  const { uid } = statSync(dataDir);
  if (uid === 0) return;
  throw new CommandError(
    exitCodes.failed,
    `${dataDir} belongs to user ${uid}: run this as that user (sudo -u '#${uid}' ampere …), or start the server first.`,
  );
}
