import type { Clock } from '../support/clock.ts';
import type { Log } from '../support/log.ts';
import { Tally } from '../support/metric.ts';

/** The connection limits, by their names in the configuration. */
export type ConnectionLimit = 'total' | 'outgoing' | 'unauthenticated' | 'perIp';

/** The interval of log lines about refused connections: a flood of connections must not flood the log. */
const quietMs = 60_000;

interface Refusals {
  connections: number;
  quietUntilMs: number;
}

/** Logs refused connections: soon after the first, then at most once a minute, with their number. */
export class RefusalLog {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #log: Pick<Log, 'warn'>;
  /** All refused connections since the start. */
  readonly total = new Tally<'reason'>();
  readonly #refusals = new Map<ConnectionLimit, Refusals>();

  constructor(clock: Pick<Clock, 'monotonicMs'>, log: Pick<Log, 'warn'>) {
    this.#clock = clock;
    this.#log = log;
  }

  /** Counts a refused connection. */
  note(limit: ConnectionLimit): void {
    this.total.add({ reason: limit });
    const refusals = this.#refusals.get(limit) ?? { connections: 0, quietUntilMs: 0 };
    refusals.connections += 1;
    this.#refusals.set(limit, refusals);
  }

  /** Logs pending counts; called about once a second. */
  report(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const [limit, refusals] of this.#refusals) {
      const { connections, quietUntilMs } = refusals;
      if (connections === 0 || nowMs < quietUntilMs) continue;
      this.#log.warn({ limit, connections }, 'connections refused');
      this.#refusals.set(limit, { connections: 0, quietUntilMs: nowMs + quietMs });
    }
  }
}
