import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type ServerKind, ServerProcess } from './server-process.ts';

/** A server of one line of JavaScript, which runs until SIGTERM. */
async function pretendServer(script: string, exitCode = 0): Promise<ServerProcess> {
  const untilTerm = `process.on('SIGTERM', () => process.exit(${exitCode})); setInterval(() => {}, 1000); console.log('ready')`;
  const kind: ServerKind = {
    caFile: '',
    start: [process.execPath, '-e', `${script}; ${untilTerm}`],
    addUser: () => [process.execPath, '--version'],
    ready: (lines) => lines.includes('ready'),
    alarming: (line) => line.includes('"level":50'),
  };
  const directory = await mkdtemp(join(tmpdir(), 'ampere-server-'));
  const place = { directory, domains: ['localhost'], host: '127.0.0.1', ports: { starttls: 0, direct: 0, https: 3 } };
  return ServerProcess.start(place, kind);
}

async function failure(work: Promise<unknown>): Promise<string> {
  return work.then(() => '', String);
}

describe('ServerProcess', () => {
  it('is content with a server that logs nothing bad, also over a restart', async () => {
    const server = await pretendServer(`console.log('{"level":30}')`);
    await server.addUser('alice@localhost', 'secret');
    await server.restart();
    await server.stop();
    expect(server.log).to.deep.equal(['{"level":30}', 'ready', '{"level":30}', 'ready']);
  });

  it('reports an error in the log, on either stream', async () => {
    expect(await failure((await pretendServer(`console.log('{"level":50}')`)).stop())).to.include('logged errors');
    expect(await failure((await pretendServer(`console.error('{"level":50}')`)).stop())).to.include('logged errors');
  });

  it('reports a password in the log, plain or as SASL PLAIN sends it', async () => {
    const token = Buffer.from('\0alice\0secret').toString('base64');
    for (const leak of ['password=secret', `received ${token}`]) {
      const server = await pretendServer(`console.log('${leak}')`);
      await server.addUser('alice@localhost', 'secret');
      expect(await failure(server.stop())).to.include('logged a secret');
    }
  });

  it('reports an exit code that is not 0', async () => {
    expect(await failure((await pretendServer('', 3)).stop())).to.include('ended with 3');
  });

  it('reports a server that ends before it is ready, with what it said', async () => {
    const report = await failure(pretendServer(`console.log('cannot start'); process.exit(1)`));
    expect(report).to.include('exit code 1').and.include('cannot start');
  });
});
