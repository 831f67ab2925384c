import type { Pages } from '../../archives/pages.ts';
import type { Jid } from '../../protocol/jid.ts';
import { ns } from '../../protocol/namespaces.ts';
import { isRetracted, retracted, retractedId } from '../../protocol/retraction.ts';
import type { Stanza } from '../../protocol/stanza.ts';
import { maySeePresence } from '../../routing/visibility.ts';
import type { ArchiveStore } from '../../storage/archive.ts';
import { timeOfId } from '../../storage/ordered-ids.ts';
import { attribute } from '../../xml/element.ts';
import { escapeAttribute } from '../../xml/escape.ts';
import type { Payload } from '../../xml/payload.ts';
import type { Keeper } from './account-archives.ts';

/** Dependencies of taking messages back. */
interface RetractionsDeps {
  readonly store: Pick<ArchiveStore, 'search' | 'replace'>;
  readonly pages: Pick<Pages, 'read'>;
}

/** A message by which its sender takes an earlier one back. */
interface Retraction {
  readonly id: number;
  readonly message: Stanza;
  readonly sender: Jid;
  /** Whether a client of this server has sent it. */
  readonly fromClient: boolean;
  /** The accounts whose archives keep the retraction. */
  readonly keepers: readonly Keeper[];
}

/**
 * Replaces messages that their authors take back by tombstones (XEP-0424 §5), if all archives that have the message keep the retraction,
 * too: so their owners learn why the content is gone.
 */
export class Retractions {
  readonly #deps: RetractionsDeps;

  constructor(deps: RetractionsDeps) {
    this.#deps = deps;
  }

  /** Resolves when the message is replaced; nothing to wait for if none is taken back. */
  apply(retraction: Retraction): Promise<void> | undefined {
    const target = retractedId(retraction.message.payload);
    if (!target || isFromRoom(retraction.message.payload)) return undefined;
    return this.#replace(retraction, target);
  }

  async #replace(retraction: Retraction, target: string): Promise<void> {
    const { id, message, keepers } = retraction;
    const archives = keepers.map(({ own }) => own.archive);
    for (const keeper of keepers) {
      const found = await this.#find(retraction, keeper, target);
      if (!found || isRetracted(found.message.payload)) continue;
      const payload = retracted(found.message.payload, { id: message.id, atMs: timeOfId(id) });
      await this.#deps.store.replace(found.id, found.message.with({ payload }).toBytes(), archives);
    }
  }

  /** The message that is meant. Ids of clients need not be unique: if several messages fit, none is taken back. */
  async #find({ id, sender, fromClient }: Retraction, { own, account, peer }: Keeper, target: string) {
    const { store, pages } = this.#deps;
    const rows = await store.search(own.archive, peer.bare().toString(), id, escapeAttribute(target));
    const isUser = fromClient || maySeePresence(account, sender);
    const fitting = rows.flatMap((row) => {
      const message = pages.read(row);
      return message && isNamed(message, target) && isBy(message, sender, isUser) ? [{ id: row.id, message }] : [];
    });
    return fitting.length === 1 ? fitting[0] : undefined;
  }
}

/** Whether the client of the author has given the message this id. */
function isNamed({ id, payload }: Stanza, target: string): boolean {
  const originId = payload.find('origin-id', ns.stanzaId);
  return id === target || (originId !== undefined && attribute(payload.element(originId), 'id') === target);
}

/** Whether a message is by this sender. A stranger may be one of the occupants of a room, who share a bare JID. */
function isBy({ from, payload }: Stanza, sender: Jid, isUser: boolean): boolean {
  if (!from || isFromRoom(payload)) return false;
  return isUser ? from.bare().equals(sender.bare()) : from.equals(sender);
}

/** Whether a room or an occupant has sent the message (XEP-0045 §7.5): others may have had the nickname before. */
function isFromRoom(payload: Payload): boolean {
  return payload.has('x', ns.mucUser);
}
