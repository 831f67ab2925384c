import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { messageOperations } from '../../../src/extensions/amp/operator/message-operations.ts';
import { operation } from '../../../src/routing/operation.ts';
import { OperationError } from '../../../src/routing/operation-error.ts';
import { StorageError } from '../../../src/storage/storage-error.ts';
import { Audit } from '../../../src/web/control/audit.ts';
import { type ControlServer, startControlServer } from '../../../src/web/control/control-server.ts';
import { operations } from '../../../src/web/control/operations.ts';
import { controlSocketPath, socketAddress } from '../../../src/web/control/socket-path.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { RecordingLog } from '../../support/recording-log.ts';

/** Records nothing, and logs everything. */
function auditTo(log: RecordingLog): Audit {
  return new Audit({ store: { add: async () => undefined, list: async () => [] }, clock: new ManualClock(), log });
}

const everyOperation = [...operations, ...messageOperations];

/** Every operation of the server, carried out by writing down what is asked and answering `result`. */
class RecordedOperations {
  readonly asked: unknown[][] = [];
  readonly stopped: AbortSignal[] = [];
  result: () => unknown = () => ({});
  readonly all = everyOperation.map(({ method, path, input }) =>
    operation({
      method,
      path,
      input,
      run: async (_context: undefined, asked, stopped) => {
        this.asked.push([`${method} ${path}`, asked]);
        this.stopped.push(stopped);
        return this.result();
      },
    }).bind(undefined),
  );
}

