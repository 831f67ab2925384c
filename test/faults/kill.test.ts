import { expect } from 'chai';
import { SeededRandom } from './seeded-random.ts';
import { ServerFixture } from './server-under-test.ts';
import { Workload } from './workload.ts';

const rounds = 20;

describe('a server that is killed under load (XEP-0198 §4)', function () {
  this.timeout(300_000);
  const fixture = new ServerFixture();

  it('loses nothing it acknowledged, keeps messages in order, and repeats only whole messages', async () => {
    const random = new SeededRandom();
    // Juliet acknowledges, Paris has no stream management, Tybalt is offline until the end, and Laurence reads nothing until then.
    const workload = new Workload({
      writers: ['romeo', 'mercutio', 'benvolio'],
      readers: { juliet: true, paris: false, tybalt: true, laurence: true },
    });
    const [juliet, paris, laurence] = ['juliet', 'paris', 'laurence'].map((name) => workload.reader(name));
    if (!juliet || !paris || !laurence) expect.fail();
    for (let round = 0; round < rounds; round++) {
      const server = await fixture.start(workload.names);
      const present = [juliet, paris, ...workload.writers];
      await Promise.all([laurence, ...present].map((client) => client.connects(server.port)));
      laurence.stopsReading();
      const until = workload.acknowledged.length + random.between(10, 160);
      await workload.runsUntilDisconnected(present, () => {
        if (workload.acknowledged.length < until) return;
        server.kill();
        // In every other round, data still in the network is lost, too.
        if (round % 2 === 1) for (const client of [juliet, paris]) client.disconnects();
      });
      laurence.disconnects();
      expect(await server.end()).to.equal(null);
    }
    await workload.finishes(fixture, await fixture.start(workload.names));
    workload.expectNothingLost();
    workload.expectArchived();
    expect(workload.acknowledged.length).to.be.at.least(rounds * 10);
    console.log(`      ${rounds} kills, seed ${random.seed}: ${workload.figures}`);
  });
});
