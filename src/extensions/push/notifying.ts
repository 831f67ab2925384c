import { unwrapCarbon } from '../../protocol/carbon.ts';
import { isWorthNotifying } from '../../protocol/message-kind.ts';
import { ns } from '../../protocol/namespaces.ts';
import { readWithdrawnNode } from '../../protocol/push.ts';
import type { Stanza } from '../../protocol/stanza.ts';
import { hasStanzaId } from '../../protocol/stanza-id.ts';
import type { Account } from '../../routing/account.ts';
import type { Recorded } from '../../routing/extension.ts';
import type { JudgedPassage } from '../../routing/passage.ts';
import { deviceKeyOf, type Session } from '../../routing/session.ts';
import type { Log } from '../../support/log.ts';
import type { PushDevice } from './push-device.ts';
import type { Registrations } from './registrations.ts';

/** Dependencies of {@link Notifying}. */
interface NotifyingDeps {
  readonly registrations: Pick<Registrations, 'of' | 'disable' | 'sessionsOf'>;
  readonly log: Log;
}

/**
 * Decides which message is told to which device. A device whose session waits for its client is told of what this session is sent, carbons
 * included. A device without a session is told of what its account can read later: stored and archived messages.
 */
export class Notifying {
  readonly #deps: NotifyingDeps;
  /** Messages of sessions: one that waits for a client more than once is told once. */
  readonly #told = new WeakSet<Stanza>();

  constructor(deps: NotifyingDeps) {
    this.#deps = deps;
  }

  /** Devices without a session are told when the message was delivered to others, or is stored. */
  record(passage: JudgedPassage): Recorded | undefined {
    const { destination, message, options } = passage;
    const account = destination.kind === 'account' ? destination.account : undefined;
    if (!account || account.pushDevices === 0) return undefined;
    this.#noticeWithdrawal(passage, account);
    if (!isNews(message, account)) return undefined;
    const isArchived = hasStanzaId(message.payload, account.jid);
    let told = false;
    return {
      carriedOut: ({ kind }) => {
        if (told || !(isArchived || kind === 'stored')) return;
        told = true;
        this.#tellAbsent(account, message, options.again !== undefined);
      },
    };
  }

  /** The connection of a session is lost. Until now its device had everything. */
  connectionLost(session: Session, unconfirmed: readonly Stanza[]): void {
    for (const device of this.#devicesOf(session)) device.connected();
    for (const stanza of unconfirmed) this.waiting(session, stanza);
  }

  /** A stanza waits for the client of a session. */
  waiting(session: Session, stanza: Stanza): void {
    const devices = this.#devicesOf(session);
    if (devices.length === 0 || stanza.kind !== 'message' || this.#told.has(stanza)) return;
    const { direction, message = stanza } = unwrapCarbon(stanza) ?? {};
    if (direction === 'sent' || !isNews(message, session.account)) return;
    this.#told.add(stanza);
    for (const device of devices) device.notify(message);
  }

  /** A session has ended. If its connection was not lost before, its device had everything. */
  ended(session: Session): void {
    if (!session.detached) for (const device of this.#devicesOf(session)) device.connected();
  }

  /** A room has a message for a member that is not in it. */
  missed(account: Account, message: Stanza): void {
    if (isNews(message, account)) this.#tellAbsent(account, message, false);
  }

  #tellAbsent(account: Account, message: Stanza, again: boolean): void {
    const { registrations } = this.#deps;
    for (const device of registrations.of(account)) {
      if (registrations.sessionsOf(device).length === 0) device.notify(message, again);
    }
  }

  #devicesOf(session: Session): readonly PushDevice[] {
    const devices = this.#deps.registrations.of(session.account);
    if (devices.length === 0) return devices;
    const key = deviceKeyOf(session);
    return devices.filter(({ registration }) => registration.device === key);
  }

  /** XEP-0357 §8. Only the service itself can end its registrations. */
  #noticeWithdrawal({ message, sender }: JudgedPassage, account: Account): void {
    const { registrations, log } = this.#deps;
    const child = message.type === 'error' ? undefined : message.payload.find('pubsub', ns.pubsub);
    const node = child && readWithdrawnNode(message.payload.element(child), account.jid);
    if (node === undefined || !registrations.of(account).some(({ service }) => service.equals(sender))) return;
    registrations.disable(account, sender.toString(), node).catch((error: unknown) => {
      log.error({ err: error, account: account.key }, 'push could not be disabled for a device');
    });
  }
}

/** Whether a user should hear of a message: one's own messages are no news. */
function isNews(message: Stanza, { jid }: Account): boolean {
  return isWorthNotifying(message) && message.from?.bare().equals(jid) !== true;
}
