import { Stanza } from '../protocol/stanza.ts';
import type { Outgoing, OutgoingStore } from '../storage/outgoing.ts';
import { parseFrame } from '../xml/parse-frame.ts';
import { Copies, type CopiesParts, type KeptCopy } from './management/kept-copies.ts';
import type { Route, Undelivered } from './management/take-back.ts';
import { WayBack } from './management/way-back.ts';

/** What keeping copies of stanzas on their way out needs from the rest of the house. */
export interface OutgoingCopiesParts extends CopiesParts {
  readonly store: OutgoingStore;
  /** What says that a stanza is late (XEP-0203 §3). */
  readonly domain: string;
  readonly route: Route;
}

const pageSize = 500;

/** Copies of stanzas on their way to other servers and to components, and the way back for those that may not have arrived. */
export class OutgoingCopies extends Copies {
  readonly #parts: OutgoingCopiesParts;
  readonly #wayBack: WayBack;

  constructor(parts: OutgoingCopiesParts) {
    super(parts);
    this.#parts = parts;
    this.#wayBack = new WayBack(parts);
  }

  add(stanza: Stanza): KeptCopy {
    const { store, clock } = this.#parts;
    return this.of(store.add({ receivedAtMs: clock.nowMs(), bytes: stanza.toBytes() }));
  }

  /** Puts stanzas back on the road, in order. */
  takeBack(undelivered: readonly Undelivered[]): Promise<void> {
    return this.#wayBack.take(undelivered, this.#parts.domain);
  }

  /** What a server that has stopped did not get rid of. To be asked before anything can be sent: what is sent stands there, too. */
  async left(): Promise<readonly Undelivered[]> {
    const rows: Outgoing[] = [];
    for (;;) {
      const page = await this.#parts.store.list(rows.at(-1)?.id ?? 0, pageSize);
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
    await this.#wayBack.settled();
    await this.flush();
  }

  #read({ id, receivedAtMs, bytes }: Outgoing): readonly Undelivered[] {
    try {
      const stanza = Stanza.fromFrame(parseFrame(bytes));
      return [{ stanza, atMs: receivedAtMs, copy: this.of(Promise.resolve(id)) }];
    } catch (error) {
      this.#parts.log.error({ err: error, id }, 'a stanza on its way out is damaged');
      return [];
    }
  }
}
