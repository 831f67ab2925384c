import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { expect } from 'chai';
import fc from 'fast-check';
import type { ArchivedMessage, ArchiveRange, ArchiveStore } from '../../src/storage/archive.ts';
import { timeOfId } from '../../src/storage/ordered-ids.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { tidyUp } from './contract-archive.ts';
import { rejection } from './rejection.ts';
import { sampleCredentials } from './samples.ts';
import { TestDirectory } from './test-directory.ts';

const everything: ArchiveRange = { afterId: 0, beforeId: Number.POSITIVE_INFINITY };
const program = fileURLToPath(new URL('./storage-program.ts', import.meta.url));
const users = ['a@x.example', 'b@x.example', 'c@x.example'];

/** What the store should say: all messages, in order, and which archives have each. */
interface Model {
  readonly id: number;
  readonly text: string;
  /** By number of the user: the peer. */
  readonly peers: Map<number, string>;
}

type Step =
  | { readonly kind: 'append'; readonly from: number; readonly to: number; readonly count: number }
  | { readonly kind: 'remove'; readonly user: number; readonly which: number }
  | { readonly kind: 'query'; readonly user: number; readonly peer: number; readonly from: number; readonly to: number }
  | { readonly kind: 'tidy'; readonly maxMessages: number; readonly removed: number; readonly indexed: number }
  | {
      readonly kind: 'import';
      readonly user: number;
      readonly peer: number;
      readonly at: number;
      readonly count: number;
    }
  | { readonly kind: 'restart' };

const user = fc.nat({ max: users.length - 1 });
const place = fc.nat({ max: 40 });
const step: fc.Arbitrary<Step> = fc.oneof(
  // Half of the recipients and senders are elsewhere.
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('append'),
      from: fc.nat({ max: 5 }),
      to: fc.nat({ max: 5 }),
      count: fc.nat({ max: 6 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove'), user, which: place }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('query'), user, peer: fc.nat({ max: 6 }), from: place, to: place }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('tidy'),
      maxMessages: place,
      removed: fc.nat({ max: 8 }),
      indexed: place,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('import'),
      user,
      peer: fc.nat({ max: 5 }),
      at: place,
      count: fc.nat({ max: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart') }) },
);

describe('the archive in SQLite', () => {
  const directory = new TestDirectory();

  it('says what a simple model says, whatever happens to it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 30 }), async (steps) => {
        const trial = new Trial(directory);
        await trial.start();
        try {
          for (const one of steps) await trial.do(one);
          await trial.compareAll();
        } finally {
          await trial.end();
        }
      }),
      { numRuns: 8, endOnFailure: true },
    );
  });

  it('moves entries into the index while messages come, and answers from both', async () => {
    const storage = await directory.open();
    const archive = await archiveOf(storage, users[0]!);
    const ids: number[] = [];
    for (let group = 0; group < 25; group++) {
      for (let message = 0; message < 1000; message++) ids.push(append(storage.archive, archive, `${ids.length}`));
      await storage.archive.page(archive, everything, 1, 'last');
    }
    const found = await storage.archive.page(archive, everything, 30_000, 'first');
    expect(found.map(({ id }) => id)).to.deep.equal(ids);
    expect(await storage.archive.count(archive, everything, 30_000)).to.equal(25_000);
    await storage.close();
    const rows = (sql: string) =>
      new Database(directory.path('ampere.db'), { readonly: true }).prepare(sql).pluck().get();
    expect(rows('SELECT count(*) FROM archive_entries')).to.be.within(16_000, 20_000);
    expect(rows('SELECT entries FROM archives')).to.equal(rows('SELECT count(*) FROM archive_entries'));
    const again = await directory.open();
    expect(await again.archive.count(archive, everything, 30_000)).to.equal(25_000);
    await tidyUp(again.archive, { indexBeforeId: again.archive.newId() });
    expect((await again.archive.page(archive, everything, 30_000, 'last')).map(({ id }) => id)).to.deep.equal(ids);
  });

  it('knows how many messages an archive has without counting them', async () => {
    const storage = await directory.open();
    const archive = await archiveOf(storage, users[0]!);
    await storage.close();
    const db = new Database(directory.path('ampere.db'));
    db.exec('UPDATE archives SET entries = 1000000');
    db.close();
    const again = await directory.open();
    append(again.archive, archive, 'one more');
    expect(await again.archive.count(archive, everything, 2_000_000)).to.equal(1_000_001);
    expect(await again.archive.count(archive, everything, 10_001)).to.equal(10_001);
    expect(await again.archive.count(archive, { ...everything, afterId: 1 }, 10_001)).to.equal(1);
  });

  it('finds messages of a peer by an index', async () => {
    await (await directory.open()).close();
    const db = new Database(directory.path('ampere.db'), { readonly: true });
    const plan = db
      .prepare<[], { detail: string }>(
        `EXPLAIN QUERY PLAN SELECT id FROM archive_entries
         WHERE archive = 1 AND id > 0 AND id < 9e999 AND peer = 1 ORDER BY id DESC LIMIT 5`,
      )
      .all();
    expect(plan.map(({ detail }) => detail)).to.deep.equal([
      'SEARCH archive_entries USING COVERING INDEX archive_entries_by_peer (archive=? AND peer=? AND id>? AND id<?)',
    ]);
    db.close();
  });

  it('gives larger ids after a restart, whatever the clock says and whatever was removed', async () => {
    const clock = new ManualClock(2_000_000);
    const storage = await directory.open({ clock });
    const archive = await archiveOf(storage, users[0]!);
    const id = append(storage.archive, archive, 'x');
    expect(Math.floor(id / 1024)).to.equal(2_000_000);
    await storage.archive.remove(archive, id);
    await storage.close();
    const again = await directory.open({ clock: new ManualClock(1_000_000) });
    expect(again.archive.newId()).to.equal(id + 1);
  });

  it('forgets what a full disk has undone, and goes on when there is room', async () => {
    const storage = await directory.open({ maxPageCount: await directory.pageCountWith(50) });
    const archive = await archiveOf(storage, users[0]!);
    const kept = append(storage.archive, archive, 'kept');
    expect(await storage.archive.bounds(archive)).to.deep.equal([{ id: kept }, { id: kept }]);
    const large = Buffer.alloc(1_000_000, 'x');
    const recipient = { archive, peer: 'new@peer.example' };
    const refused = await rejection(storage.archive.append({ id: storage.archive.newId(), bytes: large, recipient }));
    expect(refused.code).to.equal('full');
    expect((await storage.archive.page(archive, everything, 10, 'first')).map(({ id }) => id)).to.deep.equal([kept]);
    const id = storage.archive.newId();
    await storage.archive.append({ id, bytes: Buffer.from('later'), recipient });
    const range = { ...everything, peer: 'new@peer.example' };
    expect((await storage.archive.page(archive, range, 10, 'first')).map((one) => one.id)).to.deep.equal([id]);
  });

  it('has after a kill everything that it said is durable', async () => {
    const acknowledged = await killedAfter(2000);
    const storage = await directory.open();
    const archive = await archiveOf(storage, users[0]!);
    const ids = new Set((await storage.archive.page(archive, everything, 1_000_000, 'first')).map(({ id }) => id));
    expect(acknowledged.filter((id) => !ids.has(id))).to.deep.equal([]);
    expect(storage.archive.newId()).to.be.greaterThan(Math.max(...ids));
  });

  /** The ids that a process acknowledged before it was killed in the middle of its work. */
  async function killedAfter(count: number): Promise<number[]> {
    const stdio = ['ignore', 'pipe', 'inherit'] as const;
    const child = spawn(process.execPath, [program, 'archive', directory.dataDir], { stdio: [...stdio] });
    const exited = once(child, 'exit');
    const ids: number[] = [];
    for await (const line of createInterface(child.stdout)) {
      if (ids.push(Number(line)) === count) child.kill('SIGKILL');
    }
    expect(await exited).to.deep.equal([null, 'SIGKILL']);
    expect(ids.length).to.be.at.least(count);
    return ids;
  }
});

