import { z } from 'zod';
import { operation } from '../../routing/operation.ts';
import { OperationError } from '../../routing/operation-error.ts';
import type { DiskState } from '../../storage/storage.ts';
import { residentBytes } from '../../support/resident-bytes.ts';
import type { RunningServer, ServerStatus } from './running-server.ts';
import { checkServed, domainAddress, type ServedDomains } from './served-domains.ts';

/** The state of a running server, for the operator. */
export interface StatusReport extends ServerStatus {
  readonly pid: number;
  readonly domains: readonly string[];
  readonly accounts: number;
  readonly sessions: number;
  readonly residentBytes: number;
  /** The disk with the data directory. */
  readonly disk: DiskState;
}

const text = z.string().min(1);
const nothing = z.strictObject({});

/** Reports the state of the server. */
export const serverStatus = operation({
  method: 'GET',
  path: '/status',
  input: nothing,
  run: async ({ storage, domains, sessions, status: reported }: RunningServer): Promise<StatusReport> => ({
    ...reported(),
    pid: process.pid,
    domains,
    accounts: await storage.accounts.count(),
    sessions: sessions.size,
    residentBytes: residentBytes(),
    disk: storage.disk,
  }),
});

/** Reads the configuration and the certificates again. Returns the settings that were changed and need a restart. */
export const reload = operation({
  method: 'POST',
  path: '/reload',
  input: nothing,
  run: async (server: RunningServer) => {
    await server.reload().catch((error: unknown) => {
      throw new OperationError('configuration', error instanceof Error ? error.message : String(error));
    });
    return { waiting: server.configuration().waiting };
  },
});

/** Copies the database to a new file on the server's machine. */
export const backup = operation({
  method: 'POST',
  path: '/backup',
  subject: ({ file }) => file,
  input: z.strictObject({ file: text }),
  run: ({ storage }: ServedDomains, { file }) => storage.backup(file),
});

/** Lists the components and their connections. */
export const listComponents = operation({
  method: 'GET',
  path: '/components',
  input: nothing,
  run: async (server: RunningServer) => ({ components: server.components() }),
});

/** Lists the streams between this server and others. */
export const listPeers = operation({
  method: 'GET',
  path: '/s2s',
  input: nothing,
  run: async (server: RunningServer) => ({ streams: server.peers() }),
});

/** Connects from a domain of this server to another server, and reports each step. */
export const testPeer = operation({
  method: 'POST',
  path: '/s2s/test',
  recorded: false,
  input: z.strictObject({ remote: text, local: text.optional() }),
  run: async (server: RunningServer, given) => {
    const { domains, testPeer: test } = server;
    if (!test) throw new OperationError('configuration', 'Federation is off (s2s.enabled).');
    const components = server.components().map(({ domain }) => domain);
    const local = given.local === undefined ? (domains[0] ?? '') : domainAddress(given.local);
    const remote = domainAddress(given.remote);
    if (!components.includes(local)) checkServed(domains, local);
    if (domains.includes(remote) || components.includes(remote)) {
      throw new OperationError('invalid', `${remote} is served here.`);
    }
    return test({ local, remote });
  },
});
