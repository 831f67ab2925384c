import { setImmediate } from 'node:timers/promises';
import { expect } from 'chai';
import { archive } from '../../src/extensions/archive/archive.ts';
import { StorageError } from '../../src/storage/storage-error.ts';
import type { StubSession } from '../support/stub-session.ts';
import { Bench } from './bench.ts';

describe('the archive and the disk', () => {
  let refusing = false;
  /** The promise of every write, if the test has the disk in its hands. */
  let writing: PromiseWithResolvers<void> | undefined;
  /** The same for the note that an archive was read. */
  let noting: PromiseWithResolvers<void> | undefined;
  const bench = new Bench(({ storage, routing, clock, log }) => {
    const store = storage.archive;
    const held: typeof store = {
      ...store,
      append: (message) => writing?.promise ?? store.append(message),
      setRead: (number) => noting?.promise ?? store.setRead(number),
    };
    const disk = () => ({ ...storage.disk, refusing });
    return {
      extensions: [
        archive({
          ...routing,
          options: { enabled: true, markers: true, keepDays: null, maxPerAccount: null },
          storage: {
            archive: held,
            secrets: storage.secrets,
            get disk() {
              return disk();
            },
          },
          clock,
          log,
        }),
      ],
    };
  });

  beforeEach(() => {
    [refusing, writing, noting] = [false, undefined, undefined];
  });

  async function two(): Promise<{ romeo: StubSession; juliet: StubSession }> {
    return { romeo: await bench.user('romeo', '<presence/>'), juliet: await bench.user('juliet', '<presence/>') };
  }

  const chat = ({ jid }: StubSession) => `<message to='${jid}' type='chat'><body>x</body></message>`;

  it('delivers a message at once, and acknowledges it when its row is durable (XEP-0198 §4)', async () => {
    const { romeo, juliet } = await two();
    romeo.needsAck = true;
    writing = Promise.withResolvers();
    await bench.does(romeo, chat(juliet));
    expect(juliet.taken()).to.have.length(1);
    let acknowledged = false;
    const all = Promise.all(romeo.awaited).then(() => {
      acknowledged = true;
    });
    await setImmediate();
    expect(acknowledged).to.equal(false);
    writing.resolve();
    await all;
  });

  it('gives no ids while the disk refuses new data', async () => {
    const { romeo, juliet } = await two();
    refusing = true;
    await bench.does(romeo, chat(juliet));
    expect(juliet.taken()[0]).to.not.include('stanza-id');
    refusing = false;
    await bench.does(romeo, chat(juliet));
    expect(juliet.taken()[0]).to.include('stanza-id');
  });

  for (const code of ['full', 'io'] as const) {
    it(`acknowledges a message whose row cannot be written (${code}), and ${code === 'io' ? 'reports that' : 'goes on'}`, async () => {
      const { romeo, juliet } = await two();
      romeo.needsAck = true;
      writing = Promise.withResolvers();
      await bench.does(romeo, chat(juliet));
      writing.reject(new StorageError(code, 'no'));
      await Promise.all(romeo.awaited);
      expect(juliet.taken()).to.have.length(1);
      expect(bench.log.alarms).to.have.length(code === 'io' ? 1 : 0);
      bench.log.alarms.length = 0;
    });
  }

  it('makes senders wait when thousands of messages wait for the disk, and no longer when they are written', async () => {
    const { romeo, juliet } = await two();
    const disk = Promise.withResolvers<void>();
    writing = disk;
    for (let number = 0; number < 4096; number++) await bench.does(romeo, chat(juliet));
    let over = false;
    const late = bench.does(romeo, chat(juliet)).then(() => {
      over = true;
    });
    await setImmediate();
    expect(over).to.equal(false);
    disk.resolve();
    await late;
    writing = Promise.withResolvers();
    await bench.does(romeo, chat(juliet));
    expect(juliet.taken()).to.have.length(4098);
  });

  it('notes again that an archive is read if the first note was not written', async () => {
    const juliet = await bench.user('juliet', '<presence/>');
    const wasRead = async () => (await bench.storage.archive.open(juliet.account.key))?.wasRead;
    const query = `<iq type='set' id='q'><query xmlns='urn:xmpp:mam:2'/></iq>`;
    noting = Promise.withResolvers();
    noting.reject(new StorageError('full', 'no'));
    await bench.asks(juliet, query);
    noting = undefined;
    expect(await wasRead()).to.equal(false);
    await bench.asks(juliet, query);
    expect(await wasRead()).to.equal(true);
    bench.log.alarms.length = 0;
  });
});
