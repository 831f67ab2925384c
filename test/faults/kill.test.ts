import { expect } from 'chai';
import { Chance } from './chance.ts';
import { Company } from './company.ts';
import { CrimeScene } from './victim.ts';

const rounds = 20;

describe('a server that is killed under load (XEP-0198 §4)', function () {
  this.timeout(300_000);
  const scene = new CrimeScene();

  it('has lost nothing it acknowledged, keeps the order of each pair, and repeats only whole messages', async () => {
    const chance = new Chance();
    // Juliet acknowledges, the nurse has no stream management, Tybalt is away until the end, and until then Laurence reads nothing.
    const company = new Company({
      writers: ['romeo', 'mercutio', 'benvolio'],
      readers: { juliet: true, nurse: false, tybalt: true, laurence: true },
    });
    const [juliet, nurse, laurence] = ['juliet', 'nurse', 'laurence'].map((name) => company.reader(name));
    if (!juliet || !nurse || !laurence) expect.fail();
    for (let round = 0; round < rounds; round++) {
      const server = await scene.start(company.names);
      const present = [juliet, nurse, ...company.writers];
      for (const party of [laurence, ...present]) await party.arrives(server.port);
      laurence.stalls();
      const until = company.acknowledged.length + chance.between(10, 160);
      await company.carriesOn(present, () => {
        if (company.acknowledged.length < until) return;
        server.kill();
        // Every other time what the network still has is lost, too.
        if (round % 2 === 1) for (const party of [juliet, nurse]) party.leaves();
      });
      laurence.leaves();
      expect(await server.end()).to.equal(null);
    }
    await company.returns(scene, await scene.start(company.names));
    company.expectNothingLost();
    expect(company.acknowledged.length).to.be.at.least(rounds * 10);
    console.log(`      ${rounds} kills, seed ${chance.seed}: ${company.figures}`);
  });
});
