import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, Socket } from 'node:net';
import { expect } from 'chai';
import { type ConnectDeps, ConnectError, connectTo } from '../../src/federation/connect.ts';
import type { Target } from '../../src/federation/federation-options.ts';
import { ResolutionError } from '../../src/federation/resolver.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { FakeResolver } from './fake-resolver.ts';

describe('connectTo', () => {
  let clock: ManualClock;
  let resolver: FakeResolver;
  let opened: Map<string, Socket>;
  /** Connections that may be open at the same time. */
  let room: number;

  beforeEach(() => {
    clock = new ManualClock();
    resolver = new FakeResolver();
    opened = new Map();
    room = 100;
  });

  const target: Target = { host: 'a.example', port: 5269, tls: 'starttls' };
  const connect = (to: Partial<Target> = {}, parts: Partial<ConnectDeps> = {}) =>
    connectTo(
      { ...target, ...to },
      { resolver, clock, allowPrivateAddresses: false, timeoutMs: 10_000, ...parts },
      (address) => {
        if (opened.size >= room) return undefined;
        const socket = new Socket();
        opened.set(address, socket);
        return socket;
      },
    );
  const addresses = ['2600::1', '2600::2', '1.0.0.1', '1.0.0.2'];
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  const failure = async (connecting: Promise<unknown>) =>
    connecting.then(
      () => undefined,
      (reason: unknown) => reason,
    );

  it('alternates between the families, a quarter of a second apart (RFC 8305 §4, §5)', async () => {
    const connecting = connect({ addresses });
    await turn();
    const tried = () => [...opened.keys()];
    expect(tried()).to.deep.equal(['2600::1']);
    clock.advance(249);
    expect(tried()).to.deep.equal(['2600::1']);
    clock.advance(1);
    expect(tried()).to.deep.equal(['2600::1', '1.0.0.1']);
    clock.advance(250);
    expect(tried()).to.deep.equal(['2600::1', '1.0.0.1', '2600::2']);
    opened.get('1.0.0.1')?.emit('connect');
    expect(await connecting).to.equal(opened.get('1.0.0.1'));
  });

  it('takes the first connection and ends the other attempts', async () => {
    const connecting = connect({ addresses });
    await turn();
    clock.advance(250);
    opened.get('1.0.0.1')?.emit('connect');
    const socket = await connecting;
    expect([socket.destroyed, opened.get('2600::1')?.destroyed]).to.deep.equal([false, true]);
    expect(clock.pendingCount).to.equal(0);
    expect(opened.size).to.equal(2);
    opened.get('2600::1')?.emit('error', new Error('too late, and heard'));
  });

  it('tries the next address at once after a refusal', async () => {
    const connecting = connect({ addresses: ['2600::1', '1.0.0.1'] });
    await turn();
    opened.get('2600::1')?.emit('error', new Error('refused'));
    expect([...opened.keys()]).to.deep.equal(['2600::1', '1.0.0.1']);
    opened.get('1.0.0.1')?.emit('connect');
    expect(await connecting).to.equal(opened.get('1.0.0.1'));
  });

  it('gives the reason for every address', async () => {
    const connecting = failure(connect({ addresses: ['2600::1', '1.0.0.1'] }));
    await turn();
    opened.get('2600::1')?.emit('error', Object.assign(new Error('connect'), { code: 'ENETUNREACH' }));
    opened.get('1.0.0.1')?.emit('error', Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }));
    const error = await connecting;
    expect(error).to.be.instanceOf(ConnectError);
    expect(error).to.have.property('message', '2600::1: ENETUNREACH; 1.0.0.1: ECONNREFUSED');
    expect(clock.pendingCount).to.equal(0);
  });

  it('tries only as many addresses as the limiter permits', async () => {
    room = 1;
    const connecting = connect({ addresses });
    await turn();
    clock.advance(250);
    opened.get('2600::1')?.emit('connect');
    expect(await connecting).to.equal(opened.get('2600::1'));
  });

  it('fails if the limiter permits no connection', async () => {
    room = 0;
    expect(await failure(connect({ addresses })))
      .to.be.instanceOf(ConnectError)
      .and.to.include({ crowded: true });
  });

  it('times out', async () => {
    const connecting = failure(connect({ addresses }));
    await turn();
    clock.advance(10_000);
    expect(await connecting).to.have.property('message', 'no answer in time');
    expect([...opened.values()].filter(({ destroyed }) => !destroyed)).to.deep.equal([]);
    expect(clock.pendingCount).to.equal(0);
  });

  it('ends when the signal is aborted', async () => {
    const stop = new AbortController();
    const connecting = failure(connect({ addresses }, { signal: stop.signal }));
    await turn();
    const reason = new Error('stopped');
    stop.abort(reason);
    expect(await connecting).to.equal(reason);
    expect([...opened.values()].filter(({ destroyed }) => !destroyed)).to.deep.equal([]);
    expect(await failure(connect({ addresses }, { signal: stop.signal }))).to.equal(reason);
  });

  it('looks up the addresses of a host', async () => {
    resolver.hosts.set('a.example', ['1.0.0.1']);
    const connecting = connect();
    await turn();
    opened.get('1.0.0.1')?.emit('connect');
    expect(await connecting).to.equal(opened.get('1.0.0.1'));
  });

  it('fails for a host without addresses', async () => {
    const error = await failure(connect());
    expect(error).to.be.instanceOf(ResolutionError);
    expect(error).to.have.property('failure', 'no such domain');
  });

  it('tries eight addresses of a thousand', async () => {
    const many = Array.from({ length: 1000 }, (_, index) => `1.0.${index >> 8}.${index & 255}`);
    const connecting = failure(connect({ addresses: many }));
    await turn();
    clock.advance(9999);
    expect(opened.size).to.equal(8);
    clock.advance(1);
    await connecting;
  });

  describe('in a private network', () => {
    for (const address of ['10.0.0.1', '127.0.0.1', '::1', 'fe80::1', '169.254.169.254', '::ffff:127.0.0.1'])
      it(`is refused (${address}, by name and literally)`, async () => {
        resolver.hosts.set('a.example', [address]);
        for (const to of [{}, { host: address }, { addresses: [address] }]) {
          const error = await failure(connect(to));
          expect(error).to.be.instanceOf(ConnectError);
          expect(error).to.have.property('message').that.includes('is in a private network');
        }
        expect(opened.size).to.equal(0);
      });

    it('skips such addresses among others', async () => {
      const connecting = connect({ addresses: ['10.0.0.1', '1.0.0.1'] });
      await turn();
      expect([...opened.keys()]).to.deep.equal(['1.0.0.1']);
      opened.get('1.0.0.1')?.emit('connect');
      await connecting;
    });

    it('is allowed if configured, for one target or for all', async () => {
      for (const [to, parts] of [
        [{ fixed: true }, {}],
        [{}, { allowPrivateAddresses: true }],
      ] as const) {
        const connecting = connect({ host: '10.0.0.1', ...to }, parts);
        await turn();
        opened.get('10.0.0.1')?.emit('connect');
        await connecting;
      }
    });
  });

  describe('with real sockets', () => {
    let server: Server;

    beforeEach(async () => {
      server = createServer((socket) => socket.end('hello')).listen(0, '127.0.0.1');
      await once(server, 'listening');
    });
    afterEach(() => void server.close());

    it('reaches a server after a refused address, and sees the connection end', async () => {
      const { port } = server.address() as AddressInfo;
      const to: Target = { host: 'a.example', port, tls: 'direct', addresses: ['127.0.0.2', '127.0.0.1'], fixed: true };
      const socket = await connectTo(to, { resolver, clock, allowPrivateAddresses: false, timeoutMs: 10_000 });
      expect(socket.remoteAddress).to.equal('127.0.0.1');
      expect(String(await once(socket, 'data'))).to.equal('hello');
      await once(socket, 'close');
    });
  });
});
