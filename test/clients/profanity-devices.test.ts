import { type ServerProcess, startServer } from '../support/server-process.ts';
import { ClientProcess } from './client-process.ts';
import { nbxmpp, slixmpp, xmppJs } from './client-programs.ts';
import { Profanity } from './profanity.ts';

const password = 'correct horse battery staple';

describe('Profanity and other devices', () => {
  let server: ServerProcess;

  before(async function () {
    const reasons = [Profanity.missing(), ...[slixmpp, nbxmpp, xmppJs].map((program) => program.missing())];
    for (const reason of await Promise.all(reasons)) {
      if (reason === undefined) continue;
      console.log(`    skipped: ${reason}`);
      this.skip();
    }
    server = await startServer();
    for (const local of ['alice', 'bob']) await server.addUser(`${local}@localhost`, password);
  });

  after(async () => {
    await server?.stop();
  });

  it('shows the same conversation as slixmpp and nbxmpp in one account (XEP-0280)', async () => {
    await using bob = await ClientProcess.login(xmppJs, server, { jid: 'bob@localhost', password });
    await using first = await ClientProcess.login(slixmpp, server, { jid: 'alice@localhost', password });
    await using second = await ClientProcess.login(nbxmpp, server, { jid: 'alice@localhost', password });
    await using third = await Profanity.login(server, 'alice@localhost', password);
    const programs = [first, second];
    for (const device of programs) {
      device.tell('carbons');
      await device.expect('carbons-on');
    }
    await third.terminal.type('/carbons on');
    await third.terminal.shows('Message carbons');

    first.tell('message', 'bob@localhost', 'said with slixmpp');
    const [, from = ''] = await bob.expect('message', 'alice@localhost', 'said with slixmpp');
    await second.expect('carbon', 'sent', from, 'bob@localhost', 'said with slixmpp');
    await third.terminal.type('/msg bob@localhost said with Profanity');
    await third.terminal.shows('said with slixmpp');
    const [, terminal = ''] = await bob.expect('message', 'alice@localhost', 'said with Profanity');
    for (const device of programs)
      await device.expect('carbon', 'sent', terminal, 'bob@localhost', 'said with Profanity');

    bob.tell('message', from, 'heard everywhere');
    await first.expect('message', 'bob@localhost', 'heard everywhere');
    await second.expect('carbon', 'received', 'bob@localhost', from, 'heard everywhere');
    await third.terminal.shows('heard everywhere');
    for (const device of [...programs, bob]) await device.quit();
  });

  it('shows in a new login what was said before (XEP-0313)', async () => {
    await using alice = await ClientProcess.login(slixmpp, server, { jid: 'alice@localhost', password });
    await using bob = await ClientProcess.login(xmppJs, server, { jid: 'bob@localhost', password });
    alice.tell('message', 'bob@localhost', 'said before the login');
    const [, from = ''] = await bob.expect('message', 'alice@localhost', 'said before the login');
    bob.tell('message', from, 'answered before the login');
    await alice.expect('message', 'bob@localhost', 'answered before the login');
    await using third = await Profanity.login(server, 'alice@localhost', password);
    await third.terminal.type('/mam on');
    await third.terminal.type('/msg bob@localhost');
    await third.terminal.shows('said before the login');
    await third.terminal.shows('answered before the login');
    for (const device of [alice, bob]) await device.quit();
  });

  it('exchanges messages with OMEMO, both ways (XEP-0384)', async () => {
    const names = ['alice@localhost', 'bob@localhost'] as const;
    const [asking, asked] = names;
    await befriend(asking, asked);
    await using alice = await Profanity.login(server, asking, password);
    await using bob = await Profanity.login(server, asked, password);
    for (const { terminal } of [alice, bob]) {
      await terminal.type('/omemo trustmode blind');
      await terminal.type('/omemo gen');
      await terminal.shows('Your Device ID is');
    }
    await bob.terminal.type(`/msg ${asking}`);
    await bob.terminal.type('/omemo start');
    await alice.terminal.type(`/msg ${asked}`);
    await alice.terminal.type('/omemo start');
    await alice.terminal.repeats('the secret of alice', bob.terminal, 'the secret of alice');
    await bob.terminal.repeats('the secret of bob', alice.terminal, 'the secret of bob');
    for (const { terminal } of [alice, bob]) await terminal.shows('[OMEMO]');
  });

  /** Makes two accounts contacts. */
  async function befriend(one: string, other: string): Promise<void> {
    await using first = await ClientProcess.login(slixmpp, server, { jid: one, password });
    await using second = await ClientProcess.login(slixmpp, server, { jid: other, password });
    for (const [asking, asked, to, from] of [
      [second, first, one, other],
      [first, second, other, one],
    ] as const) {
      asking.tell('subscribe', to);
      await asked.expect('presence', from, 'subscribe');
      asked.tell('approve', from);
      await asking.expect('push', to);
    }
    for (const client of [first, second]) await client.quit();
  }
});
