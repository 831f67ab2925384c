import { Jid } from '../../protocol/jid.ts';
import type { Account } from '../../routing/account.ts';
import type { LoadedState } from '../../routing/account-slot.ts';
import { deviceKeyOf, type Session } from '../../routing/session.ts';
import type { SessionDirectory } from '../../routing/session-directory.ts';
import type { PushRegistration, PushStore } from '../../storage/push.ts';
import type { Clock } from '../../support/clock.ts';
import type { Log } from '../../support/log.ts';
import { TokenBucket } from '../../support/token-bucket.ts';
import { PushDevice, type PushDeviceDeps } from './push-device.ts';

/** Dependencies of registrations. */
interface RegistrationsDeps extends Pick<PushDeviceDeps, 'content' | 'publish'> {
  readonly store: Pick<PushStore, 'list' | 'enable' | 'disable'>;
  readonly sessions: Pick<SessionDirectory, 'of'>;
  readonly accounts: { peek(key: string): Account | undefined };
  readonly limits: { readonly maxPerAccount: number; readonly perMinute: number };
  readonly clock: Clock;
  readonly log: Log;
}

/** Shared by all accounts without push services. */
const none: readonly PushDevice[] = [];

/** The push services that the devices of the accounts in memory have enabled. */
export class Registrations implements LoadedState {
  /** Of the accounts in memory that have some. */
  readonly #devices = new WeakMap<Account, readonly PushDevice[]>();
  readonly #deps: RegistrationsDeps;
  readonly #deviceDeps: PushDeviceDeps;

  constructor(deps: RegistrationsDeps) {
    this.#deps = deps;
    this.#deviceDeps = {
      ...deps,
      isWaiting: (device) => this.#isWaiting(device),
      disable: (device, reason) => this.#drop(device, reason),
    };
  }

  /** Reads them together with the account. */
  async load(key: string): Promise<(account: Account) => void> {
    const devices = await this.#read(key);
    return (account) => this.#set(account, devices);
  }

  of(account: Account): readonly PushDevice[] {
    return account.pushDevices === 0 ? none : (this.#devices.get(account) ?? none);
  }

  /** Resolves when the registration is durable. It replaces one with the same service and node (XEP-0357 §5). */
  async enable(account: Account, registration: PushRegistration): Promise<void> {
    const { store, limits } = this.#deps;
    await store.enable(account.key, registration, limits.maxPerAccount);
    const before = this.of(account);
    const allowance = before[0]?.allowance ?? this.#newAllowance();
    const device = new PushDevice(account.jid, registration, allowance, this.#deviceDeps);
    const others = before.filter((one) => !matches(one.registration, registration.service, registration.node));
    this.#set(account, [...others, device].slice(-limits.maxPerAccount));
  }

  /** Resolves when the node of the service, or all of its nodes, are durably removed (XEP-0357 §6). */
  async disable(account: Account, service: string, node?: string): Promise<void> {
    await this.#deps.store.disable(account.key, service, node);
    const left = this.of(account).filter(({ registration }) => !matches(registration, service, node));
    this.#set(account, left);
  }

  /** Forgets the push services of a device. They were removed together with its access. */
  revoke(owner: Jid, device: string): void {
    const account = this.#deps.accounts.peek(owner.toString());
    if (account)
      this.#set(
        account,
        this.of(account).filter(({ registration }) => registration.device !== device),
      );
  }

  /** The sessions of a device: usually one or none. A client that could not resume has two for a time. */
  sessionsOf({ owner, registration }: PushDevice): readonly Session[] {
    const sessions = this.#deps.sessions.of(owner.toString());
    return sessions.filter((session) => deviceKeyOf(session) === registration.device);
  }

  #set(account: Account, devices: readonly PushDevice[]): void {
    account.pushDevices = devices.length;
    if (devices.length === 0) this.#devices.delete(account);
    else this.#devices.set(account, devices);
  }

  /** A device whose service has refused its notifications. */
  #drop({ owner, registration, service }: PushDevice, reason: string): void {
    const { accounts, log } = this.#deps;
    const account = accounts.peek(owner.toString());
    if (!account) return;
    log.info({ account: account.key, service: service.toString(), reason }, 'push was disabled for a device');
    this.disable(account, registration.service, registration.node).catch((error: unknown) => {
      log.error({ err: error, account: account.key }, 'push could not be disabled for a device');
    });
  }

  /** An account that was removed, or loaded again, has none of its earlier devices. */
  #isWaiting(device: PushDevice): boolean {
    const account = this.#deps.accounts.peek(device.owner.toString());
    if (!account || !this.of(account).includes(device)) return false;
    return this.sessionsOf(device).every(({ detached }) => detached);
  }

  async #read(key: string): Promise<readonly PushDevice[]> {
    const registrations = await this.#deps.store.list(key);
    if (registrations.length === 0) return none;
    const [owner, allowance] = [Jid.parse(key), this.#newAllowance()];
    return registrations.map((registration) => new PushDevice(owner, registration, allowance, this.#deviceDeps));
  }

  #newAllowance(): TokenBucket {
    const { limits, clock } = this.#deps;
    return new TokenBucket(limits.perMinute / 60, limits.perMinute, clock);
  }
}

function matches(registration: PushRegistration, service: string, node: string | undefined): boolean {
  return registration.service === service && (node === undefined || registration.node === node);
}
