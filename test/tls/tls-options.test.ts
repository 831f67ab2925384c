import { constants } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import {
  type ConnectionOptions,
  connect,
  createServer as createTlsServer,
  type SecureVersion,
  TLSSocket as ServerSocket,
  type TLSSocket,
  type Server as TlsServer,
} from 'node:tls';
import { expect } from 'chai';
import type { CertificateFiles } from '../../src/tls/certificate-files.ts';
import { type CertificateStore, loadCertificates } from '../../src/tls/certificates.ts';
import { tlsSocketOptions } from '../../src/tls/tls-options.ts';
import { TestAuthority } from './test-authority.ts';

describe('a TLS connection', () => {
  const authority = new TestAuthority();
  const sockets = new Set<Socket>();
  let store: CertificateStore;
  let server: Server;
  let start: 'starttls' | 'direct' = 'direct';
  let accepted: ServerSocket[] = [];

  beforeEach(async () => {
    start = 'direct';
    accepted = [];
    store = await loadCertificates({
      domains: ['a.example', 'b.example'],
      dataDir: authority.directory,
      tls: {
        domains: {
          'a.example': await authority.issue('a', ['a.example']),
          'b.example': await authority.issue('b', ['b.example']),
        },
      },
    });
    server = createServer((plain) => {
      const secure = new ServerSocket(plain, tlsSocketOptions(store, start, undefined));
      accepted.push(secure);
      sockets.add(plain);
      plain.on('error', () => {});
      secure.on('_tlsError', () => plain.destroy()).on('error', () => {});
      secure.pipe(secure);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });

  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
    server.close();
    await once(server, 'close');
  });

  async function connected(options: ConnectionOptions = {}): Promise<TLSSocket> {
    const { port } = server.address() as AddressInfo;
    const socket = connect({ host: '127.0.0.1', port, servername: 'a.example', ca: authority.pem, ...options });
    sockets.add(socket);
    await once(socket, 'secureConnect');
    return socket;
  }

  async function refusal(options: ConnectionOptions): Promise<string> {
    const reason = await connected(options).then(
      (socket) => `accepted with ${socket.getProtocol()} ${socket.getCipher().name}`,
      (error: NodeJS.ErrnoException) => error.code,
    );
    return reason ?? 'no code';
  }

  function subject(socket: TLSSocket): string | string[] | undefined {
    return socket.getPeerCertificate().subject.CN;
  }

  it('has the certificate of the domain the client asks for', async () => {
    expect(subject(await connected())).to.equal('a');
    expect(subject(await connected({ servername: 'b.example' }))).to.equal('b');
    expect((await connected({ servername: 'b.example' })).authorized).to.equal(true);
  });

  it('has the default certificate for other names and for none', async () => {
    for (const servername of ['c.example', `${'x'.repeat(60)}.`.repeat(4), 'a'.repeat(255), 'xn--', '']) {
      expect(subject(await connected({ servername, rejectUnauthorized: false })), servername).to.equal('a');
    }
  });

  it('has the new certificate after a change of the store', async () => {
    const before = (await connected()).getPeerX509Certificate()?.fingerprint256;
    store = await loadCertificates({
      domains: ['a.example'],
      dataDir: authority.directory,
      tls: { domains: { 'a.example': await authority.issue('a2', ['a.example']) } },
    });
    const after = (await connected()).getPeerX509Certificate();
    expect(after?.subject).to.equal('CN=a2');
    expect(after?.fingerprint256).not.to.equal(before);
  });

  it('is TLS 1.3 or 1.2', async () => {
    expect((await connected()).getProtocol()).to.equal('TLSv1.3');
    expect((await connected({ maxVersion: 'TLSv1.2' })).getProtocol()).to.equal('TLSv1.2');
  });

  it('is not TLS 1.1 or older', async () => {
    for (const version of ['TLSv1', 'TLSv1.1'] as const) {
      const options = { minVersion: version, maxVersion: version, ciphers: 'ALL:@SECLEVEL=0' };
      expect(await refusal(options)).to.match(/^ERR_SSL_(TLSV1_ALERT_PROTOCOL_VERSION|.*UNSUPPORTED_PROTOCOL)/);
    }
  });

  it('uses ECDHE and AEAD, in the order of the server', async () => {
    const offers = [
      ['ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-AES128-GCM-SHA256'],
      ['ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES256-GCM-SHA384', 'ECDHE-ECDSA-AES256-GCM-SHA384'],
      ['ECDHE-ECDSA-CHACHA20-POLY1305', 'ECDHE-ECDSA-CHACHA20-POLY1305'],
    ];
    for (const [ciphers, chosen] of offers) {
      const socket = await connected({ maxVersion: 'TLSv1.2', ...(ciphers === undefined ? {} : { ciphers }) });
      expect(socket.getCipher().name).to.equal(chosen);
    }
  });

  it('uses no other suite', async () => {
    for (const ciphers of [
      'ECDHE-ECDSA-AES128-SHA',
      'ECDHE-ECDSA-AES256-SHA384',
      'AES128-GCM-SHA256',
      'DHE-RSA-AES128-GCM-SHA256',
    ]) {
      const options = { maxVersion: 'TLSv1.2', ciphers: `${ciphers}:@SECLEVEL=0` } as const;
      expect(await refusal(options), ciphers).to.match(/HANDSHAKE_FAILURE$/);
    }
  });

  it('cannot be renegotiated', async () => {
    const socket = await connected({ maxVersion: 'TLSv1.2' });
    const failure = once(socket, 'error');
    socket.renegotiate({}, () => {});
    const [error] = await failure;
    expect(error.code).to.match(/NO_RENEGOTIATION$/);
  });

  /** Whether a client that kept its session can resume it on its next visit. */
  async function resumes(options: ConnectionOptions): Promise<boolean> {
    const first = await connected(options);
    const sessions: Buffer[] = [];
    first.on('session', (session) => sessions.push(session));
    first.write('x');
    await once(first, 'data');
    const session = sessions.at(-1) ?? first.getSession();
    if (session === undefined) throw new Error('the client has nothing to resume');
    return (await connected({ ...options, session })).isSessionReused();
  }

  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    it(`is never resumed, on which tls-unique relies (${maxVersion})`, async () => {
      expect(await resumes({ maxVersion })).to.equal(false);
      expect(accepted.map((socket) => socket.isSessionReused())).to.deep.equal([false, false]);
    });

    it(`would be resumed by the same client elsewhere (${maxVersion})`, async () => {
      const elsewhere = resumingServer(await authority.issue('c', ['a.example']), maxVersion);
      elsewhere.listen(0, '127.0.0.1');
      await once(elsewhere, 'listening');
      const { port } = elsewhere.address() as AddressInfo;
      expect(await resumes({ maxVersion, port })).to.equal(true);
      elsewhere.close();
    });
  }

  it('with direct TLS agrees on xmpp-client, or on nothing where the client does not ask (XEP-0368 §2)', async () => {
    expect((await connected({ ALPNProtocols: ['h2', 'xmpp-client'] })).alpnProtocol).to.equal('xmpp-client');
    expect((await connected()).alpnProtocol).to.equal(false);
  });

  it('with direct TLS is refused to a client that wants another protocol', async () => {
    expect(await refusal({ ALPNProtocols: ['http/1.1'] })).to.match(/NO_APPLICATION_PROTOCOL$/);
    expect(await refusal({ ALPNProtocols: ['xmpp-server'] })).to.match(/NO_APPLICATION_PROTOCOL$/);
  });

  it('with STARTTLS does not mind ALPN', async () => {
    start = 'starttls';
    expect((await connected({ ALPNProtocols: ['http/1.1'] })).alpnProtocol).to.equal(false);
  });
});

