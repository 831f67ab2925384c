import { expect } from 'chai';
import type { NewUnacknowledged } from '../../src/storage/resumption.ts';
import type { Subject } from './contract.ts';
import { rejection } from './rejection.ts';
import { sampleCredentials } from './samples.ts';

const stanza = (text: string, sequence?: number): NewUnacknowledged => ({
  sequence,
  receivedAtMs: 1000,
  bytes: Buffer.from(text),
});
const textsOf = (rows: readonly NewUnacknowledged[]) => rows.map(({ bytes }) => bytes.toString());
let keys = 0;

/** The contract of sessions that can be resumed. */
export function describeResumption(subject: Subject): void {
  describe('resumable sessions', () => {
    async function session(known?: string): Promise<{ key: string; owner: string }> {
      const owner = known ?? (await subject.newAccount());
      const key = `key${++keys}`;
      await subject.storage.resumption.open({ key, owner, resource: 'home', maxSeconds: 60, state: '{"a":1}' });
      return { key, owner };
    }
    const livingNow = async (key: string, nowMs = 5000) =>
      (await subject.storage.resumption.living(nowMs)).find((each) => each.key === key);
    const strays = async (owner: string) =>
      textsOf((await subject.storage.resumption.strays(0, 1000)).filter((row) => row.owner === owner));

    it('live until they end; one that was attached counts as detached when it is found', async () => {
      const { resumption } = subject.storage;
      const { key, owner } = await session();
      await resumption.handled(key, 3);
      const found = { key, owner, resource: 'home', maxSeconds: 60, handled: 3, state: '{"a":1}', detachedAtMs: 5000 };
      expect(await livingNow(key)).to.deep.equal(found);
      await resumption.handled(key, 4, '{"a":2}');
      expect(await livingNow(key, 9000)).to.deep.equal({ ...found, handled: 4, state: '{"a":2}' });
      await resumption.attach(key);
      expect((await livingNow(key, 9000))?.detachedAtMs).to.equal(9000);
      expect(await resumption.handledBeforeEnd(key, owner)).to.equal(undefined);
      await resumption.end(key, 6, 10_000, 0);
      expect(await livingNow(key)).to.equal(undefined);
      expect(await resumption.handledBeforeEnd(key, owner)).to.equal(6);
      expect(await resumption.handledBeforeEnd(key, await subject.newAccount())).to.equal(undefined);
      await resumption.handled(key, 7, '{"a":3}');
      await resumption.end(key, 5, 11_000, 0);
      expect(await resumption.handledBeforeEnd(key, owner), 'what becomes final late counts, too').to.equal(7);
    });

    it('are forgotten some time after their end', async () => {
      const { resumption } = subject.storage;
      const { key, owner } = await session();
      await resumption.end(key, 1, 10_000, 0);
      const next = await session();
      await resumption.end(next.key, 1, 20_000, 10_001);
      expect(await resumption.handledBeforeEnd(key, owner)).to.equal(undefined);
      expect(await resumption.handledBeforeEnd(next.key, next.owner)).to.equal(1);
    });

    it('have their stanzas in the order they were added, until a detachment replaces them', async () => {
      const { resumption } = subject.storage;
      const { key, owner } = await session();
      const first = await resumption.add(owner, key, stanza('one', 1));
      const second = await resumption.add(owner, key, stanza('two'));
      const sequences = async () => (await resumption.stanzasOf(key)).map(({ sequence }) => sequence);
      expect(await sequences()).to.deep.equal([1, undefined]);
      await resumption.number(second, 2);
      await resumption.number(999_999, 3);
      expect(await sequences()).to.deep.equal([1, 2]);
      await resumption.remove([first, 999_999]);
      expect(textsOf(await resumption.stanzasOf(key))).to.deep.equal(['two']);
      const detachment = { atMs: 7000, handled: 2, state: '{}' };
      const ids = await resumption.detach(key, detachment, [stanza('three', 3), stanza('four', 4)]);
      const rows = await resumption.stanzasOf(key);
      expect(rows.map(({ id }) => id)).to.deep.equal(ids);
      expect(textsOf(rows)).to.deep.equal(['three', 'four']);
      expect(await livingNow(key)).to.deep.include({ detachedAtMs: 7000, handled: 2 });
      expect(await strays(owner)).to.deep.equal([]);
      await resumption.end(key, 2, 8000, 0);
      expect(await resumption.detach(key, detachment, [stanza('late')])).to.deep.equal([]);
      expect(await strays(owner)).to.deep.equal(['three', 'four']);
    });

    it('leave stanzas without a session as strays', async () => {
      const { resumption } = subject.storage;
      const owner = await subject.newAccount();
      const ids = await Promise.all(
        ['one', 'two', 'three'].map((text) => resumption.add(owner, undefined, stanza(text))),
      );
      expect(await strays(owner)).to.deep.equal(['one', 'two', 'three']);
      expect(textsOf(await resumption.strays(ids[0] ?? 0, 1))).to.deep.equal(['two']);
    });

    it('end with another password, attached or not, but for the one that is kept, and with the account', async () => {
      const { resumption, accounts } = subject.storage;
      const [lost, other] = [await session(), await session()];
      const attached = await session(lost.owner);
      const kept = await session(lost.owner);
      await resumption.detach(lost.key, { atMs: 1, handled: 3, state: '{}' }, [stanza('kept')]);
      await accounts.setCredentials(lost.owner, sampleCredentials());
      expect(await livingNow(lost.key), 'the same password').not.to.equal(undefined);
      await accounts.changePassword(lost.owner, sampleCredentials(), { session: kept.key });
      expect(await livingNow(lost.key)).to.equal(undefined);
      expect(await livingNow(attached.key)).to.equal(undefined);
      for (const { key } of [kept, other]) expect(await livingNow(key)).not.to.equal(undefined);
      expect(await strays(lost.owner)).to.deep.equal(['kept']);
      expect(await resumption.handledBeforeEnd(lost.key, lost.owner)).to.equal(3);
      await accounts.changePassword(lost.owner, sampleCredentials());
      expect(await livingNow(kept.key)).to.equal(undefined);
      await resumption.add(other.owner, other.key, stanza('x'));
      await accounts.remove(other.owner);
      expect(await livingNow(other.key)).to.equal(undefined);
      expect(await strays(other.owner)).to.deep.equal([]);
      expect((await rejection(resumption.add(other.owner, undefined, stanza('x')))).code).to.equal('not-found');
    });
  });
}
