import type { Registry } from 'prom-client';
import type { Metric, Sample } from '../../support/metric.ts';

/** A distribution. `follow` is called once with the function that records a value. */
export interface Distribution {
  readonly name: string;
  readonly help: string;
  /** The upper bounds of the buckets. */
  readonly buckets: readonly number[];
  readonly follow: (record: (value: number) => void) => void;
}

/** Metrics in the form that a monitoring system reads. */
interface Exposition {
  readonly contentType: string;
  readonly text: string;
}

const textType = 'text/plain; version=0.0.4; charset=utf-8';
const openMetricsType = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

/** How often the delay of the event loop is measured, in milliseconds. */
const loopDelayEveryMs = 20;

/** Collects metrics, and those of the process, for monitoring systems. */
export class MetricsText {
  readonly #registry: Registry;

  private constructor(registry: Registry) {
    this.#registry = registry;
  }

  /** Loads the library for metrics, which takes several megabytes of memory. */
  static async load(metrics: readonly Metric[], distributions: readonly Distribution[]): Promise<MetricsText> {
    // A server without metrics never loads it.
    const { Registry, Counter, Gauge, Histogram, collectDefaultMetrics } = (await import('prom-client')).default;
    const registry = new Registry();
    const registers = [registry];
    collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: loopDelayEveryMs });
    for (const { name, help, type, labels = [], read } of metrics) {
      const made = new (type === 'counter' ? Counter : Gauge)({
        name,
        help,
        labelNames: [...labels],
        registers,
        collect: async () => {
          const samples = await readOrNothing(read);
          if (!samples) return;
          made.reset();
          for (const sample of samples) made.inc(sample.labels ?? {}, sample.value);
        },
      });
    }
    for (const { name, help, buckets, follow } of distributions) {
      const histogram = new Histogram({ name, help, buckets: [...buckets], registers });
      follow((value) => histogram.observe(value));
    }
    return new MetricsText(registry);
  }

  /** The current values, in the format that a client accepts. */
  async read(accept: string): Promise<Exposition> {
    const text = await this.#registry.metrics();
    if (!accept.includes('application/openmetrics-text')) return { contentType: textType, text };
    return { contentType: openMetricsType, text: asOpenMetrics(text) };
  }
}

/** OpenMetrics names a family of counters without the suffix of its samples, and has no empty lines. */
function asOpenMetrics(text: string): string {
  const families = text.replaceAll(/^(# HELP )(\S+)_total( .*\n# TYPE )\2_total( counter)$/gm, '$1$2$3$2$4');
  return `${families.replaceAll(/\n+/g, '\n')}# EOF\n`;
}

/** Undefined if the metric cannot be read, for example while the store is closed. */
async function readOrNothing(read: Metric['read']): Promise<Iterable<Sample> | undefined> {
  try {
    return await read();
  } catch {
    return undefined;
  }
}