/** A server that does resume: by session ID in TLS 1.2, by ticket in TLS 1.3. */
function resumingServer({ certificate, key }: CertificateFiles, version: SecureVersion): TlsServer {
  const kept = new Map<string, Buffer>();
  const secureOptions = version === 'TLSv1.2' ? constants.SSL_OP_NO_TICKET : 0;
  const options = { cert: readFileSync(certificate), key: readFileSync(key), secureOptions };
  const server = createTlsServer(options, (socket) => socket.on('error', () => {}).pipe(socket));
  if (version === 'TLSv1.3') return server;
  server.on('newSession', (id, session, done) => {
    kept.set(id.toString('hex'), session);
    done();
  });
  return server.on('resumeSession', (id, resume) => resume(null, kept.get(id.toString('hex')) ?? null));
}

describe('a certificate made here', () => {
  const temporary = new TestAuthority();

  it('is trusted by clients that trust the development authority', async () => {
    const options = { domains: ['localhost'], dataDir: temporary.directory, tls: { domains: {} } };
    const store = await loadCertificates(options);
    const server = createServer((plain) => void new ServerSocket(plain, tlsSocketOptions(store, 'direct', undefined)));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const socket = connect({
      host: '127.0.0.1',
      port,
      servername: 'localhost',
      ca: readFileSync(store.developmentAuthority ?? ''),
    });
    await once(socket, 'secureConnect');
    expect(socket.authorized).to.equal(true);
    socket.destroy();
    server.close();
    await once(server, 'close');
  });
});
