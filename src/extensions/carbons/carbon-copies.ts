import { type CarbonDirection, carbonOf } from '../../protocol/carbon.ts';
import type { Stanza } from '../../protocol/stanza.ts';
import type { Account } from '../../routing/account.ts';
import type { AckScope } from '../../routing/ack-scope.ts';
import type { DeliveryPlan } from '../../routing/delivery-plan.ts';
import type { JudgedPassage } from '../../routing/passage.ts';
import type { Session } from '../../routing/session.ts';
import type { SessionDirectory } from '../../routing/session-directory.ts';
import { storabilityOf } from '../../routing/storability.ts';
import { isEligible } from './eligibility.ts';
import { RecentIds } from './recent-ids.ts';
import { isFromRoom, joinedAs } from './rooms.ts';

/** The interest of a session that gets carbons. */
export const carbonsInterest = 'carbons';

const noSessions: readonly Session[] = [];

/** Copies messages to the devices of their sender and their recipient that take no part in the delivery. */
export class CarbonCopies {
  readonly #sessions: Pick<SessionDirectory, 'of'>;
  /** Ids of copied messages: the errors that answer them are copied, too. */
  readonly #copied = new WeakMap<Account, RecentIds>();

  constructor(sessions: Pick<SessionDirectory, 'of'>) {
    this.#sessions = sessions;
  }

  /** Copies a message that has been judged. For accounts without carbons this costs a look at a counter. */
  record(passage: JudgedPassage): undefined {
    const { session, destination } = passage;
    if (session && hasCarbons(session.account)) this.#copySent(passage, session);
    const account = destination.kind === 'account' ? destination.account : undefined;
    if (account && hasCarbons(account)) this.#copyReceived(passage, account);
  }

  /** XEP-0280 §8: the other devices of the sender see what it has written, whatever becomes of it. */
  #copySent({ copyForSender, recipient, plan, options }: JudgedPassage, session: Session): void {
    const { account } = session;
    const others = this.#devices(account, plan).filter((one) => one !== session);
    // Only devices that share the nick in a room can answer a private message there (XEP-0280 §6.1).
    const nick = recipient.isBare ? undefined : joinedAs(session, recipient);
    const devices = nick ? others.filter(({ presence }) => presence.directed.has(nick.toString())) : others;
    if (devices.length === 0 || !isEligible(copyForSender)) return;
    this.#remember(account, copyForSender);
    send(copyForSender, 'sent', account, devices, options.ackScope);
  }

  /** XEP-0280 §7: the other devices of the recipient see what one of them gets, or what is stored for all. */
  #copyReceived(passage: JudgedPassage, account: Account): void {
    const { message, plan, options } = passage;
    if (options.again || (plan.kind !== 'direct' && plan.kind !== 'stored')) return;
    const devices = this.#devices(account, plan);
    if (devices.length > 0 && this.#isCopied(passage, account))
      send(message, 'received', account, devices, options.ackScope);
  }

  #isCopied(passage: JudgedPassage, account: Account): boolean {
    const { message, sender, recipient } = passage;
    if (message.type === 'error') return this.#answersCopied(passage, account);
    // Of a message to oneself, the other devices have a copy as one that was sent.
    if (sender.bare().equals(account.jid) || !isEligible(message)) return false;
    return !isFromRoom(message, sender, recipient, this.#sessions.of(account.key));
  }

  /**
   * Whether an error answers a message that was copied (XEP-0280 §6.1). Errors of this server come at once, so their messages are
   * remembered. A late error of another server counts if it comes from a bare JID, where most conversations begin, unless that is a room.
   */
  #answersCopied({ message, sender, recipient, options }: JudgedPassage, account: Account): boolean {
    const { id } = message;
    if (id !== undefined && this.#copied.get(account)?.has(id)) return true;
    if (options.own || options.reply || sender.local === '' || !sender.isBare) return false;
    return !this.#sessions.of(account.key).some((one) => one.jid.equals(recipient) && joinedAs(one, sender));
  }

  /** The devices that get carbons and are not among those that get the message itself. */
  #devices({ key }: Account, plan: DeliveryPlan): readonly Session[] {
    const receivers = plan.kind === 'direct' ? plan.sessions : noSessions;
    return this.#sessions.of(key).filter((one) => one.interests.has(carbonsInterest) && !receivers.includes(one));
  }

  #remember(account: Account, { id }: Stanza): void {
    if (id === undefined) return;
    const ids = this.#copied.get(account) ?? new RecentIds();
    ids.add(id);
    this.#copied.set(account, ids);
  }
}

function hasCarbons(account: Account): boolean {
  return account.sessionsInterestedIn(carbonsInterest) > 0;
}

/** Sends the copies, which are the same but for their 'to'. What must not get lost with the device is durable for the sender's sake. */
function send(
  message: Stanza,
  direction: CarbonDirection,
  account: Account,
  devices: readonly Session[],
  ackScope: AckScope | undefined,
): void {
  const carbon = carbonOf(message, direction, account.jid);
  const isWorthKeeping = ackScope?.needsAck && storabilityOf(message) !== 'forget';
  for (const device of devices) {
    const copy = carbon.with({ to: device.jid });
    // A device without stream management cannot be given anything after its connection is lost.
    if (isWorthKeeping && device.needsAck) ackScope.ackAfter(device.sendDurably(copy));
    else device.send(copy);
  }
}
