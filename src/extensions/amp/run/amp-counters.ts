import type { StatusSection } from '../../../routing/extension.ts';

/** What AMP has done since the server started. */
interface AmpReport {
  /** How often rules have fired, by action, condition and value. The value is left out if it is a time. */
  readonly fired: Readonly<Record<string, number>>;
  /** Messages whose rules were not accepted. */
  readonly refused: number;
  /** Replies not sent because their receiver had exceeded the reply limit. */
  readonly repliesHeldBack: number;
}

/** Counts what AMP does. */
export class AmpCounters {
  readonly #fired = new Map<string, number>();
  #refused = 0;
  #repliesHeldBack = 0;

  countFired(rule: string): void {
    this.#fired.set(rule, (this.#fired.get(rule) ?? 0) + 1);
  }

  countRefused(): void {
    this.#refused += 1;
  }

  countHeldBack(): void {
    this.#repliesHeldBack += 1;
  }

  /** The counts of this moment, for the status of the server. */
  status(): StatusSection {
    const figures = this.report();
    const fired = Object.values(figures.fired).reduce((sum, count) => sum + count, 0);
    const { refused, repliesHeldBack } = figures;
    const summary = `${fired} fired, ${refused} messages refused for theirs, ${repliesHeldBack} replies held back`;
    return { title: 'Rules', summary, figures };
  }

  /** The current counts. */
  report(): AmpReport {
    const fired = Object.fromEntries([...this.#fired].sort(([one], [other]) => (one < other ? -1 : 1)));
    return { fired, refused: this.#refused, repliesHeldBack: this.#repliesHeldBack };
  }
}
