import type { Jid } from '../../protocol/jid.ts';
import { isArchivable } from '../../protocol/message-kind.ts';
import { ns } from '../../protocol/namespaces.ts';
import type { Stanza } from '../../protocol/stanza.ts';
import { stanzaIdBy, withStanzaId } from '../../protocol/stanza-id.ts';
import type { Account } from '../../routing/account.ts';
import type { Recorded } from '../../routing/extension.ts';
import type { ArchivingPlan } from '../../routing/message-archive.ts';
import type { StoredExtras } from '../../routing/message-store.ts';
import { isFirstJourney, type JudgedPassage, type Passage } from '../../routing/passage.ts';
import type { SessionDirectory } from '../../routing/session-directory.ts';
import type { ArchiveStore, NewArchivedMessage } from '../../storage/archive.ts';
import type { ArchivedCopy } from '../../storage/offline.ts';
import type { DiskState } from '../../storage/storage.ts';
import { StorageError } from '../../storage/storage-error.ts';
import type { Log } from '../../support/log.ts';
import type { Payload } from '../../xml/payload.ts';
import type { AccountArchive, AccountArchives, Keeper } from './account-archives.ts';
import { wants } from './preferences.ts';
import type { Retractions } from './retractions.ts';
import { type ArchivedOnce, RoomCopies } from './room-copies.ts';

/** Messages on their way to the disk at which senders begin to wait for it. */
const patientWrites = 4096;

/** Dependencies of archiving. */
interface ArchivingDeps {
  readonly store: Pick<ArchiveStore, 'newId' | 'append' | 'remove'>;
  readonly archives: Pick<AccountArchives, 'of'>;
  readonly retractions: Pick<Retractions, 'apply'>;
  readonly sessions: Pick<SessionDirectory, 'of'>;
  readonly disk: () => Pick<DiskState, 'refusing'>;
  readonly options: {
    /** Receipts and markers are kept, too. */
    readonly markers: boolean;
  };
  readonly log: Log;
}

/** Messages that are written together. */
interface Group {
  size: number;
  readonly written: Promise<void>;
  /** Resolves when they are durable, or when it is clear that they will not be. */
  readonly settled: Promise<void>;
}

/** Writes each message into the archives of its ends, when it comes for the first time (XEP-0313 §6.1.1). */
export class Archiving {
  readonly #deps: ArchivingDeps;
  readonly #roomCopies = new RoomCopies();
  #group: Group | undefined;
  #waiting = 0;

  constructor(deps: ArchivingDeps) {
    this.#deps = deps;
  }

  /**
   * Archives a message that has been judged, and says what its ends are told. A message that is stored for its recipient is written
   * together with the stored one, so that the store has both or none.
   */
  record(passage: JudgedPassage): Recorded | undefined {
    const { message, options, plan } = passage;
    if (options.again) return this.#returned(passage);
    if (!this.#isKept(message) || this.#deps.disk().refusing) return undefined;
    const recipient = this.#recipient(passage);
    const sender = this.#sender(passage);
    if (!recipient && !sender) return undefined;
    const id = this.#deps.store.newId();
    const first = recipient && this.#roomCopies.find(passage, recipient.own.archive, id);
    if (first) return this.#archivedBefore(first, passage, recipient);
    const archived: NewArchivedMessage = {
      id,
      bytes: message.toBytes(),
      // A message to oneself is in the archive once.
      sender: recipient?.own.archive === sender?.own.archive ? undefined : endOf(sender),
      recipient: endOf(recipient),
    };
    const waits = recipient !== undefined && plan.kind === 'stored';
    const written = waits ? undefined : this.#append(archived);
    const takesBack = message.payload.has('retract', ns.retraction);
    const takenBack = takesBack ? this.#takeBack(passage, id, [sender, recipient]) : undefined;
    const durable = takenBack ? Promise.all([written, takenBack]) : written;
    const once = written && recipient && this.#roomCopies.add(passage, recipient.own.archive, id, written);
    const copyForSender =
      sender && this.#hasOthers(sender.account) ? stamped(passage.copyForSender, sender, id) : undefined;
    return new ArchivedPassage({
      id,
      message,
      recipient,
      unwritten: waits ? archived : undefined,
      copyForSender,
      durable: options.ackScope?.needsAck ? durable : undefined,
      // A retraction searches the archive, so each sender has one at a time.
      backlog: takenBack ?? (this.#waiting > patientWrites ? durable : undefined),
      remove: once ? this.#removeWithLast(once) : this.#remove,
    });
  }

  /** Another copy of a message that a room sends to each client. */
  #archivedBefore(first: ArchivedOnce, { message, options }: JudgedPassage, recipient: Keeper): Recorded {
    first.copies += 1;
    return new ArchivedPassage({
      id: first.id,
      message,
      recipient,
      unwritten: undefined,
      copyForSender: undefined,
      durable: options.ackScope?.needsAck ? first.durable : undefined,
      backlog: undefined,
      remove: this.#removeWithLast(first),
    });
  }

  /** What the archive of the recipient will do with a message that is stored. */
  plan(passage: Passage, recipient: Account): ArchivingPlan | undefined {
    const { message, sender, options } = passage;
    if (options.again) return this.#earlierCopy(message, recipient);
    if (options.own || !this.#isKept(message) || this.#deps.disk().refusing) return undefined;
    const keeper = this.#keeper(recipient, sender);
    return keeper && { suffices: isEnough(keeper.own, message) };
  }

  /** A message that comes back from a session was archived when it was sent to the session. */
  #returned({ message, destination, plan }: JudgedPassage): Recorded | undefined {
    const account = destination.kind === 'account' ? destination.account : undefined;
    const copy = account && plan.kind === 'stored' ? this.#earlierCopy(message, account) : undefined;
    return copy && { extras: { copy } };
  }

