import { expect } from 'chai';
import { type Metric, Tally } from '../../../src/support/metric.ts';
import { MetricsText } from '../../../src/web/metrics/exposition.ts';

const openMetrics = 'application/openmetrics-text; version=1.0.0';

describe('The text of metrics', () => {
  const tally = new Tally<'kind'>();
  const metrics: readonly Metric[] = [
    { name: 'x_things_total', help: 'Things.', type: 'counter', labels: ['kind'], read: () => tally.read() },
    { name: 'x_level', help: 'A level.', type: 'gauge', read: async () => [{ value: 7 }] },
  ];
  let record: (value: number) => void = () => undefined;
  const distribution = {
    name: 'x_seconds',
    help: 'Seconds.',
    buckets: [1, 2],
    follow: (given: (value: number) => void) => {
      record = given;
    },
  };
  let text: MetricsText;
  before(async () => {
    tally.add({ kind: 'a"b' });
    tally.add({ kind: 'c' });
    text = await MetricsText.load(metrics, [distribution]);
    record(1.5);
  });

  const own = (all: string) => all.split('\n').filter((line) => /\bx_/.test(line));

  it('has the values of the moment in which it is read', async () => {
    await text.read('');
    tally.add({ kind: 'c' });
    expect(own((await text.read('')).text)).to.deep.equal([
      '# HELP x_things_total Things.',
      '# TYPE x_things_total counter',
      'x_things_total{kind="a\\"b"} 1',
      'x_things_total{kind="c"} 2',
      '# HELP x_level A level.',
      '# TYPE x_level gauge',
      'x_level 7',
      '# HELP x_seconds Seconds.',
      '# TYPE x_seconds histogram',
      'x_seconds_bucket{le="1"} 0',
      'x_seconds_bucket{le="2"} 1',
      'x_seconds_bucket{le="+Inf"} 1',
      'x_seconds_sum 1.5',
      'x_seconds_count 1',
    ]);
  });

  it('names counters without their suffix and says where it ends, for a reader of OpenMetrics', async () => {
    const { contentType, text: all } = await text.read(`${openMetrics},text/plain;q=0.5`);
    expect(contentType).to.match(/^application\/openmetrics-text; version=1\.0\.0/);
    expect(own(all).slice(0, 3)).to.deep.equal([
      '# HELP x_things Things.',
      '# TYPE x_things counter',
      'x_things_total{kind="a\\"b"} 1',
    ]);
    expect(all)
      .to.match(/[^\n]\n# EOF\n$/)
      .and.not.to.match(/\n\n/);
  });

  it('keeps the last values of a metric that cannot be read', async () => {
    let fails = false;
    const read = async () => {
      if (fails) throw new Error('the store is closed');
      return [{ value: 3 }];
    };
    const unsteady = await MetricsText.load([{ name: 'x_unsteady', help: '.', type: 'gauge', read }], []);
    await unsteady.read('');
    fails = true;
    expect((await unsteady.read('')).text).to.contain('\nx_unsteady 3\n');
  });
});
