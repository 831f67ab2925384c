import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { promisify } from 'node:util';
import { type ServerProcess, startServer } from '../support/server-process.ts';
import { ClientProcess } from './client-process.ts';
import { succeeds, xmppJs } from './client-programs.ts';
import { Terminal } from './terminal.ts';

const password = 'correct horse battery staple';
/** Runs a command as a user without rights, for programs that refuse to run as root. */
const asNobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];

/** A full-screen client that logs in by its configuration alone. */
interface TerminalClient {
  readonly name: string;
  /** Its configuration file, under the home directory. */
  readonly file: string;
  configuration(server: ServerProcess, caFile: string): string;
  /** Whether it refuses to run as root. */
  readonly unprivileged: boolean;
  /** What the screen shows after the login. */
  readonly loggedIn: string;
  /** What the screen shows if the certificate is not of an authority that it trusts. */
  readonly untrusted: string;
  /** Sends a message, and shows the conversation that it begins. */
  converse(terminal: Terminal, contact: string, body: string): Promise<void>;
}

const mcabber: TerminalClient = {
  name: 'mcabber',
  file: '.mcabber/mcabberrc',
  configuration: ({ place: { ports } }, caFile) =>
    [
      ...['set jid = alice@localhost', `set password = ${password}`],
      ...['set server = localhost', `set port = ${ports.starttls}`],
      ...['set tls = 1', `set ssl_ca = ${caFile}`, 'set ssl_ignore_checks = 0'],
    ].join('\n'),
  unprivileged: false,
  loggedIn: 'Your status has been set',
  untrusted: 'Certificate is not trusted',
  converse: async (terminal, contact, body) => {
    for (const line of [`/say_to ${contact} ${body}`, `/roster search ${contact}`, '']) await terminal.type(line);
  },
};

const poezio: TerminalClient = {
  name: 'poezio',
  file: '.config/poezio/poezio.cfg',
  configuration: ({ place: { host, ports } }, caFile) =>
    [
      ...['[Poezio]', 'jid = alice@localhost', `password = ${password}`],
      ...[`custom_host = ${host}`, `custom_port = ${ports.starttls}`, `ca_cert_path = ${caFile}`],
    ].join('\n'),
  unprivileged: true,
  loggedIn: 'Your JID is',
  untrusted: 'The certificate sent by the server is invalid',
  converse: async (terminal, contact, body) => {
    // It takes what comes at once for pasted text, in which neither a slash nor a line end is an order.
    await terminal.press('/');
    await terminal.clears('Enter commands with');
    await terminal.write(`message ${contact} "${body}"`);
    await terminal.shows(body);
    await terminal.press('Enter');
  },
};

for (const client of [mcabber, poezio]) {
  describe(`${client.name}, a stock client in a terminal`, () => {
    let server: ServerProcess;
    let home: string;

    before(async function () {
      if (!(await succeeds('which', [client.name])) || !(await succeeds('tmux', ['-V']))) {
        console.log(`    skipped: ${client.name} or tmux is not installed`);
        this.skip();
      }
      server = await startServer();
      for (const local of ['alice', 'bob']) await server.addUser(`${local}@localhost`, password);
    });

    beforeEach(async () => {
      home = await mkdtemp(join(tmpdir(), `ampere-${client.name}-`));
    });

    afterEach(() => rm(home, { recursive: true, force: true }));

    after(async () => {
      await server?.stop();
    });

    async function opened(caFile: string): Promise<Terminal> {
      const file = join(home, client.file);
      const trusted = join(home, 'ca.pem');
      await mkdir(dirname(file), { recursive: true });
      await copyFile(caFile, trusted);
      await writeFile(file, `${client.configuration(server, trusted)}\n`, { mode: 0o600 });
      const demoted = client.unprivileged && process.getuid?.() === 0;
      if (demoted) await promisify(execFile)('chown', ['-R', '65534:65534', home]);
      return Terminal.open([...(demoted ? asNobody : []), client.name], {
        HOME: home,
        LANG: 'C.UTF-8',
        PATH: '/usr/bin:/bin',
      });
    }

    it('logs in over verified TLS and chats with @xmpp/client, both ways', async () => {
      await using bob = await ClientProcess.login(xmppJs, server, { jid: 'bob@localhost', password });
      await using terminal = await opened(server.caFile);
      await terminal.shows(client.loggedIn);
      await client.converse(terminal, 'bob@localhost', 'Grüße aus dem Terminal');
      const [, from = ''] = await bob.expect('message', 'alice@localhost', 'Grüße aus dem Terminal');
      bob.tell('message', from, 'Grüße ins Terminal');
      await terminal.shows('Grüße ins Terminal');
      await bob.quit();
    });

    it('turns away from a certificate it cannot verify', async () => {
      const strangers = join(home, 'strangers.pem');
      await writeFile(strangers, rootCertificates[0] ?? '');
      await using terminal = await opened(strangers);
      await terminal.shows(client.untrusted);
    });
  });
}
