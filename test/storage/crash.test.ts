import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { tidyRooms } from './contract-rooms.ts';
import { TestDirectory } from './test-directory.ts';

const program = fileURLToPath(new URL('./storage-program.ts', import.meta.url));

describe('a killed process', () => {
  const directory = new TestDirectory();

  it('has lost nothing that it acknowledged, and holds no lock', async () => {
    const acknowledged = await killedAfter('append', 500);
    const storage = await directory.open();
    const kept = await storage.offline.list('juliet@capulet.example', 0, 1_000_000);
    const ids = new Set(kept.map(({ id }) => id));
    expect(acknowledged.filter((id) => !ids.has(id))).to.deep.equal([]);
    expect((await storage.offline.count('juliet@capulet.example')).messages).to.equal(kept.length);
  });

  it('has kept every item it acknowledged, and counts them as they are', async () => {
    const acknowledged = await killedAfter('publish', 500);
    const storage = await directory.open();
    const ids = new Set(await storage.pep.itemIds('juliet@capulet.example', 'n'));
    expect(acknowledged.filter((id) => !ids.has(String(id)))).to.deep.equal([]);
    await storage.pep.purge('juliet@capulet.example', 'n');
    const item = { id: 'x', publishedAtMs: 0, payload: '<p/>' };
    // The count of bytes is 0 now, so that exactly this item fits.
    await storage.pep.publish('juliet@capulet.example', 'n', { items: [item], maxItems: 1, maxBytes: 4 });
    expect(await storage.pep.itemIds('juliet@capulet.example', 'n')).to.deep.equal(['x']);
  });

  it('has every message of a room that it acknowledged, and counts them as they are', async () => {
    const acknowledged = await killedAfter('post', 500);
    const { rooms } = await directory.open();
    const room = (await rooms.open('hall@conference.example')).record?.room ?? 0;
    const all = { afterId: 0, beforeId: Number.POSITIVE_INFINITY };
    const ids = new Set((await rooms.page(room, all, 1_000_000, 'first')).map(({ id }) => id));
    expect(acknowledged.filter((id) => !ids.has(id))).to.deep.equal([]);
    // The count is that of the messages, so that exactly one of them goes.
    await tidyRooms(rooms, { maxMessages: ids.size - 1 });
    expect(await rooms.count(room, all, 1_000_000)).to.equal(ids.size - 1);
  });

  /** The ids that a process acknowledged before it was killed in the middle of its work. */
  async function killedAfter(task: 'append' | 'publish' | 'post', count: number): Promise<number[]> {
    const child = spawn(process.execPath, [program, task, directory.dataDir], {
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
