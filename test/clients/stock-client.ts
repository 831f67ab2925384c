import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { expect } from 'chai';
import { type ServerProcess, startServer } from '../support/server-process.ts';
import { ClientProcess, type Login } from './client-process.ts';
import { type ClientProgram, xmppJs } from './client-programs.ts';

const password = 'correct horse battery staple';
const scram = ['SCRAM-SHA-1', 'SCRAM-SHA-256', 'SCRAM-SHA-512'];

/** Defines what every stock client must be able to do; `more` adds what only this one is asked. */
export function describeStockClient(
  program: ClientProgram,
  more: (server: () => ServerProcess) => void = () => {},
): void {
  describe(`${program.name}, a stock client`, () => {
    let server: ServerProcess;

    before(async function () {
      const reason = await program.missing();
      if (reason !== undefined) {
        console.log(`    skipped: ${reason}`);
        this.skip();
      }
      await program.command();
      server = await startServer();
      for (const local of ['alice', 'bob', 'carol', 'dave']) await server.addUser(`${local}@localhost`, password);
    });

    after(async () => {
      await server?.stop();
    });

    definesLogin(program, () => server);
    definesChat(program, () => server);
    if (program.roster) definesRoster(program, () => server);
    more(() => server);
    definesOffline(program, () => server);
  });
}

function definesLogin(program: ClientProgram, server: () => ServerProcess): void {
  for (const security of program.directTls ? (['starttls', 'direct'] as const) : (['starttls'] as const)) {
    const login: Login = { jid: 'alice@localhost', password, security };

    it(`logs in over verified TLS (${security})`, async () => {
      await using client = await ClientProcess.login(program, server(), login);
      await client.quit();
    });

    it(`turns away from a certificate it cannot verify (${security})`, async () => {
      const directory = await mkdtemp(join(tmpdir(), 'ampere-strangers-'));
      const caFile = join(directory, 'ca.pem');
      await writeFile(caFile, rootCertificates.slice(0, 3).join('\n'));
      await using client = await ClientProcess.start(program, server(), { ...login, caFile });
      await client.expect('untrusted');
      await rm(directory, { recursive: true });
    });
  }

  it('logs in where nothing but SCRAM is offered', async () => {
    const strict = await startServer({ mechanisms: scram });
    await strict.addUser('alice@localhost', password);
    await using client = await ClientProcess.login(program, strict, { jid: 'alice@localhost', password });
    await client.quit();
    await strict.stop();
  });

  it('is refused with a wrong password', async () => {
    const wrong = 'wrong horse battery staple';
    server().secrets.add(wrong);
    await using client = await ClientProcess.start(program, server(), { jid: 'alice@localhost', password: wrong });
    await client.expect('refused', 'not-authorized');
  });
}

function definesChat(program: ClientProgram, server: () => ServerProcess): void {
  it('exchanges messages with @xmpp/client, both ways and in order', async () => {
    await using alice = await ClientProcess.login(program, server(), { jid: 'alice@localhost', password });
    await using bob = await ClientProcess.login(xmppJs, server(), { jid: 'bob@localhost', password });
    const bodies = ['Grüße & <Küsse>', "世界 😀 ']]>'", 'third'];
    for (const body of bodies) alice.tell('message', 'bob@localhost', body);
    const [, from = ''] = await bob.expect('message', 'alice@localhost', 'third', '');
    expect(bob.heard('message').map(([, , body]) => body)).to.deep.equal(bodies);
    bob.tell('message', from, 'to your resource');
    bob.tell('message', 'alice@localhost', 'to your account');
    await alice.expect('message', 'bob@localhost', 'to your resource', '');
    await alice.expect('message', 'bob@localhost', 'to your account', '');
    await alice.quit();
    await bob.quit();
  });
}

function definesRoster(program: ClientProgram, server: () => ServerProcess): void {
  it('keeps a roster, subscribes both ways and sees presence come and go', async () => {
    await using carol = await ClientProcess.login(program, server(), { jid: 'carol@localhost', password });
    await using dave = await ClientProcess.login(program, server(), { jid: 'dave@localhost', password });
    carol.tell('roster-add', 'dave@localhost', 'David', 'Friends');
    await carol.expect('push', 'dave@localhost', 'none');
    carol.tell('subscribe', 'dave@localhost');
    await dave.expect('presence', 'carol@localhost', 'subscribe');
    dave.tell('approve', 'carol@localhost');
    await carol.expect('push', 'dave@localhost', 'to');
    await carol.expect('presence', 'dave@localhost', 'available');
    dave.tell('subscribe', 'carol@localhost');
    await carol.expect('presence', 'dave@localhost', 'subscribe');
    carol.tell('approve', 'dave@localhost');
    await carol.expect('push', 'dave@localhost', 'both');
    await dave.expect('push', 'carol@localhost', 'both');
    await dave.expect('presence', 'carol@localhost', 'available');
    carol.tell('presence', 'away', 'at lunch');
    await dave.expect('presence', 'carol@localhost', 'available', 'away', 'at lunch');
    carol.tell('roster');
    await carol.expect('item', 'dave@localhost', 'David', 'both', 'Friends');
    await dave.quit();
    await carol.expect('presence', 'dave@localhost', 'unavailable');
    await carol.quit();
  });

  it('finds its roster and the presence of its contacts again at the next login', async () => {
    await using carol = await ClientProcess.login(program, server(), { jid: 'carol@localhost', password });
    await using dave = await ClientProcess.login(program, server(), { jid: 'dave@localhost', password });
    await dave.expect('presence', 'carol@localhost', 'available');
    await carol.expect('presence', 'dave@localhost', 'available');
    carol.tell('roster');
    await carol.expect('item', 'dave@localhost', 'David', 'both', 'Friends');
    await carol.expect('roster-end');
  });
}

function definesOffline(program: ClientProgram, server: () => ServerProcess): void {
  it('is given what was sent while it was away, with the time, after the server was restarted', async () => {
    const sentAtMs = Date.now();
    await sendAndMakeSure(server());
    await server().restart();
    const restartedAtMs = Date.now();
    await using bob = await ClientProcess.login(program, server(), { jid: 'bob@localhost', password });
    const [, , , stamp = ''] = await bob.expect('message', 'alice@localhost', 'read me later');
    // Stamps may be cut to whole seconds.
    expect(Date.parse(stamp)).to.be.within(sentAtMs - 1000, restartedAtMs);
    await bob.quit();
  });
}

async function sendAndMakeSure(server: ServerProcess): Promise<void> {
  await using alice = await ClientProcess.login(xmppJs, server, { jid: 'alice@localhost', password });
  alice.tell('message', 'bob@localhost', 'read me later');
  alice.tell('roster');
  await alice.expect('roster-end');
  await alice.quit();
}
