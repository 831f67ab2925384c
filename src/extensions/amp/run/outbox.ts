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
  readonly route: (stanza: Stanza, options: RouteOptions) => MaybePromise<void>;
  readonly log: Log;
}

const pageSize = 100;

/**
 * Sends the reports on stored messages. Each report is on the disk, and removed from there when it is durable at its
 * destination: stored, or kept until its receiver has it. A crash can repeat reports, but loses none.
 */
export class Outbox {
  readonly #deps: OutboxDeps;
  /** The entries being routed, by their `AckScope`, which stays the same when the address of a report changes. */
  readonly #entries = new WeakMap<AckScope, number>();
  #sentUntilId = 0;
  #wanted = false;
  #stopped = false;
  #running: Promise<void> | undefined;

  constructor(deps: OutboxDeps) {
    this.#deps = deps;
  }

  /** Sends the reports that have not been sent yet. */
  flush(): void {
    if (this.#stopped) return;
    this.#wanted = true;
    this.#running ??= this.#run();
  }

  /** Leaves further reports for the next start. Resolves when no work is in progress. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  /** Oversees the routing of a report, which must not be lost (XEP-0079 §2.2.5). */
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

  /** Stores a report and removes its entry in one write. */
  #stored(message: Stanza, plan: DeliveryPlan, ackScope: AckScope): Ruling {
    const outboxId = this.#entries.get(ackScope);
    const done = () => void this.#entries.delete(ackScope);
    const failed = (next: DeliveryPlan): Ruling => {
      // A full mailbox loses the report. After a failure that may pass, the entry stays for the next start.
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

/** The plan for a report that would be lost: it goes to the account if the resource has disconnected. */
function insteadOfNone({ message, recipient, destination }: Passage): DeliveryPlan {
  if (destination.kind !== 'account' || !destination.account) return { kind: 'none' };
  if (!recipient.isBare) return { kind: 'forward', to: recipient.bare() };
  // Errors are not stored, except those that report on a message (XEP-0160 §3).
  return message.type === 'error' ? { kind: 'stored', owner: recipient } : { kind: 'none' };
}
