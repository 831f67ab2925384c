import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { exitCodes } from '../../src/cli/exit-codes.ts';
import { needsPackages } from '../peers/needs-packages.ts';
import { freePort } from '../support/free-port.ts';
import type { LineProcess } from '../support/line-process.ts';
import { startServer } from '../support/server-process.ts';
import { TestClient } from '../support/test-client.ts';
import { checkout } from './clean-machine.ts';
import { type ImageConfig, ImageStore } from './image-store.ts';

/** The instructions of the file for a container, each with its words. */
const instructions = readFileSync(join(checkout, 'docs/deploy/Containerfile'), 'utf8')
  .replaceAll(/^#.*\n/gm, '')
  .replaceAll(/\\\n\s*/g, '')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => line.split(' '));

const all = (name: string) => instructions.filter(([first]) => first === name).map(([, ...words]) => words);
const last = (name: string) => all(name).at(-1) ?? expect.fail(`there is no ${name}`);

/** The words of the form for programs, such as `["ampere", "start"]`. */
const command = (words: readonly string[]): string[] =>
  JSON.parse(words.slice(words.findIndex((word) => word.startsWith('['))).join(' '));

describe('The file for a container', () => {
  it('copies what a checkout has', () => {
    const copied = all('COPY').flatMap((words) => (words[0]?.startsWith('--from') ? [] : words.slice(0, -1)));
    expect(copied).to.include('migrations');
    for (const name of copied) expect(existsSync(join(checkout, name)), name).to.equal(true);
  });

  it('runs the server as a user without rights, who owns the volume', () => {
    const [user = ''] = last('USER');
    expect(user).to.match(/^[1-9]\d+:[1-9]\d+$/);
    const [owner, group] = user.split(':');
    const [volume] = last('VOLUME');
    expect(last('RUN').join(' ')).to.include(`install -d -m 0700 -o ${owner} -g ${group} ${volume}`);
  });

  it('starts a program that the build makes', () => {
    expect(last('RUN').join(' ')).to.include('ln -s /opt/ampere/bin/ampere.js /usr/local/bin/ampere');
    expect([...command(last('ENTRYPOINT')), ...command(last('CMD'))]).to.deep.equal(['ampere', 'start']);
    expect(spawnSync(join(checkout, 'bin/ampere.js'), ['--version']).status).to.equal(0);
  });

  it('has a health check that tells whether the server runs', async () => {
    const [program, ...args] = command(last('HEALTHCHECK'));
    expect(program).to.equal('ampere');
    const check = (directory: string) => {
      const env = { ...process.env, AMPERE_CONFIG: join(directory, 'server.json') };
      return spawnSync(process.execPath, [join(checkout, 'bin/ampere.js'), ...args], { env }).status;
    };
    const server = await startServer();
    expect(check(server.place.directory)).to.equal(0);
    await server.stop();
    const idle = mkdtempSync(join(tmpdir(), 'ampere-idle-'));
    writeFileSync(join(idle, 'server.json'), JSON.stringify({ dataDir: join(idle, 'data') }));
    expect(check(idle)).to.equal(exitCodes.unreachable);
    rmSync(idle, { recursive: true });
  });
});

// It takes minutes, downloads a Debian and all packages, and needs root.
(process.env['AMPERE_IMAGE'] === undefined ? () => {} : describe)('The image for a container, built', function () {
  this.timeout(1_800_000);
  needsPackages(['buildah', 'mmdebstrap']);

  const name = 'localhost/ampere';
  let store: ImageStore;
  let config: ImageConfig;
  let container: string;
  let port: number;
  let server: LineProcess;

  before(async () => {
    store = new ImageStore();
    await store.makeBases();
    config = await store.build(name);
    container = await store.buildah('from', '--pull-never', name);
    port = await freePort();
    const c2sTls = [{ host: '127.0.0.1', port }];
    const listen = { c2s: [], c2sTls, s2s: [], s2sTls: [], http: [], https: [], proxy: [] };
    mkdirSync(store.path('etc'));
    writeFileSync(store.path('etc/server.json'), JSON.stringify({ dataDir: Object.keys(config.Volumes)[0], listen }));
    server = store.starts(container, ...config.Entrypoint, ...config.Cmd);
    await server.waitFor('ready', () => server.lines.find((line) => line.includes('"msg":"ready"')));
  });

  after(async () => {
    server?.kill('SIGKILL');
    await server?.end();
    await store?.remove();
  });

  it('has a server that finds itself healthy', async () => {
    const [form, ...check] = config.Healthcheck.Test;
    expect(form).to.equal('CMD');
    expect(await store.runs(container, ...check)).to.match(/^Clients \(TLS\) +127\.0\.0\.1 port/m);
    expect(await store.runs(container, 'ampere', 'check')).to.include('The server is running.');
    expect(await store.runs(container, 'id', '-u')).to.equal(`${config.User.split(':')[0]}\n`);
  });

  it('has a server that clients log in to', async () => {
    const password = 'a pencil';
    await store.runs(container, 'ampere', 'user', 'add', 'juliet@localhost', '--password', password);
    const ca = await store.runs(container, 'cat', '/var/lib/ampere/tls/development-ca.pem');
    const tls = { ca, servername: 'localhost', ALPNProtocols: ['xmpp-client'] };
    const client = await TestClient.connect({ host: '127.0.0.1', port, tls }, 'localhost');
    await client.opens();
    await client.authenticates({ username: 'juliet', password });
    await client.binds('balcony');
    await client.closes();
  });

  it('has a server that ends well, and is not healthy then', async () => {
    const { pid } = JSON.parse(await store.runs(container, 'ampere', 'status', '--json'));
    process.kill(pid, 'SIGTERM');
    expect(await server.end()).to.equal(0);
    const [, ...check] = config.Healthcheck.Test;
    const failure = await store.runs(container, ...check).catch((error: unknown) => error);
    expect(failure).to.have.property('code', exitCodes.unreachable);
  });
});
