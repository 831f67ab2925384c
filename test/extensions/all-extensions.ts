import { configSchema } from '../../src/config/schema.ts';
import { AmpCounters } from '../../src/extensions/amp/amp-counters.ts';
import { AmpService } from '../../src/extensions/amp/amp-service.ts';
import { type ExtensionDeps, extensions } from '../../src/extensions/index.ts';
import { StoredMessages } from '../../src/extensions/offline/stored-messages.ts';
import type { BenchGround, Fitting } from './bench.ts';

/** Everything at once, as the server has it. */
export function allExtensions(core: BenchGround): Fitting {
  const { storage } = core;
  const quota = { maxMessages: 10, maxBytes: 10_000 };
  const storedMessages = new StoredMessages({ ...core, store: storage.offline, quota, refuses: () => false });
  const { amp } = configSchema({ directory: '/', environment: {} }).parse({});
  const works = new AmpService({
    ...core,
    options: amp,
    store: storage,
    counters: new AmpCounters(),
    isInFlight: (owner, id) => storedMessages.isInFlight(owner, id),
  });
  const deps: ExtensionDeps = {
    ...core,
    software: { name: 'Ampere', version: '0', homepage: 'https://ampere.example' },
    options: {
      roster: { maxItems: 10, maxGroupsPerItem: 10, maxNameBytes: 100 },
      registration: { passwordChange: true, accountRemoval: true },
      forwarding: { userCommand: true },
      contact: { abuse: [], admin: [], feedback: [], sales: [], security: [], status: [], support: [] },
    },
    storedMessages,
    amp: works,
    registrar: { changePassword: () => Promise.resolve(), remove: () => Promise.resolve() },
    services: () => [],
  };
  return { extensions: extensions(deps), offline: storedMessages };
}
