import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { upload } from '../../../src/extensions/upload/upload.ts';
import { Uploads } from '../../../src/extensions/upload/uploads.ts';
import { Jid } from '../../../src/protocol/jid.ts';
import type { Extension } from '../../../src/routing/extension.ts';
import { FileBlobs } from '../../../src/storage/file-blobs.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { RecordingLog } from '../../support/recording-log.ts';
import { openTemporaryStorage } from '../../support/temporary-storage.ts';

const dayMs = 86_400_000;
const slotMs = 300_000;
const limits = { fileBytes: 100, dayBytes: 250, dayFiles: 60, accountBytes: 300, totalBytes: 500, reserveBytes: 50 };

describe('uploads', () => {
  let [romeo, juliet, nurse] = ['', '', ''];
  let tests = 0;
  let storage: Storage;
  let directory: string;
  let close: () => Promise<void>;
  let clock: ManualClock;
  let uploads: Uploads;
  let freeBytes: number;
  let refusing: boolean;

  const blobs = () => new FileBlobs(join(directory, 'uploads'), () => ({ freeBytes, totalBytes: 1e9 }));
  const made = () =>
    new Uploads({
      store: storage.uploads,
      blobs: blobs(),
      disk: () => ({ refusing }),
      limits,
      clock,
      log: new RecordingLog(),
    });

  before(async () => {
    const opened = await openTemporaryStorage();
    storage = opened.storage;
    close = opened.close;
    directory = opened.dataDir;
  });
  beforeEach(async () => {
    tests += 1;
    [romeo, juliet, nurse] = [`romeo${tests}@localhost`, `juliet${tests}@localhost`, `nurse${tests}@localhost`];
    for (const jid of [romeo, juliet, nurse]) await storage.accounts.create(jid, { scram: {} });
    clock = new ManualClock();
    [freeBytes, refusing] = [1e6, false];
    uploads = made();
  });
  afterEach(async () => {
    await storage.uploads.remove({ beforeMs: Number.MAX_SAFE_INTEGER });
    while (await uploads.deleteSome());
  });
  after(() => close());

  const wanted = (size: number, owner = romeo, type?: string) => ({ owner, name: 'a.png', type, size });
  async function* content(size: number) {
    yield Buffer.alloc(size, 'x');
  }

  /** A slot; its refusal is a fault. */
  async function slot(size: number, owner?: string, type?: string) {
    const answer = await uploads.request(wanted(size, owner, type));
    if ('reason' in answer) throw new Error(`refused: ${answer.reason}`);
    return answer;
  }

  /** Why there is no slot. */
  async function refusal(size: number, owner?: string) {
    const answer = await uploads.request(wanted(size, owner));
    if ('reason' in answer) return answer;
    throw new Error('there is a slot');
  }

  const receive = (token: string, size: number, type?: string) =>
    uploads.receive(token, { length: String(size), type }, content(size));

  /** Uploads a file, and resolves with its id. */
  async function stored(size: number, owner?: string): Promise<string> {
    const { token, slot: made } = await slot(size, owner);
    expect(await receive(token, size)).to.equal(201);
    return made.id;
  }

  /** The contents on the disk. */
  function contents(): string[] {
    const names = readdirSync(join(directory, 'uploads')).filter((name) => name !== 'incoming');
    return names.flatMap((name) => readdirSync(join(directory, 'uploads', name)));
  }

  it('need a slot, which works once', async () => {
    const { token, slot: made } = await slot(10);
    expect(await receive('another', 10)).to.equal(404);
    expect(await receive(made.id, 10), 'readers cannot write').to.equal(404);
    expect(await receive(token, 10)).to.equal(201);
    expect(await receive(token, 10)).to.equal(409);
    expect(await storage.uploads.find(made.id)).to.deep.include({ owner: romeo, size: 10 });
  });

  it('begin before the slot expires, and may take longer', async () => {
    const late = await slot(10);
    clock.advance(slotMs);
    expect(await receive(late.token, 10)).to.equal(404);
    const { token } = await slot(10);
    async function* slow() {
      yield Buffer.alloc(5);
      clock.advance(slotMs + 1);
      yield Buffer.alloc(5);
    }
    expect(await uploads.receive(token, { length: '10', type: undefined }, slow())).to.equal(201);
    expect(await receive(token, 10), 'nothing is left of it').to.equal(404);
  });

  for (const [what, length, type, status] of [
    ['no length', undefined, 'image/png', 411],
    ['a shorter length', '9', 'image/png', 413],
    ['a longer length', '11', 'image/png', 413],
    ['a length that is no number', '0x0a0', 'image/png', 413],
    ['another type', '10', 'text/html', 415],
    ['a type that is none', '10', 'png', 415],
  ] as const)
    it(`with ${what} get ${status}, and the slot stays`, async () => {
      const { token } = await slot(10, romeo, 'image/png');
      expect(await uploads.receive(token, { length, type }, content(10))).to.equal(status);
      expect(await receive(token, 10, 'Image/PNG; x=y')).to.equal(201);
    });

  it('keep the type of the slot, else the one that comes with the content', async () => {
    for (const [ofSlot, ofContent, type] of [
      ['image/png', undefined, 'image/png'],
      [undefined, 'image/jpeg; q=1', 'image/jpeg'],
      [undefined, 'nonsense', 'application/octet-stream'],
      [undefined, undefined, 'application/octet-stream'],
    ] as const) {
      const { token, slot: made } = await slot(1, romeo, ofSlot);
      expect(await receive(token, 1, ofContent)).to.equal(201);
      expect(await storage.uploads.find(made.id)).to.have.property('type', type);
    }
  });

  it('that break off can be tried again, and leave nothing', async () => {
    const { token } = await slot(10);
    async function* broken() {
      yield Buffer.alloc(5);
      throw new Error('gone');
    }
    const failure = await uploads
      .receive(token, { length: '10', type: undefined }, broken())
      .catch((error: Error) => error);
    expect(failure).to.have.property('message', 'gone');
    expect(contents()).to.deep.equal([]);
    expect(await receive(token, 10)).to.equal(201);
  });

  it('do not share a slot', async () => {
    const { token } = await slot(10);
    const results = await Promise.all([receive(token, 10), receive(token, 10)]);
    expect(results).to.deep.equal([201, 409]);
  });

  it('are bounded in size', async () => {
    expect(await refusal(101)).to.deep.equal({ reason: 'size' });
    expect([...uploads.refused.read()]).to.deep.equal([{ labels: { reason: 'size' }, value: 1 }]);
    await slot(100);
  });

  it('are bounded in a day, with those that are promised; slots that expire do not count', async () => {
    await stored(100);
    clock.advance(3_600_000);
    await stored(100);
    await slot(50);
    expect(await refusal(1)).to.deep.equal({ reason: 'day', retryAtMs: clock.nowMs() - 3_600_000 + dayMs });
    await slot(100, juliet);
    clock.advance(slotMs);
    await slot(50);
    clock.advance(dayMs - 3_600_000);
    await slot(100);
  });

  it('are bounded in a day by their number, too', async () => {
    for (let file = 0; file < 59; file++) await stored(1);
    await slot(1);
    expect(await refusal(1)).to.deep.equal({ reason: 'day', retryAtMs: clock.nowMs() + dayMs });
    await slot(1, juliet);
    clock.advance(dayMs + 1);
    await slot(1);
  });

  it('push the oldest files of the account out', async () => {
    const ids = [];
    for (let day = 0; day < 4; day++) {
      ids.push(await stored(100));
      clock.advance(dayMs + 1);
    }
    expect(await storage.uploads.find(ids[0] ?? '')).to.equal('gone');
    await uploads.deleteSome();
    expect(contents()).to.have.members(ids.slice(1));
  });

  it('are bounded in a day even if they are asked for at the same time', async () => {
    const answers = await Promise.all([1, 2, 3, 4].map(() => uploads.request(wanted(100))));
    expect(answers.map((answer) => ('reason' in answer ? answer.reason : 'slot'))).to.deep.equal([
      ...['slot', 'slot', 'day', 'day'],
    ]);
  });

  it('are bounded in all, until something goes', async () => {
    for (const owner of [romeo, juliet, romeo, juliet]) await stored(100, owner);
    await slot(50);
    await slot(50, juliet);
    expect(await refusal(1, nurse)).to.deep.equal({ reason: 'space' });
    await storage.uploads.remove({ owner: juliet });
    expect(await refusal(1, nurse), 'its content is still there').to.deep.equal({ reason: 'space' });
    await uploads.deleteSome();
    await slot(100, nurse);
    uploads = made();
    await slot(100, nurse);
    expect(await uploads.request(wanted(100, nurse))).to.not.have.property('reason');
  });

  it('are bounded in number at the same time', async () => {
    for (let number = 0; number < 50; number++) await slot(1);
    expect(await refusal(1)).to.deep.equal({ reason: 'slots' });
    await slot(1, juliet);
  });

  it('leave a reserve on the disk, of what is free when they begin', async () => {
    freeBytes = 149;
    expect(await refusal(100)).to.deep.equal({ reason: 'space' });
    const { token } = await slot(99);
    freeBytes = 148;
    expect(await receive(token, 99)).to.equal(507);
    freeBytes = 149;
    expect(await receive(token, 99)).to.equal(201);
  });

  it('count what is still to come against the free space', async () => {
    const [first, second] = [await slot(60), await slot(60, juliet)];
    freeBytes = 50 + 60 + 60 - 1;
    async function* slow() {
      yield Buffer.alloc(10);
      expect(await receive(second.token, 60), 'another 50 are to come').to.equal(201);
      yield Buffer.alloc(50);
    }
    freeBytes -= 10;
    const checked = uploads.receive(first.token, { length: '60', type: undefined }, slow());
    freeBytes += 1;
    expect(await checked).to.equal(201);
  });

  it('are refused while the store refuses', async () => {
    const { token } = await slot(10);
    refusing = true;
    expect(await refusal(10)).to.deep.equal({ reason: 'space' });
    expect(await receive(token, 10)).to.equal(507);
  });

  it('come to nothing if their account goes meanwhile', async () => {
    const { token } = await slot(10);
    await storage.accounts.remove(romeo);
    expect(await receive(token, 10)).to.equal(404);
    expect(contents()).to.deep.equal([]);
  });

  it('are cleaned up at a start: what is unfinished, without a file, or gone', async () => {
    const [kept, gone] = [await stored(10), await stored(10)];
    await storage.uploads.remove({ id: gone });
    mkdirSync(join(directory, 'uploads/st'));
    writeFileSync(join(directory, 'uploads/st/stray'), 'x');
    writeFileSync(join(directory, 'uploads/incoming/half'), 'x');
    uploads = made();
    const early = await stored(10);
    await uploads.cleanUp();
    expect(contents()).to.have.members([kept, early]);
    expect(readdirSync(join(directory, 'uploads/incoming'))).to.deep.equal([]);
    expect(await storage.uploads.find(gone)).to.equal('gone');
  });

  describe('as time goes by', () => {
    let extension: Extension;
    beforeEach(() => {
      extension = upload({
        options: { domains: [], url: undefined, limits, retention: { keepDays: 30 } },
        isLocalDomain: () => false,
        storage,
        blobs: blobs(),
        clock,
        log: new RecordingLog(),
      });
      extension.opened?.();
    });
    afterEach(() => extension.closing?.());

    /** Lets some days go by, and waits for the work of the last hour. */
    async function passes(days: number): Promise<void> {
      clock.advance(days * dayMs);
      while ((await storage.uploads.due(1)).length > 0) await new Promise(setImmediate);
    }

    it('files are kept for some days, then gone, then forgotten', async () => {
      const id = await stored(10);
      await passes(29);
      expect(await storage.uploads.find(id)).to.have.property('id', id);
      await passes(2);
      while ((await storage.uploads.find(id)) !== 'gone') await new Promise(setImmediate);
      await passes(0);
      expect(existsSync(join(directory, 'uploads', id.slice(0, 2), id))).to.equal(false);
      await passes(31);
      while ((await storage.uploads.find(id)) !== undefined) await new Promise(setImmediate);
    });

    it('files go with their account', async () => {
      const id = await stored(10);
      await storage.accounts.remove(romeo);
      extension.accountRemoved?.(Jid.parse(romeo));
      while (contents().length > 0) await new Promise(setImmediate);
      expect(await storage.uploads.find(id)).to.equal('gone');
    });
  });
});
