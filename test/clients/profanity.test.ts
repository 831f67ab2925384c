import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { type ServerProcess, startServer } from '../support/server-process.ts';
import { ClientProcess } from './client-process.ts';
import { succeeds, xmppJs } from './client-programs.ts';
import { Terminal } from './terminal.ts';

const password = 'correct horse battery staple';

describe('Profanity, a stock client in a terminal', () => {
  let server: ServerProcess;
  let home: string;

  before(async function () {
    if (!(await succeeds('profanity', ['--version'])) || !(await succeeds('tmux', ['-V']))) {
      console.log('    skipped: profanity or tmux is not installed');
      this.skip();
    }
    server = await startServer();
    for (const local of ['alice', 'bob']) await server.addUser(`${local}@localhost`, password);
  });

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'ampere-profanity-'));
  });

  afterEach(() => rm(home, { recursive: true, force: true }));

  after(async () => {
    await server?.stop();
  });

  const profanity = async (): Promise<Terminal> => {
    await mkdir(join(home, '.config/profanity'), { recursive: true });
    await writeFile(join(home, '.config/profanity/profrc'), `[connection]\ntls.certpath=${join(home, 'trusted')}\n`);
    return Terminal.open(['profanity'], { HOME: home });
  };

  const trust = async (caFile: string): Promise<void> => {
    await mkdir(join(home, 'trusted'));
    await copyFile(caFile, join(home, 'trusted/ca.pem'));
    if (!(await succeeds('openssl', ['rehash', join(home, 'trusted')]))) throw new Error('openssl rehash failed');
  };

  // Profanity calls direct TLS 'legacy'.
  const connect = async (terminal: Terminal, tls: 'force' | 'legacy', secret: string): Promise<void> => {
    const { host, ports } = server.place;
    const port = tls === 'legacy' ? ports.direct : ports.starttls;
    await terminal.shows('Profanity');
    await terminal.type(`/connect alice@localhost server ${host} port ${port} tls ${tls}`);
    await terminal.shows('Enter password:');
    await terminal.type(secret);
  };

  for (const tls of ['force', 'legacy'] as const) {
    it(`logs in over verified TLS (${tls}) and chats with @xmpp/client, both ways`, async () => {
      await trust(server.caFile);
      await using bob = await ClientProcess.login(xmppJs, server, { jid: 'bob@localhost', password });
      await using terminal = await profanity();
      await connect(terminal, tls, password);
      await terminal.shows('logged in successfully');
      await terminal.type('/msg bob@localhost Grüße aus dem Terminal');
      const [, from = ''] = await bob.expect('message', 'alice@localhost', 'Grüße aus dem Terminal');
      bob.tell('message', from, 'Grüße ins Terminal');
      await terminal.shows('Grüße ins Terminal');
      await bob.quit();
    });

    it(`turns away from a certificate it cannot verify (${tls})`, async () => {
      const strangers = join(home, 'strangers.pem');
      await writeFile(strangers, rootCertificates[0] ?? '');
      await trust(strangers);
      await using terminal = await profanity();
      await connect(terminal, tls, password);
      await terminal.shows('certificate verification failed');
    });
  }

  it('sees what another client of the account says and hears (XEP-0280)', async () => {
    await trust(server.caFile);
    await using bob = await ClientProcess.login(xmppJs, server, { jid: 'bob@localhost', password });
    await using alice = await ClientProcess.login(xmppJs, server, { jid: 'alice@localhost', password });
    await using terminal = await profanity();
    await connect(terminal, 'force', password);
    await terminal.shows('logged in successfully');
    await terminal.type('/carbons on');
    await terminal.shows('Message carbons');
    await terminal.type('/msg bob@localhost');
    alice.tell('message', 'bob@localhost', 'said elsewhere');
    const [, from = ''] = await bob.expect('message', 'alice@localhost', 'said elsewhere');
    await terminal.shows('said elsewhere');
    bob.tell('message', from, 'heard elsewhere');
    await terminal.shows('heard elsewhere');
    for (const one of [alice, bob]) await one.quit();
  });

  it('is refused with a wrong password', async () => {
    server.secrets.add('wrong horse battery staple');
    await trust(server.caFile);
    await using terminal = await profanity();
    await connect(terminal, 'force', 'wrong horse battery staple');
    await terminal.shows('Login failed');
  });
});
