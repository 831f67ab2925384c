import { expect } from 'chai';
import type { Cell, Results } from '../results.ts';
import { goalTable } from './goals.ts';

const machine: Results['machine'] = {
  processor: 'any',
  cores: 2,
  memoryGb: 1,
  system: 'any',
  kernel: '1',
  node: '24',
  openssl: '3',
  measuredOn: '2026-01-01',
};

/** What each server did, on a machine that is `speed` times as fast. */
function results(perSecond: Readonly<Record<string, number>>, speed = 1): Results {
  const cells = Object.entries(perSecond).map(
    ([server, rate]): Cell => ({
      case: 'msg-50x10-plain',
      server,
      version: '1',
      samples: [{ perSecond: rate * speed, faults: 0, noisy: false }],
    }),
  );
  return { machine, cells };
}

function verdict(measured: Results): string | undefined {
  return /\| (yes|\*\*no\*\*) \|\n$/.exec(goalTable(measured))?.[1];
}

describe('the goals of the benchmark', () => {
  const good = { ampere: 1000, prosody: 100, ejabberd: 200, relay: 1100 };

  it('are met or missed on a slow machine as on a fast one', () => {
    for (const speed of [0.01, 1, 100]) {
      expect(verdict(results(good, speed))).to.equal('yes');
      expect(verdict(results({ ...good, ejabberd: 201 }, speed))).to.equal('**no**');
      expect(verdict(results({ ...good, relay: 1200 }, speed))).to.equal('**no**');
    }
  });

  it('are not met while the other server was not measured', () => {
    const { relay: _, ...others } = good;
    expect(verdict(results(others))).to.equal('**no**');
  });

  it('leave out what was not measured', () => {
    expect(goalTable({ machine, cells: [] })).to.equal('');
  });
});
