import { copyFileSync, cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { DevelopmentAuthority } from '../../src/tls/development-authority.ts';
import { addressRecord, DnsServer, srvRecord } from '../federation/dns-server.ts';
import { archiveOf, untilAll } from '../peers/moving-in.ts';
import { freePort } from '../support/free-port.ts';
import type { LineProcess } from '../support/line-process.ts';
import { TestClient } from '../support/test-client.ts';
import { CleanMachine, checkout } from './clean-machine.ts';
import { lineAt, writeProsodyData } from './prosody-data.ts';
import { UnitService } from './unit-service.ts';

const domain = 'example.org';
const hall = `hall0@conference.${domain}`;
const password = 'a pencil';
const accounts = ['juliet', 'romeo', ...Array.from({ length: 998 }, (_, index) => `user${index}`)];
const rooms = Array.from({ length: 10 }, (_, index) => `hall${index}`);
const messages = 100;
/** What the archive gives to somebody who does not say how much. */
const pageSize = 50;
/** What npm needs to know of this machine, of which the clean one knows nothing. */
const npmSettings = Object.fromEntries(
  Object.entries(process.env).flatMap(([name, value]) =>
    /^(HOME|npm_config_(registry|cache|userconfig|globalconfig|cafile)|.*_proxy|NODE_EXTRA_CA_CERTS)$/i.test(name)
      ? [[name, value ?? '']]
      : [],
  ),
);
/** The machine has a Node.js that is new enough, so the package need not bring one. */
const npm = {
  ...npmSettings,
  npm_config_prefer_offline: 'true',
  npm_config_audit: 'false',
  npm_config_fund: 'false',
  npm_config_omit: 'optional',
};

/** What npm says if it cannot reach its registry. */
const noRegistry =
  /npm (error|ERR!) code (E(TIMEDOUT|SOCKETTIMEDOUT|CONN\w+|NOTFOUND|AI_AGAIN|HOSTUNREACH|404|5\d\d)|ERR_SOCKET\w*)/;

interface Manifest {
  version: string;
}

// Each test is a step of one story, and needs those before it.
describe('Somebody who has only the documents, on a machine without Ampere,', function () {
  // npm unpacks a hundred packages, twice.
  this.timeout(600_000);

  let machine: CleanMachine;
  let service: UnitService;
  let dns: DnsServer;
  let authority: DevelopmentAuthority;
  let ports: { readonly c2s: number; readonly tls: number; readonly s2s: number };
  let practice: LineProcess | undefined;
  let isOffline = false;

  before(async () => {
    machine = new CleanMachine();
    dns = new DnsServer();
    ports = { c2s: await freePort(), tls: await freePort(), s2s: await freePort() };
  });

  beforeEach(function () {
    if (isOffline) this.skip();
  });

  after(async () => {
    await service?.kill();
    practice?.kill('SIGKILL');
    await practice?.end();
    dns?.stop();
    machine?.remove();
  });

  const root = 'sudo -u ampere ampere';

  /** The configuration of README.md, with ports of this machine. */
  function settings(dataDir: string, own: typeof ports): object {
    const minimum: object = JSON.parse(machine.documented('"domains": ["example.org"]'));
    const at = (port: number) => [{ host: '0.0.0.0', port }];
    const listen = {
      c2s: at(own.c2s),
      c2sTls: at(own.tls),
      s2s: at(own.s2s),
      s2sTls: [],
      http: [],
      https: [],
      proxy: [],
    };
    return { ...minimum, dataDir: machine.path(dataDir), listen };
  }

  async function logsIn(name: string, port = ports.tls): Promise<TestClient> {
    const ca = readFileSync(authority.certificateFile);
    const tls = { ca, servername: domain, ALPNProtocols: ['xmpp-client'] };
    const client = await TestClient.connect({ host: '127.0.0.1', port, tls }, domain);
    await client.opens();
    await client.authenticates({ username: name, password });
    await client.binds('desk');
    return client;
  }

  /** A package file of this build under another version, with one more migration. */
  async function newerPackage(): Promise<string> {
    const source = machine.path('/root/newer');
    cpSync(machine.path('/opt/ampere/lib/node_modules/ampere-xmpp'), source, {
      recursive: true,
      filter: (path) =>
        !path.startsWith(join(machine.path('/opt/ampere/lib/node_modules/ampere-xmpp'), 'node_modules')),
    });
    const file = join(source, 'package.json');
    const manifest: Manifest = JSON.parse(readFileSync(file, 'utf8'));
    writeFileSync(file, JSON.stringify({ ...manifest, version: '0.2.0' }));
    const next = String(readdirSync(join(source, 'migrations')).length + 1).padStart(4, '0');
    writeFileSync(
      join(source, `migrations/${next}-story.sql`),
      'CREATE TABLE story (id INTEGER PRIMARY KEY) STRICT;\n',
    );
    await machine.types('npm pack', { ...npm, npm_config_ignore_scripts: 'true' }, source);
    copyFileSync(join(source, 'ampere-xmpp-0.2.0.tgz'), machine.path('/root/ampere-xmpp-0.2.0.tgz'));
    return 'ampere-xmpp-0.2.0.tgz';
  }

  it('makes the package file and installs it', async function () {
    // The build is there already.
    const environment = {
      ...npm,
      npm_config_ignore_scripts: 'true',
      npm_config_pack_destination: machine.path('/root'),
    };
    await machine.types('npm pack', environment, checkout);
    const { version }: Manifest = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8'));
    const installed = machine.types(`npm install --global --prefix /opt/ampere ./ampere-xmpp-${version}.tgz`, npm);
    await installed.catch((error: Error) => {
      isOffline = noRegistry.test(error.message);
      if (!isOffline) throw error;
      console.log('    skipped: npm does not reach its registry');
      this.skip();
    });
    machine.program('ampere', machine.mapped(machine.documented('exec /opt/ampere/bin/ampere "$@"')));
    expect(await machine.types('ampere --help')).to.include('ampere restore <file>');
  });

  it('writes a configuration and gets a certificate', async () => {
    await machine.types('install -d -o ampere -g ampere -m 0700 /var/lib/ampere /var/backups/ampere');
    await machine.types('install -d -m 0755 /etc/ampere');
    authority = new DevelopmentAuthority(machine.path('/root/authority'), Date.now());
    const files = (await authority.certificates([domain])).get(domain);
    copyFileSync(files?.certificate ?? '', machine.path('/etc/ampere/fullchain.pem'));
    copyFileSync(files?.key ?? '', machine.path('/etc/ampere/privkey.pem'));
    machine.give('/etc/ampere/fullchain.pem', 0o644);
    machine.give('/etc/ampere/privkey.pem', 0o600);
    const own = { ...settings('/var/lib/ampere', ports), s2s: { dns: { servers: [await dns.start()] } } };
    machine.write('/etc/ampere/server.json', JSON.stringify(own));
    const findings = await machine.types(`${root} check`);
    expect(findings).to.match(/^warning +certificates +conference\.example\.org has no certificate that names it/m);
    expect(findings).not.to.match(/^error/m);
    expect(findings).to.include('Clients cannot find example.org');
  });

  it('is told what to add to the zone, and of the record that is wrong', async () => {
    const zone = await machine.types('ampere check --zone --host xmpp.example.org');
    for (const [, name = '', priority, weight, port, host = ''] of zone.matchAll(
      /^(\S+)\. \d+ IN SRV (\d+) (\d+) (\d+) (\S+)\.$/gm,
    ))
      dns.answers.set(`SRV ${name}`, [srvRecord(Number(priority), Number(weight), Number(port), host)]);
    dns.answers.set('A xmpp.example.org', [addressRecord('127.0.0.1')]);
    const right = dns.answers.get('SRV _xmpps-client._tcp.example.org') ?? [];
    dns.answers.set('SRV _xmpps-client._tcp.example.org', [srvRecord(0, 5, 9, 'xmpp.example.org')]);
    const wrong = 'Clients find example.org at xmpp.example.org port 9, but this server does not listen on that port';
    expect(await machine.types(`${root} check`)).to.match(new RegExp(`warning +dns +${wrong}`));
    dns.answers.set('SRV _xmpps-client._tcp.example.org', right);
    const mended = await machine.types(`${root} check`);
    expect(mended).to.include(
      `ok       dns            Clients find example.org at xmpp.example.org port ${ports.tls}.`,
    );
    expect(mended).not.to.match(/^(warning|error) +dns/m);
  });

  it('runs it as a service', async () => {
    const packed = '/opt/ampere/lib/node_modules/ampere-xmpp/docs/deploy/';
    expect(machine.says(packed)).to.equal(true);
    copyFileSync(machine.path(`${packed}ampere.service`), machine.path('/etc/systemd/system/ampere.service'));
    service = new UnitService(machine, 'ampere.service');
    await service.start();
    expect(await machine.types('ampere check')).to.include('The server is running.');
    await service.reload();
  });

  it('moves a Prosody installation in, and is told of its damaged file', async () => {
    const old = machine.path('/var/lib/prosody');
    writeProsodyData(old, { domain, accounts, password, rooms, messages });
    writeFileSync(join(old, 'example%2eorg/roster/user7.dat'), 'return {\n\t["pending"] = ');
    const users = await machine.types('ampere user import /var/lib/prosody');
    expect(users).to.include('1000 created, 0 skipped because they exist, 0 not imported.');
    expect(users).to.match(/user7@example\.org: .*roster\/user7\.dat: line 2: expected a value/);
    expect(await machine.types('ampere room import /var/lib/prosody')).to.include('10 created');
    const juliet = await logsIn('juliet');
    const { messages: archived } = await archiveOf(juliet);
    expect(archived).to.have.length(pageSize);
    expect(archived.at(-1)).to.include(lineAt(pageSize - 1));
    juliet.disconnects();
  });

  it('watches it', async () => {
    const watch = machine.starts('ampere watch --jid romeo@example.org --kind message');
    await service.logs('POST /watch');
    const [juliet, romeo] = [await logsIn('juliet'), await logsIn('romeo')];
    await juliet.appears();
    romeo.sends(`<message to="juliet@${domain}" type="chat" id="m1"><body>But soft</body></message>`);
    const [said, body] = await watch.waitFor('the message', () => {
      const at = watch.lines.findIndex((line) => line.includes('-> message chat'));
      return watch.lines[at + 1] === undefined || at < 0 ? undefined : watch.lines.slice(at, at + 2);
    });
    expect(said).to.match(/c2s romeo@example\.org\/desk -> message chat to juliet@example\.org id m1/);
    expect(body).to.equal('  <body>…</body>');
    watch.kill('SIGTERM');
    await watch.end();
    for (const client of [juliet, romeo]) client.disconnects();
  });

  it('upgrades it, after a backup', async () => {
    await machine.types('ampere backup --verify /var/backups/ampere/before-upgrade.db');
    await newerPackage();
    await machine.types('npm install --global --prefix /opt/ampere ./ampere-xmpp-0.2.0.tgz', npm);
    await machine.types(`${root} check`);
    expect(await service.stop()).to.equal(0);
    await service.start();
    await service.logs('The database has been migrated, after a backup');
    expect(await machine.types('ampere --version')).to.equal('0.2.0\n');
    const juliet = await logsIn('juliet');
    juliet.sends(`<presence to="${hall}/juliet"><x xmlns="http://jabber.org/protocol/muc"/></presence>`);
    await untilAll(juliet, lineAt(messages - 1));
    juliet.disconnects();
  });

  it('restores the backup on another path, and users log in there', async () => {
    await machine.types('ampere backup --verify /var/backups/ampere/$(date +%F).db');
    const own = { c2s: await freePort(), tls: await freePort(), s2s: await freePort() };
    machine.write('/etc/ampere/practice.json', JSON.stringify(settings('/srv/practice', own)));
    machine.makeDirectory('/srv/practice', 0o700);
    const [today = ''] = readdirSync(machine.path('/var/backups/ampere')).filter((name) => /^\d/.test(name));
    copyFileSync(machine.path(`/var/backups/ampere/${today}`), machine.path('/var/backups/ampere/2026-01-31.db'));
    machine.give('/var/backups/ampere/2026-01-31.db', 0o600);
    await machine.types(`${root} restore /var/backups/ampere/2026-01-31.db --config /etc/ampere/practice.json`);
    practice = machine.starts(`${root} start --config /etc/ampere/practice.json`);
    await practice.waitFor('ready line', () => practice?.lines.find((line) => line.includes('"msg":"ready"')));
    const juliet = await logsIn('juliet', own.tls);
    const roster = await juliet.asks('<iq type="get"><query xmlns="jabber:iq:roster"/></iq>');
    expect(roster.raw).to.include('jid="romeo@example.org"');
    expect((await archiveOf(juliet)).messages.at(0)).to.include(lineAt(0));
    juliet.disconnects();
    expect(await service.stop()).to.equal(0);
  });
});