  /** The archived message that this one is, by the id that was put into it. */
  #earlierCopy(message: Stanza, account: Account): ArchivedCopy | undefined {
    const own = this.#deps.archives.of(account);
    const written = stanzaIdBy(message.payload, account.jid);
    const id = written === undefined ? undefined : own.ids.read(own.archive, written);
    return id === undefined ? undefined : { id, suffices: isEnough(own, message) };
  }

  #isKept(message: Stanza): boolean {
    return isArchivable(message, { receipts: this.#deps.options.markers });
  }

  /** A client's own message. What has been forwarded to the recipient, others have sent. */
  #sender(passage: JudgedPassage): Keeper | undefined {
    const { session, recipient } = passage;
    return session && isFirstJourney(passage) ? this.#keeper(session.account, recipient) : undefined;
  }

  /** The archive of an account has the messages that it gets, now or later. */
  #recipient({ destination, plan, sender }: JudgedPassage): Keeper | undefined {
    const account = destination.kind === 'account' ? destination.account : undefined;
    return account && (plan.kind === 'direct' || plan.kind === 'stored') ? this.#keeper(account, sender) : undefined;
  }

  #keeper(account: Account, peer: Jid): Keeper | undefined {
    const own = this.#deps.archives.of(account);
    return wants(own.preferences, account, peer) ? { own, account, peer } : undefined;
  }

  /** Resolves when the message that this one takes back is replaced, or when that has failed. */
  #takeBack(passage: JudgedPassage, id: number, ends: readonly (Keeper | undefined)[]): Promise<void> | undefined {
    const { message, sender, session } = passage;
    const keepers = ends.filter((end) => end !== undefined);
    const retraction = { id, message, sender, fromClient: session !== undefined, keepers };
    const applied = this.#deps.retractions.apply(retraction);
    return applied?.catch((error: unknown) => this.#failed(error, 'a message was not taken back'));
  }

  readonly #remove = ({ own }: Keeper, id: number): void => {
    this.#deps.store.remove(own.archive, id).catch((error) => this.#failed(error));
  };

  /** The message leaves the archive when none of its copies can be delivered. */
  #removeWithLast(once: ArchivedOnce) {
    return (keeper: Keeper, id: number): void => {
      once.copies -= 1;
      if (once.copies === 0) this.#remove(keeper, id);
    };
  }

  #hasOthers({ key }: Account): boolean {
    return this.#deps.sessions.of(key).length > 1;
  }

  /** The messages of one turn have one promise. It does not reject: a message that was not archived is delivered all the same. */
  #append(message: NewArchivedMessage): Promise<void> {
    const written = this.#deps.store.append(message);
    if (this.#group?.written !== written) this.#group = this.#newGroup(written);
    this.#group.size++;
    this.#waiting++;
    return this.#group.settled;
  }

  #newGroup(written: Promise<void>): Group {
    const settled = written
      .catch((error: unknown) => this.#failed(error))
      .then(() => {
        this.#waiting -= group.size;
      });
    const group: Group = { size: 0, written, settled };
    return group;
  }

  #failed(error: unknown, what = 'messages were not archived'): void {
    // A full disk is reported where it is watched.
    if (error instanceof StorageError && error.isPassing) return;
    this.#deps.log.error({ err: error }, what);
  }
}

/** Whether the archive alone is enough to store a message. */
function isEnough({ wasRead }: Pick<AccountArchive, 'wasRead'>, { payload }: Stanza): boolean {
  return wasRead && !mayExpire(payload);
}

/** Whether a rule about time can end a message that waits. Searches for the words and does not parse. */
function mayExpire(payload: Payload): boolean {
  return payload.children.some((child) => {
    if (child.ns === ns.expire) return true;
    return child.ns === ns.amp && payload.bytes.subarray(child.start, child.end).includes('expire-at');
  });
}

function endOf(keeper: Keeper | undefined) {
  return keeper && { archive: keeper.own.archive, peer: keeper.peer.bare().toString() };
}

function stamped(message: Stanza, { own, account }: Keeper, id: number): Stanza {
  return message.with({ payload: withStanzaId(message.payload, account.jid, own.ids.write(own.archive, id)) });
}

/** What has been done with a message, and with whom. */
interface ArchivedDeps {
  readonly id: number;
  readonly message: Stanza;
  readonly recipient: Keeper | undefined;
  /** What the store has yet to write, together with the stored message. */
  readonly unwritten: NewArchivedMessage | undefined;
  readonly copyForSender: Stanza | undefined;
  readonly durable: Promise<unknown> | undefined;
  readonly backlog: Promise<unknown> | undefined;
  readonly remove: (keeper: Keeper, id: number) => void;
}

/** A message that was archived. Most messages are delivered at once, so what only others need is made on demand. */
class ArchivedPassage implements Recorded {
  readonly #deps: ArchivedDeps;

  constructor(deps: ArchivedDeps) {
    this.#deps = deps;
  }

  get copyForSender(): Stanza | undefined {
    return this.#deps.copyForSender;
  }

  get durable(): Promise<unknown> | undefined {
    return this.#deps.durable;
  }

  get backlog(): Promise<unknown> | undefined {
    return this.#deps.backlog;
  }

  get extras(): StoredExtras | undefined {
    const { id, message, recipient, unwritten } = this.#deps;
    return recipient && { copy: { id, message: unwritten, suffices: isEnough(recipient.own, message) } };
  }

  stamp(message: Stanza): Stanza {
    const { recipient, id } = this.#deps;
    return recipient ? stamped(message, recipient, id) : message;
  }

  undelivered(): void {
    const { recipient, id, unwritten, remove } = this.#deps;
    if (recipient && !unwritten) remove(recipient, id);
  }
}
