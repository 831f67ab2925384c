import { setImmediate } from 'node:timers/promises';
import { expect } from 'chai';
import { rejection } from './rejection.ts';
import { ampleQuota, sampleCredentials, sampleItem, sampleMessage } from './samples.ts';
import { TestDirectory } from './test-directory.ts';

const juliet = 'juliet@capulet.example';
const ample = { freeBytes: 1e9, totalBytes: 2e9 };

describe('group commit', () => {
  const directory = new TestDirectory();

  it('makes all writes of one turn durable with one commit', async () => {
    const storage = await directory.open();
    await storage.accounts.create(juliet, sampleCredentials());
    const before = storage.load.commits;
    await Promise.all(
      Array.from({ length: 500 }, () => storage.offline.append(juliet, sampleMessage('x'), ampleQuota)),
    );
    expect(storage.load.commits).to.equal(before + 1);
  });

  it('makes what arrives while the disk is busy the next commit', async () => {
    const storage = await directory.open();
    await storage.accounts.create(juliet, sampleCredentials());
    const before = storage.load.commits;
    const append = () => storage.offline.append(juliet, sampleMessage('x'), ampleQuota);
    const first = append();
    await setImmediate();
    // The first is on its way, and its answer cannot be heard before this turn ends.
    const rest = Array.from({ length: 200 }, append);
    await Promise.all([first, ...rest]);
    expect(storage.load.commits).to.equal(before + 2);
  });

  it('bounds a transaction', async () => {
    const storage = await directory.open();
    await storage.accounts.create(juliet, sampleCredentials());
    const before = storage.load.commits;
    await Promise.all(
      Array.from({ length: 3_000 }, () => storage.offline.append(juliet, sampleMessage('x'), ampleQuota)),
    );
    expect(storage.load.commits).to.equal(before + 3);
  });

  it('makes a transaction no larger than a quarter of the ballast, unless one write is larger', async () => {
    const storage = await directory.open({ ballastBytes: 400_000, diskSpace: () => ample });
    await storage.accounts.create(juliet, sampleCredentials());
    const { archive } = (await storage.archive.open(juliet)) ?? expect.fail('no archive');
    const recipient = { archive, peer: 'romeo@montague.example' };
    const store = (bytes: number) => storage.offline.append(juliet, sampleMessage('x'.repeat(bytes)), ampleQuota);
    const keep = (bytes: number) =>
      storage.archive.append({ id: storage.archive.newId(), bytes: Buffer.alloc(bytes, 'x'), recipient });
    for (const [sizes, append, commits] of [
      [[20_000, 20_000, 20_000, 20_000, 20_000, 20_000], store, 2],
      [[20_000, 20_000, 20_000, 20_000, 20_000, 20_000], keep, 2],
      [[150_000, 10, 10, 150_000], store, 3],
      [[150_000, 10, 10, 150_000], keep, 3],
      [Array<number>(97).fill(0), keep, 1],
      [Array<number>(98).fill(0), keep, 2],
    ] as const) {
      const before = storage.load.commits;
      await Promise.all(sizes.map((size) => append(size)));
      expect(storage.load.commits - before, sizes.join(' ')).to.equal(commits);
    }
  });

  it('commits nothing for reads alone', async () => {
    const storage = await directory.open();
    const before = storage.load.commits;
    await Promise.all([storage.accounts.count(), storage.accounts.list({ limit: 1 })]);
    expect(storage.load.commits).to.equal(before);
  });

  it('lets one bad row fail alone, without a trace', async () => {
    const storage = await directory.open();
    const keys = { salt: Buffer.of(1), iterations: 0, storedKey: Buffer.of(1), serverKey: Buffer.of(1) };
    const before = storage.load.commits;
    const [first, poison, last] = [
      storage.accounts.create('first@x.example', sampleCredentials()),
      rejection(storage.accounts.create('poison@x.example', { scram: { 'SHA-1': keys } })),
      storage.accounts.create('last@x.example', sampleCredentials()),
    ];
    await Promise.all([first, last]);
    expect((await poison).code).to.equal('invalid');
    expect(storage.load.commits).to.equal(before + 1);
    expect(await storage.accounts.list({ limit: 10 })).to.deep.equal(['first@x.example', 'last@x.example']);
  });
});

describe('a full disk', () => {
  const directory = new TestDirectory();

  it('fails every write of the batch, lets reads through, and ends when there is room again', async () => {
    const storage = await directory.open({ maxPageCount: await directory.pageCountWith(50) });
    await storage.accounts.create(juliet, sampleCredentials());
    const append = (bytes: number) => storage.offline.append(juliet, sampleMessage('x'.repeat(bytes)), ampleQuota);
    const kept = await append(100_000);
    const [small, large, count] = await Promise.all([
      rejection(append(10)),
      rejection(append(400_000)),
      storage.offline.count(juliet),
    ]);
    expect([small.code, large.code]).to.deep.equal(['full', 'full']);
    expect(count).to.deep.equal({ messages: 1, bytes: 100_000 });
    expect((await storage.offline.list(juliet, 0, 10)).map(({ id }) => id)).to.deep.equal([kept]);
    const item = sampleItem('romeo@montague.example', { pendingIn: Buffer.alloc(400_000) });
    const both = [rejection(append(10)), rejection(storage.rosters.put(juliet, item))];
    expect((await Promise.all(both)).map(({ code }) => code)).to.deep.equal(['full', 'full']);
    expect(await storage.offline.count(juliet)).to.deep.equal({ messages: 1, bytes: 100_000 });
    await storage.offline.remove(juliet, [kept]);
    await append(10);
    expect(await storage.offline.count(juliet)).to.deep.equal({ messages: 1, bytes: 10 });
  });
});
