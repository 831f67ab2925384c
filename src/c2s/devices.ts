import type { Jid } from '../protocol/jid.ts';
import { StreamError } from '../protocol/stream-error.ts';
import type { MaybePromise } from '../routing/maybe-promise.ts';
import { type Device, deviceKeyOf, type Session } from '../routing/session.ts';
import type { SessionDirectory } from '../routing/session-directory.ts';
import type { DeviceStore, KnownDevice, SeenDevice } from '../storage/devices.ts';
import type { Clock } from '../support/clock.ts';
import type { Log } from '../support/log.ts';
import { ClientSession } from './client-session.ts';

/** Dependencies of {@link Devices}. */
interface DevicesDeps {
  readonly store: Pick<DeviceStore, 'seen' | 'list' | 'revoke'>;
  readonly sessions: Pick<SessionDirectory, 'of'>;
  /** Ends what extensions keep for a device. */
  readonly revoked: (account: Jid, device: string) => MaybePromise<void>;
  /** How long a device is remembered after it was last seen. 0: only while it has a token. */
  readonly keepMs: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** A device with access to an account. */
export interface DeviceReport extends KnownDevice {
  /** Whether it has a session, connected or resumable. */
  readonly connected: boolean;
}

/** A device without its tokens. */
interface Revocation {
  /** A device that knows the password can come back until the password is changed. */
  readonly knowsPassword: boolean;
  readonly endSessions: () => void;
}

/** One commit for the notes of some seconds: one for each login would cost more than the login. A crash loses the latest notes. */
const writeAfterMs = 2000;

/** The devices with access to accounts: remembers, lists and revokes them. */
export class Devices {
  readonly #deps: DevicesDeps;
  #waiting = new Map<string, SeenDevice>();

  constructor(deps: DevicesDeps) {
    this.#deps = deps;
  }

  /** A device is in use: it has authenticated, or its session has ended. */
  seen(account: Jid, device: Device, passwordVersion?: number): void {
    const { keepMs, clock } = this.#deps;
    if (keepMs === 0) return;
    const record = this.record(account, device, 0);
    const id = `${record.owner}\0${record.key}`;
    const earlier = this.#waiting.get(id);
    if (this.#waiting.size === 0) clock.after(writeAfterMs, () => void this.write());
    this.#waiting.set(id, {
      ...record,
      software: device.software ?? earlier?.software,
      name: device.name ?? earlier?.name,
      passwordVersion: passwordVersion ?? earlier?.passwordVersion,
    });
  }

  /** The record of a device that is seen now. It is kept until `keepUntilMs` at least. */
  record(account: Jid, device: Device, keepUntilMs: number): SeenDevice {
    const { keepMs, clock } = this.#deps;
    const atMs = clock.nowMs();
    return { owner: account.toString(), ...device, atMs, keepUntilMs: Math.max(keepUntilMs, atMs + keepMs) };
  }

  /** The devices with access to an account, and its sessions on devices without a name. */
  async list(account: Jid): Promise<DeviceReport[]> {
    await this.write();
    const { store, sessions, clock } = this.#deps;
    const known = await store.list(account.toString(), clock.nowMs());
    const live = new Map(sessions.of(account.toString()).map((session) => [deviceKeyOf(session), session]));
    const reports = known.map((device) => ({ ...device, connected: live.delete(device.key) }));
    const others = Array.from(live, ([key, session]) => unknownDevice(key, session, clock.nowMs()));
    const hasAccess = ({ knowsPassword, hasToken, connected }: DeviceReport) => knowsPassword || hasToken || connected;
    return [...reports.filter(hasAccess), ...others];
  }

  /** Removes the tokens of a device and what extensions keep for it. Undefined if there is no such device. */
  async revoke(account: Jid, key: string): Promise<Revocation | undefined> {
    await this.write();
    const { store, revoked } = this.#deps;
    const found = await store.revoke(account.toString(), key);
    const sessions = this.#deps.sessions.of(account.toString()).filter((session) => deviceKeyOf(session) === key);
    if (!found && sessions.length === 0) return undefined;
    await revoked(account, key);
    const error = StreamError.notAuthorized('the access of this device was revoked');
    const endSessions = () => {
      for (const session of sessions) session.close(error);
    };
    return { knowsPassword: found?.knowsPassword ?? true, endSessions };
  }

  /** Writes the notes. Resolves also if that fails. */
  async write(): Promise<void> {
    if (this.#waiting.size === 0) return;
    const waiting = [...this.#waiting.values()];
    this.#waiting = new Map();
    await this.#deps.store.seen(waiting).catch((error: unknown) => {
      this.#deps.log.warn({ err: error, devices: waiting.length }, 'could not save which devices were seen');
    });
  }
}

/** A device that is not stored. It has authenticated with the password: tokens are only for devices that are. */
function unknownDevice(key: string, session: Session, nowMs: number): DeviceReport {
  return {
    key,
    software: session.device?.software,
    name: session.device?.name,
    firstSeenMs: session instanceof ClientSession ? session.boundAtMs : nowMs,
    lastSeenMs: nowMs,
    knowsPassword: true,
    hasToken: false,
    connected: true,
  };
}
