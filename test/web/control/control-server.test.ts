import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { StorageError } from '../../../src/storage/storage-error.ts';
import { type ControlServer, startControlServer } from '../../../src/web/control/control-server.ts';
import { OperationError } from '../../../src/web/control/operation-error.ts';
import type { Operations } from '../../../src/web/control/operations.ts';
import { controlSocketPath, socketAddress } from '../../../src/web/control/socket-path.ts';
import { RecordingLog } from '../../support/recording-log.ts';

/** Writes down what it is asked, and answers with `result`. */
class FakeOperations implements Operations {
  readonly asked: unknown[][] = [];
  result: () => unknown = () => [];

  addUser = (...args: unknown[]) => this.#answer('addUser', args);
  setPassword = (...args: unknown[]) => this.#answer('setPassword', args);
  removeUser = (...args: unknown[]) => this.#answer('removeUser', args);
  listUsers = (...args: unknown[]) => this.#answer('listUsers', args);
  importUsers = (...args: unknown[]) => this.#answer('importUsers', args);
  backup = (...args: unknown[]) => this.#answer('backup', args);
  status = (...args: unknown[]) => this.#answer('status', args);
  sessions = (...args: unknown[]) => this.#answer('sessions', args);
  components = (...args: unknown[]) => this.#answer('components', args);
  testPeer = (...args: unknown[]) => this.#answer('testPeer', args);
  peers = (...args: unknown[]) => this.#answer('peers', args);
  kick = (...args: unknown[]) => this.#answer('kick', args);
  reload = (...args: unknown[]) => this.#answer('reload', args);
  setForward = (...args: unknown[]) => this.#answer('setForward', args);
  forwards = (...args: unknown[]) => this.#answer('forwards', args);
  explainMessage = (...args: unknown[]) => this.#answer('explainMessage', args);
  sendMessage = (...args: unknown[]) => this.#answer('sendMessage', args);

  async #answer(name: string, args: unknown[]): Promise<never> {
    this.asked.push([name, ...args]);
    // Whatever a test answers, it only has to come through.
    return (await this.result()) as never;
  }
}

