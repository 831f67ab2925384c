import type { ExtensionHooks } from '../../routing/extension-hooks.ts';
import type { ArchiveReading } from '../../routing/message-store.ts';
import type { OutgoingRequests } from '../../routing/outgoing-requests.ts';
import { provesReceipt } from '../../routing/proof-of-receipt.ts';
import type { Session } from '../../routing/session.ts';
import type { ArchivedIds, OfflineStore } from '../../storage/offline.ts';
import type { DeliveredMessages } from './delivered-messages.ts';

/** Dependencies of {@link ArchiveReadings}. */
interface ArchiveReadingsDeps {
  readonly store: Pick<OfflineStore, 'idsOf'>;
  readonly delivered: Pick<DeliveredMessages, 'remove'>;
  readonly requests: Pick<OutgoingRequests, 'ask'>;
  readonly hooks: Pick<ExtensionHooks, 'settleDue'>;
}

/** Follows clients that read their archive: a stored message that a client gets there is delivered when the client proves to have it. */
export class ArchiveReadings {
  readonly #deps: ArchiveReadingsDeps;
  readonly #open = new Map<string, Set<Reading>>();

  constructor(deps: ArchiveReadingsDeps) {
    this.#deps = deps;
  }

  /** Whether a client may get a stored message from the archive now, or has got it and not confirmed it. */
  isGiven(account: string, id: number): boolean {
    for (const reading of this.#open.get(account) ?? []) if (reading.mayGive(id)) return true;
    return false;
  }

  /** Settles what has expired. The client may then get everything that is left. */
  async begin(session: Session): Promise<ArchiveReading | undefined> {
    const { key, stored } = session.account;
    if (stored.archived.messages === 0) return undefined;
    await this.#deps.hooks.settleDue(key);
    const open = this.#open.get(key) ?? new Set();
    const reading = new Reading(session, this.#deps, () => {
      open.delete(reading);
      if (open.size === 0) this.#open.delete(key);
    });
    this.#open.set(key, open.add(reading));
    return reading;
  }
}

class Reading implements ArchiveReading {
  readonly #session: Session;
  readonly #deps: ArchiveReadingsDeps;
  readonly #over: () => void;
  /** The stored messages that the client gets; undefined while any of them is possible. */
  #given: ReadonlySet<number> | undefined;

  constructor(session: Session, deps: ArchiveReadingsDeps, over: () => void) {
    this.#session = session;
    this.#deps = deps;
    this.#over = over;
  }

  mayGive(id: number): boolean {
    return this.#given?.has(id) ?? true;
  }

  async gives(archived: ArchivedIds): Promise<void> {
    this.#given = new Set(await this.#deps.store.idsOf(this.#session.account.key, archived));
  }

  end(): void {
    void this.#end([...(this.#given ?? [])]);
  }

  async #end(given: readonly number[]): Promise<void> {
    const { delivered, requests } = this.#deps;
    if (given.length > 0 && (await provesReceipt(this.#session, requests)))
      await delivered.remove(this.#session.account.key, given);
    this.#over();
  }
}
