import type { Jid } from '../../protocol/jid.ts';
import { isArchivable } from '../../protocol/message-kind.ts';
import { ns } from '../../protocol/namespaces.ts';
import type { Stanza } from '../../protocol/stanza.ts';
import { stanzaIdBy, withStanzaId } from '../../protocol/stanza-id.ts';
import type { Account } from '../../routing/account.ts';
import type { Recorded } from '../../routing/extension.ts';
import type { ArchivingPlan } from '../../routing/message-archive.ts';
import { isFirstJourney, type JudgedPassage, type Passage } from '../../routing/passage.ts';
import type { SessionDirectory } from '../../routing/session-directory.ts';
import type { ArchiveStore, NewArchivedMessage } from '../../storage/archive.ts';
import type { ArchivedCopy } from '../../storage/offline.ts';
import type { DiskState } from '../../storage/storage.ts';
import { StorageError } from '../../storage/storage-error.ts';
import type { Log } from '../../support/log.ts';
import type { Payload } from '../../xml/payload.ts';
import type { AccountArchive, AccountArchives } from './account-archives.ts';
import { wants } from './preferences.ts';

/** Messages on their way to the disk at which senders begin to wait for it. */
const patientWrites = 4096;

/** Dependencies of archiving. */
interface ArchivingDeps {
  readonly store: Pick<ArchiveStore, 'newId' | 'append' | 'remove'>;
  readonly archives: Pick<AccountArchives, 'of'>;
  readonly sessions: Pick<SessionDirectory, 'of'>;
  readonly disk: () => Pick<DiskState, 'refusing'>;
  readonly log: Log;
}

/** An account that a message is archived for. */
interface Keeper extends AccountArchive {
  readonly account: Account;
  readonly peer: Jid;
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
    if (!isArchivable(message) || this.#deps.disk().refusing) return undefined;
    const recipient = this.#recipient(passage);
    const sender = this.#sender(passage);
    if (!recipient && !sender) return undefined;
    const id = this.#deps.store.newId();
    const toSelf = recipient?.archive === sender?.archive;
    const archived: NewArchivedMessage = {
      id,
      bytes: message.toBytes(),
      sender: toSelf ? undefined : endOf(sender),
      recipient: endOf(recipient),
    };
    const isStored = recipient !== undefined && plan.kind === 'stored';
    const durable = isStored ? undefined : this.#append(archived);
    return {
      ...(recipient && this.#forRecipient(recipient, id, isStored ? archived : undefined, message)),
      ...(sender && this.#hasOthers(sender.account) && { copyForSender: stamped(passage.copyForSender, sender, id) }),
      ...(durable && options.ackScope?.needsAck && { durable }),
      ...(durable && this.#waiting > patientWrites && { backlog: durable }),
    };
  }

  /** What the archive of the recipient will do with a message that is stored. */
  plan(passage: Passage, recipient: Account): ArchivingPlan | undefined {
    const { message, sender, options } = passage;
    if (options.again) return this.#earlierCopy(message, recipient);
    if (options.own || !isArchivable(message) || this.#deps.disk().refusing) return undefined;
    const keeper = this.#keeper(recipient, sender);
    return keeper && { suffices: isEnough(keeper, message) };
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
    const archive = this.#deps.archives.of(account);
    return wants(archive.preferences, account, peer) ? { ...archive, account, peer } : undefined;
  }

  /** `stored` is what the store has yet to write. */
  #forRecipient(
    recipient: Keeper,
    id: number,
    stored: NewArchivedMessage | undefined,
    message: Stanza,
  ): Pick<Recorded, 'stamp' | 'extras' | 'undelivered'> {
    const remove = () => void this.#deps.store.remove(recipient.archive, id).catch((error) => this.#failed(error));
    return {
      stamp: (sent) => stamped(sent, recipient, id),
      extras: { copy: { id, message: stored, suffices: isEnough(recipient, message) } },
      ...(!stored && { undelivered: remove }),
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

  #failed(error: unknown): void {
    // A full disk is reported where it is watched.
    if (error instanceof StorageError && error.isPassing) return;
    this.#deps.log.error({ err: error }, 'messages were not archived');
  }
}

/** Whether the archive alone is enough to store a message. */
function isEnough({ wasRead }: Pick<AccountArchive, 'wasRead'>, { payload }: Stanza): boolean {
  return wasRead && !mayExpire(payload);
}

/** Whether a rule about time can end a message that waits; the words are looked for, not parsed. */
function mayExpire(payload: Payload): boolean {
  return payload.children.some((child) => {
    if (child.ns === ns.expire) return true;
    return child.ns === ns.amp && payload.bytes.subarray(child.start, child.end).includes('expire-at');
  });
}

function endOf(keeper: Keeper | undefined) {
  return keeper && { archive: keeper.archive, peer: keeper.peer.bare().toString() };
}

function stamped(message: Stanza, { account, archive, ids }: Keeper, id: number): Stanza {
  return message.with({ payload: withStanzaId(message.payload, account.jid, ids.write(archive, id)) });
}
