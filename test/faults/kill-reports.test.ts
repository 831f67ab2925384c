import { expect } from 'chai';
import { SeededRandom } from './seeded-random.ts';
import { ServerFixture } from './server-under-test.ts';
import { Workload } from './workload.ts';

const rounds = 10;

describe('a server that is killed while it reports on rules (XEP-0079 §2.2.5)', function () {
  this.timeout(300_000);
  const fixture = new ServerFixture();

  it('reports on every message it acknowledged, whether stored or stopped by its rule', async () => {
    const random = new SeededRandom();
    const workload = new Workload({
      writers: ['romeo', 'mercutio'],
      readers: { tybalt: true, paris: false },
      whenStored: ['notify', 'alert', 'error'],
    });
    for (let round = 0; round < rounds; round++) {
      const server = await fixture.start(workload.names);
      for (const writer of workload.writers) await writer.connects(server.port);
      const until = workload.acknowledged.length + random.between(10, 160);
      const graceMs = random.between(0, 60);
      let stalled = false;
      await workload.runsUntilDisconnected(workload.writers, () => {
        if (stalled || workload.acknowledged.length < until) return;
        stalled = true;
        // Their messages are handled, and the reports are lost in the network.
        for (const writer of workload.writers) writer.stopsReading();
        setTimeout(() => {
          server.kill();
          for (const writer of workload.writers) writer.disconnects();
        }, graceMs);
      });
      expect(await server.end()).to.equal(null);
    }
    await workload.finishes(fixture, await fixture.start(workload.names));
    workload.expectEverythingReported();
    workload.expectNothingLost(workload.acknowledged.filter(({ whenStored }) => whenStored === 'notify'));
    const stopped = workload.acknowledged.filter(({ whenStored }) => whenStored !== 'notify').map(({ id }) => id);
    const came = new Set(workload.readers.flatMap(({ received }) => received));
    expect(stopped.filter((id) => came.has(id))).to.deep.equal([]);
    console.log(
      `      ${rounds} kills, seed ${random.seed}: ${workload.acknowledged.length} acknowledged, 0 not reported`,
    );
  });
});
