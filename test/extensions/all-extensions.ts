import { configSchema } from '../../src/config/schema.ts';
import { AmpService } from '../../src/extensions/amp/run/amp-service.ts';
import { type ExtensionDeps, extensions } from '../../src/extensions/index.ts';
import type { BenchGround, Fitting } from './bench.ts';

/** Everything at once, as the server has it. */
export function allExtensions(core: BenchGround): Fitting {
  const { amp } = configSchema({ directory: '/', environment: {} }).parse({});
  const works = new AmpService({
    ...core,
    options: amp,
    store: core.storage,
    isInFlight: (owner, id) => core.hooks.messageStore?.isInFlight(owner, id) ?? false,
  });
  const deps: ExtensionDeps = {
    ...core,
    software: { name: 'Ampere', version: '0', homepage: 'https://ampere.example' },
    options: {
      roster: { maxItems: 10, maxGroupsPerItem: 10, maxNameBytes: 100 },
      offline: { maxMessages: 10, maxBytes: 10_000 },
      registration: { passwordChange: true, accountRemoval: true },
      forwarding: { userCommand: true },
      contact: { abuse: [], admin: [], feedback: [], sales: [], security: [], status: [], support: [] },
    },
    amp: works,
    registrar: { changePassword: () => Promise.resolve(), remove: () => Promise.resolve() },
    services: () => [],
  };
  return { extensions: extensions(deps) };
}
