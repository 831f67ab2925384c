import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type Server, startServer } from '../../src/compose/server.ts';
import { configSchema } from '../../src/config/schema.ts';
import { testPeer } from '../../src/web/control/server-operations.ts';
import { anchor, certificate, dns, ExtendedKeyUsage, type Identity, names } from '../federation/certificate-maker.ts';
import { freePort } from '../support/free-port.ts';
import { RecordingLog } from '../support/recording-log.ts';
import type { Settings } from '../support/test-server.ts';

/** One of two servers: what it shows, and how it talks to the other one. */
interface Side {
  readonly identity: Identity;
  readonly s2s?: Settings['s2s'];
}

const san = (domain: string) => names(dns(domain));
const { serverAuth } = ExtendedKeyUsage;

describe('A server that connects to another', () => {
  let root: Identity;
  let good: Record<'a' | 'b', Identity>;
  let directory: string;
  let running: Server[];
  let log: RecordingLog;

  before(async () => {
    root = await anchor('the authority of both');
    good = {
      a: await certificate({ san: san('a.example'), purposes: [serverAuth] }, root),
      b: await certificate({ san: san('b.example'), purposes: [serverAuth] }, root),
    };
  });
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'ampere-certificates-'));
    running = [];
    log = new RecordingLog();
  });
  afterEach(async () => {
    for (const server of running) await server.stop();
    rmSync(directory, { recursive: true });
    expect(log.alarms).to.deep.equal([]);
  });

  function write(place: string, name: string, content: string | Buffer): string {
    const file = join(directory, place, name);
    writeFileSync(file, content, { mode: 0o600 });
    return file;
  }

  async function start(domain: string, ports: Record<string, number>, { identity, s2s = {} }: Side): Promise<Server> {
    mkdirSync(join(directory, domain));
    const here = { host: '127.0.0.1', port: ports[domain] ?? 0 };
    const config = configSchema({ directory: join(directory, domain), environment: {} }).parse({
      domains: [domain],
      dataDir: '.',
      listen: {
        c2s: [{ host: '127.0.0.1', port: 0 }],
        c2sTls: [],
        components: [],
        s2s: [here],
        s2sTls: [],
        http: [],
        https: [],
        proxy: [],
      },
      tls: {
        certificate: write(domain, 'chain.pem', identity.chain.join('\n')),
        key: write(domain, 'key.pem', identity.key.export({ type: 'pkcs8', format: 'pem' })),
      },
      storage: { quickCheck: false },
      s2s: {
        trustedAuthorities: write(domain, 'trusted.pem', root.certificate),
        overrides: Object.fromEntries(
          Object.entries(ports)
            .filter(([other]) => other !== domain)
            .map(([other, port]) => [other, [{ host: '127.0.0.1', port }]]),
        ),
        ...s2s,
      },
    });
    const server = await startServer(config, { log });
    running.push(server);
    return server;
  }

  /** Starts both servers, and has a.example go the way to b.example. */
  async function way(a: Side, b: Side) {
    const ports = { 'a.example': await freePort(), 'b.example': await freePort() };
    const from = await start('a.example', ports, a);
    await start('b.example', ports, b);
    const { steps, reached } = await from.administration.call(testPeer, { remote: 'b.example' });
    return { reached, steps: steps.map(({ step, ok, detail }) => `${ok ? 'ok' : 'failed'} ${step}: ${detail}`) };
  }

  it('proves itself by a certificate for servers only', async () => {
    const { reached, steps } = await way({ identity: good.a }, { identity: good.b });
    expect(reached).to.equal(true);
    expect(steps.map((line) => line.replace(/port \d+/, 'port N').replace(/until .*/, 'until then'))).to.deep.equal([
      'ok addresses: 127.0.0.1 port N, STARTTLS (s2s.overrides)',
      'ok connection: 127.0.0.1: connected to 127.0.0.1 port N',
      'ok TLS: TLSv1.3, TLS_AES_128_GCM_SHA256',
      'ok certificate: names b.example, valid until then',
      'ok authentication: authenticated by certificate',
    ]);
  });

  const doubtful: readonly (readonly [title: string, make: () => Promise<Identity>, reason: RegExp])[] = [
    ['has expired', () => certificate({ san: san('a.example'), until: -0.5 }, root), /expired/],
    ['names another domain', () => certificate({ san: san('c.example') }, root), /does not name a.example/],
    ['names it in the subject only', () => certificate({ subject: [{ CN: ['a.example'] }] }, root), /does not name/],
    ['signs itself', () => certificate({ san: san('a.example'), purposes: [serverAuth] }), /not known/],
    [
      'comes from an unknown authority',
      async () => certificate({ san: san('a.example'), purposes: [serverAuth] }, await anchor('nobody')),
      /not known/,
    ],
  ];
  for (const [title, make, reason] of doubtful) {
    it(`falls back to dialback if its certificate ${title}`, async () => {
      const { reached, steps } = await way({ identity: await make() }, { identity: good.b });
      expect(reached, steps.join('\n')).to.equal(true);
      expect(steps.at(-1)).to.equal('ok authentication: authenticated by dialback');
    });

    it(`fails if certificates are required and its certificate ${title}`, async () => {
      const { reached, steps } = await way(
        { identity: await make() },
        { identity: good.b, s2s: { authentication: 'certificate' } },
      );
      expect(reached).to.equal(false);
      expect(steps.at(-1)).to.match(/^failed stream/);
    });

    it(`ends the stream if it requires a certificate and that of the other server ${title}`, async () => {
      const bad = await make();
      const ports = { 'a.example': await freePort(), 'b.example': await freePort() };
      const from = await start('b.example', ports, { identity: good.b, s2s: { authentication: 'certificate' } });
      await start('a.example', ports, { identity: bad });
      const { reached, steps } = await from.administration.call(testPeer, { remote: 'a.example' });
      expect(reached).to.equal(false);
      expect(steps.find(({ step }) => step === 'certificate')?.detail).to.match(reason);
      expect(steps.at(-1)?.detail).to.match(reason);
    });
  }

  it('detects that another domain leads to itself', async () => {
    const own = await freePort();
    const { administration } = await start(
      'a.example',
      { 'a.example': own, 'mirror.example': own },
      { identity: good.a },
    );
    const { steps, reached } = await administration.call(testPeer, { remote: 'mirror.example' });
    expect(reached).to.equal(false);
    expect(steps.at(-1)?.detail).to.match(/host-unknown/);
  });

  it('reports addresses that lead nowhere', async () => {
    const ports = { 'a.example': await freePort(), 'b.example': await freePort() };
    const { administration } = await start('a.example', ports, { identity: good.a, s2s: { deny: ['c.example'] } });
    const last = async (domain: string) =>
      (await administration.call(testPeer, { remote: domain })).steps.at(-1)?.detail;
    expect(await last('b.example')).to.match(/^127\.0\.0\.1 port \d+: 127\.0\.0\.1: ECONNREFUSED$/);
    expect(await last('c.example')).to.equal('excluded by s2s.allow or s2s.deny');
  });
});
