import { Stanza } from '../../../protocol/stanza.ts';
import { type AckScope, PendingWork } from '../../../routing/ack-scope.ts';
import type { DeliveryPlan } from '../../../routing/delivery-plan.ts';
import type { Hearing, Ruling } from '../../../routing/extension.ts';
import type { MaybePromise } from '../../../routing/maybe-promise.ts';
import type { Passage, RouteOptions } from '../../../routing/passage.ts';
import type { OutboxEntry, OutboxStore } from '../../../storage/outbox.ts';
import type { Log } from '../../../support/log.ts';
import { parseFrame } from '../../../xml/parse-frame.ts';
import type { Reporter } from './reporter.ts';

/** Dependencies of the outbox. */
interface OutboxDeps {
  readonly store: OutboxStore;
  readonly reporter: Pick<Reporter, 'addressed'>;
  readonly route: (stanza: Stanza, way: RouteOptions) => MaybePromise<void>;
  readonly log: Log;
}

const pageSize = 100;

/**
 * Sends the reports that are written down, because they are about something that is written down, and forgets each when it
 * is as safe where it has gone: stored, or kept until its receiver has it. After a crash some may come again; none is lost.
 */
export class Outbox {
  readonly #deps: OutboxDeps;
  /** Entries that are on the road, by what goes with a report however its address changes there. */
  readonly #entries = new WeakMap<AckScope, number>();
  #sentUntilId = 0;
  #wanted = false;
  #stopped = false;
  #running: Promise<void> | undefined;

  constructor(deps: OutboxDeps) {
    this.#deps = deps;
  }

  /** Sends what has not been sent yet. */
  flush(): void {
    if (this.#stopped) return;
    this.#wanted = true;
    this.#running ??= this.#run();
  }

  /** Leaves what comes now for the next start; resolves when nothing is under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  /** Hears a report on its way: it must not get lost (XEP-0079 §2.2.5). */
  hear(passage: Passage): Hearing {
    const { message, options } = passage;
    const { ackScope } = options;
    const judge = (plan: DeliveryPlan): Ruling => {
      const wanted = plan.kind === 'none' ? insteadOfNone(passage) : plan;
      if (!ackScope || !this.#entries.has(ackScope)) return { message, plan: wanted };
      if (wanted.kind === 'stored') return this.#stored(message, wanted, ackScope);
      return { message, plan: wanted, oversight: { done: () => {}, failed: judge } };
    };
    return { message, own: true, judge };
  }

  /** Storing a report and forgetting its entry are one write. */
  #stored(message: Stanza, plan: DeliveryPlan, ackScope: AckScope): Ruling {
    const outboxId = this.#entries.get(ackScope);
    const done = () => void this.#entries.delete(ackScope);
    const failed = (next: DeliveryPlan): Ruling => {
      // For whoever has no room it is lost, what may pass is worth another start.
      const lost = next.kind === 'none' && next.error?.condition === 'service-unavailable';
      if (!lost) this.#entries.delete(ackScope);
      return { message, plan: { kind: 'none' } };
    };
    return { message, plan, oversight: { extras: { outboxId }, done, failed } };
  }

  async #run(): Promise<void> {
    try {
      while (this.#wanted) {
        this.#wanted = false;
        const page = await this.#deps.store.list(this.#sentUntilId, pageSize);
        for (const entry of page) await this.#send(entry);
        this.#wanted ||= page.length === pageSize;
      }
    } catch (error) {
      this.#deps.log.error({ err: error }, 'cannot read reports; will retry');
    }
    this.#running = undefined;
  }

  async #send({ id, bytes }: OutboxEntry): Promise<void> {
    this.#sentUntilId = id;
    const work = new PendingWork();
    this.#entries.set(work, id);
    const report = this.#deps.reporter.addressed(Stanza.fromFrame(parseFrame(bytes)));
    await this.#deps.route(report, { ackScope: work, own: true });
    void work.settled().then(
      () => this.#forget(work),
      () => undefined,
    );
  }

  #forget(ackScope: AckScope): void {
    const id = this.#entries.get(ackScope);
    if (id === undefined || this.#stopped) return;
    this.#deps.store.remove([id]).catch((error: unknown) => {
      this.#deps.log.error({ err: error, id }, 'could not remove a report; it will be sent again');
    });
  }
}

/** Where a report goes that would be lost: who has gone meanwhile is found by the account. */
function insteadOfNone({ message, recipient, destination }: Passage): DeliveryPlan {
  if (destination.kind !== 'account' || !destination.account) return { kind: 'none' };
  if (!recipient.isBare) return { kind: 'forward', to: recipient.bare() };
  // Errors are not stored for anybody, but those that tell of a message may be (XEP-0160 §3).
  return message.type === 'error' ? { kind: 'stored', owner: recipient } : { kind: 'none' };
}
