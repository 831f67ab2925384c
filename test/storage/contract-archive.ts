import { expect } from 'chai';
import type { ArchivedMessage, ArchiveLimits, ArchiveRange, ArchiveStore } from '../../src/storage/archive.ts';
import { timeOfId } from '../../src/storage/ordered-ids.ts';
import type { Subject } from './contract.ts';
import { rejection } from './rejection.ts';

const everything: ArchiveRange = { afterId: 0, beforeId: Number.POSITIVE_INFINITY };
const noLimits: ArchiveLimits = { removeBeforeId: 0, maxMessages: Number.POSITIVE_INFINITY, indexBeforeId: 0 };
const romeo = 'romeo@montague.example';

/** Does all that the limits demand. */
export async function tidyUp(store: ArchiveStore, limits: Partial<ArchiveLimits>): Promise<void> {
  for (let round = 0; round < 10_000; round++) if (!(await store.tidy({ ...noLimits, ...limits }))) return;
  throw new Error('tidying does not end');
}

function texts(messages: readonly ArchivedMessage[]): string[] {
  return messages.map(({ bytes }) => bytes.toString());
}

/** The contract of archives. */
export function describeArchive(subject: Subject): void {
  /** The archive of a new account. */
  async function newArchive(): Promise<{ owner: string; archive: number }> {
    const owner = await subject.newAccount();
    const record = await subject.storage.archive.open(owner);
    if (!record) throw new Error('an account without an archive');
    return { owner, archive: record.archive };
  }

  function append(archive: number, text: string, peer = romeo): number {
    const id = subject.storage.archive.newId();
    void subject.storage.archive.append({ id, bytes: Buffer.from(text), recipient: { archive, peer } });
    return id;
  }

  type Owned = Awaited<ReturnType<typeof newArchive>>;

  /** The ends of a message from one account to the other. */
  function between(one: Owned, other: Owned) {
    return {
      sender: { archive: one.archive, peer: other.owner },
      recipient: { archive: other.archive, peer: one.owner },
    };
  }

  it('gives every account an archive of its own, and an address without account none', async () => {
    const [one, other] = [await newArchive(), await newArchive()];
    expect(one.archive).not.to.equal(other.archive);
    expect(await subject.storage.archive.open('nobody@x.example')).to.equal(undefined);
  });

  it('keeps preferences', async () => {
    const { archive: store } = subject.storage;
    const { owner, archive } = await newArchive();
    expect(await store.open(owner)).to.deep.equal({
      archive,
      preferences: undefined,
      wasRead: false,
      hasImportedIds: false,
    });
    await store.setPreferences(archive, '{"a":1}');
    expect((await store.open(owner))?.preferences).to.equal('{"a":1}');
    await store.setPreferences(archive, undefined);
    expect((await store.open(owner))?.preferences).to.equal(undefined);
    expect((await rejection(store.setPreferences(archive + 1_000_000, '{}'))).code).to.equal('not-found');
  });

  it('remembers that it was read', async () => {
    const { archive: store } = subject.storage;
    const [read, other] = [await newArchive(), await newArchive()];
    await store.setRead(read.archive);
    expect((await store.open(read.owner))?.wasRead).to.equal(true);
    expect((await store.open(other.owner))?.wasRead).to.equal(false);
  });

  it('puts a message into the archives of both ends', async () => {
    const { archive: store } = subject.storage;
    const [one, other] = [await newArchive(), await newArchive()];
    const bytes = Buffer.from('....\u{1f339}....').subarray(4, -4);
    const id = store.newId();
    const sender = { archive: one.archive, peer: other.owner };
    await store.append({ id, bytes, sender, recipient: { archive: other.archive, peer: one.owner } });
    for (const [{ archive }, peer] of [
      [one, other.owner],
      [other, one.owner],
    ] as const) {
      expect(await store.page(archive, everything, 10, 'first')).to.deep.equal([{ id, bytes }]);
      expect(await store.page(archive, { ...everything, peer }, 10, 'last')).to.deep.equal([{ id, bytes }]);
      expect(await store.page(archive, { ...everything, peer: romeo }, 10, 'first')).to.deep.equal([]);
      expect(await store.bounds(archive)).to.deep.equal([{ id }, { id }]);
    }
  });

  it('answers from an empty archive', async () => {
    const { archive: store } = subject.storage;
    const { archive } = await newArchive();
    expect(await store.page(archive, everything, 10, 'first')).to.deep.equal([]);
    expect(await store.find(archive, [1])).to.deep.equal([]);
    expect(await store.count(archive, everything, 10)).to.equal(0);
    expect(await store.bounds(archive)).to.equal(undefined);
    await store.remove(archive, 1);
  });

  for (const indexed of [false, true]) {
    describe(`with messages ${indexed ? 'in the index' : 'that are new'}`, () => {
      let archive = 0;
      let ids: number[] = [];
      before(async () => {
        ({ archive } = await newArchive());
        ids = ['a', 'b', 'c', 'd'].map((text, index) => append(archive, text, index % 2 === 0 ? romeo : 'b@x.example'));
        if (indexed) await tidyUp(subject.storage.archive, { indexBeforeId: subject.storage.archive.newId() });
      });

      const pages: readonly [what: string, range: () => ArchiveRange, limit: number, first: string, last: string][] = [
        ['all of them', () => everything, 10, 'abcd', 'abcd'],
        ['some of them', () => everything, 3, 'abc', 'bcd'],
        ['none', () => everything, 0, '', ''],
        ['those behind one', () => ({ ...everything, afterId: ids[1]! }), 10, 'cd', 'cd'],
        ['those before one', () => ({ ...everything, beforeId: ids[2]! }), 1, 'a', 'b'],
        ['those between two', () => ({ afterId: ids[0]!, beforeId: ids[3]! }), 10, 'bc', 'bc'],
        ['an empty range', () => ({ afterId: ids[2]!, beforeId: ids[1]! }), 10, '', ''],
        ['those of one peer', () => ({ ...everything, peer: romeo }), 10, 'ac', 'ac'],
        ['the nearest of one peer', () => ({ ...everything, peer: 'b@x.example' }), 1, 'b', 'd'],
        ['those of somebody else', () => ({ ...everything, peer: 'c@x.example' }), 10, '', ''],
      ];
      for (const [what, range, limit, first, last] of pages) {
        it(`reads and counts ${what}`, async () => {
          const { archive: store } = subject.storage;
          expect(texts(await store.page(archive, range(), limit, 'first')).join('')).to.equal(first);
          expect(texts(await store.page(archive, range(), limit, 'last')).join('')).to.equal(last);
          expect(await store.count(archive, range(), limit)).to.equal(first.length);
        });
      }

      it('finds single ones, and none of other archives', async () => {
        const { archive: store } = subject.storage;
        const other = await newArchive();
        const theirs = append(other.archive, 'x');
        expect(texts(await store.find(archive, [ids[3]!, theirs, ids[0]!, 1]))).to.deep.equal(['d', 'a']);
        expect(await store.bounds(archive)).to.deep.equal([{ id: ids[0] }, { id: ids[3] }]);
      });
    });

    it(`removes a message ${indexed ? 'in the index' : 'that is new'} from one archive and then from the other`, async () => {
      const { archive: store } = subject.storage;
      const [one, other] = [await newArchive(), await newArchive()];
      const id = store.newId();
      await store.append({ id, bytes: Buffer.from('x'), ...between(one, other) });
      if (indexed) await tidyUp(store, { indexBeforeId: store.newId() });
      await store.remove(one.archive, id);
      expect(await store.find(one.archive, [id])).to.deep.equal([]);
      expect(texts(await store.find(other.archive, [id]))).to.deep.equal(['x']);
      await store.remove(other.archive, id);
      expect(await store.find(other.archive, [id])).to.deep.equal([]);
    });
  }

  it('searches the last 1000 messages with a peer', async () => {
    const { archive: store } = subject.storage;
    const { archive } = await newArchive();
    append(archive, 'a needle, too far back');
    const ids = ['a needle', 'hay', 'an\u00e9edle'].map((text) => append(archive, text));
    append(archive, 'a needle of another', 'tybalt@x.example');
    for (let hay = 0; hay < 997; hay++) append(archive, `hay ${hay}`);
    const next = append(archive, 'a needle that comes later');
    const search = async (text: string) => texts(await store.search(archive, romeo, next, text));
    expect(await search('needle')).to.deep.equal(['a needle']);
    expect(await search('\u00e9')).to.deep.equal(['an\u00e9edle']);
    expect(await search('pin')).to.deep.equal([]);
    expect(await store.search(archive, 'nobody@x.example', next, 'needle')).to.deep.equal([]);
    expect(texts(await store.search(archive, romeo, ids[1]!, 'needle'))).to.have.members([
      'a needle',
      'a needle, too far back',
    ]);
  });

  it('replaces a message if nobody else has it', async () => {
    const { archive: store } = subject.storage;
    const [one, other] = [await newArchive(), await newArchive()];
    const id = store.newId();
    await store.append({ id, bytes: Buffer.from('x'), ...between(one, other) });
    const read = async () => texts(await store.find(other.archive, [id]));
    await store.replace(id, Buffer.from('no'), [one.archive]);
    expect(await read()).to.deep.equal(['x']);
    await store.replace(id, Buffer.from('both'), [other.archive, one.archive]);
    expect(await read()).to.deep.equal(['both']);
    await store.remove(one.archive, id);
    await store.replace(id, Buffer.from('alone'), [other.archive]);
    expect(await read()).to.deep.equal(['alone']);
    await store.remove(other.archive, id);
    await store.replace(id, Buffer.from('gone'), [other.archive]);
    expect(await read()).to.deep.equal([]);
  });

  it('removes nothing if the archive does not have the message', async () => {
    const { archive: store } = subject.storage;
    const [one, other] = [await newArchive(), await newArchive()];
    const id = append(one.archive, 'x');
    await store.remove(other.archive, id);
    expect(texts(await store.find(one.archive, [id]))).to.deep.equal(['x']);
  });

  it('removes what is too old, in every archive', async () => {
    const { archive: store } = subject.storage;
    const [one, other] = [await newArchive(), await newArchive()];
    append(one.archive, 'a');
    append(other.archive, 'b');
    const bound = store.newId();
    append(one.archive, 'c');
    await tidyUp(store, { removeBeforeId: bound });
    expect(texts(await store.page(one.archive, everything, 10, 'first'))).to.deep.equal(['c']);
    expect(texts(await store.page(other.archive, everything, 10, 'first'))).to.deep.equal([]);
  });

  it('removes the oldest of too many', async () => {
    const { archive: store } = subject.storage;
    const [one, other] = [await newArchive(), await newArchive()];
    for (let number = 0; number < 600; number++) append(one.archive, `${number}`);
    append(other.archive, 'x');
    await tidyUp(store, { maxMessages: 3, indexBeforeId: store.newId() });
    expect(texts(await store.page(one.archive, everything, 10, 'first'))).to.deep.equal(['597', '598', '599']);
    expect(texts(await store.page(other.archive, everything, 10, 'first'))).to.deep.equal(['x']);
  });

  it('measures and purges an archive, whether its messages are in the index or new', async () => {
    const { archive: store } = subject.storage;
    const [one, other] = [await newArchive(), await newArchive()];
    const before = await store.usage();
    const ids = Array.from({ length: 2500 }, (_, index) => append(one.archive, index < 10 ? 'old' : 'new'));
    await tidyUp(store, { indexBeforeId: ids[600]! });
    ids.push(append(one.archive, 'last'));
    append(other.archive, 'x');
    const [firstId, lastId] = [ids[0], ids.at(-1)];
    expect(await store.usage(one.archive)).to.deep.equal({ messages: 2501, bytes: 7504, firstId, lastId });
    expect((await store.usage()).bytes - before.bytes).to.equal(7505);
    expect(await store.purge(one.archive, ids[700]!)).to.equal(700);
    expect(await store.usage(one.archive)).to.deep.equal({ messages: 1801, bytes: 5404, firstId: ids[700], lastId });
    const some = await store.purge(one.archive, Number.MAX_SAFE_INTEGER, 1);
    expect(some).to.be.within(1, 1800);
    expect(await store.purge(one.archive, Number.MAX_SAFE_INTEGER)).to.equal(1801 - some);
    const nothing = { messages: 0, bytes: 0, firstId: undefined, lastId: undefined };
    expect(await store.usage(one.archive)).to.deep.equal(nothing);
    expect((await store.usage(other.archive)).messages).to.equal(1);
  });

  it('forgets the archive of a removed account, and gives a new account of that name another', async () => {
    const { archive: store, accounts } = subject.storage;
    const { owner, archive } = await newArchive();
    append(archive, 'a');
    await accounts.remove(owner);
    expect(await store.open(owner)).to.equal(undefined);
    await accounts.create(owner, { scram: {} });
    const reborn = await store.open(owner);
    expect(reborn?.archive).to.be.greaterThan(archive);
    await tidyUp(store, {});
    expect(await store.bounds(archive)).to.equal(undefined);
    expect(await store.bounds(reborn?.archive ?? 0)).to.equal(undefined);
    expect((await rejection(store.setPreferences(archive, '{}'))).code).to.equal('not-found');
  });

  it('takes messages of another server at the time of each, with their ids', async () => {
    const { archive: store } = subject.storage;
    const { owner, archive } = await newArchive();
    const atMs = Date.UTC(2020, 0, 1);
    const imported = (text: string, ms: number) => ({
      atMs: ms,
      bytes: Buffer.from(text),
      peer: romeo,
      importedId: `id ${text}`,
    });
    append(archive, 'new');
    const place = await store.importMessages(archive, [
      imported('b', atMs),
      imported('d', atMs + 1),
      imported('c', atMs),
    ]);
    const nameless = { ...imported('e', atMs + 1), importedId: undefined };
    await store.importMessages(archive, [nameless, imported('a', -1), imported('f', Number.MAX_SAFE_INTEGER)], {
      atMs: atMs + 1,
      id: (await store.idsOfImported(archive, ['id d']))[0]!,
    });
    expect(timeOfId(place.id)).to.equal(atMs);
    const found = await store.page(archive, everything, 10, 'first');
    expect(texts(found).join(' ')).to.equal('a b c d e f new');
    expect(found.map(({ importedId }) => importedId)).to.deep.equal([
      ...['id a', 'id b', 'id c', 'id d', undefined, 'id f', undefined],
    ]);
    expect(texts(await store.page(archive, { ...everything, peer: romeo }, 2, 'first'))).to.deep.equal(['a', 'b']);
    expect((await store.bounds(archive))?.[0]).to.deep.equal({ id: found[0]?.id, importedId: 'id a' });
    expect(await store.idsOfImported(archive, ['id c', 'id x'])).to.deep.equal([found[2]?.id, undefined]);
    expect((await store.open(owner))?.hasImportedIds).to.equal(true);
    await store.remove(archive, found[2]!.id);
    expect(await store.idsOfImported(archive, ['id c'])).to.deep.equal([undefined]);
    expect((await rejection(store.importMessages(archive + 1_000_000, []))).code).to.equal('not-found');
  });

  it('joins an imported archive with its new account, and removes one that was given up', async () => {
    const { archive: store, accounts } = subject.storage;
    const owner = await subject.newAccount();
    await accounts.remove(owner);
    const [archive, other] = [await store.prepareImport(), await store.prepareImport()];
    const messages = [{ atMs: 1, bytes: Buffer.from('x'), peer: romeo }];
    for (const one of [archive, other]) await store.importMessages(one, messages);
    await tidyUp(store, {});
    expect(texts(await store.page(other, everything, 10, 'first'))).to.deep.equal(['x']);
    const account = { jid: owner, ...{ credentials: { scram: {} } } };
    await accounts.createMany([{ ...account, archive }]);
    await accounts.createMany([{ ...account, archive: other }]);
    for (const one of [archive, other]) store.finishImport(one);
    await tidyUp(store, {});
    expect((await store.open(owner))?.archive).to.equal(archive);
    expect(texts(await store.page(archive, everything, 10, 'first'))).to.deep.equal(['x']);
    expect(texts(await store.page(other, everything, 10, 'first'))).to.deep.equal([]);
    // An archive has one owner.
    const second = await subject.newAccount();
    await accounts.remove(second);
    await accounts.createMany([{ jid: second, credentials: { scram: {} }, archive }]);
    expect((await store.open(second))?.archive).to.be.greaterThan(other);
  });

  it('sees in a query everything that was appended before it', async () => {
    const { archive: store } = subject.storage;
    const { archive } = await newArchive();
    append(archive, 'a');
    const first = store.page(archive, everything, 10, 'first');
    append(archive, 'b');
    expect(texts(await first)).to.deep.equal(['a']);
    expect(texts(await store.page(archive, everything, 10, 'first'))).to.deep.equal(['a', 'b']);
  });
}
