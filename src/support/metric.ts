/** A value of a metric, with its labels. */
export interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A figure for monitoring (OpenMetrics). It is read when somebody asks for the metrics, so it costs nothing before. */
export interface Metric {
  /** The name, with the unit at its end. The name of a counter ends with `_total`. */
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge';
  /** The names of the labels. Their values must be few and chosen by the server, never by users or other servers. */
  readonly labels?: readonly string[];
  readonly read: () => Iterable<Sample> | Promise<Iterable<Sample>>;
}

/** Counts events by the values of labels. */
export class Tally<Label extends string> {
  readonly #counts = new Map<string, { readonly labels: Readonly<Record<Label, string>>; value: number }>();

  add(labels: Readonly<Record<Label, string>>): void {
    const key = Object.values(labels).join('\n');
    const counted = this.#counts.get(key);
    if (counted) counted.value += 1;
    else this.#counts.set(key, { labels, value: 1 });
  }

  /** The counts of this moment. */
  read(): Iterable<Sample> {
    return this.#counts.values();
  }
}
