import { expect } from 'chai';
import { archiveRetention, type RetentionOptions } from '../../src/archives/retention.ts';
import type { ArchiveLimits } from '../../src/storage/archive.ts';
import { firstIdAt } from '../../src/storage/ordered-ids.ts';
import { StorageError } from '../../src/storage/storage-error.ts';
import type { Tidying } from '../../src/support/tidying.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { RecordingLog } from '../support/recording-log.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** A store that writes down what it is asked, and has more to do as often as the test says. */
class Store {
  readonly asked: ArchiveLimits[] = [];
  more = 0;
  error: Error | undefined;

  newId(): number {
    return 77;
  }

  tidy(limits: ArchiveLimits): Promise<boolean> {
    this.asked.push(limits);
    if (this.error) return Promise.reject(this.error);
    return Promise.resolve(this.more-- > 0);
  }
}

describe('the retention of archives (XEP-0313 §3.2)', () => {
  let clock: ManualClock;
  let store: Store;
  let log: RecordingLog;

  beforeEach(() => {
    [clock, store, log] = [new ManualClock(), new Store(), new RecordingLog()];
  });

  function start(options: Partial<RetentionOptions> = {}): Tidying {
    const all = { keepDays: 10, maxPerArchive: null, ...options };
    const retention = archiveRetention({ store, options: all, clock, log });
    retention.start();
    return retention;
  }

  /** An hour passes, and everything that is due has been done. */
  async function hour(retention: Tidying): Promise<void> {
    clock.advance(hourMs);
    await retention.settled();
  }

  it('removes what is too old, and what is too much, every hour', async () => {
    const retention = start({ maxPerArchive: 5 });
    await hour(retention);
    await hour(retention);
    const limits = (nowMs: number) => ({
      removeBeforeId: firstIdAt(nowMs - 10 * dayMs),
      maxMessages: 5,
      indexBeforeId: 77,
    });
    expect(store.asked).to.deep.equal([limits(clock.nowMs() - hourMs), limits(clock.nowMs())]);
  });

  it('keeps everything if the operator says so', async () => {
    await hour(start({ keepDays: null }));
    expect(store.asked).to.deep.equal([{ removeBeforeId: 0, maxMessages: Number.MAX_SAFE_INTEGER, indexBeforeId: 77 }]);
  });

  it('goes on until nothing is left to do', async () => {
    store.more = 3;
    await hour(start());
    expect(store.asked).to.have.length(4);
    expect(new Set(store.asked.map(({ removeBeforeId }) => removeBeforeId)).size).to.equal(1);
  });

  it('begins at once when it is woken, and once', async () => {
    const retention = start();
    retention.wake();
    retention.wake();
    await retention.settled();
    expect(store.asked.length).to.be.within(1, 2);
  });

  for (const jumpMs of [2 * dayMs, -2 * dayMs]) {
    it(`removes nothing for its age on the day after a jump of the clock by ${jumpMs / dayMs} days`, async () => {
      const retention = start();
      clock.jumpTo(clock.nowMs() + jumpMs);
      for (let hours = 0; hours < 26; hours++) await hour(retention);
      const removes = store.asked.map(({ removeBeforeId }) => removeBeforeId > 0);
      expect(removes.lastIndexOf(false)).to.equal(23);
      expect(removes.indexOf(true)).to.equal(24);
    });
  }

  it('ends when it is stopped, in the middle of its work', async () => {
    store.more = 1000;
    const retention = start();
    retention.wake();
    await retention.stop();
    expect(store.asked).to.have.length(1);
    clock.advance(5 * hourMs);
    expect(store.asked).to.have.length(1);
  });

  it('tries again what has failed, and reports what will not pass', async () => {
    const retention = start();
    store.error = new StorageError('full', 'no room');
    await hour(retention);
    expect(log.alarms).to.deep.equal([]);
    store.error = new StorageError('io', 'broken');
    await hour(retention);
    expect(log.alarms).to.have.length(1);
    store.error = undefined;
    await hour(retention);
    expect(store.asked).to.have.length(3);
  });
});
