import { Stanza } from '../protocol/stanza.ts';
import type { Outgoing, OutgoingStore } from '../storage/outgoing.ts';
import { parseFrame } from '../xml/parse-frame.ts';
import { Copies, type CopiesDeps, type KeptCopy } from './acknowledgment/kept-copies.ts';
import { PendingRedeliveries } from './acknowledgment/pending-redeliveries.ts';
import type { Reroute, Undelivered } from './acknowledgment/redelivery.ts';

/** Dependencies of keeping copies of stanzas on their way out. */
interface OutgoingCopiesDeps extends CopiesDeps {
  readonly store: OutgoingStore;
  /** What says that a stanza is late (XEP-0203 §3). */
  readonly domain: string;
  readonly route: Reroute;
}

const pageSize = 500;

/** Copies of stanzas on their way to other servers and to components, and the way back for those that may not have arrived. */
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

  /** Puts stanzas back on the road, in order. */
  takeBack(undelivered: readonly Undelivered[]): Promise<void> {
    return this.#pendingRedeliveries.take(undelivered, this.#deps.domain);
  }

  /** What a server that has stopped did not get rid of. To be asked before anything can be sent: what is sent stands there, too. */
  async left(): Promise<readonly Undelivered[]> {
    const rows: Outgoing[] = [];
    for (;;) {
      const page = await this.#deps.store.list(rows.at(-1)?.id ?? 0, pageSize);
      rows.push(...page);
      if (page.length < pageSize) break;
    }
    return rows.flatMap((row) => this.#read(row));
  }

  /** Takes back what was left. */
  async restore(left: readonly Undelivered[]): Promise<void> {
    await this.takeBack(left);
    await this.settled();
  }

  /** Resolves when all that was taken back is durable where it has gone, and what has arrived is gone. */
  async settled(): Promise<void> {
    await this.#pendingRedeliveries.settled();
    await this.flush();
  }

  #read({ id, receivedAtMs, bytes }: Outgoing): readonly Undelivered[] {
    try {
      const stanza = Stanza.fromFrame(parseFrame(bytes));
      return [{ stanza, atMs: receivedAtMs, copy: this.of(Promise.resolve(id)) }];
    } catch (error) {
      this.#deps.log.error({ err: error, id }, 'a stanza on its way out is damaged');
      return [];
    }
  }
}
