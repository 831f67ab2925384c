import type { Clock } from '../support/clock.ts';
import type { Log } from '../support/log.ts';

/** The limits on connections, as the configuration calls them. */
export type ConnectionLimit = 'total' | 'outgoing' | 'unauthenticated' | 'perIp';

/** How often the log says that connections are refused: a flood of them must not become one of lines. */
const quietMs = 60_000;

interface Refusals {
  connections: number;
  quietUntilMs: number;
}

/** Tells the operator that connections are refused: soon after the first, then at most once a minute, with their number. */
export class RefusalLog {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #log: Pick<Log, 'warn'>;
  readonly #refusals = new Map<ConnectionLimit, Refusals>();

  constructor(clock: Pick<Clock, 'monotonicMs'>, log: Pick<Log, 'warn'>) {
    this.#clock = clock;
    this.#log = log;
  }

  /** One more was turned away. */
  note(limit: ConnectionLimit): void {
    const refusals = this.#refusals.get(limit) ?? { connections: 0, quietUntilMs: 0 };
    refusals.connections += 1;
    this.#refusals.set(limit, refusals);
  }

  /** Writes what has not been said; called about once a second. */
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