describe('the control socket', () => {
  let directory: string;
  let path: string;
  let recorded: RecordedOperations;
  let log: RecordingLog;
  let clock: ManualClock;
  let server: ControlServer;

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'ampere-control-'));
    path = controlSocketPath(join(directory, 'data'));
    recorded = new RecordedOperations();
    log = new RecordingLog();
    clock = new ManualClock();
    server = await start();
  });
  afterEach(async () => {
    await server.close();
    rmSync(directory, { recursive: true });
  });

  const start = () => startControlServer({ path, operations: recorded.all, audit: auditTo(log), clock, log });

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

  const requests: readonly (readonly [method: string, target: string, body: unknown, input: object])[] = [
    ['GET', '/status', undefined, {}],
    ['GET', '/users', undefined, { limit: 10_000 }],
    ['GET', '/users?domain=a.example&after=b&limit=2', undefined, { domain: 'a.example', after: 'b', limit: 2 }],
    ['POST', '/users', { jid: 'a@b', password: 'x' }, { jid: 'a@b', password: 'x' }],
    ['PUT', '/users/password', { jid: 'a@b', password: '' }, { jid: 'a@b', password: '' }],
    ['DELETE', '/users?jid=a%40b', undefined, { jid: 'a@b' }],
    ['POST', '/users/import', { users: [{ jid: 'a@b' }] }, { users: [{ jid: 'a@b' }] }],
    ['GET', '/users/export?jid=a@b', undefined, { jid: 'a@b' }],
    ['POST', '/exports', { domains: ['b'] }, { domains: ['b'] }],
    ['GET', '/exports/user?export=e&jid=a@b', undefined, { export: 'e', jid: 'a@b' }],
    ['GET', '/exports/room?export=e&room=a@b', undefined, { export: 'e', room: 'a@b' }],
    ['POST', '/archives/import', { jid: 'a@b', messages: [] }, { jid: 'a@b', messages: [] }],
    [
      'POST',
      '/rooms/import',
      { room: 'a@b', config: '{}', affiliations: [], messages: [] },
      { room: 'a@b', config: '{}', affiliations: [], messages: [] },
    ],
    ['POST', '/rooms/import/messages', { number: 1, messages: [] }, { number: 1, messages: [] }],
    ['POST', '/rooms/import/end', { number: 1 }, { number: 1 }],
    ['GET', '/rooms/addresses?limit=9', undefined, { after: '', limit: 9 }],
    ['GET', '/rooms/export?room=a@b', undefined, { room: 'a@b' }],
    ['GET', '/rooms/export/messages?room=a@b&limit=9', undefined, { room: 'a@b', after: 0, limit: 9 }],
    ['GET', '/archives/export?jid=a@b&limit=9', undefined, { jid: 'a@b', after: 0, limit: 9 }],
    ['GET', '/archives/usage?jid=a@b', undefined, { jid: 'a@b' }],
    ['DELETE', '/archives?jid=a@b', undefined, { jid: 'a@b' }],
    ['GET', '/devices?jid=a@b', undefined, { jid: 'a@b' }],
    ['DELETE', '/devices?jid=a@b&device=c', undefined, { jid: 'a@b', device: 'c' }],
    ['GET', '/reports?limit=2', undefined, { limit: 2 }],
    ['GET', '/report?id=7', undefined, { id: 7 }],
    ['DELETE', '/report?id=7', undefined, { id: 7 }],
    ['GET', '/sessions', undefined, {}],
    ['GET', '/sessions?user=a@b', undefined, { user: 'a@b' }],
    ['DELETE', '/sessions?jid=a@b/c&reason=enough', undefined, { jid: 'a@b/c', reason: 'enough' }],
    ['GET', '/components', undefined, {}],
    ['GET', '/s2s', undefined, {}],
    ['POST', '/s2s/test', { remote: 'a' }, { remote: 'a' }],
    ['POST', '/reload', {}, {}],
    ['POST', '/backup', { file: '/x' }, { file: '/x' }],
    ['GET', '/audit?limit=9&subject=a@b', undefined, { limit: 9, subject: 'a@b' }],
    ['PUT', '/blocked-domains', { domain: 'a' }, { domain: 'a' }],
    ['DELETE', '/blocked-domains?domain=a', undefined, { domain: 'a' }],
    ['GET', '/blocked-domains', undefined, {}],
    ['PUT', '/suspensions', { jid: 'a@b', removeAfterMs: 1 }, { jid: 'a@b', removeAfterMs: 1 }],
    ['DELETE', '/suspensions?jid=a@b', undefined, { jid: 'a@b' }],
    ['GET', '/suspensions', undefined, {}],
    ['GET', '/approvals', undefined, {}],
    ['PUT', '/approvals', { jid: 'a@b' }, { jid: 'a@b' }],
    ['DELETE', '/approvals?jid=a@b', undefined, { jid: 'a@b' }],
    ['GET', '/users/show?jid=a@b', undefined, { jid: 'a@b' }],
    ['GET', '/users/roster?jid=a@b', undefined, { jid: 'a@b' }],
    ['GET', '/users?containing=a&limit=2', undefined, { containing: 'a', limit: 2 }],
    ['POST', '/console/links', { operator: 'a', role: 'observer' }, { operator: 'a', role: 'observer' }],
    ['GET', '/history?span=hour&afterMs=5', undefined, { span: 'hour', afterMs: 5 }],
    ['GET', '/configuration', undefined, {}],
    ['GET', '/check', undefined, {}],
    ['POST', '/watch', { jid: 'a@b', bodies: true }, { jid: 'a@b', bodies: true }],
    ['PUT', '/forwards', { jid: 'a@b', target: 'c@d' }, { jid: 'a@b', target: 'c@d' }],
    ['DELETE', '/forwards?jid=a@b', undefined, { jid: 'a@b' }],
    ['GET', '/forwards?after=b&limit=2', undefined, { after: 'b', limit: 2 }],
    ['POST', '/invitations', { username: 'a', uses: 1 }, { username: 'a', uses: 1 }],
    ['GET', '/invitations', undefined, { after: 0, limit: 1000 }],
    ['DELETE', '/invitations?id=7', undefined, { id: 7 }],
    ['POST', '/users/reset-link', { jid: 'a@b' }, { jid: 'a@b' }],
    ['POST', '/messages', { to: 'a@b', body: 'x', waitMs: 5 }, { to: 'a@b', body: 'x', waitMs: 5 }],
    ['POST', '/messages/explain', { from: 'a@b', to: 'c' }, { from: 'a@b', to: 'c' }],
  ];
  for (const [method, target, body, input] of requests) {
    it(`carries out ${method} ${target}`, async () => {
      expect((await ask(method, target, body)).status).to.equal(200);
      expect(recorded.asked).to.deep.equal([[`${method} ${target.split('?')[0]}`, input]]);
    });
  }

  it('has no operation beside these', () => {
    const tested = new Set(requests.map(([method, target]) => `${method} ${target.split('?')[0]}`));
    expect(everyOperation.map(({ method, path }) => `${method} ${path}`)).to.have.members([...tested]);
  });

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
      expect(recorded.asked).to.deep.equal([]);
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
      recorded.result = () => Promise.reject(error);
      expect(await ask('POST', '/reload', {})).to.deep.equal({ status, body: { error: { code, message: 'no' } } });
      expect(log.alarms).to.deep.equal([]);
    });
  }

  it('keeps what went wrong inside to the log', async () => {
    recorded.result = () => Promise.reject(new TypeError('undefined is not a secret'));
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
      expect((await ask('GET', address)).body.error.message, address).to.equal('This server does not support GET /.');
    }
    expect(recorded.asked).to.deep.equal([]);
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
    expect(recorded.asked).to.deep.equal([]);
  });

  it('finishes what it has begun when it closes, and waits for nothing else', async () => {
    const begun = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<object>();
    recorded.result = () => {
      begun.resolve();
      return goOn.promise;
    };
    const answer = ask('GET', '/sessions');
    const half = connect(path);
    half.on('error', () => {});
    half.write('POST /users HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n{');
    await begun.promise;
    const closed = server.close();
    expect(recorded.stopped[0]?.aborted, 'the operation knows').to.equal(true);
    goOn.resolve({ sessions: ['the end'] });
    expect(await answer).to.deep.equal({ status: 200, body: { sessions: ['the end'] } });
    await closed;
    expect(existsSync(path)).to.equal(false);
    server = await start();
  });

  it('tells a client every 20 seconds that its operation goes on (RFC 2518 §10.1)', async () => {
    for (const fails of [false, true]) {
      const begun = Promise.withResolvers<void>();
      const goOn = Promise.withResolvers<void>();
      recorded.result = async () => {
        begun.resolve();
        await goOn.promise;
        if (fails) throw new OperationError('failed', 'It failed.');
        return {};
      };
      const outgoing = request({ socketPath: path, path: '/sessions', agent: false });
      outgoing.end();
      await begun.promise;
      for (let sign = 1; sign <= 2; sign++) {
        const received = once(outgoing, 'information');
        clock.advance(20_000);
        const [{ statusCode }] = await received;
        expect(statusCode).to.equal(102);
      }
      const answered = once(outgoing, 'response');
      goOn.resolve();
      const [response] = await answered;
      await text(response);
      expect(clock.pendingCount).to.equal(0);
    }
  });

  it('survives a client that goes away', async () => {
    const goOn = Promise.withResolvers<object>();
    recorded.result = () => goOn.promise;
    const socket = connect(path);
    socket.write('GET /sessions HTTP/1.1\r\nhost: x\r\n\r\n');
    await once(socket, 'connect');
    socket.destroy();
    await once(socket, 'close');
    goOn.resolve({});
    expect((await ask('GET', '/sessions')).status).to.equal(200);
    expect(log.alarms).to.deep.equal([]);
  });
});

describe('the place of the control socket', () => {
  let directory: string;
  let path: string;
  const parts = () => {
    const log = new RecordingLog();
    return { path, audit: auditTo(log), operations: new RecordedOperations().all, clock: new ManualClock(), log };
  };

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
