import { Stanza } from '../protocol/stanza.ts';
import type { Outgoing, OutgoingStore } from '../storage/outgoing.ts';
import { parseFrame } from '../xml/parse-frame.ts';
import { Copies, type CopiesDeps, type KeptCopy } from './acknowledgment/kept-copies.ts';
import { PendingRedeliveries } from './acknowledgment/pending-redeliveries.ts';
import type { RouteStanza, Undelivered } from './acknowledgment/redelivery.ts';

/** Dependencies of {@link OutgoingCopies}. */
interface OutgoingCopiesDeps extends CopiesDeps {
  readonly store: OutgoingStore;
  /** The domain that stamps redelivered stanzas as delayed (XEP-0203 §3). */
  readonly domain: string;
  readonly route: RouteStanza;
}

const pageSize = 500;

/** Copies of stanzas for other servers and for components, and the redelivery of those that may not have arrived. */
export class OutgoingCopies extends Copies {
  readonly #deps: OutgoingCopiesDeps;
  readonly #pendingRedeliveries: PendingRedeliveries;

  constructor(deps: OutgoingCopiesDeps) {
    super(deps);
    this.#deps = deps;
    this.#pendingRedeliveries = new PendingRedeliveries(deps);
  }

  add(stanza: Stanza): KeptCopy {
    const { store, clock } = this.#deps;
    return this.of(store.add({ receivedAtMs: clock.nowMs(), bytes: stanza.toBytes() }));
  }

  /** Routes stanzas again, in order. */
  redeliver(undelivered: readonly Undelivered[]): Promise<void> {
    return this.#pendingRedeliveries.take(undelivered, this.#deps.domain);
  }

  /** The stanzas that the last run has left. Must be read before anything is sent, because new copies are in the same table. */
  async left(): Promise<readonly Undelivered[]> {
    const rows: Outgoing[] = [];
    for (;;) {
      const page = await this.#deps.store.list(rows.at(-1)?.id ?? 0, pageSize);
      rows.push(...page);
      if (page.length < pageSize) break;
    }
    return rows.flatMap((row) => this.#read(row));
  }

  /** Redelivers what the last run has left; resolves when that has settled. */
  async restore(left: readonly Undelivered[]): Promise<void> {
    await this.redeliver(left);
    await this.settled();
  }

  /** Resolves when redelivered stanzas are durable in their new places, and released copies are removed. */
  async settled(): Promise<void> {
    await this.#pendingRedeliveries.settled();
    await this.flush();
  }

  #read({ id, receivedAtMs, bytes }: Outgoing): readonly Undelivered[] {
    try {
      const stanza = Stanza.fromFrame(parseFrame(bytes));
      return [{ stanza, atMs: receivedAtMs, copy: this.of(Promise.resolve(id)) }];
    } catch (error) {
      this.#deps.log.error({ err: error, id }, 'cannot read the copy of an outgoing stanza');
      return [];
    }
  }
}
