import { expect } from 'chai';
import type { UploadStore } from '../../src/storage/uploads.ts';
import type { Subject } from './contract.ts';
import { rejection } from './rejection.ts';

let files = 0;

/** The contract of uploads: files, their owners, and what remains of those that are gone. */
export function describeUploads(subject: Subject): void {
  const store = (): UploadStore => subject.storage.uploads;
  /** Adds a file and returns its id. */
  const add = async (owner: string, size: number, uploadedAtMs = 1000, maxBytes = 1_000_000) => {
    const id = `file-${files++}`;
    await store().add(owner, { id, name: `${id}.png`, type: 'image/png', size, uploadedAtMs }, maxBytes);
    return id;
  };
  /** Deletes all contents that are due, and resolves with their ids. */
  const deletes = async (atMs = 5000) => {
    const ids = (await store().due(100)).map(({ id }) => id);
    return { ids, bytes: await store().deleted(ids, atMs) };
  };

  describe('uploads', () => {
    it('belong to an account', async () => {
      const owner = await subject.newAccount();
      const id = await add(owner, 10);
      const found = await store().find(id);
      expect(found).to.deep.include({ id, owner, name: `${id}.png`, type: 'image/png', size: 10, uploadedAtMs: 1000 });
      expect(await store().find('another')).to.equal(undefined);
      const strange = store().add('nobody@x.example', { id: 'x', name: '', type: '', size: 1, uploadedAtMs: 1 }, 10);
      expect((await rejection(strange)).code).to.equal('not-found');
    });

    it('push the oldest out beyond the limit of the account, and stay even if they are larger themselves', async () => {
      const [owner, other] = [await subject.newAccount(), await subject.newAccount()];
      const [first, second] = [await add(owner, 40), await add(owner, 40)];
      const foreign = await add(other, 40);
      const third = await add(owner, 20, 1000, 60);
      expect(
        await Promise.all([first, second, third, foreign].map(async (id) => typeof (await store().find(id)))),
      ).to.deep.equal(['string', 'object', 'object', 'object']);
      const large = await add(owner, 100, 1000, 60);
      expect((await store().list({ before: 1e9, limit: 10, owner })).map(({ id }) => id)).to.deep.equal([large]);
      await deletes();
    });

    it('count, in all and since a time', async () => {
      const owner = await subject.newAccount();
      expect(await store().usage(owner, 0)).to.deep.equal({
        files: 0,
        bytes: 0,
        recentBytes: 0,
        recentFiles: 0,
        recentSinceMs: undefined,
      });
      for (const [size, atMs] of [
        [1, 1000],
        [2, 2000],
        [4, 3000],
      ] as const)
        await add(owner, size, atMs);
      expect(await store().usage(owner, 2000)).to.deep.equal({
        files: 3,
        bytes: 7,
        recentBytes: 6,
        recentFiles: 2,
        recentSinceMs: 2000,
      });
      expect((await store().largest(1000)).find((one) => one.owner === owner)).to.deep.equal({
        owner,
        files: 3,
        bytes: 7,
      });
    });

    it('are removed by id, owner and age', async () => {
      const [owner, other] = [await subject.newAccount(), await subject.newAccount()];
      const ids = [await add(owner, 1, 10), await add(owner, 1, 20), await add(other, 1, 10), await add(other, 1, 20)];
      const left = async () =>
        (await store().list({ before: 1e9, limit: 10 })).map(({ id }) => ids.indexOf(id)).filter((at) => at >= 0);
      expect(await store().remove({ owner, beforeMs: 20 })).to.equal(1);
      expect(await left()).to.deep.equal([3, 2, 1]);
      expect(await store().remove({ beforeMs: 20 })).to.equal(1);
      expect(await left()).to.deep.equal([3, 1]);
      expect(await store().remove({ id: ids[1] })).to.equal(1);
      expect(await store().remove({ id: ids[1] })).to.equal(0);
      expect(await store().remove({ owner: other })).to.equal(1);
      expect(await left()).to.deep.equal([]);
      expect((await rejection(store().remove({}))).code).to.equal('invalid');
      await deletes();
    });

    it('are gone with their account, then without their content, then forgotten', async () => {
      const owner = await subject.newAccount();
      const id = await add(owner, 100);
      const before = await store().total();
      expect(await store().due(10)).to.deep.equal([]);
      await subject.storage.accounts.remove(owner);
      expect(await store().find(id)).to.equal('gone');
      expect(await store().unknown([id, 'stray'])).to.deep.equal(['stray']);
      expect(await deletes(7000)).to.deep.equal({ ids: [id], bytes: 100 });
      expect(await store().deleted([id], 8000), 'known already').to.equal(0);
      expect(await store().total()).to.deep.equal({ files: before.files - 1, bytes: before.bytes - 100 });
      expect(await store().unknown([id])).to.deep.equal([id]);
      await store().forget(7000);
      expect(await store().find(id)).to.equal('gone');
      await store().forget(7001);
      expect(await store().find(id)).to.equal(undefined);
    });
  });
}
