import { ns } from '../../protocol/namespaces.ts';
import type { Stanza } from '../../protocol/stanza.ts';
import type { JudgedPassage } from '../../routing/passage.ts';
import { timeOfId } from '../../storage/ordered-ids.ts';

/** How long a room may take to send a message to all clients of an occupant, and how many such messages are remembered. */
const [togetherMs, capacity] = [10_000, 256];

/** The one archived message for all copies that a room has sent. */
export interface ArchivedOnce {
  readonly id: number;
  readonly message: Stanza;
  readonly durable: Promise<unknown>;
  /** The copies that have been, or may still be, delivered. */
  copies: number;
}

/**
 * Private messages in rooms (XEP-0045 §7.5). A room sends one to each client of the occupant, and the archive of the account has it once:
 * otherwise, a conversation would be in there as often as the user has clients.
 */
export class RoomCopies {
  readonly #recent = new Map<string, ArchivedOnce>();

  /** The archived message of which this one is another copy. `id` is a new one. */
  find(passage: JudgedPassage, archive: number, id: number): ArchivedOnce | undefined {
    const found = isPrivateMessage(passage) ? this.#recent.get(keyOf(passage, archive)) : undefined;
    if (!found || timeOfId(id) - timeOfId(found.id) > togetherMs) return undefined;
    return found.message.payload.bytes.equals(passage.message.payload.bytes) ? found : undefined;
  }

  /** Remembers a message that was archived, if it may be the first of several copies. */
  add(passage: JudgedPassage, archive: number, id: number, durable: Promise<unknown>): ArchivedOnce | undefined {
    if (!isPrivateMessage(passage)) return undefined;
    const [oldest] = this.#recent.keys();
    if (oldest !== undefined && this.#recent.size >= capacity) this.#recent.delete(oldest);
    const added = { id, message: passage.message, durable, copies: 1 };
    this.#recent.set(keyOf(passage, archive), added);
    return added;
  }
}

function isPrivateMessage({ message, recipient, session, plan }: JudgedPassage): boolean {
  if (session || recipient.isBare || plan.kind !== 'direct' || message.id === undefined) return false;
  return message.payload.has('x', ns.mucUser);
}

function keyOf({ sender, message }: JudgedPassage, archive: number): string {
  return `${archive} ${sender} ${message.id}`;
}
