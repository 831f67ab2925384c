import { expect } from 'chai';
import { type Letter, Party } from './party.ts';
import { CrimeScene } from './victim.ts';

const rounds = 20;
const window = 20;
const senders = ['romeo', 'mercutio', 'benvolio'];
const recipients = ['juliet', 'nurse', 'tybalt', 'laurence'];

describe('a server that is killed under load (XEP-0198 §4)', function () {
  this.timeout(120_000);
  const scene = new CrimeScene();
  const start = () => scene.start([...senders, ...recipients]);

  it(`has lost nothing it acknowledged, keeps the order of each pair, and repeats only whole messages`, async () => {
    const acknowledged: Letter[] = [];
    const notices = { acknowledged: (letters: readonly Letter[]) => void acknowledged.push(...letters) };
    const writing = senders.map((name) => new Party(name, true, notices));
    // Juliet acknowledges, the nurse has no stream management, Tybalt is away until the end, and until then Laurence reads nothing.
    const [juliet, nurse, tybalt, laurence] = [
      new Party('juliet', true, notices),
      new Party('nurse', false, notices),
      new Party('tybalt', true, notices),
      new Party('laurence', true, notices),
    ];
    const everybody = [...writing, juliet, nurse, tybalt, laurence];
    let written = 0;

    for (let round = 0; round < rounds; round++) {
      const server = await start();
      for (const party of [juliet, nurse, laurence, ...writing]) await party.arrives(server.port);
      laurence.stalls();
      const until = acknowledged.length + 10 + Math.floor(Math.random() * 150);
      const go = () => {
        if (acknowledged.length >= until) return server.kill();
        for (const [index, party] of writing.entries()) {
          while (party.unacknowledged < window) {
            party.writes({ id: `${senders[index]}-${written}`, to: recipients[written % 4] ?? '' });
            written += 1;
          }
        }
      };
      go();
      await Promise.all([juliet, nurse, ...writing].map((party) => party.reads(go)));
      laurence.leaves();
      expect(await server.end()).to.equal(null);
    }

    const server = await start();
    for (const party of everybody) await party.arrives(server.port);
    for (const party of everybody) await party.empties();
    for (const party of everybody) party.leaves();
    await server.stop();

    const received = new Map([juliet, nurse, tybalt, laurence].map((party) => [party.name, party.received]));
    const lost = acknowledged.filter(({ id, to }) => !received.get(to)?.includes(id));
    expect(lost.map(({ id, to }) => `${id} to ${to}`)).to.deep.equal([]);
    expect(acknowledged.length).to.be.at.least(rounds * 10);
    for (const [name, ids] of received) expect(disorder(ids), name).to.deep.equal([]);
    console.log(`      ${rounds} kills: ${acknowledged.length} acknowledged, 0 lost, ${repeated(received)} repeated`);
  });
});

/** Messages whose first copy came before that of an earlier one of the same sender. */
function disorder(ids: readonly string[]): string[] {
  const latest = new Map<string, number>();
  return [...new Set(ids)].filter((id) => {
    const [sender = '', number] = id.split('-');
    const early = Number(number) < (latest.get(sender) ?? -1);
    latest.set(sender, Math.max(Number(number), latest.get(sender) ?? -1));
    return early;
  });
}

function repeated(received: ReadonlyMap<string, readonly string[]>): number {
  return [...received.values()].reduce((sum, ids) => sum + ids.length - new Set(ids).size, 0);
}
