import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { TestDirectory } from './test-directory.ts';

const program = fileURLToPath(new URL('./storage-program.ts', import.meta.url));

describe('a killed process', () => {
  const directory = new TestDirectory();

  it('has lost nothing that it acknowledged, and holds no lock', async () => {
    const acknowledged = await killedAfter(500);
    const storage = await directory.open();
    const kept = await storage.offline.list('juliet@capulet.example', 0, 1_000_000);
    const ids = new Set(kept.map(({ id }) => id));
    expect(acknowledged.filter((id) => !ids.has(id))).to.deep.equal([]);
    expect((await storage.offline.count('juliet@capulet.example')).messages).to.equal(kept.length);
  });

  /** The ids that a process acknowledged before it was killed in the middle of its work. */
  async function killedAfter(count: number): Promise<number[]> {
    const child = spawn(process.execPath, [program, 'append', directory.dataDir], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exited = once(child, 'exit');
    const ids: number[] = [];
    for await (const line of createInterface(child.stdout)) {
      ids.push(Number(line));
      if (ids.length === count) child.kill('SIGKILL');
    }
    expect(await exited).to.deep.equal([null, 'SIGKILL']);
    expect(ids.length).to.be.at.least(count);
    return ids;
  }
});
