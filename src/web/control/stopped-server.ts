import { Pbkdf2Queue } from '../../c2s/negotiation/sasl/pbkdf2-queue.ts';
import { Registrar } from '../../c2s/registrar.ts';
import type { OperatedStorage, ServedDomains } from './served-domains.ts';

/** The domains of a stopped server. Contacts are not notified of changes to accounts. */
export function stoppedServer(storage: OperatedStorage, domains: readonly string[], iterations: number): ServedDomains {
  const registrar = new Registrar({
    store: storage.accounts,
    account: () => undefined,
    cancelSubscriptions: () => Promise.resolve(),
    forget: () => {},
    sessions: { of: () => [] },
    pbkdf2: new Pbkdf2Queue(),
    iterations,
    removed: () => {},
  });
  return { storage, domains, registrar, accounts: { forget: () => {}, peek: () => undefined } };
}
