import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import type { Jid } from '../../../protocol/jid.ts';
import type { AccountCredentials, AccountStore, Credentials, ScramHash } from '../../../storage/accounts.ts';
import type { CredentialSource } from './mechanism.ts';
import { saltByteLength } from './scram-keys.ts';

type CredentialStore = Pick<AccountStore, 'credentials' | 'credentialsVersion' | 'setCredentials'>;

/** The credentials in storage, with salts imagined from a secret of this server. */
export class StoredCredentials implements CredentialSource {
  readonly #accounts: CredentialStore;
  readonly #secret: KeyObject;
  readonly #options: { readonly scramIterations: number };

  /** The options are read at each use. */
  constructor(accounts: CredentialStore, secret: Buffer, options: { readonly scramIterations: number }) {
    this.#accounts = accounts;
    this.#secret = createSecretKey(secret);
    this.#options = options;
  }

  get iterations(): number {
    return this.#options.scramIterations;
  }

  find(account: Jid): Promise<AccountCredentials | undefined> {
    return this.#accounts.credentials(account.bare().toString());
  }

  version(): number {
    return this.#accounts.credentialsVersion();
  }

  upgrade(account: Jid, credentials: Credentials): Promise<void> {
    return this.#accounts.setCredentials(account.bare().toString(), credentials);
  }

  fakeSalt(account: Jid, hash: ScramHash): Buffer {
    const name = `${hash}\0${account.bare().toString()}`;
    return createHmac('sha256', this.#secret).update(name).digest().subarray(0, saltByteLength);
  }
}
