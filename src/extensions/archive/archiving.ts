import type { Jid } from '../../protocol/jid.ts';
import { isArchivable } from '../../protocol/message-kind.ts';
import { ns } from '../../protocol/namespaces.ts';
import type { Stanza } from '../../protocol/stanza.ts';
import { withStanzaId } from '../../protocol/stanza-id.ts';
import type { Account } from '../../routing/account.ts';
import type { Recorded } from '../../routing/extension.ts';
import { isFirstJourney, type JudgedPassage } from '../../routing/passage.ts';
import type { SessionDirectory } from '../../routing/session-directory.ts';
import type { ArchiveStore, NewArchivedMessage } from '../../storage/archive.ts';
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

  /** Archives a message that has been judged, and says what its ends are told. */
  record(passage: JudgedPassage): Recorded | undefined {
    const { message, options } = passage;
    if (options.again || !isArchivable(message) || this.#deps.disk().refusing) return undefined;
    const recipient = this.#recipient(passage);
    const sender = this.#sender(passage);
    if (!recipient && !sender) return undefined;
    const id = this.#deps.store.newId();
    const toSelf = recipient?.archive === sender?.archive;
    const durable = this.#append({
      id,
      bytes: message.toBytes(),
      sender: toSelf ? undefined : endOf(sender),
      recipient: endOf(recipient),
    });
    return {
      ...(recipient && this.#forRecipient(recipient, id)),
      ...(sender && this.#hasOthers(sender.account) && { copyForSender: stamped(passage.copyForSender, sender, id) }),
      ...(options.ackScope?.needsAck && { durable }),
      ...(this.#waiting > patientWrites && { backlog: durable }),
    };
  }

  /** A client's own message. What has been forwarded to the recipient, others have sent. */
  #sender(passage: JudgedPassage): Keeper | undefined {
    const { session, recipient } = passage;
    return session && isFirstJourney(passage) ? this.#keeper(session.account, recipient) : undefined;
  }

  /**
   * The archive of an account has the messages that it gets, now or later. A stored message that may expire is left out: it must not be
   * read when it has (XEP-0079 §3.3.2).
   */
  #recipient({ message, destination, plan, sender }: JudgedPassage): Keeper | undefined {
    const account = destination.kind === 'account' ? destination.account : undefined;
    if (!account) return undefined;
    const isKept = plan.kind === 'direct' || (plan.kind === 'stored' && !mayExpire(message.payload));
    return isKept ? this.#keeper(account, sender) : undefined;
  }

  #keeper(account: Account, peer: Jid): Keeper | undefined {
    const archive = this.#deps.archives.of(account);
    return wants(archive.preferences, account, peer) ? { ...archive, account, peer } : undefined;
  }

  #forRecipient(recipient: Keeper, id: number): Pick<Recorded, 'stamp' | 'undelivered'> {
    return {
      stamp: (message) => stamped(message, recipient, id),
      undelivered: () => void this.#deps.store.remove(recipient.archive, id).catch((error) => this.#failed(error)),
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
