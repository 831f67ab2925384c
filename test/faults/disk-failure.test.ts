import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { LineProcess } from '../support/line-process.ts';
import { ResilientClient, type SentMessage } from './resilient-client.ts';

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
    console.log('      skipped: no C compiler');
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
    const args = [here('server-program.ts'), dataDir, 'romeo,tybalt,laurence'];
    const server = new LineProcess('server', process.execPath, args, environment);
    servers.push(server);
    const line = await server.waitFor('its port', () => server.lines.find((each) => each.startsWith('port ')));
    return { server, port: Number(line.slice(5)) };
  }

  /** The messages that their recipients do not receive. */
  async function missing(port: number, messages: readonly SentMessage[]): Promise<readonly SentMessage[]> {
    const found = new Map<string, readonly string[]>();
    for (const name of ['tybalt', 'laurence']) {
      const client = new ResilientClient(name, true, { acknowledged: () => undefined });
      await client.connects(port);
      await client.readsAll();
      client.disconnects();
      found.set(name, client.received);
    }
    return messages.filter(({ id, to }) => !found.get(to)?.includes(id));
  }

  it('loses nothing if it fails in a checkpoint, which SQLite does not report: the log is kept for the next checkpoint', async () => {
    const dataDir = join(place, 'checkpoint');
    mkdirSync(dataDir);
    const acknowledged: SentMessage[] = [];
    const romeo = new ResilientClient('romeo', true, {
      acknowledged: (messages) => void acknowledged.push(...messages),
    });
    const hurt = await start(dataDir, true);
    await romeo.connects(hurt.port);
    writeFileSync(trigger(), 'checkpoint');
    let written = 0;
    let failedAt: number | undefined;
    const go = () => {
      if (!existsSync(trigger())) failedAt ??= acknowledged.length;
      if (failedAt !== undefined && acknowledged.length >= failedAt + enough) hurt.server.kill('SIGKILL');
      while (romeo.unacknowledged < 20 && written < 10 * enough) {
        romeo.sends({ id: String(written++), to: written % 2 === 0 ? 'tybalt' : 'laurence', padding: 20_000 });
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
    it(`ends the server when a ${call} fails: nothing more is acknowledged, and nothing acknowledged is lost`, async () => {
      const dataDir = join(place, call);
      mkdirSync(join(dataDir, 'backups'), { recursive: true });
      writeFileSync(backup(dataDir), '');
      const acknowledged: SentMessage[] = [];
      const refused: string[] = [];
      const romeo = new ResilientClient('romeo', true, {
        acknowledged: (messages) => void acknowledged.push(...messages),
        refused: (id) => void refused.push(id),
      });
      const hurt = await start(dataDir, true);
      await romeo.connects(hurt.port);
      let written = 0;
      let failing = false;
      const go = () => {
        if (!failing && acknowledged.length >= enough) {
          failing = true;
          writeFileSync(trigger(), call);
        }
        while (romeo.unacknowledged < 20 && written < 10 * enough) {
          romeo.sends({ id: String(written++), to: written % 2 === 0 ? 'tybalt' : 'laurence' });
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