describe('the control socket', () => {
  let directory: string;
  let path: string;
  let operations: FakeOperations;
  let log: RecordingLog;
  let server: ControlServer;

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'ampere-control-'));
    path = controlSocketPath(join(directory, 'data'));
    operations = new FakeOperations();
    log = new RecordingLog();
    server = await start();
  });
  afterEach(async () => {
    await server.close();
    rmSync(directory, { recursive: true });
  });

  const start = () => startControlServer({ path, administration: operations, log });

  async function ask(method: string, target: string, body?: unknown) {
    const outgoing = request({ socketPath: path, method, path: target, agent: false });
    outgoing.end(typeof body === 'string' || body === undefined ? body : JSON.stringify(body));
    const [response] = await once(outgoing, 'response');
    return { status: response.statusCode, body: JSON.parse(await text(response)) };
  }

  it('belongs to its owner alone', () => {
    expect(statSync(path).mode & 0o777).to.equal(0o600);
    expect(statSync(join(directory, 'data')).mode & 0o777).to.equal(0o700);
  });

  const requests: readonly (readonly [method: string, target: string, body: unknown, asked: unknown[]])[] = [
    ['GET', '/status', undefined, ['status']],
    ['GET', '/users', undefined, ['listUsers', { limit: 10_000 }]],
    [
      'GET',
      '/users?domain=a.example&after=b&limit=2',
      undefined,
      ['listUsers', { domain: 'a.example', after: 'b', limit: 2 }],
    ],
    ['POST', '/users', { jid: 'a@b', password: 'x' }, ['addUser', 'a@b', 'x']],
    ['PUT', '/users/password', { jid: 'a@b', password: '' }, ['setPassword', 'a@b', '']],
    ['DELETE', '/users?jid=a%40b', undefined, ['removeUser', 'a@b']],
    ['POST', '/users/import', { users: [{ jid: 'a@b' }] }, ['importUsers', [{ jid: 'a@b' }]]],
    ['GET', '/sessions', undefined, ['sessions', undefined]],
    ['GET', '/sessions?user=a@b', undefined, ['sessions', 'a@b']],
    ['GET', '/components', undefined, ['components']],
    ['DELETE', '/sessions?jid=a@b/c&reason=enough', undefined, ['kick', 'a@b/c', 'enough']],
    ['POST', '/reload', {}, ['reload']],
    ['POST', '/backup', { file: '/x' }, ['backup', '/x']],
    ['PUT', '/forwards', { jid: 'a@b', target: 'c@d' }, ['setForward', 'a@b', 'c@d']],
    ['DELETE', '/forwards?jid=a@b', undefined, ['setForward', 'a@b', undefined]],
    ['GET', '/forwards?after=b&limit=2', undefined, ['forwards', { after: 'b', limit: 2 }]],
    ['POST', '/messages', { to: 'a@b', body: 'x', waitMs: 5 }, ['sendMessage', { to: 'a@b', body: 'x', waitMs: 5 }]],
    ['POST', '/messages/explain', { from: 'a@b', to: 'c' }, ['explainMessage', { from: 'a@b', to: 'c' }]],
  ];
  for (const [method, target, body, asked] of requests) {
    it(`carries out ${method} ${target}`, async () => {
      expect((await ask(method, target, body)).status).to.equal(200);
      expect(operations.asked).to.deep.equal([asked]);
    });
  }

  const mistakes: readonly (readonly [method: string, target: string, body: unknown, status: number])[] = [
    ['POST', '/users', 'not json', 400],
    ['POST', '/users', { jid: 'a@b' }, 400],
    ['POST', '/users', { jid: 'a@b', password: 'x', extra: 1 }, 400],
    ['POST', '/users', { jid: ['a@b'], password: 'x' }, 400],
    ['POST', '/users', null, 400],
    ['POST', '/users/import', { users: [{ jid: 'a@b', bcrypt: 'plain' }] }, 400],
    ['POST', '/users/import', { users: [{ jid: 'a@b', scram: { MD5: {} } }] }, 400],
    ['GET', '/users?limit=0', undefined, 400],
    ['GET', '/users?limit=many', undefined, 400],
    ['DELETE', '/users', undefined, 400],
    ['PUT', '/forwards', { jid: 'a@b' }, 400],
    ['POST', '/messages', { to: 'a@b', body: 'x' }, 400],
    ['POST', '/messages', { to: 'a@b', body: 'x', waitMs: 1e12 }, 400],
    ['POST', '/messages', { to: 'a@b', body: 'x', waitMs: 1, type: 'error' }, 400],
    ['POST', '/messages/explain', { to: 'a@b', rules: [{ action: 'drop' }] }, 400],
    ['GET', '/', undefined, 500],
    ['PATCH', '/users', undefined, 500],
    ['GET', '/../etc/passwd', undefined, 500],
    ['GET', '/__proto__', undefined, 500],
  ];
  for (const [method, target, body, status] of mistakes) {
    it(`refuses ${method} ${target} ${JSON.stringify(body) ?? ''}`, async () => {
      const answer = await ask(method, target, body);
      expect(answer.status).to.equal(status);
      expect(answer.body.error.message).to.be.a('string').and.not.equal('');
      expect(operations.asked).to.deep.equal([]);
    });
  }

  const failures: readonly (readonly [error: Error, status: number, code: string])[] = [
    [new OperationError('invalid', 'no'), 400, 'invalid'],
    [new OperationError('not-found', 'no'), 404, 'not-found'],
    [new OperationError('conflict', 'no'), 409, 'conflict'],
    [new OperationError('configuration', 'no'), 422, 'configuration'],
    [new OperationError('not-running', 'no'), 503, 'not-running'],
    [new OperationError('failed', 'no'), 500, 'failed'],
    [new StorageError('conflict', 'no'), 409, 'conflict'],
    [new StorageError('full', 'no'), 500, 'failed'],
  ];
  for (const [error, status, code] of failures) {
    it(`answers ${error.name} ${code} with ${status}`, async () => {
      operations.result = () => Promise.reject(error);
      expect(await ask('POST', '/reload', {})).to.deep.equal({ status, body: { error: { code, message: 'no' } } });
      expect(log.alarms).to.deep.equal([]);
    });
  }

  it('keeps what went wrong inside to the log', async () => {
    operations.result = () => Promise.reject(new TypeError('undefined is not a secret'));
    const { status, body } = await ask('GET', '/status');
    expect(status).to.equal(500);
    expect(JSON.stringify(body)).not.to.contain('secret');
    expect(log.alarms.join()).to.contain('undefined is not a secret');
  });

  it('logs who was changed, and never a password', async () => {
    await ask('POST', '/users', { jid: 'romeo@localhost', password: 'pencil-7f3a' });
    await ask('POST', '/users', { jid: 7, password: 'pencil-7f3a' });
    expect(log.lines.join('\n'))
      .to.match(/POST \/users.*romeo@localhost/)
      .and.not.contain('pencil');
  });

  it('refuses what is no address', async () => {
    for (const address of ['//', '//[', 'http://a:b/status']) {
      expect((await ask('GET', address)).body.error.message, address).to.equal('This server does not know GET /.');
    }
    expect(operations.asked).to.deep.equal([]);
  });

  it('refuses a body without end', async () => {
    const socket = connect(path);
    const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
    socket.on('error', () => {});
    socket.write('POST /users HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999\r\n\r\n');
    const megabyte = Buffer.alloc(1024 * 1024);
    const pump = () => {
      while (socket.writable && socket.write(megabyte));
    };
    socket.on('drain', pump);
    pump();
    await closed;
    expect(operations.asked).to.deep.equal([]);
  });

  it('finishes what it has begun when it closes, and waits for nothing else', async () => {
    const begun = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<unknown[]>();
    operations.result = () => {
      begun.resolve();
      return goOn.promise;
    };
    const answer = ask('GET', '/sessions');
    const half = connect(path);
    half.on('error', () => {});
    half.write('POST /users HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n{');
    await begun.promise;
    const closed = server.close();
    goOn.resolve(['the end']);
    expect(await answer).to.deep.equal({ status: 200, body: { sessions: ['the end'] } });
    await closed;
    expect(existsSync(path)).to.equal(false);
    server = await start();
  });

  it('survives a client that goes away', async () => {
    const goOn = Promise.withResolvers<unknown[]>();
    operations.result = () => goOn.promise;
    const socket = connect(path);
    socket.write('GET /sessions HTTP/1.1\r\nhost: x\r\n\r\n');
    await once(socket, 'connect');
    socket.destroy();
    await once(socket, 'close');
    goOn.resolve([]);
    expect((await ask('GET', '/sessions')).status).to.equal(200);
    expect(log.alarms).to.deep.equal([]);
  });
});

describe('the place of the control socket', () => {
  let directory: string;
  let path: string;
  const parts = () => ({ path, administration: new FakeOperations(), log: new RecordingLog() });

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'ampere-control-'));
    path = controlSocketPath(directory);
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it('is taken from a server that is dead', async () => {
    writeFileSync(path, '');
    const server = await startControlServer(parts());
    expect(statSync(path).isSocket()).to.equal(true);
    await server.close();
  });

  it('is not taken from one that lives', async () => {
    const server = await startControlServer(parts());
    const refused = await startControlServer(parts()).catch((error: unknown) => error);
    expect(refused).to.be.instanceOf(OperationError).and.include({ code: 'conflict' });
    expect(existsSync(path)).to.equal(true);
    await server.close();
  });

  it('is named relative to the working directory where the whole path is too long', () => {
    expect(socketAddress('/run/ampere/control.sock')).to.equal('/run/ampere/control.sock');
    // As long as the kernel allows, so that the directory before it is too much.
    const longest = 'x'.repeat(process.platform === 'linux' ? 107 : 103);
    expect(socketAddress(join(process.cwd(), longest))).to.equal(longest);
    expect(() => socketAddress(join(process.cwd(), `${longest}x`))).to.throw(OperationError, /too long/);
  });
});
