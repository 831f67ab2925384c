import { Devices } from '../../c2s/devices.ts';
import { type InvitationOptions, Invitations } from '../../c2s/invitations.ts';
import { Pbkdf2Queue } from '../../c2s/negotiation/sasl/pbkdf2-queue.ts';
import { Registrar } from '../../c2s/registrar.ts';
import { Suspensions } from '../../c2s/suspensions.ts';
import { systemClock } from '../../support/clock.ts';
import { silentLog } from '../../support/log.ts';
import type { OperatedStorage, ServedDomains } from './served-domains.ts';

/** The part of the configuration that operations on a stopped server need. */
interface StoppedServerOptions extends Pick<ServedDomains, 'domains' | 'denied'> {
  /** PBKDF2 iterations for new passwords. */
  readonly iterations: number;
  readonly invitations: InvitationOptions;
}

/** The domains of a stopped server. Contacts are not notified of changes to accounts. */
export function stoppedServer(
  storage: OperatedStorage,
  { domains, denied, iterations, invitations }: StoppedServerOptions,
): ServedDomains {
  const sessions = { of: () => [] };
  const registrar = new Registrar({
    store: storage.accounts,
    account: () => undefined,
    cancelSubscriptions: () => Promise.resolve(),
    forget: () => {},
    sessions,
    pbkdf2: new Pbkdf2Queue(),
    iterations,
    // The store closes when this is done. If it fails, the failure ends the store.
    removed: (account) => {
      for (const store of [storage.pep, storage.rooms]) store.forget(account.toString()).catch(() => undefined);
    },
  });
  const devices = new Devices({
    store: storage.devices,
    sessions,
    revoked: () => {},
    keepMs: 0,
    clock: systemClock,
    log: silentLog,
  });
  const suspensions = new Suspensions({
    store: storage.moderation,
    sessions,
    removeAccount: (account) => registrar.remove(account),
    clock: systemClock,
    log: silentLog,
  });
  const blocksChanged = () => Promise.resolve();
  return {
    storage,
    domains,
    denied,
    registrar,
    invitations: new Invitations({ options: invitations, store: storage.invitations, clock: systemClock }),
    devices,
    suspensions,
    blocksChanged,
    exports: new Set(),
    sessions,
    accounts: { forget: () => {}, peek: () => undefined },
  };
}
