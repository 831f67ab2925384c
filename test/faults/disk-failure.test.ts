import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { LineProcess } from '../support/line-process.ts';
import { type Letter, Party } from './party.ts';

const here = (name: string) => fileURLToPath(new URL(`./${name}`, import.meta.url));
const enough = 200;

describe('a disk that fails once (XEP-0198 §4)', () => {
  let place = '';
  const servers: LineProcess[] = [];
  before(function () {
    place = mkdtempSync(join(tmpdir(), 'ampere-failing-'));
    const { error, status, stderr } = spawnSync(
      'cc',
      ['-shared', '-fPIC', '-O1', '-Wall', '-Werror', '-o', library(), here('failing-disk.c'), '-ldl'],
      { encoding: 'utf8' },
    );
    if (status === 0) return;
    if (!error) throw new Error(stderr);
    console.log('      skipped: there is no C compiler');
    this.skip();
  });
  after(() => {
    for (const server of servers) server.kill('SIGKILL');
    rmSync(place, { recursive: true, force: true });
  });

  const library = () => join(place, 'failing-disk.so');
  const trigger = () => join(place, 'trigger');
  const backup = (dataDir: string) => join(dataDir, 'backups', 'good.db');

  async function start(dataDir: string, hurt: boolean): Promise<{ server: LineProcess; port: number }> {
    const environment = hurt ? { LD_PRELOAD: library(), FAULT_TRIGGER: trigger() } : {};
    const args = [here('server-program.ts'), dataDir, 'romeo,tybalt,nurse'];
    const server = new LineProcess('server', process.execPath, args, environment);
    servers.push(server);
    const line = await server.waitFor('its port', () => server.lines.find((each) => each.startsWith('port ')));
    return { server, port: Number(line.slice(5)) };
  }

  /** What of these letters does not come to their recipients. */
  async function missing(port: number, letters: readonly Letter[]): Promise<readonly Letter[]> {
    const found = new Map<string, readonly string[]>();
    for (const name of ['tybalt', 'nurse']) {
      const party = new Party(name, true, { acknowledged: () => undefined });
      await party.arrives(port);
      await party.empties();
      party.leaves();
      found.set(name, party.received);
    }
    return letters.filter(({ id, to }) => !found.get(to)?.includes(id));
  }

  it('loses nothing if it fails in a checkpoint, of which SQLite does not speak: the log is kept, and the next one begins anew', async () => {
    const dataDir = join(place, 'checkpoint');
    mkdirSync(dataDir);
    const acknowledged: Letter[] = [];
    const romeo = new Party('romeo', true, { acknowledged: (letters) => void acknowledged.push(...letters) });
    const hurt = await start(dataDir, true);
    await romeo.arrives(hurt.port);
    writeFileSync(trigger(), 'checkpoint');
    let written = 0;
    let failedAt: number | undefined;
    const go = () => {
      if (!existsSync(trigger())) failedAt ??= acknowledged.length;
      if (failedAt !== undefined && acknowledged.length >= failedAt + enough) hurt.server.kill('SIGKILL');
      while (romeo.unacknowledged < 20 && written < 10 * enough) {
        romeo.writes({ id: String(written++), to: written % 2 === 0 ? 'tybalt' : 'nurse', padding: 20_000 });
      }
    };
    go();
    await romeo.reads(go);
    expect(await hurt.server.end()).to.equal(null);
    expect(failedAt).to.be.at.least(1);
    expect(hurt.server.complaints).to.deep.equal([]);

    const { server, port } = await start(dataDir, false);
    expect(await missing(port, acknowledged)).to.deep.equal([]);
    server.kill('SIGTERM');
    expect(await server.end()).to.equal(0);
    console.log(`      ${failedAt} acknowledged when the checkpoint failed, ${acknowledged.length} in all, 0 lost`);
  });

  for (const [call, code] of [
    ['sync', 'SQLITE_IOERR_FSYNC'],
    ['write', 'SQLITE_IOERR_WRITE'],
  ] as const) {
    it(`ends the server when it does not ${call}: nothing is acknowledged any more, and nothing acknowledged is lost`, async () => {
      const dataDir = join(place, call);
      mkdirSync(join(dataDir, 'backups'), { recursive: true });
      writeFileSync(backup(dataDir), '');
      const acknowledged: Letter[] = [];
      const refused: string[] = [];
      const romeo = new Party('romeo', true, {
        acknowledged: (letters) => void acknowledged.push(...letters),
        refused: (id) => void refused.push(id),
      });
      const hurt = await start(dataDir, true);
      await romeo.arrives(hurt.port);
      let written = 0;
      let failing = false;
      const go = () => {
        if (!failing && acknowledged.length >= enough) {
          failing = true;
          writeFileSync(trigger(), call);
        }
        while (romeo.unacknowledged < 20 && written < 10 * enough) {
          romeo.writes({ id: String(written++), to: written % 2 === 0 ? 'tybalt' : 'nurse' });
        }
      };
      go();
      await romeo.reads(go);
      expect(await hurt.server.end()).to.equal(1);
      expect(existsSync(trigger())).to.equal(false);
      expect(romeo.closedBy).to.equal('system-shutdown');
      const reason = hurt.server.complaints.join('\n');
      expect(reason).to.include(join(dataDir, 'ampere.db')).and.to.include(code).and.to.include(backup(dataDir));
      const before = acknowledged.filter(({ id }) => !refused.includes(id));
      expect(before.length).to.be.at.least(enough);

      const { server, port } = await start(dataDir, false);
      expect(await missing(port, before)).to.deep.equal([]);
      server.kill('SIGTERM');
      expect(await server.end()).to.equal(0);
      console.log(`      ${code}: ${before.length} acknowledged until then, ${before.length} found, exit code 1`);
    });
  }
});
