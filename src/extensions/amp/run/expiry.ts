import { Jid } from '../../../protocol/jid.ts';
import { Stanza } from '../../../protocol/stanza.ts';
import type { Accounts } from '../../../routing/accounts.ts';
import type { DueMessage, KeptRules, OfflineStore } from '../../../storage/offline.ts';
import type { Clock, Timer } from '../../../support/clock.ts';
import type { Log } from '../../../support/log.ts';
import { parseFrame } from '../../../xml/parse-frame.ts';
import { readRequest } from '../element/parse.ts';
import { Refusal } from '../element/refusal.ts';
import { believedEnds } from '../element/report-address.ts';
import { nextDueMs, readArmed, writeArmed } from '../rules/armed-rules.ts';
import { judge } from '../rules/judgment.ts';
import type { Rule } from '../rules/rule.ts';
import type { Vocabulary } from '../rules/vocabulary.ts';
import type { Outbox } from './outbox.ts';
import { composed, type Reporter, type Subject } from './reporter.ts';

/** Dependencies of expiry. */
interface ExpiryDeps {
  readonly store: Pick<OfflineStore, 'due' | 'nextDueMs' | 'settle'>;
  readonly vocabulary: Vocabulary;
  readonly accounts: Pick<Accounts, 'peek'>;
  /** Whether a message has been sent to a client but not confirmed by it. */
  readonly isInFlight: (owner: string, id: number) => boolean;
  readonly reporter: Pick<Reporter, 'note'>;
  readonly outbox: Pick<Outbox, 'flush'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** What happens to a message whose time has come. */
interface Settlement {
  readonly subject: Subject;
  readonly change: 'remove' | Partial<KeptRules>;
  readonly reports: readonly Stanza[];
  readonly fired: readonly Rule[];
}

const pageSize = 100;
/** The longest wait for the next due time: wall clocks can jump. */
const longestWaitMs = 60_000;
/** The wait before a message that was sent and not confirmed is tried again. */
const inFlightWaitMs = 10_000;

/** Carries out the rules about time of stored messages (XEP-0079 §3.3.2), with one timer for all of them. */
export class Expiry {
  readonly #deps: ExpiryDeps;
  #timer: Timer | undefined;
  #wakeAtMs = Number.POSITIVE_INFINITY;
  #running: Promise<void> | undefined;
  #stopped = false;

  constructor(deps: ExpiryDeps) {
    this.#deps = deps;
  }

  /** Settles messages that came due while the server was down. */
  start(): void {
    this.wake(this.#deps.clock.nowMs());
  }

  /** Makes sure that messages due at that time are settled. */
  wake(dueAtMs: number): void {
    if (this.#stopped || dueAtMs >= this.#wakeAtMs) return;
    this.#timer?.cancel();
    this.#wakeAtMs = dueAtMs;
    const { clock } = this.#deps;
    const waitMs = Math.min(dueAtMs - clock.nowMs(), longestWaitMs);
    if (waitMs <= 0) this.#fire();
    else this.#timer = clock.after(waitMs, () => this.#fire());
  }

  /** Stops the timer. Resolves when no work is in progress. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#running;
  }

  /** Settles the due messages, only those of `owner` if given. False if some were left because they are in flight. */
  async settleDue(owner?: string): Promise<boolean> {
    const { store, clock, isInFlight } = this.#deps;
    let complete = true;
    let after: DueMessage | undefined;
    for (;;) {
      const page = await store.due({ untilMs: clock.nowMs(), after, owner, limit: pageSize });
      for (const message of page) {
        if (isInFlight(message.owner, message.id)) complete = false;
        else await this.#settle(message);
      }
      after = page.at(-1);
      if (page.length < pageSize) return complete;
    }
  }

  #fire(): void {
    this.#wakeAtMs = Number.POSITIVE_INFINITY;
    const previous = this.#running ?? Promise.resolve();
    const run = previous.then(() => this.#run());
    this.#running = run;
  }

  async #run(): Promise<void> {
    const { store, clock, log } = this.#deps;
    let earliestMs = Number.NEGATIVE_INFINITY;
    try {
      if (!(await this.settleDue())) earliestMs = clock.nowMs() + inFlightWaitMs;
      const dueAtMs = await store.nextDueMs();
      if (dueAtMs !== undefined) this.wake(Math.max(dueAtMs, earliestMs));
    } catch (error) {
      log.error({ err: error }, 'cannot read expiring messages; will retry');
      this.wake(clock.nowMs() + inFlightWaitMs);
    }
  }

  async #settle(message: DueMessage): Promise<void> {
    const settlement = this.#judgeIfReadable(message);
    if (!settlement) return void (await this.#deps.store.settle(message, {}, []));
    const { change, fired, subject } = settlement;
    const reports = settlement.reports.map((report) => report.toBytes());
    if (!(await this.#deps.store.settle(message, change, reports))) return;
    if (change === 'remove') {
      const kind = message.archivedId === undefined ? 'unarchived' : 'archived';
      this.#deps.accounts.peek(message.owner)?.countStored(kind, -1, -message.bytes.length);
    }
    this.#deps.reporter.note(fired, subject, change === 'remove' ? 'expired' : 'stored');
    if (reports.length > 0) this.#deps.outbox.flush();
  }

  /** A message that cannot be read stays in the store without its rules. */
  #judgeIfReadable(message: DueMessage): Settlement | undefined {
    try {
      return this.#judge(message);
    } catch (error) {
      this.#deps.log.error({ err: error, account: message.owner, id: message.id }, 'a stored message is damaged');
      return undefined;
    }
  }

  #judge({ owner, bytes, rules }: DueMessage): Settlement {
    const { vocabulary, clock } = this.#deps;
    const subject = subjectOf(Stanza.fromFrame(parseFrame(bytes)), owner);
    const rulesets = readArmed(rules, vocabulary);
    const intended = subject.ends.recipient;
    const judgment = judge(rulesets, { event: 'expiry', intended, hop: false, nowMs: clock.nowMs() });
    const dueAtMs = nextDueMs(judgment.armed);
    const remaining = dueAtMs === undefined ? {} : { rules: writeArmed(judgment.armed), dueAtMs };
    return {
      subject,
      change: judgment.decision === 'stop' ? 'remove' : remaining,
      reports: judgment.reports.flatMap((report) => composed(report, subject)),
      fired: judgment.fired,
    };
  }
}

/** The subject of reports on a stored message. Its rules were signed when it arrived (XEP-0079 §4.1). */
function subjectOf(message: Stanza, owner: string): Subject {
  const recipient = Jid.parse(owner);
  const by = Jid.from('', recipient.domain);
  const sender = message.from ?? by;
  const verified = { sender, recipient: message.to ?? recipient };
  const request = readRequest(message);
  const ends = request && !(request instanceof Refusal) ? believedEnds(request, verified) : verified;
  return { by, sender, id: message.id, ends };
}