async function archiveOf(storage: Storage, owner: string): Promise<number> {
  if (!(await storage.archive.open(owner))) await storage.accounts.create(owner, sampleCredentials());
  return (await storage.archive.open(owner))?.archive ?? 0;
}

function append(store: ArchiveStore, archive: number, text: string): number {
  const id = store.newId();
  void store.append({ id, bytes: Buffer.from(text), recipient: { archive, peer: 'p@y.example' } });
  return id;
}

/** A store and a model of it that are asked the same. */
class Trial {
  readonly #directory: TestDirectory;
  readonly #clock = new ManualClock(Date.UTC(2026, 0, 1));
  #storage: Storage | undefined;
  #archives: number[] = [];
  #model: Model[] = [];
  static #trials = 0;

  constructor(directory: TestDirectory) {
    this.#directory = directory;
  }

  get #store(): ArchiveStore {
    if (!this.#storage) throw new Error('the trial has not started');
    return this.#storage.archive;
  }

  async start(): Promise<void> {
    // Never earlier than the trials before.
    this.#clock.advance(Trial.#trials * 1_000_000);
    this.#storage = await this.#open();
    const trial = Trial.#trials++;
    for (const owner of users) this.#archives.push(await archiveOf(this.#storage, `${trial}${owner}`));
  }

  async end(): Promise<void> {
    await this.#storage?.close();
  }

  async do(step: Step): Promise<void> {
    this.#clock.advance(700);
    switch (step.kind) {
      case 'append':
        for (let count = 0; count < step.count; count++) this.#append(step.from, step.to);
        return;
      case 'remove': {
        const id = this.#idAt(step.which);
        this.#model.find((one) => one.id === id)?.peers.delete(step.user);
        return this.#store.remove(this.#archives[step.user]!, id);
      }
      case 'query':
        return this.#compare(step.user, step.peer === 6 ? undefined : address(step.peer), step.from, step.to);
      case 'tidy':
        return this.#tidy(step);
      case 'restart':
        await this.#storage?.close();
        this.#storage = await this.#open();
        return;
      case 'import':
        return this.#import(step);
    }
  }

