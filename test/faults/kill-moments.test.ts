import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { ControlClient } from '../../src/cli/control-client.ts';
import { openSqliteStorage } from '../../src/storage/sqlite/open-sqlite-storage.ts';
import { restoreDatabase } from '../../src/storage/sqlite/restore-database.ts';
import { backup } from '../../src/web/control/server-operations.ts';
import { ampleQuota, sampleCredentials, sampleMessage } from '../storage/samples.ts';
import { Chance } from './chance.ts';
import { Company } from './company.ts';
import { CrimeScene } from './victim.ts';

/** As many as there are anyway, and as many as it may take until one has struck at the right moment. */
const [leastKills, mostKills] = [10, 60];

describe('a server that is killed in the middle of', function () {
  this.timeout(300_000);
  const scene = new CrimeScene();
  const database = () => join(scene.dataDir, 'ampere.db');

  it('handing over what was stored (XEP-0160 §2)', async () => {
    const chance = new Chance();
    const company = new Company({
      writers: ['romeo', 'mercutio'],
      readers: { tybalt: true, paris: false },
      padding: 500,
    });
    const readers = company.readers;
    for (const reader of readers) reader.hasty = true;
    let server = await scene.start(company.names);
    for (const writer of company.writers) await writer.arrives(server.port);
    await company.writesAcknowledged(1200);
    const received = () => readers.reduce((sum, reader) => sum + reader.received.length, 0);
    const left = () =>
      readers.reduce((sum, reader) => sum - new Set(reader.received).size, company.acknowledged.length);
    let kills = 0;
    for (; kills < 10 && left() > 200; kills++) {
      const victim = server;
      for (const reader of readers) await reader.arrives(victim.port);
      const until = received() + chance.between(1, 100);
      const go = () => {
        if (received() < until) return;
        victim.kill();
        // What the network still has is lost, too.
        for (const reader of readers) reader.leaves();
      };
      await Promise.all(readers.map((reader) => reader.reads(go)));
      expect(await victim.end()).to.equal(null);
      server = await scene.start(company.names);
    }
    expect(kills).to.be.at.least(5);
    await company.returns(scene, server);
    company.expectNothingLost();
    console.log(`      ${kills} kills while stored messages were handed over, seed ${chance.seed}: ${company.figures}`);
  });

  it('a checkpoint', async () => {
    const chance = new Chance();
    const company = new Company({ writers: ['romeo', 'mercutio'], readers: { tybalt: true }, padding: 8000 });
    let [rounds, within] = [0, 0];
    for (; rounds < leastKills || (within === 0 && rounds < mostKills); rounds++) {
      const server = await scene.start(company.names);
      for (const writer of company.writers) await writer.arrives(server.port);
      const before = statSync(database(), { bigint: true }).mtimeNs;
      const spare = chance.between(0, 30);
      let looks = 0;
      // Nothing but a checkpoint writes to the database itself.
      const killed = whenever(
        () => statSync(database(), { bigint: true }).mtimeNs !== before && ++looks > spare,
        () => server.kill(),
      );
      await company.carriesOn(company.writers, () => {});
      await killed;
      expect(await server.end()).to.equal(null);
      if (isWithinCheckpoint(`${database()}-shm`)) within += 1;
    }
    await company.returns(scene, await scene.start(company.names));
    company.expectNothingLost();
    expect(within).to.be.at.least(1);
    console.log(`      ${rounds} kills, ${within} within a checkpoint, seed ${chance.seed}: ${company.figures}`);
  });

  it('a backup, of which nothing is ever seen under its name that is not whole', async () => {
    const chance = new Chance();
    const cast = { writers: ['romeo', 'mercutio'], readers: { tybalt: true, paris: false } };
    const company = new Company(cast);
    await fill(4000);
    let [rounds, halfway] = [0, 0];
    for (; rounds < leastKills || (halfway === 0 && rounds < mostKills); rounds++) {
      const server = await scene.start(company.names);
      for (const writer of company.writers) await writer.arrives(server.port);
      const file = join(scene.dataDir, `copy-${rounds}.db`);
      const share = statSync(database()).size * (chance.between(0, 100) / 100);
      const backup = beginsBackup(file);
      const killed = whenever(
        () => sizeOf(`${file}.part`) >= Math.max(1, share) || existsSync(file),
        () => server.kill(),
      );
      await company.carriesOn(company.writers, () => {});
      await Promise.all([killed, backup]);
      expect(await server.end()).to.equal(null);
      if (existsSync(file)) scene.expectSoundDatabase(file);
      else halfway += 1;
    }
    expect(halfway).to.be.at.least(1);
    const server = await scene.start(company.names);
    for (const writer of company.writers) await writer.arrives(server.port);
    await company.writesAcknowledged(100);
    const before = [...company.acknowledged];
    const file = join(scene.dataDir, 'copy-0.db.again');
    const [, outcome] = await Promise.all([company.writesAcknowledged(100), beginsBackup(file)]);
    expect(outcome).to.equal('done');
    for (const writer of company.writers) writer.leaves();
    await server.stop();
    const figures = `${company.acknowledged.length} acknowledged, ${before.length} of them before the last backup`;

    const dataDir = join(scene.dataDir, 'restored');
    await restoreDatabase(file, dataDir);
    const restored = new Company(cast);
    await restored.returns(scene, await scene.start(company.names, { dataDir }));
    restored.expectNothingLost(before);
    console.log(
      `      ${rounds} kills, ${halfway} before the backup was whole, seed ${chance.seed}: ${figures}, 0 lost`,
    );
  });

  it('its shutdown', async () => {
    const chance = new Chance();
    const company = new Company({
      writers: ['romeo', 'mercutio'],
      readers: { juliet: true, nurse: false, tybalt: true, laurence: true },
    });
    const [juliet, nurse, laurence] = ['juliet', 'nurse', 'laurence'].map((name) => company.reader(name));
    if (!juliet || !nurse || !laurence) expect.fail();
    let [rounds, within] = [0, 0];
    // A fast machine may be done before it is killed, over and over.
    for (; rounds < leastKills || (within === 0 && rounds < mostKills); rounds++) {
      const server = await scene.start(company.names);
      const present = [juliet, nurse, ...company.writers];
      for (const party of [laurence, ...present]) await party.arrives(server.port);
      laurence.stalls();
      const until = company.acknowledged.length + chance.between(10, 100);
      const graceMs = chance.between(0, 60);
      let asked = false;
      await company.carriesOn(present, () => {
        if (asked || company.acknowledged.length < until) return;
        asked = true;
        server.kill('SIGTERM');
        setTimeout(() => server.kill(), graceMs);
      });
      laurence.leaves();
      if ((await server.end()) === null) within += 1;
    }
    await company.returns(scene, await scene.start(company.names));
    company.expectNothingLost();
    expect(within).to.be.at.least(1);
    console.log(`      ${rounds} kills, ${within} within a shutdown, seed ${chance.seed}: ${company.figures}`);
  });

  /** Makes the database large, by messages to somebody else. */
  async function fill(messages: number): Promise<void> {
    const { dataDir } = scene;
    const storage = await openSqliteStorage({ dataDir, onFatal: (error) => expect.fail(error.message) });
    const owner = 'laurence@localhost';
    await storage.accounts.create(owner, sampleCredentials());
    const message = sampleMessage('x'.repeat(5000));
    await Promise.all(Array.from({ length: messages }, () => storage.offline.append(owner, message, ampleQuota)));
    await storage.close();
  }

  /** Has the server make a backup; resolves when it is made, or the server is gone. */
  async function beginsBackup(file: string): Promise<'done' | 'cut short'> {
    const server = await ControlClient.connect(scene.dataDir);
    return (
      server?.call(backup, { file }).then(
        () => 'done',
        () => 'cut short',
      ) ?? expect.fail('no control socket')
    );
  }
});

/** Does something as soon as something is so; looked at again in every turn of the event loop. */
async function whenever(isSo: () => boolean, does: () => void): Promise<void> {
  const giveUpAtMs = performance.now() + 30_000;
  while (!isSo() && performance.now() < giveUpAtMs) await new Promise((resolve) => setImmediate(resolve));
  does();
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

/** Whether the shared memory of SQLite's log tells of a checkpoint that was begun and not finished (WalCkptInfo in its wal.c). */
function isWithinCheckpoint(shm: string): boolean {
  const index = readFileSync(shm);
  return index.readUInt32LE(128) > index.readUInt32LE(96);
}
