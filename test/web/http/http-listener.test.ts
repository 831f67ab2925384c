import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { expect } from 'chai';
import type { HttpRoute } from '../../../src/routing/http-route.ts';
import { CurrentCertificates } from '../../../src/tls/current-certificates.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { RecordingLog } from '../../support/recording-log.ts';
import { TestAuthority } from '../../tls/test-authority.ts';
import { connected, connectedTls, exchange, readUntil, remaining, requestText, TrialListener } from './raw-http.ts';
import { choosy, echo, failing, HeldRoute, literal, ReadingRoute, RepeatingRoute, upgrading } from './trial-routes.ts';

const statusOf = (answer: string) => Number(answer.split(' ')[1]);
const bodyOf = (answer: string) => answer.slice(answer.indexOf('\r\n\r\n') + 4);

describe('The HTTP listener', () => {
  const routes = [echo, literal, failing, upgrading, choosy];
  let trial: TrialListener;
  let port: number;

  beforeEach(async () => {
    trial = new TrialListener(routes);
    port = await trial.open();
  });
  afterEach(() => trial.listener.stop(0));

  it('answers by the route of the path', async () => {
    const answer = await exchange(port, 'PUT /echo/tok%2Den?q=1', 'hello');
    expect(statusOf(answer)).to.equal(200);
    expect(JSON.parse(bodyOf(answer))).to.deep.equal({
      method: 'PUT',
      parameters: { token: 'tok%2Den' },
      query: '1',
      body: 'hello',
      secure: false,
    });
  });

  it('takes a whole URL for its path (RFC 9112 §3.2.2)', async () => {
    expect(bodyOf(await exchange(port, 'GET http://elsewhere.example/echo/a?q=2'))).to.contain('"query":"2"');
  });

  it('sends what a stream holds', async () => {
    expect(await exchange(port, 'GET /echo/literal')).to.match(
      /^HTTP\/1\.1 200 .*Transfer-Encoding: chunked.*lite.*ral/s,
    );
  });

  const withoutContent: readonly (readonly [request: string, status: number, header?: RegExp])[] = [
    ['HEAD /echo/a', 200, /content-length: \d{2,}/],
    ['HEAD /echo/literal', 200],
    ['OPTIONS /echo/a', 204, /access-control-allow-methods: GET, PUT, HEAD, OPTIONS/],
    ['OPTIONS /fails/x', 204, /allow: GET, HEAD, OPTIONS/],
    ['DELETE /echo/a', 405, /allow: GET, PUT, HEAD, OPTIONS/],
    ['GET /nowhere', 404],
    ['GET /echo/../echo/a', 404],
    ['GET /fails/gone', 410],
  ];
  for (const [request, status, header = /./] of withoutContent)
    it(`answers ${request} with ${status} and no content`, async () => {
      const answer = await exchange(port, request);
      expect(statusOf(answer)).to.equal(status);
      expect(bodyOf(answer)).to.equal('');
      expect(answer).to.match(header);
    });

  for (const request of [
    'GET /echo/a',
    'GET /nowhere',
    'POST /echo/a',
    'OPTIONS /echo/a',
    'GET /fails/x',
    'GET /fails/gone',
  ])
    it(`has security headers on ${request}, and no banner`, async () => {
      const answer = await exchange(port, request);
      expect(answer).to.match(/x-content-type-options: nosniff/);
      expect(answer).to.match(/content-security-policy: default-src 'none'; frame-ancestors 'none'/);
      expect(answer).to.match(/referrer-policy: no-referrer/);
      expect(answer).to.match(/cache-control: no-store/);
      expect(answer).to.not.match(/^(?:server|x-powered-by):/im);
    });

  it('lets a route replace a header', async () => {
    expect(await exchange(port, 'GET /echo/literal'))
      .to.match(/cache-control: max-age=60/)
      .and.not.match(/no-store/);
  });

  it('lets pages of other origins read only where the route says so', async () => {
    expect(await exchange(port, 'POST /echo/a')).to.match(/access-control-allow-origin: \*/);
    expect(await exchange(port, 'GET /fails/gone')).to.not.match(/access-control/);
  });

  it('lets pages of the origins of a route read, and no others', async () => {
    const from = (origin: string) => exchange(port, 'POST /choosy', '', [`Origin: ${origin}`]);
    expect(await from('https://chat.example')).to.match(/access-control-allow-origin: https:\/\/chat\.example\r/);
    expect(await from('https://evil.example'))
      .to.match(/vary: Origin/)
      .and.not.match(/access-control-allow-origin/);
  });

  it('refuses a body that is too large, told or not', async () => {
    expect(statusOf(await exchange(port, 'PUT /echo/a', 'x'.repeat(11)))).to.equal(413);
    const chunked = ['Transfer-Encoding: chunked'];
    const chunks = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`;
    expect(statusOf(await exchange(port, 'PUT /echo/a', chunks('x'.repeat(10)), chunked))).to.equal(200);
    expect(statusOf(await exchange(port, 'PUT /echo/a', chunks('x'.repeat(11)), chunked))).to.equal(413);
    expect(statusOf(await exchange(port, 'GET /fails/gone', 'x'))).to.equal(413);
  });

  for (const [path, status] of [
    ['/echo/a', 413],
    ['/nowhere', 404],
  ] as const)
    it(`answers ${status} to a client that sends a long body before it reads, and lets it send all (RFC 9112 §9.6)`, async () => {
      const socket = await connected(port);
      const body = 'x'.repeat(5_000_000);
      await new Promise<void>((resolve, reject) => {
        socket.on('error', reject);
        socket.write(requestText(`PUT ${path}`, [], body), (error) => (error ? reject(error) : resolve()));
      });
      const answer = await remaining(socket);
      expect(statusOf(answer)).to.equal(status);
      expect(answer).to.match(/connection: close\r\n/);
      expect(trial.log.lines.join()).to.not.contain('aborted');
    });

  it('does not wait for ever for the rest of an unwanted body', async () => {
    const clock = new ManualClock();
    const another = new TrialListener([echo], { clock });
    const socket = await connected(await another.open());
    socket.write(requestText('PUT /echo/a', ['Content-Length: 20'], '').replace('\r\n\r\n', '\r\n\r\nx'));
    await readUntil(socket, '\r\n\r\n');
    const ended = once(socket, 'close');
    expect(clock.pendingCount).to.equal(1);
    await clock.advance(30_000);
    await ended;
    await another.listener.stop(0);
  });

  it('lets a client that waits with its body send it only if it is wanted (RFC 9110 §10.1.1)', async () => {
    const waiting = async (start: string) => {
      const socket = await connected(port);
      socket.write(requestText(start, ['Expect: 100-continue', 'Content-Length: 5', 'Connection: close']));
      return socket;
    };
    expect(await remaining(await waiting('PUT /nowhere'))).to.match(/^HTTP\/1\.1 404 /);
    const wanted = await waiting('PUT /echo/a');
    expect(await readUntil(wanted, '\r\n\r\n')).to.equal('HTTP/1.1 100 Continue\r\n\r\n');
    wanted.write('hello');
    expect(await remaining(wanted)).to.contain('"body":"hello"');
  });

  it('refuses headers that are too large', async () => {
    expect(statusOf(await exchange(port, `GET /echo/${'a'.repeat(5000)}`))).to.equal(431);
  });

  it('answers 500 to a fault of a route, and logs it', async () => {
    expect(statusOf(await exchange(port, 'GET /fails/x'))).to.equal(500);
    expect(trial.log.alarms.join()).to.contain('a fault of the route').and.contain('/fails/:how');
  });

  it('logs requests without queries and parameters', async () => {
    await exchange(port, 'GET /echo/secret1?password=secret2');
    await exchange(port, 'GET /nowhere?password=secret2');
    const lines = trial.log.lines.join('\n');
    expect(lines).to.match(
      /info HTTP request \{"method":"GET","path":"\/echo\/:token","status":200,"bytes":\d{3},"ms":\d+,"remoteAddress":"127\.0\.0\.1"\}/,
    );
    expect(lines).to.match(/"path":"\/nowhere","status":404/);
    expect(lines).to.not.match(/secret/);
  });

  it('logs no parameters of preflights and of methods that a path does not have, nor long parts of unknown paths', async () => {
    for (const request of ['OPTIONS /echo/secret', 'DELETE /echo/secret', 'GET /echo/a-secret-of-thirty-characters/'])
      await exchange(port, request);
    const paths = [...trial.log.lines.join('\n').matchAll(/"path":"([^"]*)"/g)].map(([, path]) => path);
    expect(paths).to.deep.equal(['/echo/:token', '/echo/:token', '/echo/…/']);
  });

  it('answers several requests on one connection', async () => {
    const socket = await connected(port);
    socket.write(
      requestText('GET /echo/a') + requestText('GET /fails/gone') + requestText('GET /echo/b', ['Connection: close']),
    );
    expect(await remaining(socket)).to.match(/"token":"a".* 410 .*"token":"b"/s);
  });

  it('closes the connection of a client that sends many requests without waiting for answers', async () => {
    let asked = 0;
    const never: HttpRoute = {
      methods: ['GET'],
      path: '/never',
      handle: ({ whenLost }) => {
        asked += 1;
        return new Promise((resolve) => whenLost(() => resolve({ status: 204 })));
      },
    };
    const another = new TrialListener([never]);
    const socket = await connected(await another.open());
    socket.on('error', () => undefined);
    socket.write(requestText('GET /never').repeat(500));
    await once(socket, 'close');
    await another.listener.stop(60_000);
    expect(asked).to.equal(4);
  });

  it('goes on with a client that asks often, and waits for each answer', async () => {
    const socket = await connected(port);
    for (let request = 0; request < 8; request++) {
      socket.write(requestText('GET /fails/gone'));
      expect(await readUntil(socket, '\r\n\r\n')).to.match(/ 410 /);
    }
    socket.destroy();
  });

  it('hands no connection over while the answer to an earlier request is not sent', async () => {
    const socket = await connected(port);
    const upgrade = requestText('GET /upgrade', ['Connection: Upgrade, close', 'Upgrade: echo']);
    socket.write(requestText('GET /fails/gone') + upgrade);
    expect(await remaining(socket)).to.match(/ 410 .* 426 /s);
  });

  it('hands a connection over to a route that upgrades', async () => {
    const socket = await connected(port);
    socket.write(requestText('GET /upgrade', ['Connection: Upgrade', 'Upgrade: echo'], 'first'));
    expect(await readUntil(socket, 'first')).to.match(/^HTTP\/1\.1 101 .*Timeout: 0\r\n\r\nfirst$/s);
    socket.write('second');
    expect(await readUntil(socket, 'second')).to.equal('second');
    socket.destroy();
  });

  it('answers 421 for a host that it does not serve (RFC 9110 §15.5.20)', async () => {
    const servesHost = ({ headers }: IncomingMessage) => headers.host === 'served.example';
    const watched: HttpRoute = { methods: ['GET'], path: '/watched', anyHost: true, handle: () => ({ status: 204 }) };
    const choosing = new TrialListener([...routes, watched], { servesHost });
    const there = await choosing.open();
    const asks = async (host: string, start: string, ...more: string[]) => {
      const socket = await connected(there);
      socket.write([`${start} HTTP/1.1`, `Host: ${host}`, 'Connection: close', ...more, '', ''].join('\r\n'));
      return statusOf(await remaining(socket));
    };
    expect(await asks('served.example', 'GET /echo/a')).to.equal(200);
    expect(await asks('other.example', 'GET /echo/a')).to.equal(421);
    expect(await asks('other.example', 'GET /nowhere')).to.equal(421);
    expect(await asks('other.example', 'GET /watched')).to.equal(204);
    expect(await asks('other.example', 'GET /upgrade', 'Connection: Upgrade', 'Upgrade: echo')).to.equal(421);
    await choosing.listener.stop(0);
  });

  it('ignores an upgrade where the route has none', async () => {
    const upgrade = ['Upgrade: h2c', 'Connection: Upgrade, HTTP2-Settings, close'];
    expect(statusOf(await exchange(port, 'GET /echo/a', '', upgrade))).to.equal(200);
    expect(statusOf(await exchange(port, 'GET /upgrade'))).to.equal(426);
  });

  it('survives clients that leave in the middle', async () => {
    const held = new HeldRoute();
    const another = new TrialListener([held]);
    const socket = await connected(await another.open());
    socket.write(requestText('GET /held'));
    await held.arrived;
    socket.destroy();
    while (another.released.length === 0) await new Promise(setImmediate);
    held.release();
    await another.listener.stop(60_000);
    expect(another.log.alarms).to.deep.equal([]);
    expect(another.log.lines.join()).to.contain('"aborted":true');
    expect(another.released).to.deep.equal(['127.0.0.1']);
  });

  describe('that sends chunks in memory that it uses again', () => {
    let repeating: RepeatingRoute;
    let another: TrialListener;
    let socket: Socket;

    beforeEach(async () => {
      repeating = new RepeatingRoute();
      another = new TrialListener([repeating]);
      socket = await connected(await another.open());
    });
    afterEach(() => another.listener.stop(0));

    it('waits until the system has each of them', async () => {
      socket.write(requestText('GET /repeats', ['Connection: close']));
      const body = bodyOf(await remaining(socket));
      const chunk = (number: number) => `10000\r\n${String(number % 10).repeat(RepeatingRoute.chunkBytes)}\r\n`;
      const whole = Array.from({ length: RepeatingRoute.chunks }, (_, number) => chunk(number)).join('');
      expect(body === `${whole}0\r\n\r\n`).to.equal(true);
    });

    it('does not leave them open when the client leaves', async () => {
      socket.write(requestText('GET /repeats'));
      await once(socket, 'readable');
      socket.destroy();
      await repeating.ended.promise;
    });

    it('does not leave them open when the client of two answers leaves', async () => {
      socket.write(requestText('GET /repeats') + requestText('GET /repeats'));
      await once(socket, 'readable');
      socket.destroy();
      await another.listener.stop(60_000);
      expect(another.log.lines.filter((line) => line.includes('"aborted":true'))).to.have.lengthOf(2);
    });
  });

  it('asks the limiter about every connection', async () => {
    const asked: number[] = [];
    const limiter = {
      admit: (_address: string, strangers: number) => asked.push(strangers) < 3,
      release: () => undefined,
      backlog: 10,
    };
    const bounded = new TrialListener(routes, { limiter });
    const there = await bounded.open();
    const sockets = [await connected(there), await connected(there), await connected(there)];
    expect(await remaining(sockets[2] as Socket)).to.equal('');
    expect(asked).to.deep.equal([0, 1, 2]);
    for (const socket of sockets) socket.destroy();
    await bounded.listener.stop(0);
  });

  it('does without an optional address that is not available', async () => {
    const address = { host: '127.0.0.1', port, optional: true };
    expect(await trial.listener.listen(address, 'none')).to.equal(undefined);
    expect(trial.log.lines.join()).to.contain('not listening there');
    const failure = await trial.listener.listen({ ...address, optional: false }, 'none').catch((error) => error.code);
    expect(failure).to.equal('EADDRINUSE');
  });
});

describe('A slow client of the HTTP listener', () => {
  const slow = async (limits: object, text: string) => {
    const trial = new TrialListener([echo], { limits });
    const socket = await connected(await trial.open());
    socket.write(text);
    const answer = await remaining(socket);
    await trial.listener.stop(0);
    return answer;
  };

  it('that sends no end of headers is closed', async () => {
    expect(statusOf(await slow({ headersMs: 20 }, 'GET / HTTP/1.1\r\nHost: a\r\n'))).to.equal(408);
  });

  it('that sends no end of a body is closed', async () => {
    const limits = { headersMs: 20, requestMs: 40 };
    expect(statusOf(await slow(limits, 'PUT /echo/a HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx'))).to.equal(408);
  });

  it('may take long for a body where the route allows it, as long as enough comes', async () => {
    const clock = new ManualClock();
    const reader = new ReadingRoute({ bodyBytes: 100, leastBytesPerSecond: 2 });
    const trial = new TrialListener([reader], { clock, limits: { requestMs: 1000 } });
    const socket = await connected(await trial.open());
    socket.write('PUT /reads HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n');
    const answer = remaining(socket);
    for (const part of ['ab', 'cd', 'e']) {
      socket.write(part);
      expect(await reader.next()).to.equal(part);
      clock.advance(1000);
    }
    expect(await answer).to.match(/^HTTP\/1\.1 408 .*connection: close.*\r\n\r\n$/s);
    await trial.listener.stop(0);
  });

  it('that sends no further request is closed', async () => {
    expect(statusOf(await slow({ keepAliveMs: 20 }, requestText('GET /echo/a')))).to.equal(200);
  });

  it('that sends nothing at all is closed', async () => {
    expect(await slow({ stallMs: 20 }, '')).to.equal('');
  });

  it('may be silent for longer while it waits for a route that allows it', async () => {
    const held = new HeldRoute();
    const trial = new TrialListener([held], { limits: { stallMs: 20 } });
    const port = await trial.open();
    const waiting = await connected(port);
    waiting.write(requestText('GET /held', ['Connection: close']));
    await held.arrived;
    expect(await remaining(await connected(port))).to.equal('');
    held.release();
    expect(await remaining(waiting)).to.match(/released$/);
    await trial.listener.stop(0);
  });

  it('is missed by a route that waits for it', async () => {
    const held = new HeldRoute();
    const trial = new TrialListener([held]);
    const waiting = await connected(await trial.open());
    waiting.write(requestText('GET /held'));
    await held.arrived;
    waiting.destroy();
    await held.lost.promise;
    await trial.listener.stop(0);
  });

  it('that does not finish its TLS handshake is closed', async () => {
    const clock = new ManualClock();
    const certificates = { single: true, contextFor: () => undefined as never };
    const trial = new TrialListener([], { clock, certificates });
    const socket = await connected(await trial.open('direct'));
    const ended = remaining(socket);
    while (clock.pendingCount === 0) await new Promise(setImmediate);
    clock.advance(10_000);
    expect(await ended).to.equal('');
    await trial.listener.stop(0);
  });
});

describe('The end of the HTTP listener', () => {
  it('finishes running requests and closes idle connections', async () => {
    const held = new HeldRoute();
    const trial = new TrialListener([held, echo]);
    const port = await trial.open();
    const [idle, busy] = [await connected(port), await connected(port)];
    idle.write(requestText('GET /echo/a'));
    await readUntil(idle, '"token"');
    busy.write(requestText('GET /held'));
    await held.arrived;
    const stopped = trial.listener.stop(60_000);
    expect(trial.listener.stopping).to.equal(true);
    await once(idle, 'close');
    expect(trial.listener.connections).to.equal(1);
    held.release();
    expect(await remaining(busy)).to.match(/connection: close.*released$/s);
    await stopped;
    expect(trial.listener.connections).to.equal(0);
  });

  it('does not wait longer than it may', async () => {
    const clock = new ManualClock();
    const held = new HeldRoute();
    const trial = new TrialListener([held], { clock });
    const busy = await connected(await trial.open());
    busy.write(requestText('GET /held'));
    await held.arrived;
    const stopped = trial.listener.stop(1000);
    clock.advance(1000);
    await stopped;
    expect(await remaining(busy)).to.equal('');
    held.release();
  });
});

describe('HTTPS', () => {
  const authority = new TestAuthority();
  const optionsFor = async (name: string) => ({
    domains: ['a.example', 'b.example'],
    dataDir: authority.directory,
    tls: {
      ...(await authority.issue(`${name}-a`, ['a.example'])),
      domains: { 'b.example': await authority.issue(`${name}-b`, ['b.example']) },
    },
  });

  it('shows the certificate of the name, and after a reload the new one', async () => {
    const certificates = await CurrentCertificates.load(await optionsFor('old'), new RecordingLog());
    const trial = new TrialListener([echo], { certificates });
    const port = await trial.open('direct');
    const seen = async (servername: string) => {
      const socket = await connectedTls(port, { servername, ca: authority.pem });
      const { CN } = socket.getPeerCertificate().subject;
      socket.write(requestText('GET /echo/a', ['Connection: close']));
      expect(await remaining(socket)).to.contain('"secure":true');
      return CN;
    };
    expect([await seen('a.example'), await seen('b.example')]).to.deep.equal(['old-a', 'old-b']);
    (await certificates.prepare(await optionsFor('new')))();
    expect([await seen('a.example'), await seen('b.example')]).to.deep.equal(['new-a', 'new-b']);
    await trial.listener.stop(0);
  });

  it('keeps browsers on it, if it should (RFC 6797 §7.1, §7.2)', async () => {
    const certificates = await CurrentCertificates.load(await optionsFor('one'), new RecordingLog());
    const trustedProxies = ['127.0.0.1'];
    const trial = new TrialListener([echo], { certificates, trustedProxies, strictTransportSecurity: 'max-age=86400' });
    const socket = await connectedTls(await trial.open('direct'), { servername: 'a.example', ca: authority.pem });
    socket.write(requestText('GET /nowhere', ['Connection: close']));
    expect(await remaining(socket)).to.match(/strict-transport-security: max-age=86400\r/);
    const plain = await trial.open();
    const behindProxy = (proto: string) => exchange(plain, 'GET /echo/a', '', [`X-Forwarded-Proto: ${proto}`]);
    expect(await behindProxy('https')).to.match(/strict-transport-security/);
    for (const answer of [await behindProxy('http'), await exchange(plain, 'GET /echo/a')]) {
      expect(answer).to.not.match(/strict-transport/);
    }
    await trial.listener.stop(0);
  });

  it('keeps its deadlines, and stops, as HTTP does', async () => {
    const certificates = await CurrentCertificates.load(await optionsFor('one'), new RecordingLog());
    const trial = new TrialListener([echo], { certificates, limits: { headersMs: 20 } });
    const port = await trial.open('direct');
    const socket = await connectedTls(port, { servername: 'a.example', ca: authority.pem });
    socket.write('GET / HTTP/1.1\r\n');
    expect(statusOf(await remaining(socket))).to.equal(408);
    const idle = await connectedTls(port, { servername: 'a.example', ca: authority.pem });
    const ended = remaining(idle);
    await trial.listener.stop(60_000);
    expect(await ended).to.equal('');
  });

  it('refuses clients that speak only something else', async () => {
    const certificates = await CurrentCertificates.load(await optionsFor('one'), new RecordingLog());
    const trial = new TrialListener([echo], { certificates });
    const port = await trial.open('direct');
    const refusal = async (ALPNProtocols: string[]) => {
      const socket = connectTls({ host: '127.0.0.1', port, ca: authority.pem, servername: 'a.example', ALPNProtocols });
      const [error] = await once(socket, 'error');
      return error.code;
    };
    expect(await refusal(['xmpp-client'])).to.equal('ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL');
    const plain = await connected(port);
    plain.write(requestText('GET /echo/a'));
    await remaining(plain);
    await trial.listener.stop(0);
    expect(trial.log.alarms).to.deep.equal([]);
  });
});
