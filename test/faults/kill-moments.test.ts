import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { ControlClient } from '../../src/cli/control-client.ts';
import { openSqliteStorage } from '../../src/storage/sqlite/open-sqlite-storage.ts';
import { restoreDatabase } from '../../src/storage/sqlite/restore-database.ts';
import { backup } from '../../src/web/control/server-operations.ts';
import { ampleQuota, sampleCredentials, sampleMessage } from '../storage/samples.ts';
import { SeededRandom } from './seeded-random.ts';
import { ServerFixture } from './server-under-test.ts';
import { Workload } from './workload.ts';

/** The least number of kills, and the most until one comes at the right moment. */
const [leastKills, mostKills] = [10, 60];

describe('a server that is killed during', function () {
  this.timeout(300_000);
  const fixture = new ServerFixture();
  const database = () => join(fixture.dataDir, 'ampere.db');

  it('the delivery of stored messages (XEP-0160 §2)', async () => {
    const random = new SeededRandom();
    const workload = new Workload({
      writers: ['romeo', 'mercutio'],
      readers: { tybalt: true, paris: false },
      padding: 500,
    });
    const readers = workload.readers;
    for (const reader of readers) reader.enablesFirst = true;
    let server = await fixture.start(workload.names);
    for (const writer of workload.writers) await writer.connects(server.port);
    await workload.sendsAcknowledged(1200);
    const received = () => readers.reduce((sum, reader) => sum + reader.received.length, 0);
    const left = () =>
      readers.reduce((sum, reader) => sum - new Set(reader.received).size, workload.acknowledged.length);
    let kills = 0;
    for (; kills < 10 && left() > 200; kills++) {
      const current = server;
      for (const reader of readers) await reader.connects(current.port);
      const until = received() + random.between(1, 100);
      const go = () => {
        if (received() < until) return;
        current.kill();
        // Data still in the network is lost, too.
        for (const reader of readers) reader.disconnects();
      };
      await Promise.all(readers.map((reader) => reader.reads(go)));
      expect(await current.end()).to.equal(null);
      server = await fixture.start(workload.names);
    }
    expect(kills).to.be.at.least(5);
    await workload.finishes(fixture, server);
    workload.expectNothingLost();
    workload.expectArchived();
    console.log(`      ${kills} kills during delivery of stored messages, seed ${random.seed}: ${workload.figures}`);
  });

  it('a checkpoint', async () => {
    const random = new SeededRandom();
    const workload = new Workload({ writers: ['romeo', 'mercutio'], readers: { tybalt: true }, padding: 8000 });
    let [rounds, within] = [0, 0];
    for (; rounds < leastKills || (within === 0 && rounds < mostKills); rounds++) {
      const server = await fixture.start(workload.names);
      for (const writer of workload.writers) await writer.connects(server.port);
      const before = statSync(database(), { bigint: true }).mtimeNs;
      const spare = random.between(0, 30);
      let looks = 0;
      // Only a checkpoint writes to the database file itself.
      const killed = once(
        () => statSync(database(), { bigint: true }).mtimeNs !== before && ++looks > spare,
        () => server.kill(),
      );
      await workload.runsUntilDisconnected(workload.writers, () => {});
      await killed;
      expect(await server.end()).to.equal(null);
      if (isWithinCheckpoint(`${database()}-shm`)) within += 1;
    }
    await workload.finishes(fixture, await fixture.start(workload.names));
    workload.expectNothingLost();
    workload.expectArchived();
    expect(within).to.be.at.least(1);
    console.log(`      ${rounds} kills, ${within} within a checkpoint, seed ${random.seed}: ${workload.figures}`);
  });

  it('a backup, which gets its name only when it is complete', async () => {
    const random = new SeededRandom();
    const options = { writers: ['romeo', 'mercutio'], readers: { tybalt: true, paris: false } };
    const workload = new Workload(options);
    await fill(4000);
    let [rounds, halfway] = [0, 0];
    for (; rounds < leastKills || (halfway === 0 && rounds < mostKills); rounds++) {
      const server = await fixture.start(workload.names);
      for (const writer of workload.writers) await writer.connects(server.port);
      const file = join(fixture.dataDir, `copy-${rounds}.db`);
      const share = statSync(database()).size * (random.between(0, 100) / 100);
      const backup = requestBackup(file);
      const killed = once(
        () => sizeOf(`${file}.part`) >= Math.max(1, share) || existsSync(file),
        () => server.kill(),
      );
      await workload.runsUntilDisconnected(workload.writers, () => {});
      await Promise.all([killed, backup]);
      expect(await server.end()).to.equal(null);
      if (existsSync(file)) fixture.expectSoundDatabase(file);
      else halfway += 1;
    }
    expect(halfway).to.be.at.least(1);
    const server = await fixture.start(workload.names);
    for (const writer of workload.writers) await writer.connects(server.port);
    await workload.sendsAcknowledged(100);
    const before = [...workload.acknowledged];
    const file = join(fixture.dataDir, 'copy-0.db.again');
    const [, outcome] = await Promise.all([workload.sendsAcknowledged(100), requestBackup(file)]);
    expect(outcome).to.equal('done');
    for (const writer of workload.writers) writer.disconnects();
    await server.stop();
    const figures = `${workload.acknowledged.length} acknowledged, ${before.length} of them before the last backup`;

    const dataDir = join(fixture.dataDir, 'restored');
    await restoreDatabase(file, dataDir);
    const restored = new Workload(options);
    await restored.finishes(fixture, await fixture.start(workload.names, { dataDir }));
    restored.expectNothingLost(before);
    console.log(
      `      ${rounds} kills, ${halfway} before the backup was complete, seed ${random.seed}: ${figures}, 0 lost`,
    );
  });

  it('a shutdown', async () => {
    const random = new SeededRandom();
    const workload = new Workload({
      writers: ['romeo', 'mercutio'],
      readers: { juliet: true, paris: false, tybalt: true, laurence: true },
    });
    const [juliet, paris, laurence] = ['juliet', 'paris', 'laurence'].map((name) => workload.reader(name));
    if (!juliet || !paris || !laurence) expect.fail();
    let [rounds, within] = [0, 0];
    // A fast machine may finish before it is killed, repeatedly.
    for (; rounds < leastKills || (within === 0 && rounds < mostKills); rounds++) {
      const server = await fixture.start(workload.names);
      const present = [juliet, paris, ...workload.writers];
      for (const client of [laurence, ...present]) await client.connects(server.port);
      laurence.stopsReading();
      const until = workload.acknowledged.length + random.between(10, 100);
      const graceMs = random.between(0, 60);
      let asked = false;
      await workload.runsUntilDisconnected(present, () => {
        if (asked || workload.acknowledged.length < until) return;
        asked = true;
        server.kill('SIGTERM');
        setTimeout(() => server.kill(), graceMs);
      });
      laurence.disconnects();
      if ((await server.end()) === null) within += 1;
    }
    await workload.finishes(fixture, await fixture.start(workload.names));
    workload.expectNothingLost();
    workload.expectArchived();
    expect(within).to.be.at.least(1);
    console.log(`      ${rounds} kills, ${within} within a shutdown, seed ${random.seed}: ${workload.figures}`);
  });

  /** Makes the database large by messages to another account. */
  async function fill(messages: number): Promise<void> {
    const { dataDir } = fixture;
    const storage = await openSqliteStorage({ dataDir, onFatal: (error) => expect.fail(error.message) });
    const owner = 'laurence@localhost';
    await storage.accounts.create(owner, sampleCredentials());
    const message = sampleMessage('x'.repeat(5000));
    await Promise.all(Array.from({ length: messages }, () => storage.offline.append(owner, message, ampleQuota)));
    await storage.close();
  }

  /** Requests a backup. Resolves when it is made, or the server has ended. */
  async function requestBackup(file: string): Promise<'done' | 'cut short'> {
    const server = await ControlClient.connect(fixture.dataDir);
    return (
      server?.call(backup, { file }).then(
        () => 'done',
        () => 'cut short',
      ) ?? expect.fail('no control socket')
    );
  }
});

/** Acts as soon as a condition holds, which is tested in every turn of the event loop. */
async function once(isTrue: () => boolean, act: () => void): Promise<void> {
  const giveUpAtMs = performance.now() + 30_000;
  while (!isTrue() && performance.now() < giveUpAtMs) await new Promise((resolve) => setImmediate(resolve));
  act();
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

/** Whether the shared memory of SQLite's log shows an unfinished checkpoint (WalCkptInfo in its wal.c). */
function isWithinCheckpoint(shm: string): boolean {
  const index = readFileSync(shm);
  return index.readUInt32LE(128) > index.readUInt32LE(96);
}
