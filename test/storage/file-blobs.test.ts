import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { FileBlobs } from '../../src/storage/file-blobs.ts';
import { rejection } from './rejection.ts';
import { TestDirectory } from './test-directory.ts';

describe('contents in files', () => {
  const directory = new TestDirectory();
  const blobs = () => new FileBlobs(directory.path('uploads'));
  async function* parts(...texts: readonly string[]) {
    for (const text of texts) yield Buffer.from(text);
  }
  const textOf = async (read: ReturnType<FileBlobs['read']>) => {
    const content = await read;
    return content && text(content);
  };
  /** Of most contents here. */
  const whole = { first: 0, last: 5 };
  const filesIn = (name: string) => readdirSync(directory.path('uploads', name));

  it('are kept whole, private, and named by their ids', async () => {
    const store = blobs();
    await store.write('abcdef', 6, parts('he', '', 'llo', '!'));
    expect(readFileSync(directory.path('uploads/ab/abcdef'), 'utf8')).to.equal('hello!');
    expect(filesIn('incoming')).to.deep.equal([]);
    const modes = ['uploads', 'uploads/ab', 'uploads/ab/abcdef'].map((name) => statSync(directory.path(name)).mode);
    expect(modes.map((mode) => mode & 0o777)).to.deep.equal([0o700, 0o700, 0o600]);
  });

  it('are read whole and in parts', async () => {
    const store = blobs();
    await store.write('abcdef', 6, parts('hello!'));
    expect(await textOf(store.read('abcdef', whole))).to.equal('hello!');
    expect(await textOf(store.read('abcdef', { first: 1, last: 3 }))).to.equal('ell');
    expect(await store.read('abcxyz', whole)).to.equal(undefined);
  });

  it('are written in large pieces, in order', async () => {
    const store = blobs();
    const bytes = Buffer.from(Array.from({ length: 500_000 }, (_, at) => at % 251));
    async function* chunks() {
      for (let at = 0; at < bytes.length; at += 16_001) yield bytes.subarray(at, at + 16_001);
    }
    await store.write('abcdef', bytes.length, chunks());
    expect(readFileSync(directory.path('uploads/ab/abcdef')).equals(bytes)).to.equal(true);
  });

  it('are written without keeping the memory of their chunks', async () => {
    const large = Buffer.alloc(100_000, 'x');
    const shared = Buffer.alloc(20, 'y');
    async function* chunks() {
      yield large;
      yield shared.subarray(0, 10);
    }
    await blobs().write('abcdef', 100_010, chunks());
    expect(large).to.have.lengthOf(0);
    expect(shared.toString()).to.equal('y'.repeat(20));
  });

  it('are read in the same memory, whatever their size', async () => {
    const store = blobs();
    await store.write('abcdef', 200_000, parts('x'.repeat(200_000)));
    const memory = new Set<unknown>();
    for await (const chunk of (await store.read('abcdef', { first: 0, last: 199_999 })) ?? []) memory.add(chunk.buffer);
    expect(memory).to.have.lengthOf(1);
  });

  it('are not read beyond their end', async () => {
    const store = blobs();
    await store.write('abcdef', 5, parts('hello'));
    expect(await rejection(textOf(store.read('abcdef', whole)))).to.have.property('code', 'invalid');
  });

  for (const [what, size] of [
    ['short', 7],
    ['long', 5],
  ] as const)
    it(`leave nothing if they are too ${what}`, async () => {
      expect((await rejection(blobs().write('abcdef', size, parts('hello!')))).code).to.equal('invalid');
      expect([filesIn('incoming'), readdirSync(directory.path('uploads'))]).to.deep.equal([[], ['incoming']]);
    });

  it('leave nothing if the sender breaks off', async () => {
    async function* broken() {
      yield Buffer.alloc(100_000);
      throw new Error('the sender has left');
    }
    const error = await blobs()
      .write('abcdef', 200_000, broken())
      .catch((reason: Error) => reason);
    expect(error).to.have.property('message', 'the sender has left');
    expect(filesIn('incoming')).to.deep.equal([]);
  });

  it('are not written twice at the same time', async () => {
    const store = blobs();
    const arrives = Promise.withResolvers<void>();
    async function* slow() {
      yield Buffer.from('hel');
      await arrives.promise;
      yield Buffer.from('lo!');
    }
    const first = store.write('abcdef', 6, slow());
    while (!existsSync(directory.path('uploads/incoming/abcdef'))) await new Promise(setImmediate);
    expect(await rejection(store.write('abcdef', 6, parts('other!')))).to.have.property('code', 'io');
    arrives.resolve();
    await first;
    expect(await textOf(store.read('abcdef', whole))).to.equal('hello!');
  });

  it('are removed, and can be absent', async () => {
    const store = blobs();
    await store.write('abcdef', 6, parts('hello!'));
    await store.remove('abcdef');
    await store.remove('abcdef');
    expect(await store.read('abcdef', whole)).to.equal(undefined);
  });

  it('are listed, without those that are unfinished', async () => {
    const store = blobs();
    const ids = [];
    for await (const some of store.ids()) ids.push(...some);
    expect(ids, 'nothing was stored yet').to.deep.equal([]);
    for (const id of ['abcdef', 'abxyz', '-_1234']) await store.write(id, 1, parts('x'));
    writeFileSync(directory.path('uploads/incoming/half'), 'x');
    for await (const some of store.ids()) ids.push(...some);
    expect(ids).to.have.members(['abcdef', 'abxyz', '-_1234']);
    await store.removeUnfinished();
    expect(filesIn('incoming')).to.deep.equal([]);
  });

  it('have ids that lead nowhere else', async () => {
    for (const id of ['', 'ab', '../secret', 'a/b/c', '..', 'abc.def', 'a'.repeat(65), 'abc\0'])
      for (const work of [blobs().read(id, whole), blobs().remove(id), blobs().write(id, 1, parts('x'))])
        expect(await rejection(work), id).to.have.property('code', 'invalid');
  });
});