  #open(): Promise<Storage> {
    return this.#directory.open({ quickCheck: false, clock: this.#clock });
  }

  /** Imports messages of the same moment as one of the others. */
  async #import({ user: owner, peer, at, count }: Extract<Step, { kind: 'import' }>): Promise<void> {
    const archive = this.#archives[owner]!;
    const atMs = this.#model[at] ? timeOfId(this.#model[at].id) : this.#clock.nowMs();
    const texts = Array.from({ length: count }, (_, index) => `imported ${this.#model.length + index}`);
    const messages = texts.map((text) => ({ atMs, bytes: Buffer.from(text), peer: address(peer), importedId: text }));
    const { id } = await this.#store.importMessages(archive, messages);
    const ids = await this.#store.idsOfImported(archive, [...texts, 'never']);
    expect(ids.pop()).to.equal(undefined);
    expect(ids).to.deep.equal([...ids].sort((a, b) => a! - b!));
    if (count > 0)
      expect([id, timeOfId(ids[0]!)]).to.deep.equal([ids.at(-1), Math.min(atMs, this.#clock.nowMs() - 1000)]);
    for (const [index, text] of texts.entries()) {
      this.#model.push({ id: ids[index]!, text, peers: new Map([[owner, address(peer)]]) });
    }
    this.#model.sort((a, b) => a.id - b.id);
  }

  #append(from: number, to: number): void {
    const id = this.#store.newId();
    const text = `${from} to ${to}, ${this.#model.length}`;
    const peers = new Map<number, string>();
    if (from < users.length && from !== to) peers.set(from, address(to));
    if (to < users.length) peers.set(to, address(from));
    this.#model.push({ id, text, peers });
    const end = (number: number) => {
      const peer = peers.get(number);
      return peer === undefined ? undefined : { archive: this.#archives[number]!, peer };
    };
    void this.#store.append({
      id,
      bytes: Buffer.from(text),
      sender: from === to ? undefined : end(from),
      recipient: end(to),
    });
  }

  #idAt(place: number): number {
    return this.#model[place]?.id ?? place;
  }

  /** Removes the oldest messages, then what is too much for each user. */
  async #tidy({ maxMessages, removed, indexed }: Extract<Step, { kind: 'tidy' }>): Promise<void> {
    const [removeBeforeId, indexBeforeId] = [this.#idAt(removed), this.#idAt(indexed)];
    await tidyUp(this.#store, { removeBeforeId, indexBeforeId });
    this.#model = this.#model.filter(({ id }) => id >= removeBeforeId);
    await tidyUp(this.#store, { maxMessages, indexBeforeId: this.#store.newId() });
    for (const number of users.keys()) {
      const mine = this.#model.filter(({ peers }) => peers.has(number));
      for (const one of mine.slice(0, Math.max(0, mine.length - maxMessages))) one.peers.delete(number);
    }
  }

  async #compare(number: number, peer: string | undefined, from: number, to: number): Promise<void> {
    const range = { afterId: this.#idAt(from), beforeId: this.#idAt(to), peer };
    const wanted = this.#model.filter(
      ({ id, peers }) =>
        id > range.afterId && id < range.beforeId && peers.has(number) && (!peer || peers.get(number) === peer),
    );
    const archive = this.#archives[number]!;
    expect(read(await this.#store.page(archive, range, 5, 'first'))).to.deep.equal(read(wanted.slice(0, 5)));
    expect(read(await this.#store.page(archive, range, 5, 'last'))).to.deep.equal(read(wanted.slice(-5)));
    expect(await this.#store.count(archive, range, 10)).to.equal(Math.min(wanted.length, 10));
  }

  async compareAll(): Promise<void> {
    for (const [number, archive] of this.#archives.entries()) {
      const wanted = this.#model.filter(({ peers }) => peers.has(number));
      expect(read(await this.#store.page(archive, everything, 1000, 'first'))).to.deep.equal(read(wanted));
      // An imported message can get the id of one that has gone.
      const ids = [...new Set(this.#model.map(({ id }) => id))];
      expect(read(await this.#store.find(archive, ids))).to.deep.equal(read(wanted));
      const bounds = wanted.length === 0 ? undefined : [wanted[0]!.id, wanted.at(-1)!.id];
      expect((await this.#store.bounds(archive))?.map(({ id }) => id)).to.deep.equal(bounds);
    }
  }
}

function address(number: number): string {
  return users[number] ?? `${number}@elsewhere.example`;
}

function read(messages: readonly (ArchivedMessage | Model)[]): string[] {
  return messages.map((one) => `${one.id} ${'bytes' in one ? one.bytes.toString() : one.text}`);
}
