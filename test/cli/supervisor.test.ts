import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { expect } from 'chai';
import { runSystemdNotify, Supervisor } from '../../src/cli/supervisor.ts';
import { LineProcess } from '../support/line-process.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { RecordingLog } from '../support/recording-log.ts';

describe('The supervisor of a server', () => {
  let told: string[];
  let clock: ManualClock;
  let log: RecordingLog;
  beforeEach(() => {
    told = [];
    clock = new ManualClock();
    log = new RecordingLog();
  });

  const supervisorIn = (environment: Record<string, string>, notify = async (state: string) => void told.push(state)) =>
    new Supervisor({ environment, notify, clock, log });
  const socket = { NOTIFY_SOCKET: '/run/notify' };

  it('is told of the start, of reloads and of the end, in order', async () => {
    const supervisor = supervisorIn(socket);
    supervisor.ready();
    supervisor.reloading();
    supervisor.ready();
    supervisor.stopping();
    supervisor.ready();
    await setImmediate();
    expect(told).to.deep.equal(['READY=1', 'RELOADING=1', 'READY=1', 'STOPPING=1']);
  });

  it('is told twice in each period of its watchdog that the server is alive, until it stops', async () => {
    const supervisor = supervisorIn({ ...socket, WATCHDOG_USEC: '60000000' });
    supervisor.ready();
    supervisor.ready();
    for (let one = 0; one < 4; one++) {
      clock.advance(30_000);
      await setImmediate();
    }
    supervisor.stopping();
    clock.advance(120_000);
    await setImmediate();
    expect(told.filter((state) => state === 'WATCHDOG=1')).to.have.length(4);
  });

  it('is told nothing if there is none', async () => {
    const supervisor = supervisorIn({ WATCHDOG_USEC: '60000000' });
    supervisor.ready();
    clock.advance(60_000);
    supervisor.stopping();
    await setImmediate();
    expect(told).to.deep.equal([]);
  });

  it('may be out of reach: the server goes on, and tells the rest', async () => {
    let fails = true;
    const supervisor = supervisorIn(socket, async (state) => {
      if (fails) throw new Error('no systemd-notify');
      told.push(state);
    });
    supervisor.ready();
    await setImmediate();
    fails = false;
    supervisor.stopping();
    await setImmediate();
    expect(told).to.deep.equal(['STOPPING=1']);
    expect(log.lines.filter((line) => line.startsWith('warn systemd could not be told'))).to.have.length(1);
  });

  it('hears it through a datagram socket', async function () {
    const works = spawnSync('systemd-notify', ['--version']).status === 0;
    if (!works) this.skip();
    const directory = mkdtempSync(join(tmpdir(), 'ampere-notify-'));
    const path = join(directory, 'notify');
    const receiver = new LineProcess('receiver', 'python3', [
      '-uc',
      `import socket
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind(${JSON.stringify(path)}); print("bound")
for _ in range(2): print(s.recv(4096).decode().strip())`,
    ]);
    const before = process.env['NOTIFY_SOCKET'];
    try {
      const said = (line: string) => receiver.waitFor(line, () => receiver.lines.find((one) => one === line));
      await said('bound');
      process.env['NOTIFY_SOCKET'] = path;
      await runSystemdNotify('READY=1').catch(() => undefined);
      await said('READY=1');
    } finally {
      if (before === undefined) delete process.env['NOTIFY_SOCKET'];
      else process.env['NOTIFY_SOCKET'] = before;
      receiver.kill('SIGKILL');
      await receiver.end().catch(() => undefined);
      rmSync(directory, { recursive: true });
    }
  });
});
