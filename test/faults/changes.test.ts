import { expect } from 'chai';
import { Workplace } from '../cli/run.ts';
import { type Letter, Party } from './party.ts';
import { CrimeScene } from './victim.ts';

describe('accounts that are changed after a kill, before the next start (XEP-0198 §5)', () => {
  const scene = new CrimeScene();
  const workplace = new Workplace();
  const names = ['romeo', 'juliet', 'nurse'];

  /** Juliet and the nurse, whose sessions were attached when the server was killed, and have not acknowledged a message each. */
  async function killed(): Promise<readonly [juliet: Party, nurse: Party]> {
    workplace.configure({ domains: ['localhost'], dataDir: scene.dataDir, authentication: { scramIterations: 4096 } });
    const server = await scene.start(names);
    const acknowledged: Letter[] = [];
    const notices = { acknowledged: (letters: readonly Letter[]) => void acknowledged.push(...letters) };
    const [romeo, juliet, nurse] = names.map((name) => new Party(name, true, notices));
    if (!romeo || !juliet || !nurse) throw new Error('there are three');
    for (const party of [romeo, juliet, nurse]) await party.arrives(server.port);
    for (const party of [juliet, nurse]) party.stalls();
    for (const to of ['juliet', 'nurse']) romeo.writes({ id: `to-${to}`, to });
    await romeo.readsAcknowledgments();
    server.kill();
    await server.end();
    for (const party of [romeo, juliet, nurse]) party.leaves();
    return [juliet, nurse];
  }

  /** The server is back, and both come back. */
  async function returned(juliet: Party, nurse: Party): Promise<void> {
    const server = await scene.start(names);
    for (const party of [juliet, nurse]) await party.arrives(server.port);
    for (const party of [juliet, nurse]) await party.empties();
    for (const party of [juliet, nurse]) party.leaves();
    await server.stop();
  }

  it('with another password have no session to come back to, and what it had not acknowledged waits', async () => {
    const [juliet, nurse] = await killed();
    await workplace.done('user', 'passwd', 'juliet@localhost', '--password', 'juliet-password');
    await returned(juliet, nurse);
    expect([juliet.resumed, nurse.resumed]).to.deep.equal([false, true]);
    expect([juliet.received, nurse.received]).to.deep.equal([['to-juliet'], ['to-nurse']]);
  });

  it('that are removed leave nothing to who has their name next', async () => {
    const [juliet, nurse] = await killed();
    await workplace.done('user', 'rm', 'juliet@localhost');
    await workplace.done('user', 'add', 'juliet@localhost', '--password', 'juliet-password');
    await returned(juliet, nurse);
    expect([juliet.resumed, nurse.resumed]).to.deep.equal([false, true]);
    expect([juliet.received, nurse.received]).to.deep.equal([[], ['to-nurse']]);
  });
});
