import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { LineProcess } from '../support/line-process.ts';
import { type ServerProcess, startServer } from '../support/server-process.ts';
import { ClientProcess } from './client-process.ts';
import { succeeds, xmppJs } from './client-programs.ts';

const run = promisify(execFile);
const password = 'correct horse battery staple';

/** A program that is started for one message, read from its standard input. */
interface Sender {
  readonly name: string;
  /** Its arguments, without the recipient. */
  arguments(server: ServerProcess, security: 'starttls' | 'direct', caFile: string): readonly string[];
  readonly securities: readonly ('starttls' | 'direct')[];
}

const goSendxmpp: Sender = {
  name: 'go-sendxmpp',
  securities: ['starttls', 'direct'],
  arguments: ({ place: { host, ports } }, security) => [
    ...['-u', 'alice@localhost', '-p', password, '-j', `${host}:${ports[security]}`],
    ...(security === 'direct' ? ['-t'] : []),
  ],
};

const sendxmpp: Sender = {
  name: 'sendxmpp',
  securities: ['starttls'],
  arguments: ({ place: { ports } }, _security, caFile) => [
    ...['-u', 'alice', '-p', password, '-j', `localhost:${ports.starttls}`, '-o', 'localhost', '-t', '-a', caFile],
    ...['--message-type', 'chat'],
  ],
};

for (const program of [goSendxmpp, sendxmpp]) {
  describe(`${program.name}, a stock client of the command line`, () => {
    let server: ServerProcess;
    let home: string;

    before(async function () {
      if (!(await succeeds('which', [program.name]))) {
        console.log(`    skipped: ${program.name} is not installed`);
        this.skip();
      }
      home = await mkdtemp(join(tmpdir(), 'ampere-command-line-'));
      server = await startServer();
      for (const local of ['alice', 'bob']) await server.addUser(`${local}@localhost`, password);
    });

    after(async () => {
      await server?.stop();
      if (home !== undefined) await rm(home, { recursive: true, force: true });
    });

    const environment = (caFile: string) => ({ ...process.env, HOME: home, SSL_CERT_FILE: caFile, LC_ALL: 'C.UTF-8' });

    async function sends(security: 'starttls' | 'direct', caFile: string): Promise<void> {
      const args = [...program.arguments(server, security, caFile), 'bob@localhost'];
      const sending = run(program.name, args, { env: environment(caFile), timeout: 60_000 });
      sending.child.stdin?.end('Grüße von der Kommandozeile\n');
      await sending;
    }

    for (const security of program.securities) {
      it(`sends what another client gets, over verified TLS (${security})`, async () => {
        await using bob = await ClientProcess.login(xmppJs, server, { jid: 'bob@localhost', password });
        await sends(security, server.caFile);
        await bob.expect('message', 'alice@localhost', 'Grüße von der Kommandozeile');
        await bob.quit();
      });

      it(`turns away from a certificate it cannot verify (${security})`, async () => {
        const strangers = join(home, 'strangers.pem');
        await writeFile(strangers, rootCertificates[0] ?? '');
        const refusal = await sends(security, strangers).catch((error: unknown) => error);
        expect(refusal).to.be.an('error').with.property('code').that.is.a('number').and.not.equals(0);
      });
    }

    if (program === goSendxmpp) {
      it('shows what another client sends', async () => {
        const args = [...program.arguments(server, 'starttls', server.caFile), '-l'];
        const listener = new LineProcess(program.name, program.name, args, environment(server.caFile));
        await using bob = await ClientProcess.login(xmppJs, server, { jid: 'bob@localhost', password });
        bob.tell('message', 'alice@localhost', 'to the listener');
        await listener.waitFor('the message', () => listener.lines.find((line) => line.includes('to the listener')));
        listener.kill('SIGTERM');
        await listener.end();
        await bob.quit();
      });
    }
  });
}
