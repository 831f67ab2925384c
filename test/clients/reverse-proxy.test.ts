import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { needsPackages } from '../peers/needs-packages.ts';
import { freePort } from '../support/free-port.ts';
import { LineProcess } from '../support/line-process.ts';
import { type ServerProcess, startServer } from '../support/server-process.ts';
import { ClientProcess } from './client-process.ts';
import { hasAiohttp, slixmpp, stanza, xmppJs } from './client-programs.ts';

const password = 'a password for browsers';

/** Where the proxy listens and what it passes requests on to. */
interface Site {
  readonly directory: string;
  readonly http: number;
  readonly https: number;
  readonly certificate: string;
  readonly key: string;
}

interface Proxy {
  readonly name: string;
  readonly debianPackage: string;
  start(example: string, site: Site): Promise<LineProcess>;
}

const nginx: Proxy = {
  name: 'nginx',
  debianPackage: 'nginx',
  async start(example, { directory, http, https, certificate, key }) {
    const site = example
      .replace('listen 443', `listen 127.0.0.1:${https}`)
      .replace('example.org;', 'localhost;')
      .replace(/ssl_certificate .*;/, `ssl_certificate ${certificate};`)
      .replace(/ssl_certificate_key .*;/, `ssl_certificate_key ${key};`)
      .replaceAll('127.0.0.1:5280', `127.0.0.1:${http}`);
    const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${directory};`);
    const config = `daemon off; master_process off; pid ${directory}/pid; error_log stderr notice;
events {}
http { access_log off; ${paths.join(' ')} ${site} }
`;
    const file = join(directory, 'nginx.conf');
    await writeFile(file, config);
    const proxy = new LineProcess('nginx', '/usr/sbin/nginx', ['-e', 'stderr', '-c', file]);
    await proxy.waitFor('its start', () => proxy.complaints.some((line) => line.includes('OS:')) || undefined);
    return proxy;
  },
};

const caddy: Proxy = {
  name: 'Caddy',
  debianPackage: 'caddy',
  async start(example, { directory, http, https, certificate, key }) {
    const site = example
      .replace('example.org {', `https://localhost:${https} {\n  bind 127.0.0.1\n  tls ${certificate} ${key}`)
      .replaceAll('127.0.0.1:5280', `127.0.0.1:${http}`);
    const file = join(directory, 'Caddyfile');
    await writeFile(file, `{\n  admin off\n  auto_https off\n}\n${site}`);
    // Caddy keeps its own files below these.
    const home = { HOME: directory, XDG_DATA_HOME: directory, XDG_CONFIG_HOME: directory };
    const proxy = new LineProcess('caddy', '/usr/bin/caddy', ['run', '--config', file, '--adapter', 'caddyfile'], home);
    const serves = (line: string) => line.includes('serving initial configuration');
    await proxy.waitFor('its start', () => proxy.complaints.some(serves) || undefined);
    return proxy;
  },
};

/** The example for a proxy in the documentation. */
async function example(proxy: Proxy): Promise<string> {
  const page = await readFile(new URL('../../docs/web.md', import.meta.url), 'utf8');
  const [, found] = new RegExp(`### ${proxy.name}\n\n\`\`\`\\w+\n(.*?)\`\`\``, 's').exec(page) ?? [];
  return found ?? expect.fail('there is no example');
}

for (const proxy of [nginx, caddy]) describeProxy(proxy);

function describeProxy(proxy: Proxy): void {
  describe(`Web clients behind ${proxy.name}, as docs/web.md says`, () => {
    needsPackages([proxy.debianPackage]);

    let server: ServerProcess;
    let running: LineProcess;
    let directory: string;
    let port: number;

    before(async () => {
      const [http, https] = [await freePort(), await freePort()];
      port = https;
      server = await startServer({
        settings: {
          listen: { http: [{ host: '127.0.0.1', port: http }] },
          web: { publicUrl: `https://localhost:${https}`, trustedProxies: ['127.0.0.1'] },
        },
      });
      for (const local of ['alice', 'bob']) await server.addUser(`${local}@localhost`, password);
      directory = await mkdtemp(join(tmpdir(), 'ampere-proxy-'));
      const tls = join(dirname(server.caFile), 'domains/localhost');
      const site = { directory, http, https, certificate: `${tls}.pem`, key: `${tls}.key` };
      running = await proxy.start(await example(proxy), site);
    });
    after(async () => {
      running?.kill('SIGTERM');
      await running?.end();
      await server?.stop();
      if (directory) await rm(directory, { recursive: true, force: true });
    });

    /** The server at the address of the proxy. */
    const behindProxy = () => {
      const { place, caFile } = server;
      return { caFile, place: { ...place, ports: { ...place.ports, https: port } } };
    };

    for (const [way, security] of [
      ['a WebSocket', 'https'],
      ['BOSH', 'bosh'],
    ] as const) {
      it(`chat through ${way}`, async () => {
        const proxied = behindProxy();
        await using alice = await ClientProcess.login(stanza, proxied, { jid: 'alice@localhost', password, security });
        await using bob = await ClientProcess.login(xmppJs, server, { jid: 'bob@localhost', password });
        alice.tell('message', 'bob@localhost', 'through a proxy');
        const [, from = ''] = await bob.expect('message', 'alice@localhost', 'through a proxy', '');
        bob.tell('message', from, 'and back');
        await alice.expect('message', 'bob@localhost', 'and back', '');
        await alice.quit();
        await bob.quit();
      });
    }

    it('upload files, and read them', async function () {
      if ((await slixmpp.missing()) !== undefined || !(await hasAiohttp())) return this.skip();
      await using alice = await ClientProcess.login(slixmpp, server, { jid: 'alice@localhost', password });
      alice.tell('upload', 'a.txt', 'through a proxy');
      const [, url = ''] = await alice.expect('uploaded');
      expect(url).to.match(new RegExp(`^https://localhost:${port}/files/`));
      alice.tell('download', url);
      await alice.expect('downloaded', '200', 'application/octet-stream', 'through a proxy');
      await alice.quit();
    });

    it('find the addresses of the proxy, and are known by their own', async () => {
      const ca = await readFile(server.caFile);
      const found = await new Promise<string>((resolve, reject) => {
        // The client has another address than the proxy, and claims to have a third one.
        const options = {
          ...{ host: '127.0.0.1', port, path: '/.well-known/host-meta', ca, servername: 'localhost' },
          ...{ localAddress: '127.0.0.9', headers: { host: 'localhost', 'x-forwarded-for': '203.0.113.7' } },
        };
        request(options, (response) => resolve(text(response)))
          .on('error', reject)
          .end();
      });
      expect(found)
        .to.contain(`href="wss://localhost:${port}/xmpp-websocket"`)
        .and.contain(`href="https://localhost:${port}/http-bind"`);
      // The log is complete when the server has ended.
      await server.restart();
      const line = server.log.find((entry) => entry.includes('host-meta'));
      expect(JSON.parse(line ?? '{}')).to.include({ remoteAddress: '127.0.0.9' });
    });
  });
}
