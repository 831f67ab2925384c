import { expect } from 'chai';
import { Chance } from './chance.ts';
import { Company } from './company.ts';
import { CrimeScene } from './victim.ts';

const rounds = 15;

describe('a server that is killed while it reports what rules have done (XEP-0079 §2.2.5)', function () {
  this.timeout(300_000);
  const scene = new CrimeScene();

  it('has told, or will tell, of every message it acknowledged: stored, or stopped by its rule', async () => {
    const chance = new Chance();
    const company = new Company({
      writers: ['romeo', 'mercutio'],
      readers: { tybalt: true, paris: false },
      whenStored: ['notify', 'alert', 'error'],
    });
    for (let round = 0; round < rounds; round++) {
      const server = await scene.start(company.names);
      for (const writer of company.writers) await writer.arrives(server.port);
      const until = company.acknowledged.length + chance.between(10, 160);
      const graceMs = chance.between(0, 60);
      let stalled = false;
      await company.carriesOn(company.writers, () => {
        if (stalled || company.acknowledged.length < until) return;
        stalled = true;
        // What they have sent is dealt with, and what they are told of it is lost with the network.
        for (const writer of company.writers) writer.stalls();
        setTimeout(() => {
          server.kill();
          for (const writer of company.writers) writer.leaves();
        }, graceMs);
      });
      expect(await server.end()).to.equal(null);
    }
    await company.returns(scene, await scene.start(company.names));
    company.expectEverythingReported();
    company.expectNothingLost(company.acknowledged.filter(({ whenStored }) => whenStored === 'notify'));
    const stopped = company.acknowledged.filter(({ whenStored }) => whenStored !== 'notify').map(({ id }) => id);
    const came = new Set(company.readers.flatMap(({ received }) => received));
    expect(stopped.filter((id) => came.has(id))).to.deep.equal([]);
    console.log(
      `      ${rounds} kills, seed ${chance.seed}: ${company.acknowledged.length} acknowledged, 0 not reported`,
    );
  });
});
