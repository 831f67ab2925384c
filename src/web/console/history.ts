import type { Clock, Timer } from '../../support/clock.ts';

/** What is measured every few seconds. Counters only grow. */
export interface Measured {
  readonly sessions: number;
  readonly connections: number;
  /** Authenticated streams with other servers. */
  readonly links: number;
  /** Operations that wait for the storage thread. */
  readonly storageWaiting: number;
  readonly residentBytes: number;
  readonly freeBytes: number;
  /** Counters: messages and other stanzas, from streams and to them, and transactions. */
  readonly messagesIn: number;
  readonly messagesOut: number;
  readonly otherIn: number;
  readonly otherOut: number;
  readonly commits: number;
  /** Counter: milliseconds in which the main thread was busy. */
  readonly busyMs: number;
}

const gauges = ['sessions', 'connections', 'links', 'storageWaiting', 'residentBytes', 'freeBytes'] as const;
const counters = ['messagesIn', 'messagesOut', 'otherIn', 'otherOut', 'commits', 'busyMs'] as const;

/** The names of the series. Those of counters are rates per second; `lagMs` is the longest delay of a timer. */
const seriesNames = [...gauges, ...counters, 'lagMs'] as const;

/** The name of a series. */
export type SeriesName = (typeof seriesNames)[number];

/** How far back, and how finely. */
export type Span = 'hour' | 'day';

/** The values of all series from one moment to another, the last one at `endMs`. */
export interface HistoryReport {
  readonly stepMs: number;
  /** Milliseconds since 1970. */
  readonly endMs: number;
  readonly series: Readonly<Record<SeriesName, readonly number[]>>;
}

/** Dependencies of the history. */
interface HistoryDeps {
  readonly measure: () => Measured;
  readonly clock: Clock;
}

/** How often the delay of timers is looked at. */
const tickMs = 1000;
const ticksPerSample = 5;
const sampleMs = tickMs * ticksPerSample;
const samplesPerMinute = 60_000 / sampleMs;
const samplesOfHour = 720;
const minutesOfDay = 1440;

/** The figures of the last hour and the last day, for the charts of the console. Takes about 220 KB and hardly any time. */
export class History {
  readonly #deps: HistoryDeps;
  readonly #hour = new Ring(samplesOfHour);
  readonly #day = new Ring(minutesOfDay);
  #last: Measured;
  #lastMs: number;
  #tickedMs: number;
  #ticks = 0;
  #samples = 0;
  #lagMs = 0;
  #timer: Timer;

  constructor(deps: HistoryDeps) {
    this.#deps = deps;
    this.#last = deps.measure();
    this.#lastMs = deps.clock.monotonicMs();
    this.#tickedMs = this.#lastMs;
    this.#timer = this.#start();
  }

  /** The values of a span, or those after a moment. */
  read(span: Span, afterMs = 0): HistoryReport {
    const [ring, stepMs] = span === 'hour' ? [this.#hour, sampleMs] : [this.#day, 60_000];
    const sinceMs = this.#deps.clock.monotonicMs() - this.#lastMs;
    const behindMs = span === 'hour' ? sinceMs : sinceMs + (this.#samples % samplesPerMinute) * sampleMs;
    const endMs = this.#deps.clock.nowMs() - behindMs;
    return { stepMs, endMs, series: ring.read(Math.max(0, Math.round((endMs - afterMs) / stepMs))) };
  }

  stop(): void {
    this.#timer.cancel();
  }

  #start(): Timer {
    return this.#deps.clock.after(tickMs, () => this.#tick());
  }

  #tick(): void {
    const nowMs = this.#deps.clock.monotonicMs();
    this.#lagMs = Math.max(this.#lagMs, nowMs - this.#tickedMs - tickMs);
    this.#tickedMs = nowMs;
    this.#ticks += 1;
    if (this.#ticks % ticksPerSample === 0) this.#sample(nowMs);
    this.#timer = this.#start();
  }

  #sample(nowMs: number): void {
    const measured = this.#deps.measure();
    const seconds = Math.max(1, nowMs - this.#lastMs) / 1000;
    this.#hour.add([
      ...gauges.map((name) => measured[name]),
      ...counters.map((name) => (measured[name] - this.#last[name]) / seconds),
      this.#lagMs,
    ]);
    this.#last = measured;
    this.#lastMs = nowMs;
    this.#lagMs = 0;
    this.#samples += 1;
    if (this.#samples % samplesPerMinute === 0) this.#day.add(this.#hour.summary(samplesPerMinute));
  }
}

/** The last values of all series. */
class Ring {
  readonly #length: number;
  readonly #values: Float64Array;
  #count = 0;

  constructor(length: number) {
    this.#length = length;
    this.#values = new Float64Array(length * seriesNames.length);
  }

  /** Adds a value to each series, in the order of their names. */
  add(values: readonly number[]): void {
    this.#values.set(values, (this.#count % this.#length) * seriesNames.length);
    this.#count += 1;
  }

  /** At most as many values of each series as this, the oldest first. */
  read(most: number): Record<SeriesName, number[]> {
    const rows = this.#rows(most);
    const series = seriesNames.map((name, column) => [name, rows.map((row) => rounded(row[column] ?? 0))] as const);
    return Object.fromEntries(series) as Record<SeriesName, number[]>;
  }

  /** One value for each series: the mean of the last ones, and the longest delay. */
  summary(count: number): number[] {
    const rows = this.#rows(count);
    return seriesNames.map((name, column) => {
      const values = rows.map((row) => row[column] ?? 0);
      return name === 'lagMs' ? Math.max(...values) : values.reduce((sum, value) => sum + value, 0) / values.length;
    });
  }

  #rows(most: number): Float64Array[] {
    const { length: width } = seriesNames;
    const first = this.#count - Math.min(most, this.#count, this.#length);
    return Array.from({ length: this.#count - first }, (_, index) => {
      const start = ((first + index) % this.#length) * width;
      return this.#values.subarray(start, start + width);
    });
  }
}

/** Short numbers make short answers. */
function rounded(value: number): number {
  return Math.abs(value) >= 1000 ? Math.round(value) : Math.round(value * 100) / 100;
}
