import type { StatusSection } from '../../../routing/extension.ts';
import { type Metric, Tally } from '../../../support/metric.ts';

/** A rule that has fired. */
interface FiredRule {
  readonly condition: string;
  readonly action: string;
  /** The value of the condition, unless it is a time. */
  readonly value: string | undefined;
  /** What became of the message. */
  readonly outcome: string;
}

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
  readonly #rules = new Tally<'condition' | 'action' | 'result'>();
  #refused = 0;
  #repliesHeldBack = 0;

  countFired({ condition, action, value, outcome }: FiredRule): void {
    this.#rules.add({ condition, action, result: outcome });
    const rule = [action, condition, value ?? []].flat().join(' ');
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

  /** The counts for monitoring systems. */
  metrics(): readonly Metric[] {
    return [
      {
        name: 'xmpp_amp_rules_total',
        help: 'Rules of AMP that have fired, by condition, action and what became of the message.',
        type: 'counter',
        labels: ['condition', 'action', 'result'],
        read: () => this.#rules.read(),
      },
      {
        name: 'xmpp_amp_refused_total',
        help: 'Messages whose rules were not accepted.',
        type: 'counter',
        read: () => [{ value: this.#refused }],
      },
    ];
  }

  /** The current counts. */
  report(): AmpReport {
    const fired = Object.fromEntries([...this.#fired].sort(([one], [other]) => (one < other ? -1 : 1)));
    return { fired, refused: this.#refused, repliesHeldBack: this.#repliesHeldBack };
  }
}
