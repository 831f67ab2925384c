import { Devices } from '../../src/c2s/devices.ts';
import { configSchema } from '../../src/config/schema.ts';
import { extensions } from '../../src/extensions/index.ts';
import { FileBlobs } from '../../src/storage/file-blobs.ts';
import type { BenchDeps, BenchParts } from './bench.ts';

/** Everything at once, as the server has it. */
export function allExtensions({ routing, storage, sessions, clock, log }: BenchDeps): BenchParts {
  const { amp } = configSchema({ directory: '/', environment: {} }).parse({});
  const proxyLimits = {
    transfers: 1,
    transfersPerAccount: 1,
    negotiationMs: 1000,
    idleMs: 1000,
    readBytesPerSecond: 1000,
    readBurstBytes: 1000,
  };
  const options = {
    domains: ['localhost'],
    components: [],
    amp,
    roster: { maxItems: 10, maxGroupsPerItem: 10, maxNameBytes: 100 },
    offline: { maxMessages: 10, maxBytes: 10_000, toArchiveClients: false },
    archive: { enabled: true, markers: true, keepDays: 365, maxPerAccount: null },
    rooms: {
      domains: ['conference.localhost'],
      limits: { maxRooms: 100, maxRoomsPerOwner: 10 },
      retention: { keepDays: 365, maxPerArchive: 1000 },
    },
    registration: { passwordChange: true, accountRemoval: true, invitations: 'everybody' as const },
    administrators: [],
    push: { enabled: true, maxPerAccount: 20, perMinute: 60, sender: false, body: false },
    forwarding: { userCommand: true },
    externalServices: [],
    strangers: { perSender: 1000, perDomain: 1000, perAccount: 1000 },
    newAccounts: { hours: 24, strangersPerHour: 1000 },
    blockLists: [],
    proxy: { domains: [], limits: proxyLimits },
    uploads: {
      domains: ['upload.localhost'],
      url: 'https://localhost',
      limits: {
        fileBytes: 1000,
        dayBytes: 5000,
        dayFiles: 100,
        accountBytes: 10_000,
        totalBytes: 100_000,
        reserveBytes: 0,
      },
      retention: { keepDays: 30 },
    },
    contact: { abuse: [], admin: [], feedback: [], sales: [], security: [], status: [], support: [], outages: [] },
  };
  const software = { name: 'Ampere', version: '0', homepage: 'https://ampere.example' };
  const limiter = { backlog: 1, admit: () => true, release: () => undefined };
  const registrar = { changePassword: () => Promise.resolve(), remove: () => Promise.resolve() };
  const devices = new Devices({ store: storage.devices, sessions, revoked: () => {}, keepMs: 0, clock, log });
  const blobs = new FileBlobs('/nonexistent/uploads');
  return {
    extensions: extensions({
      software,
      options,
      routing,
      registrar,
      devices,
      invitations: { create: () => Promise.resolve('off' as const) },
      redemption: { accepts: () => Promise.resolve(false) },
      commands: () => [],
      roomCommands: () => [],
      storage,
      blobs,
      limiter,
      clock,
      log,
    }),
  };
}
