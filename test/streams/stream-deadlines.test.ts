import { expect } from 'chai';
import { type Overdue, StreamDeadlines, type StreamPhase } from '../../src/streams/stream-deadlines.ts';
import { limits as usual } from '../c2s/stream-bench.ts';
import { ManualClock } from '../support/manual-clock.ts';

const limits = {
  ...usual,
  tlsHandshakeMs: 10,
  authenticationMs: 100,
  frameCompletionMs: 30,
  idlePingAfterMs: 1000,
  idleCloseAfterMs: 200,
};

type Step =
  | number
  | keyof Pick<StreamDeadlines, 'read' | 'securing' | 'frameDone' | 'pinged' | 'answerDelayed'>
  | 'part'
  | 'whole';

/** [what happens, where numbers are milliseconds that pass; in which phase; what is overdue] */
const table: Record<
  string,
  readonly (readonly [steps: readonly Step[], phase: StreamPhase, overdue: Overdue | undefined])[]
> = {
  'The TLS handshake': [
    [[50, 'securing', 10], 'securing', undefined],
    [[50, 'securing', 11], 'securing', 'handshake'],
    [[50, 'securing', 5, 'read', 6], 'securing', 'handshake'],
    [[50, 'securing', 11], 'negotiating', undefined],
    [['securing', 95, 'securing', 6], 'securing', 'authentication'],
  ],
  Authentication: [
    [[100], 'negotiating', undefined],
    [[101], 'negotiating', 'authentication'],
    [[50, 'read', 51], 'negotiating', 'authentication'],
    [[101], 'bound', undefined],
    [[101], 'over', undefined],
  ],
  'A stanza': [
    [['part', 30], 'bound', undefined],
    [['part', 31], 'bound', 'frame'],
    [['part', 31], 'negotiating', 'frame'],
    [['part', 31], 'over', undefined],
    [['part', 20, 'read', 'part', 11], 'bound', 'frame'],
    [['part', 20, 'read', 'whole', 11], 'bound', undefined],
    [['part', 20, 'read', 'frameDone', 'part', 11], 'bound', undefined],
    [['part', 20, 'read', 'frameDone', 'part', 31], 'bound', 'frame'],
    [['read', 500, 'part', 30], 'bound', undefined],
    [['read', 500, 'part', 31], 'bound', 'frame'],
  ],
  Silence: [
    [[1000], 'bound', undefined],
    [[1001], 'bound', 'ping'],
    [[900, 'read', 1000], 'bound', undefined],
    [[900, 'read', 1001], 'bound', 'ping'],
    [[1001, 'pinged', 200], 'bound', undefined],
    [[1001, 'pinged', 201], 'bound', 'answer'],
    [[1001, 'pinged', 150, 'pinged', 51], 'bound', 'answer'],
    [[1001, 'pinged', 150, 'answerDelayed', 200], 'bound', undefined],
    [[1001, 'pinged', 150, 'answerDelayed', 201], 'bound', 'answer'],
    [[1000, 'answerDelayed', 1], 'bound', 'ping'],
    [[1001, 'pinged', 150, 'read', 201], 'bound', undefined],
    [[1001, 'pinged', 150, 'read', 1001], 'bound', 'ping'],
  ],
};

describe('The deadlines of a stream', () => {
  for (const [title, rows] of Object.entries(table)) {
    describe(title, () => {
      for (const [steps, phase, overdue] of rows) {
        it(`${steps.join(', ')} while ${phase}: ${overdue ?? 'in time'}`, () => {
          const clock = new ManualClock();
          clock.advance(12_345);
          const deadlines = new StreamDeadlines(limits, clock);
          for (const step of steps) {
            if (typeof step === 'number') clock.advance(step);
            else if (step === 'part' || step === 'whole') deadlines.framePending(step === 'part');
            else deadlines[step]();
          }
          expect(deadlines.overdue(phase, clock.monotonicMs())).to.equal(overdue);
        });
      }
    });
  }
});
